-- What a leader reads at its start: common/store/recover.c.

-- name: recover_numbers
-- takes: int2
-- gives: timestamptz int8 int8
-- Also above what deleted runs have left behind: their numbers are not used again.
WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
     numbers AS (
    SELECT (day << 32) + ($1::int2::bigint << 24) AS low, (day << 32) + ($1::int2::bigint + 1 << 24) AS high
    FROM clock, LATERAL (SELECT ((at AT TIME ZONE 'UTC')::date - date '1970-01-01')::bigint AS day) days)
SELECT clock.at,
       greatest(low, (SELECT max(run_no) FROM run WHERE run_no >= low AND run_no < high),
                (SELECT max(run_no) FROM try WHERE run_no >= low AND run_no < high),
                (SELECT max(run_no) FROM output WHERE run_no >= low AND run_no < high),
                (SELECT max(run_no) FROM expansion WHERE run_no >= low AND run_no < high)) + 1,
       (SELECT coalesce(max(worker_no), 0) + 1 FROM worker)
FROM clock, numbers

-- name: recover_dags
-- takes: int2 int8 int8
-- gives: int8 int4 text text text bool bool bool timestamptz
SELECT v.version_no, d.dag_no, d.dag_id, d.fileloc, v.ir::text, v.version_no = d.version_no, d.is_stale,
       d.is_paused, d.last_fire_at
FROM dag_version v JOIN dag d ON d.dag_no = v.dag_no
WHERE d.shard = $1 AND v.version_no > $2
  AND (v.version_no = d.version_no
       OR v.version_no IN (SELECT r.version_no FROM live_run l JOIN run r ON r.run_no = l.run_no WHERE l.shard = $1))
ORDER BY v.version_no LIMIT $3

-- name: dag_version_read
-- takes: int8
-- gives: int8 int4 text text text bool bool bool timestamptz
SELECT v.version_no, d.dag_no, d.dag_id, d.fileloc, v.ir::text, v.version_no = d.version_no, d.is_stale,
       d.is_paused, d.last_fire_at
FROM dag_version v JOIN dag d ON d.dag_no = v.dag_no
WHERE v.version_no = $1

-- name: recover_workers
-- gives: int8 text text int2 int8
SELECT worker_no, identity, name, state, incarnation FROM worker ORDER BY worker_no

-- name: recover_live
-- takes: int2
-- gives: int8
SELECT run_no FROM live_run WHERE shard = $1 ORDER BY run_no

-- name: run_find
-- takes: text text
-- gives: int8
SELECT k.run_no FROM run_key k JOIN dag d ON d.dag_no = k.dag_no WHERE d.dag_id = $1 AND k.run_id = $2

-- name: recover_runs
-- takes: int8 int8 int8[]
-- gives: int8 int4 int8 text int2 int2 int2 timestamptz timestamptz timestamptz timestamptz timestamptz timestamptz text
SELECT run_no, dag_no, version_no, run_id, state, cause, run_type, logical_at, interval_start, interval_end, run_after, queued_at,
       started_at, conf::text
FROM run WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2
ORDER BY run_no

-- name: recover_tries
-- takes: int8 int8 int8[]
-- gives: int8 int4 int4 int4 int2 int2 int2 int2 int2 bool uuid int8 int8 int8 timestamptz timestamptz timestamptz timestamptz text
-- try_base: where the retries of an instance that was cleared count from.
SELECT t.run_no, t.task, t.map_index, t.row_no, t.try_no, t.try_base, t.infra_tries, t.state, t.cause, t.cleared, t.attempt,
       t.worker_no, t.incarnation, t.credit_seq, t.queued_at, t.started_at, t.ended_at, t.retry_at, o.value::text
FROM (SELECT DISTINCT ON (run_no, task, map_index) *,
             coalesce(max(try_no) FILTER (WHERE cleared) OVER (PARTITION BY run_no, task, map_index), 0::int2) AS try_base
      FROM try WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2
      ORDER BY run_no, task, map_index, row_no DESC) t
LEFT JOIN (SELECT * FROM output WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2 AND key = 'return_value') o
       ON o.run_no = t.run_no AND o.task = t.task AND o.map_index = t.map_index AND t.state = 4
ORDER BY t.run_no, t.task, t.map_index

-- name: recover_expansions
-- takes: int8 int8 int8[]
-- gives: int8 int4 text
SELECT run_no, task, items::text FROM expansion WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2 ORDER BY run_no, task
