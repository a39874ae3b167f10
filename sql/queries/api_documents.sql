-- Single answers of the REST API: each block gives one row with one column of JSON text, or no row (404).
-- common/store/documents.def lists them with what they take.

-- name: api_health
-- $1: how long a lease is good for; a leader renewed it that long before it ends.
-- takes: int8
-- gives: text
SELECT json_build_object(
    'metadatabase', json_build_object('status', 'healthy'),
    'scheduler', json_build_object('status', h.status, 'latest_scheduler_heartbeat', h.at, 'holder', nullif(h.holder, '')),
    'dag_processor', json_build_object('status', h.status, 'latest_dag_processor_heartbeat', h.at),
    'triggerer', json_build_object('status', h.status, 'latest_triggerer_heartbeat', h.at))::text
FROM (SELECT CASE WHEN l.expires_at > now() THEN 'healthy' ELSE 'unhealthy' END AS status, l.holder,
             CASE WHEN isfinite(l.expires_at) THEN least(now(), l.expires_at - $1::int8 * interval '1 millisecond') END AS at
      FROM lease l WHERE l.shard = 0) h

-- name: api_dag_details
-- $2: who asks.
-- takes: text int4
-- gives: text
SELECT (to_jsonb(l.j) || jsonb_build_object(
    'catchup', coalesce((v.ir ->> 'catchup')::bool, false),
    'dag_run_timeout', duration_iso((v.ir ->> 'run_timeout_ms')::bigint),
    'asset_expression', v.ir -> 'schedule' -> 'assets', 'doc_md', v.ir ->> 'doc_md',
    'start_date', at_ms((v.ir ->> 'start_ms')::bigint), 'end_date', at_ms((v.ir ->> 'end_ms')::bigint),
    'is_paused_upon_creation', CASE (v.ir ->> 'paused_upon_creation')::int WHEN 0 THEN false WHEN 1 THEN true END,
    'params', coalesce((SELECT jsonb_object_agg(p.key, CASE WHEN jsonb_typeof(p.value) = 'object'
            THEN jsonb_build_object('value', p.value -> 'default', 'description', p.value -> 'description',
                                    'schema', p.value - 'default' - 'description', '__class', 'airflow.sdk.definitions.param.Param')
            ELSE jsonb_build_object('value', p.value, 'description', NULL, 'schema', '{}'::jsonb,
                                    '__class', 'airflow.sdk.definitions.param.Param') END)
        FROM jsonb_each(v.ir -> 'params') AS p), '{}'),
    'render_template_as_native_obj', false, 'template_search_path', NULL,
    'timezone', coalesce(v.ir ->> 'timezone', 'UTC'), 'last_parsed', d.last_parsed_at, 'default_args', NULL,
    'owner_links', NULL, 'concurrency', coalesce(v.max_active_tasks, 16),
    'active_runs_count', (SELECT count(*) FROM live_run a JOIN run r ON r.run_no = a.run_no AND r.dag_no = d.dag_no
                          WHERE r.state = 1),
    'fail_fast', coalesce((v.ir ->> 'fail_fast')::bool, false),
    'latest_dag_version', CASE WHEN v.version_no IS NOT NULL THEN jsonb_build_object('id', derived_id(1, v.version_no, 0),
        'version_number', v.version_number, 'dag_id', d.dag_id, 'bundle_name', 'dags-folder', 'bundle_version', NULL,
        'bundle_url', NULL, 'created_at', v.created_at, 'dag_display_name', d.dag_id) END))::text
