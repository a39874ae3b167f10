-- The first account and its token: common/store/owner.c.

-- name: owner_put
-- takes: text text
-- gives:
INSERT INTO user_account (name, password_hash, role) VALUES ($1, $2, 'Admin') ON CONFLICT (name) DO NOTHING

-- name: owner_token
-- takes: text bytea
-- gives:
INSERT INTO session (token_hash, kind, user_no, name, expires_at)
SELECT $2, 'token', user_no, 'owner of the home', 'infinity' FROM user_account WHERE name = $1
ON CONFLICT (token_hash) DO UPDATE SET expires_at = 'infinity'
