-- The lists of the REST API: common/store/list_read.c wraps each block as a subquery, filters and orders by its columns,
-- and pages it. Column j is what the client sees: a row whose columns are the keys (common/store/row_json.h says what their names
-- mean), made for the rows of the page alone, or JSON as it is. Nothing here takes a parameter, but for lists of one run
-- (dag_id, run_id). Lists that can be held to one DAG have a dag_no, by which its rows are found.
-- `favourite` means those of who asks: list_statement.c sees to it.

-- name: api_dags
-- Columns that are subqueries cost nothing where nobody asks for them; a join would be made for every row.
-- gives: record text text bool bool bool bool bool timestamptz text[] text[] text[] text text text text text timestamptz timestamptz int4
SELECT j,
    d.dag_id, d.dag_id AS dag_display_name, d.is_paused, d.is_stale, e.has_errors AS has_import_errors,
    coalesce(d.schedule ? 'assets', false) AS has_asset_schedule,
    d.dag_no IN (SELECT m.dag_no FROM favourite m) AS is_favorite, d.next_fire_at AS next_dagrun, d.tags, d.owners,
    CASE WHEN jsonb_typeof(d.schedule -> 'assets') = 'array'
         THEN ARRAY(SELECT jsonb_array_elements_text(d.schedule -> 'assets')) ELSE '{}' END AS assets,
    'dags-folder'::text AS bundle_name, NULL::text AS bundle_version,
    coalesce((SELECT min(key) FROM jsonb_object_keys(CASE jsonb_typeof(d.schedule) WHEN 'object' THEN d.schedule ELSE '{}' END) AS key),
             'none') AS timetable_type,
    d.fileloc,
    (SELECT run_state_word(r.state) FROM run r WHERE r.dag_no = d.dag_no ORDER BY r.run_no DESC LIMIT 1) AS last_run_state,
    (SELECT r.started_at FROM run r WHERE r.dag_no = d.dag_no ORDER BY r.run_no DESC LIMIT 1) AS last_run_start,
    (SELECT r.ended_at FROM run r WHERE r.dag_no = d.dag_no ORDER BY r.run_no DESC LIMIT 1) AS last_run_end, d.dag_no
FROM dag d
LEFT JOIN dag_version v ON v.version_no = d.version_no
LEFT JOIN dag_file f ON f.path = d.fileloc
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM import_error i WHERE i.path = d.fileloc OR i.dag_id = d.dag_id)
                    AS has_errors) e
CROSS JOIN LATERAL (SELECT
    d.dag_id, d.dag_id AS dag_display_name, d.is_paused, d.is_stale, d.last_parsed_at AS last_parsed_time,
    f.parse_ms / 1000.0::float8 AS last_parse_duration, NULL AS last_expired, 'dags-folder' AS bundle_name,
    NULL AS bundle_version, d.fileloc AS relative_fileloc, d.fileloc, d.description,
    schedule_text(d.schedule) AS timetable_summary,
    coalesce(schedule_text(d.schedule), 'Never, external triggers only') AS timetable_description,
    false AS timetable_partitioned, coalesce(d.schedule ?| ARRAY['cron', 'every_ms'], false) AS timetable_periodic,
    coalesce(d.schedule ?| ARRAY['cron', 'every_ms'], false) AS is_backfillable, d.tags AS "tags[].name",
    d.dag_id AS "tags[].dag_id", d.dag_id AS "tags[].dag_display_name", coalesce(v.max_active_tasks, 16) AS max_active_tasks,
    coalesce(v.max_active_runs, 16) AS max_active_runs, coalesce(v.max_failed_runs, 0) AS max_consecutive_failed_dag_runs,
    v.has_task_limits AS has_task_concurrency_limits, e.has_errors AS has_import_errors,
    d.next_fire_at AS next_dagrun_logical_date, d.next_fire_at AS next_dagrun_data_interval_start,
    d.next_fire_at AS next_dagrun_data_interval_end, d.next_fire_at AS next_dagrun_run_after,
    CASE WHEN cardinality(d.owners) = 0 THEN ARRAY['headrace'] ELSE d.owners END AS owners, NULL AS allowed_run_types,
    d.dag_no IN (SELECT m.dag_no FROM favourite m) AS is_favorite,
    translate(encode(convert_to(d.fileloc, 'UTF8'), 'base64'), E'+/=\n', '-_') AS file_token) j

