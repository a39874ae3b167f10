-- The leader's hourly round: common/store/upkeep.c.

-- name: upkeep_patience
-- gives: text
-- Partitions come and go under a lock for which every writer waits behind us: rather try again in an hour.
SELECT set_config('lock_timeout', '500ms', true)

-- name: partitions_ensure
-- gives: int4
SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 7)

-- name: partitions_drop
-- takes: int4
-- gives: int4
SELECT drop_partitions((now() AT TIME ZONE 'UTC')::date - $1::int4)

-- name: run_retire
-- takes: int4
-- At most so many a round: runs of a month that is not yet over, whose tries are gone with their day.
WITH cut AS (SELECT ((now() AT TIME ZONE 'UTC')::date - $1::int4 - date '1970-01-01')::bigint << 32 AS run_no),
     old AS (SELECT r.run_no FROM run r, cut WHERE r.run_no < cut.run_no
             AND NOT EXISTS (SELECT 1 FROM live_run l WHERE l.run_no = r.run_no) ORDER BY r.run_no LIMIT 20000),
     keys AS (DELETE FROM run_key USING old WHERE run_key.run_no = old.run_no)
DELETE FROM run USING old WHERE run.run_no = old.run_no

-- name: answers_drop
DELETE FROM inbox_answer WHERE answered_at < now() - interval '1 day'

-- name: idempotency_keys_drop
DELETE FROM idempotency_key WHERE made_at < now() - interval '1 day'

-- name: autoscale_events_drop
DELETE FROM autoscale_event WHERE at < now() - interval '30 days'

-- name: notifications_drop
DELETE FROM notification WHERE state <> 0 AND made_at < now() - interval '30 days'

-- name: workers_drop
DELETE FROM worker WHERE state = 3 AND seen_at < now() - interval '30 days'

-- name: sessions_drop
DELETE FROM session WHERE expires_at < now()
