-- What the core decided, as one transaction: common/store/apply.c. Arrays are columns of the batch, one element per row.
--
-- Rows are changed by inserting a row of the same key, which exists (ON CONFLICT): the executor then finds each row by its
-- key and opens its partition alone. UPDATE ... FROM would be a join, for which the planner likes to read all rows between the
-- lowest and the highest run number. A row that did not exist shows by its dag_no, which is 0, and refuses the batch.

-- name: fence
-- takes: int2 int8
-- gives: void
SELECT fence($1, $2)

-- name: run_create
-- takes: int8[] int4[] int8[] int2[] text[] timestamptz[] timestamptz[] timestamptz[] timestamptz[] timestamptz[] jsonb[] text[] int2[] int2[] int4[] int4[] int4[] timestamptz[] timestamptz[] text[]
INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, logical_at, interval_start, interval_end, run_after, queued_at,
                 conf, triggered_by, state, cause, n_success, n_failed, n_skipped, started_at, ended_at, note, updated_at)
SELECT u.*, now()
FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int2[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::jsonb[], $12::text[], $13::int2[], $14::int2[],
            $15::int4[], $16::int4[], $17::int4[], $18::timestamptz[], $19::timestamptz[], $20::text[]) u

-- name: run_key_put
-- takes: int4[] text[] int8[]
-- The newest run of a name owns it: a name that history has already must not stop the leader.
INSERT INTO run_key (dag_no, run_id, run_no)
SELECT u.dag_no, u.run_id, max(u.run_no)
FROM unnest($1::int4[], $2::text[], $3::int8[]) u (dag_no, run_id, run_no)
GROUP BY u.dag_no, u.run_id
ON CONFLICT (dag_no, run_id) DO UPDATE SET run_no = EXCLUDED.run_no WHERE run_key.run_no < EXCLUDED.run_no

-- name: run_set
-- takes: int8 int8[] int8[] int2[] int2[] int4[] int4[] int4[] timestamptz[] timestamptz[]
-- gives: int8
WITH done AS (
    INSERT INTO run AS r (run_no, version_no, state, cause, n_success, n_failed, n_skipped, started_at, ended_at, dag_no,
                          run_type, run_id, run_after, queued_at, updated_at)
    SELECT u.*, 0, 0, '', now(), now(), now()
    FROM unnest($2::int8[], $3::int8[], $4::int2[], $5::int2[], $6::int4[], $7::int4[], $8::int4[], $9::timestamptz[],
                $10::timestamptz[]) u
    ON CONFLICT (run_no) DO UPDATE SET
        version_no = EXCLUDED.version_no, state = EXCLUDED.state, cause = EXCLUDED.cause, n_success = EXCLUDED.n_success,
        n_failed = EXCLUDED.n_failed, n_skipped = EXCLUDED.n_skipped, started_at = EXCLUDED.started_at,
        ended_at = EXCLUDED.ended_at, updated_at = EXCLUDED.updated_at,
        clear_number = r.clear_number + CASE WHEN r.state >= 2 AND EXCLUDED.state < 2 THEN 1 ELSE 0 END
    RETURNING r.dag_no)
SELECT changed(count(*) FILTER (WHERE dag_no <> 0), $1) FROM done

-- name: live_run_add
-- takes: int2 int8[]
INSERT INTO live_run (shard, run_no) SELECT $1, unnest($2::int8[]) ON CONFLICT DO NOTHING

-- name: live_run_end
-- takes: int2 int8[]
DELETE FROM live_run WHERE shard = $1 AND run_no = ANY ($2)

-- name: try_place
-- takes: int8[] int4[] int4[] int4[] int4[] int2[] int2[] uuid[] int8[] int8[] int8[] int4[] text[] text[] text[] timestamptz[] int2[] int2[] bool[] timestamptz[] timestamptz[] timestamptz[] int4[] int8[] int8[] text[]
INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, attempt, worker_no, incarnation, credit_seq,
                 priority, pool, queue, map_label, queued_at, state, cause, cleared, started_at, ended_at, retry_at, exit_code,
                 cpu_ms, memory_peak, error)
SELECT * FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::uuid[],
                     $9::int8[], $10::int8[], $11::int8[], $12::int4[], $13::text[], $14::text[], $15::text[],
                     $16::timestamptz[], $17::int2[], $18::int2[], $19::bool[], $20::timestamptz[], $21::timestamptz[],
                     $22::timestamptz[], $23::int4[], $24::int8[], $25::int8[], $26::text[])