-- name: api_runs
-- gives: record text text text text timestamptz timestamptz timestamptz timestamptz timestamptz float8 int4 jsonb text text text timestamptz int8 int4
SELECT j,
    d.dag_id, r.run_id, run_state_word(r.state) AS state, run_type_word(r.run_type) AS run_type, r.logical_at AS logical_date,
    r.run_after, r.started_at AS start_date, r.ended_at AS end_date, r.updated_at,
    extract(epoch FROM r.ended_at - r.started_at)::float8 AS duration,
    (SELECT v.version_number FROM dag_version v WHERE v.version_no = r.version_no) AS dag_version,
    r.conf, CASE WHEN r.run_type = 0 THEN r.triggered_by END AS triggering_user_name, NULL::text AS bundle_version,
    NULL::text AS partition_key, NULL::timestamptz AS partition_date, r.run_no, r.dag_no
FROM run r
JOIN dag d ON d.dag_no = r.dag_no
LEFT JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT
    r.run_id AS dag_run_id, d.dag_id, d.dag_id AS dag_display_name, r.logical_at AS logical_date, r.queued_at,
    r.started_at AS start_date, r.ended_at AS end_date,
    extract(epoch FROM coalesce(r.ended_at, now()) - r.started_at)::float8 AS duration, r.interval_start AS data_interval_start,
    r.interval_end AS data_interval_end, r.run_after, r.updated_at AS last_scheduling_decision,
    run_type_word(r.run_type) AS run_type, run_state_word(r.state) AS state,
    CASE r.run_type WHEN 1 THEN 'timetable' WHEN 2 THEN 'backfill' WHEN 3 THEN 'asset' WHEN 4 THEN 'operator'
         ELSE 'rest_api' END AS triggered_by,
    CASE WHEN r.run_type = 0 THEN nullif(r.triggered_by, '') END AS triggering_user_name, r.conf, r.note, NULL AS partition_key,
    NULL AS bundle_version, derived_id(1, v.version_no, 0) AS "dag_versions[].id",
    v.version_number AS "dag_versions[].version_number", d.dag_id AS "dag_versions[].dag_id",
    'dags-folder' AS "dag_versions[].bundle_name", NULL AS "dag_versions[].bundle_version", NULL AS "dag_versions[].bundle_url",
    v.created_at AS "dag_versions[].created_at", d.dag_id AS "dag_versions[].dag_display_name") j

-- name: api_runs_count
-- As many rows as api_runs has.
-- gives: int4
SELECT 1 AS one FROM run r