FROM dag d
LEFT JOIN dag_version v ON v.version_no = d.version_no
CROSS JOIN LATERAL (
    SELECT json_build_object('dag_id', d.dag_id, 'dag_display_name', d.dag_id, 'is_paused', d.is_paused,
        'is_stale', d.is_stale, 'last_parsed_time', d.last_parsed_at, 'last_expired', NULL,
        'last_parse_duration', (SELECT f.parse_ms / 1000.0::float8 FROM dag_file f WHERE f.path = d.fileloc),
        'bundle_name', 'dags-folder', 'bundle_version', NULL, 'relative_fileloc', d.fileloc, 'fileloc', d.fileloc,
        'description', d.description, 'timetable_summary', schedule_text(d.schedule),
        'timetable_description', coalesce(schedule_text(d.schedule), 'Never, external triggers only'),
        'timetable_partitioned', false, 'timetable_periodic', coalesce(d.schedule ?| ARRAY['cron', 'every_ms'], false),
        'is_backfillable', coalesce(d.schedule ?| ARRAY['cron', 'every_ms'], false),
        'tags', (SELECT coalesce(json_agg(json_build_object('name', tag, 'dag_id', d.dag_id, 'dag_display_name', d.dag_id)
                                          ORDER BY tag), '[]') FROM unnest(d.tags) AS tag),
        'max_active_tasks', coalesce(v.max_active_tasks, 16), 'max_active_runs', coalesce(v.max_active_runs, 16),
        'max_consecutive_failed_dag_runs', coalesce(v.max_failed_runs, 0),
        'has_task_concurrency_limits', coalesce(v.has_task_limits, false),
        'has_import_errors', EXISTS (SELECT FROM import_error i WHERE i.path = d.fileloc OR i.dag_id = d.dag_id),
        'next_dagrun_logical_date', d.next_fire_at, 'next_dagrun_data_interval_start', d.next_fire_at,
        'next_dagrun_data_interval_end', d.next_fire_at, 'next_dagrun_run_after', d.next_fire_at,
        'owners', CASE WHEN cardinality(d.owners) = 0 THEN ARRAY['headrace'] ELSE d.owners END,
        'allowed_run_types', NULL,
        'is_favorite', EXISTS (SELECT FROM favourite m WHERE m.dag_no = d.dag_no AND m.user_no = $2),
        'file_token', translate(encode(convert_to(d.fileloc, 'UTF8'), 'base64'), E'+/=\n', '-_')) AS j) l
WHERE d.dag_id = $1

-- name: api_tasks
-- All tasks of the newest version, ordered by the field $3 (falling: $4), or the one that $2 names.
-- $5: whether the backoff is told as yes or no, as releases before 3.2 do.
-- takes: text text text bool bool
-- gives: text
SELECT CASE WHEN $2 = '' THEN json_build_object('tasks', coalesce(json_agg(x.j ORDER BY
           CASE WHEN NOT $4 THEN x.j ->> $3 END, CASE WHEN $4 THEN x.j ->> $3 END DESC, x.ordinal), '[]'),
                                                'total_entries', count(x.j))::text
       ELSE min(x.j::text) END
FROM dag d
LEFT JOIN dag_version v ON v.version_no = d.version_no
LEFT JOIN LATERAL (
    SELECT t.number AS ordinal, json_build_object(
        'task_id', t.task ->> 'id', 'task_display_name', coalesce(t.task ->> 'display_name', t.task ->> 'id'),
        'owner', coalesce(v.ir ->> 'owner', 'headrace'),
        'start_date', at_ms((v.ir ->> 'start_ms')::bigint), 'end_date', at_ms((v.ir ->> 'end_ms')::bigint),
        'trigger_rule', coalesce(t.task ->> 'trigger_rule', 'all_success'),
        'depends_on_past', coalesce((t.task ->> 'depends_on_past')::bool, false),
        'wait_for_downstream', coalesce((t.task ->> 'wait_for_downstream')::bool, false),
        'retries', coalesce((t.task ->> 'retries')::float8, 0),
        'queue', coalesce(t.task ->> 'queue', 'default'), 'pool', coalesce(t.task ->> 'pool', 'default_pool'),
        'pool_slots', coalesce((t.task ->> 'pool_slots')::float8, 1),
        'execution_timeout', CASE WHEN t.task ? 'execution_timeout_ms' THEN json_build_object('__type', 'TimeDelta',
            'days', (t.task ->> 'execution_timeout_ms')::bigint / 86400000,
            'seconds', (t.task ->> 'execution_timeout_ms')::bigint % 86400000 / 1000,
            'microseconds', (t.task ->> 'execution_timeout_ms')::bigint % 1000 * 1000) END,
        'retry_delay', json_build_object('__type', 'TimeDelta', 'days', r.ms / 86400000, 'seconds', r.ms % 86400000 / 1000,
            'microseconds', r.ms % 1000 * 1000),
        'retry_exponential_backoff', CASE WHEN $5 THEN to_json(coalesce((t.task ->> 'retry_backoff')::float8, 0) > 0)
            ELSE to_json(coalesce((t.task ->> 'retry_backoff')::float8, 0)) END,
        'priority_weight', coalesce((t.task ->> 'priority_weight')::float8, 1),
        'weight_rule', coalesce(t.task ->> 'weight_rule', 'downstream'), 'ui_color', '#e8f7e4', 'ui_fgcolor', '#000',
        'template_fields', (SELECT coalesce(json_agg(k ORDER BY k), '[]') FROM jsonb_object_keys(t.task -> 'operator_args') AS k),
        'downstream_task_ids', (SELECT coalesce(json_agg(o.value ->> 'id' ORDER BY o.value ->> 'id'), '[]')
            FROM jsonb_array_elements(v.ir -> 'tasks') AS o (value)
            WHERE o.value -> 'upstream' @> to_jsonb(t.number - 1)),
        'upstream_task_ids', (SELECT coalesce(json_agg(v.ir -> 'tasks' -> u.value::int ->> 'id'), '[]')
            FROM jsonb_array_elements_text(t.task -> 'upstream') AS u (value)),
        'doc_md', t.task ->> 'doc_md', 'operator_name', t.task ->> 'operator_kind', 'params', json_build_object(),
        'class_ref', json_build_object('module_path', 'headrace', 'class_name', t.task ->> 'operator_kind'),
        'is_mapped', t.task ? 'for_each', 'extra_links', '[]'::json) AS j
    FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (task, number)
    CROSS JOIN LATERAL (SELECT coalesce((t.task ->> 'retry_delay_ms')::bigint, 300000) AS ms) r
    WHERE $2 = '' OR t.task ->> 'id' = $2) x ON true
