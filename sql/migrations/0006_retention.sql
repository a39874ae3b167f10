-- What retention looks for and what it takes away with it is found by an index.
CREATE INDEX asset_event_at ON asset_event (at);
CREATE INDEX asset_kept_by_event ON asset_kept (event_no);