-- name: api_instances
-- Instances of all runs that have a row. The task is taken out of the version once a row (OFFSET keeps it so), and of the rows of
-- the page alone.
-- gives: json text text text text timestamptz timestamptz timestamptz timestamptz timestamptz float8 text text int4 int4 text int4 text text int8 int4 int4
SELECT (SELECT row_to_json(j) FROM (SELECT
        coalesce(y.attempt, derived_id(2, r.run_no, (y.task::bigint << 32) | (y.map_index + 1))) AS id, t.task ->> 'id' AS task_id,
        d.dag_id, r.run_id AS dag_run_id, y.map_index, y.map_label AS rendered_map_index, r.logical_at AS logical_date, r.run_after,
        y.started_at AS start_date, y.ended_at AS end_date,
        extract(epoch FROM coalesce(y.ended_at, now()) - y.started_at)::float8 AS duration,
        CASE WHEN y.cleared THEN NULL ELSE nullif(task_state_word(y.state), 'none') END AS state, y.try_no AS try_number,
        coalesce((t.task ->> 'retries')::int, 0) AS max_tries,
        coalesce(t.task ->> 'display_name', t.task ->> 'id') AS task_display_name, d.dag_id AS dag_display_name, w.host AS hostname,
        t.task ->> 'run_as_user' AS unixname, y.pool, coalesce((t.task ->> 'pool_slots')::int, 1) AS pool_slots, y.queue,
        y.priority AS priority_weight, t.task ->> 'operator_kind' AS "operator", t.task ->> 'operator_kind' AS operator_name,
        y.queued_at AS queued_when, y.queued_at AS scheduled_when, NULL AS pid, NULL AS executor, '{}' AS executor_config, y.note,
        json_build_object() AS rendered_fields, NULL AS "trigger", NULL AS triggerer_job,
        (SELECT row_to_json(w) FROM (
            SELECT derived_id(1, v.version_no, 0) AS id, v.version_number, d.dag_id, 'dags-folder' AS bundle_name, NULL AS bundle_version,
                NULL AS bundle_url, v.created_at, d.dag_id AS dag_display_name) w) AS dag_version
        FROM (SELECT v.ir -> 'tasks' -> y.task AS task OFFSET 0) t) j) AS j,
    d.dag_id, r.run_id, v.ir -> 'tasks' -> y.task ->> 'id' AS task_id,
    CASE WHEN y.cleared THEN 'none' ELSE task_state_word(y.state) END AS state, r.logical_at AS logical_date, r.run_after,
    y.started_at AS start_date, y.ended_at AS end_date, coalesce(y.ended_at, y.started_at, y.queued_at) AS updated_at,
    extract(epoch FROM y.ended_at - y.started_at)::float8 AS duration, y.pool, y.queue, v.version_number,
    y.try_no::int AS try_number, v.ir -> 'tasks' -> y.task ->> 'operator_kind' AS operator, y.map_index, y.map_label, NULL::text AS executor,
    r.run_no, y.task AS ordinal, r.dag_no
FROM try y
JOIN run r ON r.run_no = y.run_no
JOIN dag d ON d.dag_no = r.dag_no
JOIN dag_version v ON v.version_no = r.version_no
LEFT JOIN worker w ON w.worker_no = y.worker_no
WHERE NOT EXISTS (SELECT FROM try n WHERE n.run_no = y.run_no AND n.task = y.task AND n.map_index = y.map_index
                  AND n.row_no > y.row_no)

-- name: api_instances_count
-- As many rows as api_instances has: each has a first one.
-- gives: int4
SELECT 1 AS one FROM try y WHERE y.row_no = 1

-- name: api_run_instances
-- Instances of one run, those without a row too: theirs is derived from the version.
-- takes: text text
-- gives: record text text text text timestamptz timestamptz timestamptz timestamptz timestamptz float8 text text int4 int4 text int4 text text int8 int4
SELECT j,
    d.dag_id, r.run_id, t.task ->> 'id' AS task_id,
    CASE WHEN y.cleared THEN 'none' ELSE coalesce(task_state_word(y.state), 'none') END AS state,
    r.logical_at AS logical_date, r.run_after, y.started_at AS start_date, y.ended_at AS end_date,
    coalesce(y.ended_at, y.started_at, y.queued_at) AS updated_at,
    extract(epoch FROM y.ended_at - y.started_at)::float8 AS duration, coalesce(y.pool, t.task ->> 'pool', 'default_pool') AS pool,
    coalesce(y.queue, t.task ->> 'queue', 'default') AS queue, v.version_number, coalesce(y.try_no, 0)::int AS try_number,
    t.task ->> 'operator_kind' AS operator, m.map_index, y.map_label, NULL::text AS executor, r.run_no, t.ordinal
FROM dag d
JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
JOIN run r ON r.run_no = k.run_no
JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT i.task, i.number::int - 1 AS ordinal
                    FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)) t