WHERE d.dag_id = $1
GROUP BY d.dag_no
HAVING $2 = '' OR count(x.j) > 0

-- name: api_tries
-- Every attempt of one instance: all, or the last with the number $5.
-- takes: text text text int4 int4
-- gives: text
SELECT CASE WHEN $5 < 0 THEN json_build_object('task_instances', coalesce(json_agg(x.j ORDER BY x.row_no), '[]'),
                                               'total_entries', count(*))::text
       ELSE (array_agg(x.j::text ORDER BY x.row_no DESC))[1] END
FROM (
    SELECT y.row_no, json_build_object('task_id', t.task ->> 'id', 'dag_id', d.dag_id, 'dag_run_id', r.run_id,
        'map_index', y.map_index, 'start_date', y.started_at, 'end_date', y.ended_at,
        'duration', extract(epoch FROM coalesce(y.ended_at, now()) - y.started_at)::float8,
        'state', nullif(task_state_word(y.state), 'none'), 'try_number', y.try_no,
        'max_tries', coalesce((t.task ->> 'retries')::int, 0),
        'task_display_name', coalesce(t.task ->> 'display_name', t.task ->> 'id'), 'dag_display_name', d.dag_id,
        'hostname', w.host, 'unixname', t.task ->> 'run_as_user', 'pool', y.pool,
        'pool_slots', coalesce((t.task ->> 'pool_slots')::int, 1), 'queue', y.queue, 'priority_weight', y.priority,
        'operator', t.task ->> 'operator_kind', 'operator_name', t.task ->> 'operator_kind', 'queued_when', y.queued_at,
        'scheduled_when', y.queued_at, 'pid', NULL, 'executor', NULL, 'executor_config', '{}',
        'dag_version', json_build_object('id', derived_id(1, v.version_no, 0), 'version_number', v.version_number,
            'dag_id', d.dag_id, 'bundle_name', 'dags-folder', 'bundle_version', NULL, 'bundle_url', NULL,
            'created_at', v.created_at, 'dag_display_name', d.dag_id), 'hitl_detail', NULL) AS j
    FROM dag d
    JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
    JOIN run r ON r.run_no = k.run_no
    JOIN dag_version v ON v.version_no = r.version_no
    CROSS JOIN LATERAL (SELECT i.task, i.number::int - 1 AS ordinal
                        FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)
                        WHERE i.task ->> 'id' = $3) t
    JOIN try y ON y.run_no = r.run_no AND y.task = t.ordinal AND y.map_index = $4
    LEFT JOIN worker w ON w.worker_no = y.worker_no
    WHERE d.dag_id = $1 AND ($5 < 0 OR y.try_no = $5)) x
HAVING $5 < 0 OR count(*) > 0

