-- What runs have to do with one another and with dates: the past, backfills, assets, files.

-- The run before another one, by logical date.
CREATE INDEX run_by_logical ON run (dag_no, logical_at DESC) WHERE logical_at IS NOT NULL;

-- A backfill has the number of the request that asked for it.
CREATE TABLE backfill (
    backfill_no     bigint PRIMARY KEY,
    dag_no          int NOT NULL REFERENCES dag ON DELETE CASCADE,
    from_at         timestamptz NOT NULL,
    to_at           timestamptz NOT NULL,
    max_active_runs int NOT NULL,
    reprocess       smallint NOT NULL,  -- enum reprocess of common/model/backfill.h
    is_backwards    boolean NOT NULL,
    is_paused       boolean NOT NULL,
    conf            jsonb NOT NULL,
    triggered_by    text NOT NULL,
    cursor_at       timestamptz,        -- the fire time that was looked at last
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    ended_at        timestamptz
);
CREATE INDEX backfill_by_dag ON backfill (dag_no);

-- One row a date: its run, or why it got none.
CREATE TABLE backfill_run (
    backfill_no bigint NOT NULL REFERENCES backfill ON DELETE CASCADE,
    logical_at  timestamptz NOT NULL,
    run_no      bigint,
    reason      text,
    PRIMARY KEY (backfill_no, logical_at)
);
CREATE INDEX backfill_run_by_run ON backfill_run (run_no) WHERE run_no IS NOT NULL;

CREATE FUNCTION reprocess_word(reprocess int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['none', 'failed', 'completed'])[reprocess + 1]
$$;

CREATE TABLE asset (
    asset_no   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- An asset was updated. dag_no is NULL when a user said so.
CREATE TABLE asset_event (
    event_no  bigint PRIMARY KEY,
    asset_no  int NOT NULL REFERENCES asset,
    at        timestamptz NOT NULL,
    dag_no    int,
    run_no    bigint,
    task      int NOT NULL,
    map_index int NOT NULL,
    extra     jsonb NOT NULL
);
CREATE INDEX asset_event_by_asset ON asset_event (asset_no, event_no DESC);

-- What a DAG keeps until its condition holds, and what became of it then.
CREATE TABLE asset_kept (
    dag_no   int NOT NULL REFERENCES dag ON DELETE CASCADE,
    event_no bigint NOT NULL REFERENCES asset_event ON DELETE CASCADE,
    PRIMARY KEY (dag_no, event_no)
);
CREATE TABLE asset_taken (
    run_no   bigint NOT NULL,
    event_no bigint NOT NULL REFERENCES asset_event ON DELETE CASCADE,
    PRIMARY KEY (run_no, event_no)
);
CREATE INDEX asset_taken_by_event ON asset_taken (event_no);

CREATE FUNCTION asset_names(ir jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_path_query(ir, '$.tasks[*].outlets[*]') #>> '{}'
    UNION SELECT jsonb_path_query(ir, '$.tasks[*].inlets[*]') #>> '{}'
    UNION SELECT jsonb_path_query(ir -> 'schedule' -> 'assets', 'strict $.** ? (@.type() == "string")') #>> '{}'
$$;

-- The assets of a DAG are known from its version on.
CREATE FUNCTION dag_version_assets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO asset (name) SELECT * FROM asset_names(NEW.ir) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER dag_version_assets AFTER INSERT ON dag_version FOR EACH ROW EXECUTE FUNCTION dag_version_assets();

-- As Airflow's API shows it, with the runs that it has made.
CREATE FUNCTION asset_event_json(e asset_event) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT json_build_object('id', e.event_no, 'asset_id', e.asset_no, 'uri', a.name, 'name', a.name, 'group', 'asset', 'extra', e.extra,
        'source_dag_id', d.dag_id, 'source_run_id', r.run_id, 'source_task_id', v.ir -> 'tasks' -> e.task ->> 'id',
        'source_map_index', e.map_index, 'timestamp', e.at, 'partition_key', NULL,
        'created_dagruns', (SELECT coalesce(json_agg(json_build_object('run_id', m.run_id, 'dag_id', md.dag_id,
            'logical_date', m.logical_at, 'start_date', m.started_at, 'end_date', m.ended_at, 'state', run_state_word(m.state),
            'data_interval_start', m.interval_start, 'data_interval_end', m.interval_end, 'partition_key', NULL)
            ORDER BY m.run_no), '[]')
            FROM asset_taken t JOIN run m ON m.run_no = t.run_no JOIN dag md ON md.dag_no = m.dag_no WHERE t.event_no = e.event_no))
    FROM asset a LEFT JOIN dag d ON d.dag_no = e.dag_no LEFT JOIN run r ON r.run_no = e.run_no
    LEFT JOIN dag_version v ON v.version_no = r.version_no WHERE a.asset_no = e.asset_no
$$;

-- Files that have started runs. It outlives them: the same content never starts another one.
CREATE TABLE file_taken (
    dag_no   int NOT NULL REFERENCES dag ON DELETE CASCADE,
    content  uuid NOT NULL,  -- hash
    path     text NOT NULL,
    size     bigint NOT NULL,
    mtime    timestamptz NOT NULL,
    run_no   bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dag_no, content)
);
