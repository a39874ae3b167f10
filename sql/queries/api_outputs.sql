-- Outputs (XCom) as the REST API writes them: common/store/output_store.c. While a run is under way its tasks' return values are
-- the scheduler's, which holds them in memory.

-- name: api_output_place
-- Where an output is, and whether it is there; its run may be under way. No row: there is no such instance.
-- takes: text text text int4 text
-- gives: int8 int4 bool bool
SELECT r.run_no, t.ordinal, EXISTS (SELECT FROM live_run l WHERE l.run_no = r.run_no),
    EXISTS (SELECT FROM output o WHERE o.run_no = r.run_no AND o.task = t.ordinal AND o.map_index = $4 AND o.key = $5)
FROM dag d
JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
JOIN run r ON r.run_no = k.run_no
JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT i.number::int - 1 AS ordinal
                    FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)
                    WHERE i.task ->> 'id' = $3) t
WHERE d.dag_id = $1

-- name: api_output_add
-- takes: int8 int4 int4 text jsonb
INSERT INTO output (run_no, task, map_index, key, value, written_at) VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT DO NOTHING

-- name: api_output_change
-- takes: int8 int4 int4 text jsonb
UPDATE output SET value = $5, written_at = now() WHERE run_no = $1 AND task = $2 AND map_index = $3 AND key = $4

-- name: api_output_remove
-- takes: int8 int4 int4 text
DELETE FROM output WHERE run_no = $1 AND task = $2 AND map_index = $3 AND key = $4

-- name: api_run_results
-- What the tasks $3 of a run gave back: {"task": value}, a list for a mapped one.
-- takes: text text text[]
-- gives: text
SELECT coalesce(json_object_agg(x.task_id, x.value), '{}')::text
FROM (
    SELECT t.task_id, CASE WHEN min(o.map_index) < 0 THEN (array_agg(o.value))[1]
                      ELSE jsonb_agg(o.value ORDER BY o.map_index) END AS value
    FROM dag d
    JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2
    JOIN run r ON r.run_no = k.run_no
    JOIN dag_version v ON v.version_no = r.version_no
    CROSS JOIN LATERAL (SELECT i.number::int - 1 AS ordinal, i.task ->> 'id' AS task_id
                        FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (task, number)
                        WHERE i.task ->> 'id' = ANY ($3::text[])) t
    JOIN output o ON o.run_no = r.run_no AND o.task = t.ordinal AND o.key = 'return_value'
    WHERE d.dag_id = $1
    GROUP BY t.task_id) x

-- name: api_instance_outputs_remove
-- takes: int8 int4 int4
DELETE FROM output WHERE run_no = $1 AND task = $2 AND map_index = $3
  AND NOT EXISTS (SELECT FROM live_run l WHERE l.run_no = $1)

-- name: api_instance_remove
-- Of a run that has ended: a leader holds the others in memory.
-- takes: int8 int4 int4
DELETE FROM try WHERE run_no = $1 AND task = $2 AND map_index = $3
  AND NOT EXISTS (SELECT FROM live_run l WHERE l.run_no = $1)

-- name: api_run_recount
-- takes: int8
UPDATE run r SET n_success = c.success, n_failed = c.failed, n_skipped = c.skipped
FROM (SELECT count(*) FILTER (WHERE n.state = 4) AS success, count(*) FILTER (WHERE n.state IN (5, 7)) AS failed,
             count(*) FILTER (WHERE n.state = 6) AS skipped
      FROM (SELECT DISTINCT ON (y.task, y.map_index) CASE WHEN y.cleared THEN 0 ELSE y.state END AS state
            FROM try y WHERE y.run_no = $1 ORDER BY y.task, y.map_index, y.row_no DESC) n) c
WHERE r.run_no = $1 AND NOT EXISTS (SELECT FROM live_run l WHERE l.run_no = $1)