LEFT JOIN expansion x ON x.run_no = r.run_no AND x.task = t.ordinal AND x.length > 0
CROSS JOIN LATERAL generate_series(CASE WHEN x.length IS NULL THEN -1 ELSE 0 END, coalesce(x.length, 0) - 1) AS m (map_index)
LEFT JOIN LATERAL (SELECT * FROM try i WHERE i.run_no = r.run_no AND i.task = t.ordinal AND i.map_index = m.map_index
                   ORDER BY i.row_no DESC LIMIT 1) y ON true
LEFT JOIN worker w ON w.worker_no = y.worker_no
CROSS JOIN LATERAL (SELECT
    coalesce(y.attempt, derived_id(2, r.run_no, (t.ordinal::bigint << 32) | (m.map_index + 1))) AS id,
    t.task ->> 'id' AS task_id, d.dag_id, r.run_id AS dag_run_id, m.map_index, y.map_label AS rendered_map_index,
    r.logical_at AS logical_date, r.run_after, y.started_at AS start_date, y.ended_at AS end_date,
    extract(epoch FROM coalesce(y.ended_at, now()) - y.started_at)::float8 AS duration,
    CASE WHEN y.cleared THEN NULL ELSE nullif(task_state_word(y.state), 'none') END AS state,
    coalesce(y.try_no, 0) AS try_number, coalesce((t.task ->> 'retries')::int, 0) AS max_tries,
    coalesce(t.task ->> 'display_name', t.task ->> 'id') AS task_display_name, d.dag_id AS dag_display_name, w.host AS hostname,
    t.task ->> 'run_as_user' AS unixname, coalesce(y.pool, t.task ->> 'pool', 'default_pool') AS pool,
    coalesce((t.task ->> 'pool_slots')::int, 1) AS pool_slots, coalesce(y.queue, t.task ->> 'queue', 'default') AS queue,
    coalesce(y.priority, (t.task ->> 'priority_weight')::int, 1) AS priority_weight, t.task ->> 'operator_kind' AS "operator",
    t.task ->> 'operator_kind' AS operator_name, y.queued_at AS queued_when, y.queued_at AS scheduled_when, NULL AS pid,
    NULL AS executor, '{}' AS executor_config, y.note, json_build_object() AS rendered_fields, NULL AS "trigger",
    NULL AS triggerer_job, derived_id(1, v.version_no, 0) AS "dag_version.id", v.version_number AS "dag_version.version_number",
    d.dag_id AS "dag_version.dag_id", 'dags-folder' AS "dag_version.bundle_name", NULL AS "dag_version.bundle_version",
    NULL AS "dag_version.bundle_url", v.created_at AS "dag_version.created_at", d.dag_id AS "dag_version.dag_display_name") j
WHERE d.dag_id = $1

-- name: api_run_instances_count
-- As many rows as api_run_instances has.
-- takes: text text
-- gives: int4
SELECT 1 AS one
FROM dag d
JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
JOIN run r ON r.run_no = k.run_no
JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL generate_series(1, v.tasks_total + (SELECT coalesce(sum(x.length - 1), 0)::int FROM expansion x
                                                     WHERE x.run_no = r.run_no AND x.task < v.tasks_total AND x.length > 0))
WHERE d.dag_id = $1

-- name: api_outputs
-- Outputs (XCom) of one run.
-- takes: text text
-- gives: record text text text int4 text timestamptz timestamptz timestamptz int8
SELECT j,
    d.dag_id, r.run_id, v.ir -> 'tasks' -> o.task ->> 'id' AS task_id, o.map_index, o.key AS xcom_key,
    o.written_at AS timestamp, r.logical_at AS logical_date, r.run_after, r.run_no