-- name: api_output
-- One XCom entry. $6: its value as text (a text as it is) instead of as JSON.
-- takes: text text text int4 text bool
-- gives: text
SELECT json_build_object('key', o.key, 'timestamp', o.written_at, 'logical_date', r.logical_at, 'run_after', r.run_after,
    'map_index', o.map_index, 'task_id', $3, 'dag_id', d.dag_id, 'run_id', r.run_id, 'dag_display_name', d.dag_id,
    'run_display_name', r.run_id, 'task_display_name', $3,
    'value', CASE WHEN $6 THEN to_json(o.value #>> '{}') ELSE o.value::json END)::text
FROM dag d
JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
JOIN run r ON r.run_no = k.run_no
JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT i.number::int - 1 AS ordinal
                    FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)
                    WHERE i.task ->> 'id' = $3) t
JOIN output o ON o.run_no = r.run_no AND o.task = t.ordinal AND o.map_index = $4 AND o.key = $5
WHERE d.dag_id = $1

-- name: api_dag_source
-- takes: text int4
-- gives: text
SELECT json_build_object('content', v.source, 'dag_id', d.dag_id, 'version_number', v.version_number,
                         'dag_display_name', d.dag_id)::text
FROM dag d JOIN dag_version v ON v.dag_no = d.dag_no
WHERE d.dag_id = $1 AND CASE WHEN $2 < 0 THEN v.version_no = d.version_no ELSE v.version_number = $2 END

-- name: api_file_token
-- The file behind a file_token.
-- takes: text
-- gives: text
SELECT to_json(f.path)::text FROM dag_file f
WHERE translate(encode(convert_to(f.path, 'UTF8'), 'base64'), E'+/=\n', '-_') = $1

-- name: api_dag_stats
-- Runs by state; of all DAGs when $1 is empty.
-- takes: text[]
-- gives: text
SELECT json_build_object('dags', coalesce(json_agg(json_build_object('dag_id', x.dag_id, 'dag_display_name', x.dag_id,
    'stats', json_build_array(json_build_object('state', 'queued', 'count', x.queued),
        json_build_object('state', 'running', 'count', x.running), json_build_object('state', 'success', 'count', x.success),
        json_build_object('state', 'failed', 'count', x.failed))) ORDER BY x.dag_id), '[]'), 'total_entries', count(*))::text
FROM (SELECT d.dag_id, count(*) FILTER (WHERE r.state = 0) AS queued, count(*) FILTER (WHERE r.state = 1) AS running,
             count(*) FILTER (WHERE r.state = 2) AS success, count(*) FILTER (WHERE r.state = 3) AS failed
      FROM dag d LEFT JOIN run r ON r.dag_no = d.dag_no
      WHERE CASE WHEN cardinality($1::text[]) = 0 THEN NOT d.is_stale ELSE d.dag_id = ANY ($1) END
      GROUP BY d.dag_id) x

