-- What is to be told, and whether it was: written with the change that it tells of, delivered from the commit on. The payload
-- is sealed (common/store/seal.h, label "notification:ID"): URLs of webhooks are secrets. States are the numbers of
-- common/model/record.h.

CREATE TABLE notification (
    id        uuid PRIMARY KEY,
    run_no    bigint NOT NULL,
    dag_no    int NOT NULL,
    task      int NOT NULL,           -- index into the DAG version; -1: of the run
    map_index int NOT NULL,
    try_no    int NOT NULL,
    event     text NOT NULL,          -- on_failure ...
    kind      text NOT NULL,          -- email, webhook, exec
    target    text NOT NULL,          -- for people
    queue     text NOT NULL,
    sealed    bytea NOT NULL,
    key_no    int NOT NULL,
    state     smallint NOT NULL,
    tries     int NOT NULL DEFAULT 0,
    made_at   timestamptz NOT NULL,
    next_at   timestamptz,
    ended_at  timestamptz,
    error     text NOT NULL DEFAULT ''
);
CREATE INDEX notification_pending ON notification (made_at) WHERE state = 0;
CREATE INDEX notification_made ON notification (made_at);
CREATE INDEX notification_run ON notification (run_no);

CREATE FUNCTION notification_state_word(state int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['pending', 'delivered', 'failed'])[state + 1]
$$;
