-- What compiling a file gave: common/store/dag_file.c. A DAG belongs to the file that had it first, until that is gone.

-- name: dag_put
-- takes: int2 text bool text text[] text[] text jsonb timestamptz
INSERT INTO dag (shard, dag_id, is_paused, fileloc, owners, tags, description, schedule, last_parsed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (dag_id) DO UPDATE SET fileloc = EXCLUDED.fileloc, owners = EXCLUDED.owners, tags = EXCLUDED.tags,
    description = EXCLUDED.description, schedule = EXCLUDED.schedule, last_parsed_at = EXCLUDED.last_parsed_at, is_stale = false
WHERE dag.fileloc = EXCLUDED.fileloc OR dag.is_stale

-- name: dag_version_put
-- takes: text text bytea jsonb text
INSERT INTO dag_version (dag_no, version_number, hash, ir, source)
SELECT d.dag_no, 1 + coalesce((SELECT max(version_number) FROM dag_version v WHERE v.dag_no = d.dag_no), 0), $3, $4, $5
FROM dag d
WHERE d.dag_id = $1 AND d.fileloc = $2
  AND NOT EXISTS (SELECT 1 FROM dag_version v WHERE v.dag_no = d.dag_no AND v.hash = $3)

-- name: dag_newest
-- takes: text text bytea
-- gives: int4 int8 int4 bool bool timestamptz text
WITH old AS MATERIALIZED (SELECT dag_id, version_no, fileloc FROM dag WHERE dag_id = $1),
     new AS (
    UPDATE dag SET version_no = (SELECT max(v.version_no) FROM dag_version v WHERE v.dag_no = dag.dag_no AND v.hash = $3)
    WHERE dag_id = $1 AND fileloc = $2
    RETURNING dag_no, dag_id, version_no, is_paused, last_fire_at)
SELECT coalesce(new.dag_no, 0), coalesce(new.version_no, 0), coalesce(v.version_number, 0),
       new.version_no IS DISTINCT FROM old.version_no, coalesce(new.is_paused, false), new.last_fire_at,
       CASE WHEN new.dag_no IS NULL THEN old.fileloc ELSE '' END
FROM old LEFT JOIN new ON new.dag_id = old.dag_id LEFT JOIN dag_version v ON v.version_no = new.version_no

-- name: dag_stale
-- takes: text[] text[]
-- gives: int4
UPDATE dag SET is_stale = true, next_fire_at = NULL
WHERE fileloc = ANY ($1) AND NOT is_stale AND dag_id <> ALL ($2)
RETURNING dag_no

-- name: import_error_drop
-- takes: text[]
DELETE FROM import_error WHERE path = ANY ($1)

-- name: import_error_add
-- takes: text timestamptz text[] int4[] int4[] text[] text[] text[]
INSERT INTO import_error (path, seen_at, dag_id, line, col, message, advice, excerpt)
SELECT $1, $2, u.* FROM unnest($3::text[], $4::int4[], $5::int4[], $6::text[], $7::text[], $8::text[]) u

-- name: import_error_claimed
-- takes: text timestamptz text[]
INSERT INTO import_error (path, seen_at, dag_id, line, col, message, advice, excerpt)
SELECT $1, $2, d.dag_id, 1, 1, format('the DAG %s is defined in another file already: %s', d.dag_id, d.fileloc),
       'give one of them another dag_id, or remove one of the files', ''
FROM dag d WHERE d.dag_id = ANY ($3) AND d.fileloc <> $1 AND NOT d.is_stale

-- name: dag_file_put
-- takes: text bytea int8 timestamptz int4 text[]
INSERT INTO dag_file (path, content_hash, size, parsed_at, parse_ms, dag_ids) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (path) DO UPDATE SET content_hash = EXCLUDED.content_hash, size = EXCLUDED.size, parsed_at = EXCLUDED.parsed_at,
    parse_ms = EXCLUDED.parse_ms, dag_ids = EXCLUDED.dag_ids

-- name: dag_file_drop
-- takes: text[]
DELETE FROM dag_file WHERE path = ANY ($1)

-- name: dag_files_read
-- gives: text bytea int8 timestamptz bool
SELECT path, content_hash, size, parsed_at, EXISTS (SELECT 1 FROM import_error e WHERE e.path = f.path)
FROM dag_file f ORDER BY path
