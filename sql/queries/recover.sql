-- What a leader reads at its start: common/store/recover.c.

-- name: recover_numbers
-- takes: int2
-- gives: timestamptz int8 int8 int8
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
       (SELECT coalesce(max(worker_no), 0) + 1 FROM worker), (SELECT coalesce(max(event_no), 0) + 1 FROM asset_event)
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

-- name: recover_backfills
-- takes: int2
-- gives: int8 int4 timestamptz timestamptz int4 int2 bool bool text text timestamptz timestamptz timestamptz
-- Also those that have ended: some have runs that go on, or dates that the schedule has not come to.
SELECT b.backfill_no, b.dag_no, b.from_at, b.to_at, b.max_active_runs, b.reprocess, b.is_backwards, b.is_paused, b.conf::text,
       b.triggered_by, b.cursor_at, b.created_at, b.ended_at
FROM backfill b JOIN dag d ON d.dag_no = b.dag_no
WHERE d.shard = $1 AND (b.ended_at IS NULL OR d.last_fire_at IS NULL OR b.to_at > d.last_fire_at - interval '366 days' OR EXISTS (
    SELECT FROM live_run l JOIN backfill_run r ON r.run_no = l.run_no WHERE l.shard = $1 AND r.backfill_no = b.backfill_no))
ORDER BY b.backfill_no

-- name: recover_backfill_runs
-- takes: int2
-- gives: int8 int8 timestamptz
-- Runs that go on, of the backfill that took them last; and, with run_no 0, dates that the schedule may yet come to: no interval
-- of a schedule is longer than a year.
SELECT * FROM (SELECT DISTINCT ON (r.run_no) r.backfill_no, r.run_no, r.logical_at FROM live_run l JOIN backfill_run r ON r.run_no = l.run_no
               WHERE l.shard = $1 ORDER BY r.run_no, r.backfill_no DESC) live
UNION ALL
SELECT r.backfill_no, 0, r.logical_at FROM backfill b JOIN dag d ON d.dag_no = b.dag_no JOIN backfill_run r ON r.backfill_no = b.backfill_no
WHERE d.shard = $1 AND r.run_no IS NOT NULL AND (d.last_fire_at IS NULL OR r.logical_at > d.last_fire_at - interval '366 days')

-- name: recover_assets
-- takes: int2
-- gives: int4 int8 text
SELECT k.dag_no, k.event_no, a.name FROM asset_kept k JOIN dag d ON d.dag_no = k.dag_no JOIN asset_event e ON e.event_no = k.event_no
JOIN asset a ON a.asset_no = e.asset_no WHERE d.shard = $1 ORDER BY k.event_no, k.dag_no

-- name: recover_lengths
-- takes: int2
-- gives: int4 int8
SELECT d.dag_no, (extract(epoch FROM r.ended_at - r.queued_at) * 1000)::int8
FROM dag d JOIN dag_version v ON v.version_no = d.version_no
CROSS JOIN LATERAL (SELECT run_no, queued_at, ended_at FROM run WHERE run.dag_no = d.dag_no AND state = 2 AND ended_at IS NOT NULL
                    ORDER BY run_no DESC LIMIT 20) r
WHERE d.shard = $1 AND v.ir -> 'deadline_percentile' IS NOT NULL
ORDER BY r.run_no

-- name: run_find
-- takes: text text
-- gives: int8
SELECT k.run_no FROM run_key k JOIN dag d ON d.dag_no = k.dag_no WHERE d.dag_id = $1 AND k.run_id = $2

-- name: run_before
-- takes: int4 timestamptz bool
-- gives: int8
SELECT r.run_no FROM run r WHERE r.dag_no = $1 AND r.logical_at <= $2 AND (NOT $3 OR r.run_type = 1)
ORDER BY r.logical_at DESC, r.run_no DESC LIMIT 1

-- name: dated_runs
-- takes: int4 timestamptz[]
-- gives: int8 timestamptz int2
SELECT r.run_no, r.logical_at, r.state FROM run r WHERE r.dag_no = $1 AND r.logical_at = ANY ($2) ORDER BY r.run_no

-- name: recover_runs
-- takes: int8 int8 int8[]
-- gives: int8 int4 int8 text int2 int2 int2 timestamptz timestamptz timestamptz timestamptz timestamptz timestamptz timestamptz text
SELECT run_no, dag_no, version_no, run_id, state, cause, run_type, logical_at, interval_start, interval_end, run_after, queued_at,
       started_at, ended_at, conf::text
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