-- name: api_instance_keys
-- What a clear would touch: the tasks of a run that are named (all when $3 is empty), with those up- or downstream of
-- them, of the states in $6 (all when empty).
-- takes: text text text[] bool bool text[]
-- gives: text
WITH RECURSIVE the_run AS (
    SELECT r.run_no, v.ir FROM dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
    JOIN run r ON r.run_no = k.run_no JOIN dag_version v ON v.version_no = r.version_no WHERE d.dag_id = $1
), task AS (
    SELECT i.number::int - 1 AS ordinal, i.task ->> 'id' AS id, i.task FROM the_run,
        jsonb_array_elements(ir -> 'tasks') WITH ORDINALITY AS i (task, number)
), edge AS (
    SELECT u.value::int AS above, t.ordinal AS below FROM task t, jsonb_array_elements_text(t.task -> 'upstream') AS u (value)
), down AS (
    SELECT ordinal FROM task WHERE cardinality($3::text[]) = 0 OR id = ANY ($3)
    UNION SELECT e.below FROM edge e JOIN down n ON e.above = n.ordinal WHERE $5
), up AS (
    SELECT ordinal FROM task WHERE cardinality($3::text[]) = 0 OR id = ANY ($3)
    UNION SELECT e.above FROM edge e JOIN up n ON e.below = n.ordinal WHERE $4
), asked AS (SELECT ordinal FROM down UNION SELECT ordinal FROM up), prepares AS (
    SELECT s.ordinal AS setup, t.ordinal AS teardown FROM task s LEFT JOIN (edge e JOIN task t ON t.ordinal = e.below
        AND t.task ? 'teardown') ON e.above = s.ordinal WHERE s.task ? 'setup'
), above AS ( -- of what is asked for, setups and all between; of no interest without setups
    SELECT ordinal AS origin, ordinal FROM asked WHERE EXISTS (SELECT FROM prepares)
    UNION SELECT a.origin, e.above FROM edge e JOIN above a ON e.below = a.ordinal
), below AS (
    SELECT ordinal AS origin, ordinal FROM asked WHERE EXISTS (SELECT FROM prepares)
    UNION SELECT b.origin, e.below FROM edge e JOIN below b ON e.above = b.ordinal
), scope AS ( -- with the setups in whose scope they lie: common/model/setup.h
    SELECT ordinal FROM asked UNION SELECT p.setup FROM prepares p JOIN above a ON a.ordinal = p.setup AND a.origin <> p.setup
    WHERE p.teardown IS NULL OR EXISTS (SELECT FROM below b
                                        WHERE b.origin = a.origin AND b.ordinal = p.teardown AND b.ordinal <> b.origin)
), chosen AS (
    SELECT ordinal FROM scope UNION SELECT p.teardown FROM prepares p JOIN scope s ON s.ordinal = p.setup
    WHERE p.teardown IS NOT NULL
), newest AS (
    SELECT DISTINCT ON (y.task, y.map_index) y.task, y.map_index, CASE WHEN y.cleared THEN 0 ELSE y.state END AS state
    FROM the_run r JOIN try y ON y.run_no = r.run_no ORDER BY y.task, y.map_index, y.row_no DESC
)
SELECT json_build_object('tasks', coalesce(json_agg(json_build_array(t.id, coalesce(n.map_index, -1),
                                                    task_state_word(coalesce(n.state, 0)))
                                                    ORDER BY t.ordinal, n.map_index)
    FILTER (WHERE t.id IS NOT NULL AND (cardinality($6::text[]) = 0 OR task_state_word(coalesce(n.state, 0)) = ANY ($6))), '[]'))::text
FROM the_run r
LEFT JOIN (chosen c JOIN task t USING (ordinal)) ON true
LEFT JOIN newest n ON n.task = t.ordinal
GROUP BY r.run_no

-- name: api_upstream_events
-- The asset events that made a run.
-- takes: text text
-- gives: text
SELECT json_build_object('asset_events', coalesce(json_agg(asset_event_json(e) ORDER BY e.event_no) FILTER (WHERE e.event_no IS NOT NULL), '[]'),
                         'total_entries', count(e.event_no))::text
FROM dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2 LEFT JOIN asset_taken t ON t.run_no = k.run_no
LEFT JOIN asset_event e ON e.event_no = t.event_no
WHERE d.dag_id = $1 GROUP BY k.run_no

-- name: api_last_event
-- The last asset event before a time (0: the last of all); -1 when there is none.
-- takes: int8
-- gives: text
SELECT coalesce(max(event_no), -1)::text FROM asset_event WHERE $1::int8 = 0 OR at < at_ms($1)

-- name: api_runs_around
-- Runs to be cleared or marked together, in order of their logical dates: run $2, with those before it ($3) and after it ($4);
-- or those of the logical dates $5 to $6, when no run is named. At most $7.
-- takes: text text bool bool int8 int8 int4
-- gives: text
WITH the_dag AS (SELECT dag_no FROM dag WHERE dag_id = $1), base AS (
    SELECT r.run_no, r.logical_at FROM the_dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2 JOIN run r ON r.run_no = k.run_no
), found AS (
    SELECT r.run_id, r.logical_at, r.run_no FROM base b JOIN run r ON r.run_no = b.run_no
    UNION SELECT r.run_id, r.logical_at, r.run_no FROM the_dag d, base b, run r
          WHERE r.dag_no = d.dag_no AND ($3 AND r.logical_at < b.logical_at OR $4 AND r.logical_at > b.logical_at)
    UNION SELECT r.run_id, r.logical_at, r.run_no FROM the_dag d, run r
          WHERE $2 = '' AND r.dag_no = d.dag_no AND r.logical_at BETWEEN at_ms($5) AND at_ms($6)
    ORDER BY 2, 3 LIMIT $7::int4
)
SELECT json_build_object('runs', (SELECT coalesce(json_agg(f.run_id ORDER BY f.logical_at, f.run_no), '[]') FROM found f))::text
FROM the_dag WHERE $2 = '' OR EXISTS (SELECT FROM base)