FROM dag d
JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
JOIN run r ON r.run_no = k.run_no
JOIN dag_version v ON v.version_no = r.version_no
JOIN output o ON o.run_no = r.run_no
CROSS JOIN LATERAL (SELECT
    o.key, o.written_at AS timestamp, r.logical_at AS logical_date, r.run_after, o.map_index,
    v.ir -> 'tasks' -> o.task ->> 'id' AS task_id, d.dag_id, r.run_id, d.dag_id AS dag_display_name,
    r.run_id AS run_display_name, v.ir -> 'tasks' -> o.task ->> 'id' AS task_display_name) j
WHERE d.dag_id = $1

-- name: api_import_errors
-- gives: record int8 text text timestamptz
SELECT j,
    e.import_error_no AS import_error_id, e.path AS filename, 'dags-folder'::text AS bundle_name,
    e.seen_at AS timestamp
FROM import_error e
CROSS JOIN LATERAL (SELECT
    e.import_error_no AS import_error_id, e.seen_at AS timestamp, e.path AS filename, 'dags-folder' AS bundle_name,
    format(E'%s, line %s, column %s: %s\n%s\n%s', e.path, e.line, e.col, e.message, e.advice, e.excerpt) AS stack_trace) j

-- name: api_dag_versions
-- gives: record text int4 text text timestamptz int8 int4
SELECT j,
    d.dag_id, v.version_number, 'dags-folder'::text AS bundle_name, NULL::text AS bundle_version, v.created_at, v.version_no, v.dag_no
FROM dag_version v JOIN dag d ON d.dag_no = v.dag_no
CROSS JOIN LATERAL (SELECT
    derived_id(1, v.version_no, 0) AS id, v.version_number, d.dag_id, 'dags-folder' AS bundle_name, NULL AS bundle_version,
    NULL AS bundle_url, v.created_at, d.dag_id AS dag_display_name) j

-- name: api_tags
-- gives: json text
SELECT to_json(t.tag) AS j, t.tag AS name FROM (SELECT DISTINCT unnest(tags) AS tag FROM dag WHERE NOT is_stale) t

-- name: api_pools
-- Slots are counted by state of the newest row of each live instance.
-- gives: record text int4 int4
SELECT j,
    p.name, p.slots, p.pool_no
FROM pool p
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE y.state = 1) AS scheduled, count(*) FILTER (WHERE y.state = 2) AS queued,
           count(*) FILTER (WHERE y.state = 3) AS running, count(*) FILTER (WHERE y.state = 10) AS deferred
    FROM live_run l JOIN try y ON y.run_no = l.run_no
    WHERE y.pool = p.name AND NOT y.cleared AND y.state IN (1, 2, 3, 10)) u
CROSS JOIN LATERAL (SELECT
    p.name, p.slots, p.description, p.include_deferred, u.queued + u.running AS occupied_slots, u.running AS running_slots,
    u.queued AS queued_slots, u.scheduled AS scheduled_slots, u.deferred AS deferred_slots,
    CASE WHEN p.slots < 0 THEN -1 ELSE greatest(0, p.slots - u.queued - u.running
         - CASE WHEN p.include_deferred THEN u.deferred ELSE 0 END) END AS open_slots,
    NULL AS team_name) j

-- name: api_variables
-- The value is put in by common/store, which may hold the key.
-- gives: record text bytea int4
SELECT j,
    v.key AS variable_key, v.sealed, v.key_no
FROM variable v
CROSS JOIN LATERAL (SELECT
    v.key, '***' AS value, v.description, true AS is_encrypted, NULL AS team_name) j

-- name: api_connections
-- gives: record text text
SELECT j,
    c.connection_id, c.conn_type
FROM connection c
CROSS JOIN LATERAL (SELECT
    c.connection_id, coalesce(c.conn_type, 'generic') AS conn_type, c.description, c.host, c.login, c.schema, c.port,
    '***' AS password, NULL AS extra, NULL AS team_name) j