-- name: try_set
-- takes: int8 int8[] int4[] int4[] int4[] uuid[] int4[] int2[] int2[] int2[] timestamptz[] timestamptz[] timestamptz[] int4[] int8[] int8[] text[]
-- gives: int8
-- try_no carries what is done, 1: sets the state and what came with it, 2: clears, so that the row counts no longer and an open
-- one becomes `restarting` (12). priority carries a bit for each state that the change may come from.
WITH done AS (
    INSERT INTO try AS t (run_no, task, map_index, row_no, attempt, priority, try_no, state, cause, started_at, ended_at,
                          retry_at, exit_code, cpu_ms, memory_peak, error, dag_no, infra_tries, pool, queue, queued_at)
    SELECT u.*, 0, 0, '', '', now()
    FROM unnest($2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::uuid[], $7::int4[], $8::int2[], $9::int2[], $10::int2[],
                $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::int4[], $15::int8[], $16::int8[],
                $17::text[]) u
    ON CONFLICT (run_no, task, map_index, row_no) DO UPDATE SET
        state = CASE WHEN EXCLUDED.try_no & 1 = 1 THEN EXCLUDED.state WHEN t.state IN (1, 2, 3) THEN 12 ELSE t.state END,
        cause = CASE WHEN EXCLUDED.try_no & 1 = 1 OR t.state IN (1, 2, 3) THEN EXCLUDED.cause ELSE t.cause END,
        cleared = t.cleared OR EXCLUDED.try_no & 2 = 2,
        started_at = coalesce(EXCLUDED.started_at, t.started_at),
        ended_at = CASE WHEN EXCLUDED.try_no & 1 = 1 THEN coalesce(EXCLUDED.ended_at, t.ended_at)
                        ELSE coalesce(t.ended_at, EXCLUDED.ended_at) END,
        retry_at = EXCLUDED.retry_at,
        exit_code = coalesce(EXCLUDED.exit_code, t.exit_code),
        cpu_ms = coalesce(EXCLUDED.cpu_ms, t.cpu_ms),
        memory_peak = coalesce(EXCLUDED.memory_peak, t.memory_peak),
        error = coalesce(EXCLUDED.error, t.error)
    WHERE (EXCLUDED.attempt IS NULL OR t.attempt = EXCLUDED.attempt) AND (EXCLUDED.priority >> t.state) & 1 = 1
    RETURNING t.dag_no)
SELECT changed(count(*) FILTER (WHERE dag_no <> 0), $1) FROM done

-- name: output_put
-- takes: int8[] int4[] int4[] jsonb[]
INSERT INTO output (run_no, task, map_index, value, written_at)
SELECT u.*, now() FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::jsonb[]) u
ON CONFLICT (run_no, task, map_index, key) DO UPDATE SET value = EXCLUDED.value, written_at = EXCLUDED.written_at

-- name: output_drop
-- takes: int8 int8 int8[] int4[] int4[]
DELETE FROM output o USING unnest($3::int8[], $4::int4[], $5::int4[]) u (run_no, task, map_index)
WHERE o.run_no = u.run_no AND o.task = u.task AND o.map_index = u.map_index
  AND o.run_no = ANY ($3) AND o.run_no BETWEEN $1 AND $2

-- name: expansion_put
-- takes: int8[] int4[] int4[] jsonb[]
INSERT INTO expansion (run_no, task, length, items)
SELECT * FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::jsonb[])
ON CONFLICT (run_no, task) DO UPDATE SET length = EXCLUDED.length, items = EXCLUDED.items

-- name: request_answer
-- takes: int8[] int4[] jsonb[]
INSERT INTO inbox_answer (request_no, code, answer) SELECT * FROM unnest($1::int8[], $2::int4[], $3::jsonb[])
ON CONFLICT (request_no) DO NOTHING

-- name: request_done
-- takes: int8[]
DELETE FROM inbox WHERE request_no = ANY ($1)

-- name: dag_set
-- takes: int4[] bool[] timestamptz[] timestamptz[]
UPDATE dag SET is_paused = u.is_paused, last_fire_at = coalesce(u.last_fire_at, dag.last_fire_at), next_fire_at = u.next_fire_at
FROM unnest($1::int4[], $2::bool[], $3::timestamptz[], $4::timestamptz[]) u (dag_no, is_paused, last_fire_at, next_fire_at)
WHERE dag.dag_no = u.dag_no

-- name: worker_put
-- takes: int8 text text text text text[] int4 int8 int2 text timestamptz
INSERT INTO worker (worker_no, identity, name, host, release, queues, slots, incarnation, state, reason, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (worker_no) DO UPDATE SET name = EXCLUDED.name, host = EXCLUDED.host, release = EXCLUDED.release,
    queues = EXCLUDED.queues, slots = EXCLUDED.slots, incarnation = EXCLUDED.incarnation, state = EXCLUDED.state,
    reason = EXCLUDED.reason, seen_at = EXCLUDED.seen_at

-- name: worker_loads_set
-- takes: int8[] int4[] int8[] int8[]
UPDATE worker SET cpu_permille = u.cpu_permille, memory_used = u.memory_used, memory_total = u.memory_total
FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int8[]) u (worker_no, cpu_permille, memory_used, memory_total)
WHERE worker.worker_no = u.worker_no

