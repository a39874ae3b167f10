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
-- gives: text bytea int4 text timestamptz
SELECT key, sealed, key_no, description, updated_at FROM variable ORDER BY key

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
-- gives: text text text text int4 text text bytea int4 timestamptz
SELECT connection_id, conn_type, description, host, port, login, schema, sealed, key_no, updated_at
FROM connection ORDER BY connection_id

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
