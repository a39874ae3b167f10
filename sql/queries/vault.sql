-- Pools, variables and connections: common/store/vault.c. What is sealed is bound to its row by its label (seal.h).

-- name: pools_read
-- gives: text int4 text bool
SELECT name, slots, description, include_deferred FROM pool ORDER BY name

-- name: pool_set_default
-- What a new database begins with.
-- takes: int4
UPDATE pool SET slots = $1 WHERE name = 'default_pool'

-- name: pool_put
-- takes: text int4 text bool
INSERT INTO pool (name, slots, description, include_deferred) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET slots = EXCLUDED.slots, description = EXCLUDED.description,
    include_deferred = EXCLUDED.include_deferred

-- name: pool_delete
-- takes: text
DELETE FROM pool WHERE name = $1 AND name <> 'default_pool'

-- name: variables_read
-- Those of these names; all, when there are none.
-- takes: text[]
-- gives: text bytea int4 text timestamptz
SELECT key, sealed, key_no, description, updated_at FROM variable WHERE cardinality($1::text[]) = 0 OR key = ANY ($1) ORDER BY key

-- name: variable_put
-- takes: text bytea int4 text
INSERT INTO variable (key, sealed, key_no, description) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET sealed = EXCLUDED.sealed, key_no = EXCLUDED.key_no, description = EXCLUDED.description,
    updated_at = now()

-- name: variable_describe
-- What is sealed stays.
-- takes: text text
UPDATE variable SET description = $2, updated_at = now() WHERE key = $1

-- name: variable_delete
-- takes: text
DELETE FROM variable WHERE key = $1

-- name: connections_read
-- Likewise.
-- takes: text[]
-- gives: text text text text int4 text text bytea int4 timestamptz
SELECT connection_id, conn_type, description, host, port, login, schema, sealed, key_no, updated_at
FROM connection WHERE cardinality($1::text[]) = 0 OR connection_id = ANY ($1) ORDER BY connection_id

-- name: connection_put
-- takes: text text text text int4 text text bytea int4
INSERT INTO connection (connection_id, conn_type, description, host, port, login, schema, sealed, key_no)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (connection_id) DO UPDATE SET conn_type = EXCLUDED.conn_type, description = EXCLUDED.description,
    host = EXCLUDED.host, port = EXCLUDED.port, login = EXCLUDED.login, schema = EXCLUDED.schema, sealed = EXCLUDED.sealed,
    key_no = EXCLUDED.key_no, updated_at = now()

-- name: connection_set
-- What is sealed stays.
-- takes: text text text text int4 text text
UPDATE connection SET conn_type = $2, description = $3, host = $4, port = $5, login = $6, schema = $7, updated_at = now()
WHERE connection_id = $1

-- name: connection_delete
-- takes: text
DELETE FROM connection WHERE connection_id = $1

-- name: stale_count
-- What is sealed with another key than this one: common/store/reseal.c.
-- takes: int4
-- gives: int8
SELECT (SELECT count(*) FROM variable WHERE key_no <> $1) + (SELECT count(*) FROM connection WHERE key_no <> $1)
     + (SELECT count(*) FROM notification WHERE key_no <> $1 AND sealed <> ''::bytea)

-- name: stale_read
-- The next of them behind a kind and a name. The kind and the name are the label that binds them.
-- takes: int4 text text int4
-- gives: text text bytea int4
SELECT s.kind, s.name, s.sealed, s.key_no
FROM (SELECT 'variable' AS kind, key AS name, sealed, key_no FROM variable WHERE key_no <> $1
      UNION ALL SELECT 'connection', connection_id, sealed, key_no FROM connection WHERE key_no <> $1
      UNION ALL SELECT 'notification', id::text, sealed, key_no FROM notification
                WHERE key_no <> $1 AND sealed <> ''::bytea) s
WHERE (s.kind COLLATE "C", s.name COLLATE "C") > ($2, $3)
ORDER BY s.kind COLLATE "C", s.name COLLATE "C" LIMIT $4::int4

-- name: variable_reseal
-- takes: text bytea int4 bytea
UPDATE variable SET sealed = $2, key_no = $3 WHERE key = $1 AND sealed = $4

-- name: connection_reseal
-- takes: text bytea int4 bytea
UPDATE connection SET sealed = $2, key_no = $3 WHERE connection_id = $1 AND sealed = $4

-- name: notification_reseal
-- takes: text bytea int4 bytea
UPDATE notification SET sealed = $2, key_no = $3 WHERE id = $1::text::uuid AND sealed = $4