-- name: autoscale_add
-- takes: text[] timestamptz[] int4[] int4[] int4[] text[]
INSERT INTO autoscale_event (queue, at, demand, wanted, present, reason)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int4[], $4::int4[], $5::int4[], $6::text[])

-- name: run_drop_tries
-- takes: int8 int8 int8[]
DELETE FROM try WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2

-- name: run_drop_outputs
-- takes: int8 int8 int8[]
DELETE FROM output WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2

-- name: run_drop_expansions
-- takes: int8 int8 int8[]
DELETE FROM expansion WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2

-- name: run_drop_keys
-- takes: int8[]
DELETE FROM run_key WHERE run_no = ANY ($1)

-- name: run_drop
-- takes: int8 int8 int8[]
DELETE FROM run WHERE run_no = ANY ($3) AND run_no BETWEEN $1 AND $2

-- name: dag_drop_runs
-- takes: int4[]
-- Tries and outputs of the dropped runs stay where nobody finds them until their partitions go: deleting millions of rows is
-- no work for a leader's transaction.
WITH dropped AS (DELETE FROM run WHERE dag_no = ANY ($1) RETURNING run_no)
DELETE FROM live_run USING dropped WHERE live_run.run_no = dropped.run_no

-- name: dag_drop_keys
-- takes: int4[]
DELETE FROM run_key WHERE dag_no = ANY ($1)

-- name: dag_drop
-- takes: int4[]
DELETE FROM dag WHERE dag_no = ANY ($1)

-- name: backfill_put
-- takes: int8[] int4[] timestamptz[] timestamptz[] int4[] int2[] bool[] bool[] jsonb[] text[] timestamptz[] timestamptz[] timestamptz[]
INSERT INTO backfill (backfill_no, dag_no, from_at, to_at, max_active_runs, reprocess, is_backwards, is_paused, conf, triggered_by,
                      cursor_at, created_at, ended_at, updated_at)
SELECT u.*, now()
FROM unnest($1::int8[], $2::int4[], $3::timestamptz[], $4::timestamptz[], $5::int4[], $6::int2[], $7::bool[], $8::bool[],
            $9::jsonb[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[]) u
ON CONFLICT (backfill_no) DO UPDATE SET is_paused = EXCLUDED.is_paused, cursor_at = EXCLUDED.cursor_at,
    ended_at = EXCLUDED.ended_at, updated_at = EXCLUDED.updated_at

-- name: backfill_run_put
-- takes: int8[] timestamptz[] int8[] text[]
INSERT INTO backfill_run (backfill_no, logical_at, run_no, reason)
SELECT * FROM unnest($1::int8[], $2::timestamptz[], $3::int8[], $4::text[])

-- name: asset_event_put
-- takes: int8[] text[] timestamptz[] int4[] int8[] int4[] int4[] jsonb[]
-- The versions of DAGs have made their assets; what a user names may be new.
WITH u AS (SELECT * FROM unnest($1::int8[], $2::text[], $3::timestamptz[], $4::int4[], $5::int8[], $6::int4[], $7::int4[], $8::jsonb[])
           u (event_no, name, at, dag_no, run_no, task, map_index, extra)),
     made AS (INSERT INTO asset (name) SELECT DISTINCT name FROM u ON CONFLICT DO NOTHING RETURNING asset_no, name)
INSERT INTO asset_event (event_no, asset_no, at, dag_no, run_no, task, map_index, extra)
SELECT u.event_no, coalesce(made.asset_no, asset.asset_no), u.at, nullif(u.dag_no, 0), u.run_no, u.task, u.map_index, u.extra
FROM u LEFT JOIN asset ON asset.name = u.name LEFT JOIN made ON made.name = u.name

-- name: asset_keep
-- takes: int4[] int8[]
INSERT INTO asset_kept (dag_no, event_no) SELECT * FROM unnest($1::int4[], $2::int8[])

-- name: asset_drop
-- takes: int4[] int8[]
DELETE FROM asset_kept k USING unnest($1::int4[], $2::int8[]) u (dag_no, event_no) WHERE k.dag_no = u.dag_no AND k.event_no = u.event_no

-- name: asset_take
-- takes: int4 int8 int8
WITH taken AS (DELETE FROM asset_kept WHERE dag_no = $1 AND event_no <= $3 RETURNING event_no)
INSERT INTO asset_taken (run_no, event_no) SELECT $2, event_no FROM taken

-- name: file_take
-- takes: int4[] uuid[] text[] int8[] timestamptz[] int8[]
INSERT INTO file_taken (dag_no, content, path, size, mtime, run_no)
SELECT * FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::int8[], $5::timestamptz[], $6::int8[])
