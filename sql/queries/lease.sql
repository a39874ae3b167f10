-- The right to lead: common/store/lease.c. 1212498244 ("HEAD") and the shard name the advisory lock.

-- name: lease_try
-- takes: int2 text int8
-- gives: bool int8 text int8 timestamptz int8
WITH old AS MATERIALIZED (SELECT holder, expires_at FROM lease WHERE shard = $1),
     locked AS MATERIALIZED (SELECT pg_try_advisory_lock(1212498244, $1::int2) AS ok),
     taken AS (
    UPDATE lease SET epoch = greatest(epoch + 1, (wal_timeline() << 32) + 1), holder = $2,
                     expires_at = clock_timestamp() + $3::int8 * interval '1 millisecond',
                     failed_over_at = CASE WHEN epoch > 0 AND epoch >> 32 <> wal_timeline() THEN clock_timestamp()
                                           ELSE failed_over_at END
    FROM locked WHERE lease.shard = $1 AND locked.ok
    RETURNING epoch, failed_over_at)
SELECT taken.epoch IS NOT NULL, coalesce(taken.epoch, 0), old.holder,
       CASE WHEN old.expires_at > clock_timestamp()
            THEN (extract(epoch FROM old.expires_at - clock_timestamp()) * 1000)::bigint ELSE 0 END,
       clock_timestamp(),
       CASE WHEN taken.failed_over_at > '-infinity'
            THEN (extract(epoch FROM clock_timestamp() - taken.failed_over_at) * 1000)::bigint ELSE -1 END
FROM old LEFT JOIN taken ON true

-- name: lease_evict
-- takes: int2
-- gives: bool
-- Ends the session of a holder that is silent: stopped, or behind a broken network. One that died has lost its lock already.
SELECT pg_terminate_backend(pid)
FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = 1212498244 AND objid = $1::int2::int4::oid AND objsubid = 2 AND granted AND pid <> pg_backend_pid()
  AND EXISTS (SELECT 1 FROM lease WHERE shard = $1 AND expires_at < clock_timestamp())

-- name: lease_renew
-- takes: int2 int8 int8
-- gives: timestamptz
UPDATE lease SET expires_at = clock_timestamp() + $3::int8 * interval '1 millisecond'
WHERE shard = $1 AND epoch = $2 AND $2 >> 32 = wal_timeline()
RETURNING clock_timestamp()

-- name: lease_resign
-- takes: int2 int8
UPDATE lease SET expires_at = '-infinity' WHERE shard = $1 AND epoch = $2

-- name: lease_unlock
-- gives: void
SELECT pg_advisory_unlock_all()
