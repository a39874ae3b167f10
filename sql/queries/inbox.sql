-- The leader's side of requests: common/store/inbox.c.

-- name: inbox_read
-- takes: int8[] int8
-- gives: int8 text text timestamptz int8
SELECT i.request_no, i.body::text, i.actor, i.made_at, k.run_no
FROM inbox i LEFT JOIN dag d ON d.dag_id = i.body ->> 'dag_id'
LEFT JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = i.body ->> 'run_id'
WHERE i.request_no <> ALL ($1)
ORDER BY i.request_no LIMIT $2

-- name: file_known
-- takes: int4 uuid
-- gives: int8
-- Whether a file's content has started a run: common/store/file_store.c.
SELECT run_no FROM file_taken WHERE dag_no = $1 AND content = $2