-- name: api_answers
-- What became of requests.
-- takes: int8[]
-- gives: int8 int4 text
SELECT request_no, code, answer::text FROM inbox_answer WHERE request_no = ANY ($1)

-- name: api_request_put
-- The request of a user, in the transaction of its audit row. $3: an idempotency key, empty for none; $4: of what was sent
-- with it. Tells whether that is what was sent with it before, and whether anybody leads.
-- takes: jsonb text text bytea
-- gives: int8 bool bool
WITH known AS (
    SELECT k.request_no, k.body_hash FROM idempotency_key k WHERE k.actor = $2 AND k.key = $3 AND $3 <> ''
), made AS (
    INSERT INTO inbox (body, actor) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM known) RETURNING request_no
), noted AS (
    INSERT INTO idempotency_key (key, actor, body_hash, request_no) SELECT $3, $2, $4, request_no FROM made WHERE $3 <> ''
)
SELECT p.request_no, p.is_same, EXISTS (SELECT FROM lease l WHERE l.shard = 0 AND l.expires_at > clock_timestamp())
FROM (SELECT request_no, true AS is_same FROM made UNION ALL SELECT request_no, body_hash = $4 FROM known) p

-- name: api_audit_put
-- Each row's chain covers the row before it; audit_lock, which goes before, makes the chain one.
-- takes: text text text text text int4 bool text jsonb
WITH one AS MATERIALIZED (SELECT clock_timestamp() AS at)
INSERT INTO audit (at, actor, event, dag_id, run_id, task_id, map_index, allowed, address, detail, chain)
SELECT one.at, $1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), nullif($6, -2), $7, $8, $9::jsonb,
    sha256(coalesce((SELECT a.chain FROM audit a ORDER BY a.audit_no DESC LIMIT 1), ''::bytea)
           || convert_to(concat_ws(E'\x1f', ms(one.at), $1::text, $2::text, $3::text, $4::text, $5::text, $6::int4, $7::bool,
           $8::text, $9::jsonb), 'UTF8'))
FROM one

-- name: api_vault_expect
-- takes: text text bool
-- gives: void
SELECT vault_expect($1, $2, $3)

-- name: api_message_put
-- A request that nobody waits for.
-- takes: jsonb text
INSERT INTO inbox (body, actor) VALUES ($1, $2)

-- name: api_run_note
-- takes: text text text
UPDATE run r SET note = nullif($3, '') FROM dag d JOIN run_key k ON k.dag_no = d.dag_no
WHERE d.dag_id = $1 AND k.run_id = $2 AND r.run_no = k.run_no

-- name: api_try_note
-- On the newest row of the instance.
-- takes: text text text int4 text
UPDATE try y SET note = nullif($5, '') FROM dag d JOIN run_key k ON k.dag_no = d.dag_no
JOIN run r ON r.run_no = k.run_no JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT i.number::int - 1 AS ordinal
                    FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)
                    WHERE i.task ->> 'id' = $3) t
WHERE d.dag_id = $1 AND k.run_id = $2 AND y.run_no = r.run_no AND y.task = t.ordinal AND y.map_index = $4
  AND y.row_no = (SELECT max(n.row_no) FROM try n WHERE n.run_no = y.run_no AND n.task = y.task AND n.map_index = y.map_index)

-- name: api_attempts
-- The attempts of one try of an instance, newest first; of the newest try when $5 is below 0.
-- takes: text text text int4 int4
-- gives: uuid int4 int4 bool timestamptz
SELECT y.attempt, y.try_no::int, y.state::int, y.ended_at IS NOT NULL, y.queued_at
FROM dag d JOIN run_key k ON k.dag_no = d.dag_no
JOIN run r ON r.run_no = k.run_no JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT i.number::int - 1 AS ordinal
                    FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)
                    WHERE i.task ->> 'id' = $3) t
LEFT JOIN try y ON y.run_no = r.run_no AND y.task = t.ordinal AND y.map_index = $4 AND ($5 < 0 OR y.try_no = $5)
    AND y.attempt IS NOT NULL