-- name: api_audit
-- gives: record int8 timestamptz text text text text int4 int4 text
SELECT j,
    a.audit_no AS event_log_id, a.at AS "when", a.dag_id, a.task_id, a.run_id, a.event, a.map_index, NULL::int4 AS try_number, a.actor AS owner
FROM audit a
CROSS JOIN LATERAL (SELECT
    a.audit_no AS event_log_id, a.at AS "when", a.dag_id, a.dag_id AS dag_display_name, a.task_id,
    a.task_id AS task_display_name, a.run_id, a.map_index, NULL AS try_number,
    CASE WHEN a.allowed THEN a.event ELSE a.event || '.denied' END AS event, NULL AS logical_date, a.actor AS owner,
    a.detail::text AS extra) j

-- name: api_jobs
-- The leader and the workers, as Airflow's jobs.
-- gives: record int8 text text text timestamptz timestamptz timestamptz bool text
SELECT j,
    o.id, o.state AS job_state, o.job_type, o.hostname, o.start_date, o.end_date, o.latest_heartbeat, o.is_alive,
    NULL::text AS executor_class
FROM (
    SELECT 0::bigint AS id, CASE WHEN l.expires_at > now() THEN 'running' ELSE 'failed' END AS state,
        'SchedulerJob' AS job_type, NULL::timestamptz AS start_date,
        CASE WHEN l.expires_at <= now() THEN l.expires_at END AS end_date, l.expires_at AS latest_heartbeat,
        l.expires_at > now() AS is_alive, l.holder AS hostname
    FROM lease l WHERE l.holder <> ''
    UNION ALL
    SELECT w.worker_no, CASE WHEN w.state = 3 THEN 'success' ELSE 'running' END, 'WorkerJob', w.joined_at,
        CASE WHEN w.state = 3 THEN w.seen_at END, w.seen_at, w.state <> 3, w.host
    FROM worker w) o
CROSS JOIN LATERAL (SELECT
    o.id, NULL AS dag_id, NULL AS dag_display_name, o.state, o.job_type, o.start_date, o.end_date, o.latest_heartbeat,
    NULL AS executor_class, o.hostname, NULL AS unixname) j

-- name: api_backfills
-- gives: record int8 text timestamptz timestamptz timestamptz timestamptz bool
SELECT j,
    b.backfill_no AS id, d.dag_id, b.from_at AS from_date, b.to_at AS to_date, b.created_at, b.ended_at AS completed_at,
    b.ended_at IS NULL AS is_active
FROM backfill b JOIN dag d ON d.dag_no = b.dag_no
CROSS JOIN LATERAL (SELECT
    b.backfill_no AS id, d.dag_id, d.dag_id AS dag_display_name, b.from_at AS from_date, b.to_at AS to_date,
    b.conf AS dag_run_conf, b.is_paused, reprocess_word(b.reprocess) AS reprocess_behavior, b.max_active_runs, b.created_at,
    b.ended_at AS completed_at, b.updated_at) j

