-- What waits and notifications ask of the database: common/store/errand_store.c, common/store/apply.c.

-- name: task_succeeded
-- takes: text text timestamptz
-- gives: bool
-- Whether a run of this DAG and logical date, or this task of one (every instance of it), has succeeded. The newest row of an
-- instance counts, unless it is cleared.
SELECT EXISTS (
    SELECT FROM dag d JOIN run r ON r.dag_no = d.dag_no JOIN dag_version v ON v.version_no = r.version_no
    WHERE d.dag_id = $1 AND r.logical_at = $3
      AND CASE WHEN $2 = '' THEN r.state = 2 ELSE (
          SELECT coalesce(bool_and(y.state = 4 AND NOT y.cleared), false)
          FROM (SELECT DISTINCT ON (i.map_index) i.state, i.cleared FROM try i
                WHERE i.run_no = r.run_no AND i.task = (
                    SELECT number::int - 1 FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (task, number)
                    WHERE t.task ->> 'id' = $2)
                ORDER BY i.map_index, i.row_no DESC) y) END)

-- name: asset_updated
-- takes: text timestamptz
-- gives: bool
SELECT EXISTS (SELECT FROM asset_event e JOIN asset a ON a.asset_no = e.asset_no WHERE a.name = $1 AND e.at >= $2)

-- name: notification_add
-- takes: uuid int8 int4 int4 int4 int4 text text text text bytea int4 int2 timestamptz timestamptz text
INSERT INTO notification (id, run_no, dag_no, task, map_index, try_no, event, kind, target, queue, sealed, key_no, state, made_at,
                          ended_at, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: notification_set
-- takes: uuid int2 int4 timestamptz text
-- gives: int8
WITH done AS (
    UPDATE notification SET state = $2::int2, tries = $3, next_at = $4, error = $5,
        ended_at = CASE WHEN $2::int2 <> 0 THEN now() END
    WHERE id = $1 AND state = 0
    RETURNING id)
SELECT changed(count(*), 1) FROM done

-- name: notifications_read
-- gives: uuid int8 int4 int4 int4 int4 text text text text bytea int4 int2 int4 timestamptz timestamptz text
-- Those that wait, and what was said of deadlines of runs that live.
SELECT id, run_no, dag_no, task, map_index, try_no, event, kind, target, queue, sealed, key_no, state, tries, made_at, next_at,
       error
FROM notification n
WHERE state = 0 OR (event = 'on_deadline' AND EXISTS (SELECT FROM live_run l WHERE l.run_no = n.run_no))
ORDER BY made_at, id