WHERE d.dag_id = $1 AND k.run_id = $2
ORDER BY y.row_no DESC NULLS LAST

-- name: api_metrics
-- The state of the whole, as gauges: rows of [name, label, value of the label, number].
-- gives: text
WITH open AS (
    SELECT y.state, y.pool, y.queue FROM live_run l JOIN try y ON y.run_no = l.run_no WHERE y.state IN (1, 2, 3, 8, 10) AND NOT y.cleared
), used AS (
    SELECT pool, count(*) FILTER (WHERE state = 1) AS scheduled, count(*) FILTER (WHERE state = 2) AS queued,
           count(*) FILTER (WHERE state = 3) AS running, count(*) FILTER (WHERE state = 10) AS deferred FROM open GROUP BY pool
), pools AS (
    SELECT p.name, p.slots, p.include_deferred, coalesce(u.scheduled, 0) AS scheduled, coalesce(u.queued, 0) AS queued, coalesce(u.running, 0) AS running,
           coalesce(u.deferred, 0) AS deferred FROM pool p LEFT JOIN used u ON u.pool = p.name
), slots AS (SELECT coalesce(sum(slots), 0) AS total FROM worker WHERE state = 0)
SELECT json_agg(json_build_array(m.name, m.label, m.value, m.number) ORDER BY m.name, m.value)::text FROM (
    SELECT 'airflow_pool_open_slots' AS name, 'pool_name' AS label, name AS value,
           CASE WHEN slots < 0 THEN -1 ELSE greatest(0, slots - queued - running - CASE WHEN include_deferred THEN deferred ELSE 0 END) END::float8 AS number FROM pools
    UNION ALL SELECT 'airflow_pool_scheduled_slots', 'pool_name', name, scheduled FROM pools
    UNION ALL SELECT 'airflow_pool_queued_slots', 'pool_name', name, queued FROM pools
    UNION ALL SELECT 'airflow_pool_running_slots', 'pool_name', name, running FROM pools
    UNION ALL SELECT 'airflow_pool_deferred_slots', 'pool_name', name, deferred FROM pools
    UNION ALL SELECT 'airflow_executor_open_slots', '', '', greatest(0, (SELECT total FROM slots) - count(*)) FROM open WHERE state IN (2, 3)
    UNION ALL SELECT 'airflow_executor_queued_tasks', '', '', count(*) FROM open WHERE state = 2
    UNION ALL SELECT 'airflow_executor_running_tasks', '', '', count(*) FROM open WHERE state = 3
    UNION ALL SELECT 'airflow_ti_' || task_state_word(s.state), 'queue', q.queue, (SELECT count(*) FROM open o WHERE o.state = s.state AND o.queue = q.queue)
        FROM unnest(ARRAY[1, 2, 3, 10]) AS s (state), (SELECT DISTINCT unnest(queues) AS queue FROM worker WHERE state < 3 UNION SELECT queue FROM open) q
    UNION ALL SELECT 'airflow_scheduler_dagruns_queued', '', '', count(*) FROM live_run l JOIN run r ON r.run_no = l.run_no WHERE r.state = 0
    UNION ALL SELECT 'airflow_scheduler_dagruns_running', '', '', count(*) FROM live_run l JOIN run r ON r.run_no = l.run_no WHERE r.state = 1
    UNION ALL SELECT 'airflow_dagbag_size', '', '', count(*) FROM dag WHERE NOT is_stale
    UNION ALL SELECT 'airflow_dag_processing_import_errors', '', '', count(*) FROM import_error
    UNION ALL SELECT 'headrace_workers', 'state', w.word, (SELECT count(*) FROM worker o WHERE o.state = w.state)
        FROM (VALUES (0, 'present'), (1, 'draining'), (2, 'drained')) AS w (state, word)
    UNION ALL SELECT 'headrace_worker_slots', '', '', total FROM slots
    UNION ALL SELECT 'headrace_scheduler_leads', '', '', (expires_at > now())::int FROM lease WHERE shard = 0
    UNION ALL SELECT 'headrace_notifications', 'state', notification_state_word(s.state),
                     (SELECT count(*) FROM notification n WHERE n.state = s.state)
        FROM (VALUES (0), (2)) AS s (state)
    UNION ALL SELECT 'headrace_inbox_requests', '', '', count(*) FROM inbox) m
