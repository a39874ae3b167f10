-- What runs have to do with one another: the past.

-- The run before another one, by logical date.
CREATE INDEX run_by_logical ON run (dag_no, logical_at DESC) WHERE logical_at IS NOT NULL;
