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

-- Files that were taken stay: the same content never starts a second run, however late it comes again.

-- name: asset_events_drop
-- takes: int4
-- But for those that a DAG keeps, or that made a run which is still there; and the newest, from which the numbers go on.
WITH cut AS (SELECT now() - $1::int4 * interval '1 day' AS at,
                    ((now() AT TIME ZONE 'UTC')::date - $1::int4 - date '1970-01-01')::bigint << 32 AS run_no),
     old AS (SELECT e.event_no FROM asset_event e, cut WHERE e.at < cut.at
             AND e.event_no < (SELECT max(event_no) FROM asset_event)
             AND NOT EXISTS (SELECT FROM asset_kept k WHERE k.event_no = e.event_no)
             AND NOT EXISTS (SELECT FROM asset_taken t WHERE t.event_no = e.event_no AND t.run_no >= cut.run_no)
             ORDER BY e.at LIMIT 20000)
DELETE FROM asset_event USING old WHERE asset_event.event_no = old.event_no

-- name: backfills_drop
-- takes: int4
-- With their dates; but for those that recovery reads, see recover.sql: recover_backfills.
DELETE FROM backfill b USING dag d
WHERE d.dag_no = b.dag_no AND b.ended_at < now() - $1::int4 * interval '1 day' AND b.to_at <= d.last_fire_at - interval '366 days'
  AND NOT EXISTS (SELECT FROM backfill_run r JOIN live_run l ON l.run_no = r.run_no WHERE r.backfill_no = b.backfill_no)

-- name: notifications_drop
-- takes: int4
-- What was said of the deadline of a run that lives is not said again.
DELETE FROM notification n
WHERE n.state <> 0 AND n.made_at < now() - $1::int4 * interval '1 day' AND NOT EXISTS (SELECT FROM live_run l WHERE l.run_no = n.run_no)

-- name: answers_drop
DELETE FROM inbox_answer WHERE answered_at < now() - interval '1 day'

-- name: idempotency_keys_drop
DELETE FROM idempotency_key WHERE made_at < now() - interval '1 day'

-- name: autoscale_events_drop
DELETE FROM autoscale_event WHERE at < now() - interval '30 days'

-- name: workers_drop
DELETE FROM worker WHERE state = 3 AND seen_at < now() - interval '30 days'

-- name: sessions_drop
DELETE FROM session WHERE expires_at < now()