-- name: api_assets
-- gives: json int4 text text[] timestamptz
WITH used AS MATERIALIZED (
    SELECT o.name, k.kind, d.dag_id, t.task ->> 'id' AS task_id, v.created_at
    FROM dag d JOIN dag_version v ON v.version_no = d.version_no, jsonb_array_elements(v.ir -> 'tasks') AS t (task),
        (VALUES ('outlets'), ('inlets')) AS k (kind), jsonb_array_elements_text(t.task -> k.kind) AS o (name)
    WHERE NOT d.is_stale
    UNION ALL
    SELECT DISTINCT n #>> '{}', 'schedule', d.dag_id, NULL, v.created_at
    FROM dag d JOIN dag_version v ON v.version_no = d.version_no,
        jsonb_path_query(v.ir -> 'schedule' -> 'assets', 'strict $.** ? (@.type() == "string")') AS n
    WHERE NOT d.is_stale
)
SELECT json_build_object('id', a.asset_no, 'name', a.name, 'uri', a.name, 'group', 'asset', 'extra', json_build_object(),
        'created_at', a.created_at, 'updated_at', a.created_at, 'aliases', json_build_array(), 'watchers', json_build_array(),
        'scheduled_dags', (SELECT coalesce(json_agg(json_build_object('dag_id', u.dag_id, 'created_at', u.created_at,
            'updated_at', u.created_at) ORDER BY u.dag_id), '[]') FROM used u WHERE u.name = a.name AND u.kind = 'schedule'),
        'producing_tasks', (SELECT coalesce(json_agg(json_build_object('dag_id', u.dag_id, 'task_id', u.task_id,
            'created_at', u.created_at, 'updated_at', u.created_at) ORDER BY u.dag_id, u.task_id), '[]')
            FROM used u WHERE u.name = a.name AND u.kind = 'outlets'),
        'consuming_tasks', (SELECT coalesce(json_agg(json_build_object('dag_id', u.dag_id, 'task_id', u.task_id,
            'created_at', u.created_at, 'updated_at', u.created_at) ORDER BY u.dag_id, u.task_id), '[]')
            FROM used u WHERE u.name = a.name AND u.kind = 'inlets'),
        'last_asset_event', (SELECT json_build_object('id', e.event_no, 'timestamp', e.at) FROM asset_event e
            WHERE e.asset_no = a.asset_no ORDER BY e.event_no DESC LIMIT 1)) AS j,
    a.asset_no AS id, a.name, ARRAY(SELECT DISTINCT u.dag_id FROM used u WHERE u.name = a.name) AS dag_ids, a.created_at
FROM asset a

-- name: api_asset_events
-- gives: json int8 int4 text timestamptz text text text int4
SELECT asset_event_json(e) AS j, e.event_no AS id, e.asset_no AS asset_id, a.name, e.at AS timestamp,
    d.dag_id AS source_dag_id, v.ir -> 'tasks' -> e.task ->> 'id' AS source_task_id, r.run_id AS source_run_id,
    e.map_index AS source_map_index
FROM asset_event e JOIN asset a ON a.asset_no = e.asset_no LEFT JOIN dag d ON d.dag_no = e.dag_no
LEFT JOIN run r ON r.run_no = e.run_no LEFT JOIN dag_version v ON v.version_no = r.version_no

-- name: api_queued_events
-- What DAGs keep until their condition holds: one row a DAG and asset, from the first event on.
-- gives: json text int4 timestamptz int4
SELECT json_build_object('dag_id', d.dag_id, 'asset_id', e.asset_no, 'created_at', min(e.at), 'dag_display_name', d.dag_id) AS j,
    d.dag_id, e.asset_no AS asset_id, min(e.at) AS created_at, d.dag_no
FROM asset_kept k JOIN asset_event e ON e.event_no = k.event_no JOIN dag d ON d.dag_no = k.dag_no
GROUP BY d.dag_id, e.asset_no, d.dag_no

-- name: api_notifications
-- gives: record text text text text text text timestamptz int4 text
-- What was to be told and whether it was; payloads stay where they are.
SELECT j,
    notification_state_word(n.state) AS state, n.kind, n.event, d.dag_id, r.run_id, t.task_id, n.made_at, n.tries,
    n.id::text AS notification_id
FROM notification n
LEFT JOIN dag d ON d.dag_no = n.dag_no
LEFT JOIN run r ON r.run_no = n.run_no
LEFT JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT v.ir -> 'tasks' -> n.task ->> 'id' AS task_id WHERE n.task >= 0
                    UNION ALL SELECT NULL WHERE n.task < 0) t
CROSS JOIN LATERAL (SELECT
    n.id AS notification_id, notification_state_word(n.state) AS state, n.event, n.kind, n.target, d.dag_id,
    r.run_id AS dag_run_id, t.task_id, n.map_index, n.try_no AS try_number, n.tries, n.made_at, n.next_at AS next_try_at,
    n.ended_at, nullif(n.error, '') AS error) j
