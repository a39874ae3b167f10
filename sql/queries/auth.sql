-- People, sessions and tokens: common/store/user_store.c and session_store.c.

-- name: auth_user
-- takes: text
-- gives: int4 text text text bool
SELECT user_no, name, coalesce(password_hash, ''), role, is_active FROM user_account WHERE name = $1

-- name: auth_user_seen
-- takes: int4 text
UPDATE user_account SET last_login_at = now(), password_hash = coalesce(nullif($2, ''), password_hash) WHERE user_no = $1

-- name: auth_session
-- Alive, and its user active; seen_at is written at most once a minute.
-- takes: bytea int8
-- gives: int4 text text text text
WITH alive AS (
    SELECT s.token_hash, s.seen_at, s.kind, s.csrf, u.user_no, u.name, u.role
    FROM session s JOIN user_account u ON u.user_no = s.user_no
    WHERE s.token_hash = $1 AND u.is_active AND s.expires_at > now()
      AND (s.kind = 'token' OR s.seen_at > now() - $2::int8 * interval '1 millisecond')
), seen AS (
    UPDATE session s SET seen_at = now() FROM alive a
    WHERE s.token_hash = a.token_hash AND a.seen_at < now() - interval '1 minute'
)
SELECT user_no, name, role, kind, csrf FROM alive

-- name: auth_session_put
-- takes: bytea text int4 text text int8
INSERT INTO session (token_hash, kind, user_no, name, csrf, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + $6::int8 * interval '1 millisecond')

-- name: auth_session_trim
-- The oldest sessions of a user beyond the newest $2, and those that are over, give way.
-- takes: int4 int8
DELETE FROM session WHERE user_no = $1 AND expires_at < 'infinity' AND (expires_at < now() OR token_hash IN (
    SELECT token_hash FROM session WHERE user_no = $1 AND kind = 'browser' ORDER BY created_at DESC OFFSET $2))

-- name: auth_session_delete
-- takes: bytea
DELETE FROM session WHERE token_hash = $1

-- name: auth_users
-- gives: text
SELECT json_build_object('users', coalesce(json_agg(json_build_object('username', name, 'role', role, 'email', email,
    'created_at', ms(created_at), 'last_login_at', ms(last_login_at), 'disabled', NOT is_active) ORDER BY name), '[]'))::text
FROM user_account

-- name: auth_user_put
-- takes: text text text text
INSERT INTO user_account (name, password_hash, role, email) VALUES ($1, $2, $3, nullif($4, ''))

-- name: auth_user_delete
-- Not the last administrator.
-- takes: text
DELETE FROM user_account u WHERE u.name = $1 AND (u.role <> 'Admin' OR EXISTS (
    SELECT FROM user_account o WHERE o.role = 'Admin' AND o.is_active AND o.user_no <> u.user_no))

-- name: auth_password
-- takes: text text
UPDATE user_account SET password_hash = $2 WHERE name = $1

-- name: auth_sessions_end
-- takes: text
DELETE FROM session s USING user_account u WHERE s.user_no = u.user_no AND u.name = $1
