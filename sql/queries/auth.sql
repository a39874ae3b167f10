-- People, sessions and tokens: common/store/user_store.c and session_store.c.

-- name: auth_user
-- takes: text
-- gives: int4 text text text bool
SELECT user_no, name, coalesce(password_hash, ''), role, is_active FROM user_account WHERE name = $1

-- name: auth_user_external
-- Who comes from a provider: known by its name for them, or new. No row when the name is taken.
-- takes: text text text text text
-- gives: int4 text text text bool
WITH known AS (
    UPDATE user_account SET role = $4, email = coalesce(nullif($5, ''), email), last_login_at = now()
    WHERE issuer = $1 AND subject = $2 RETURNING user_no, name, role, is_active
), made AS (
    INSERT INTO user_account (name, role, email, issuer, subject, last_login_at)
    SELECT $3, $4, nullif($5, ''), $1, $2, now() WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT DO NOTHING RETURNING user_no, name, role, is_active
)
SELECT user_no, name, ''::text, role, is_active FROM known UNION ALL SELECT user_no, name, ''::text, role, is_active FROM made

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
-- takes: bytea text int4 text text int8 text text text
INSERT INTO session (token_hash, kind, user_no, name, csrf, expires_at, address, agent, id_token)
VALUES ($1, $2, $3, $4, $5, now() + $6::int8 * interval '1 millisecond', $7, $8, nullif($9, ''))

-- name: auth_session_trim
-- The oldest sessions of a user beyond the newest $2, and those that are over, give way.
-- takes: int4 int8
DELETE FROM session WHERE user_no = $1 AND expires_at < 'infinity' AND (expires_at < now() OR token_hash IN (
    SELECT token_hash FROM session WHERE user_no = $1 AND kind = 'browser' ORDER BY created_at DESC OFFSET $2))

-- name: auth_session_delete
-- takes: bytea
-- gives: text
DELETE FROM session WHERE token_hash = $1 RETURNING id_token

-- name: auth_sessions
-- Of user $1: what is alive. $2: the hash of the secret that asks.
-- takes: int4 text int8
-- gives: text
SELECT json_build_object('sessions', coalesce(json_agg(json_build_object('id', session_no, 'kind', kind, 'address', address,
    'agent', agent, 'created_at', ms(created_at), 'seen_at', ms(seen_at), 'expires_at', ms(expires_at),
    'is_current', encode(token_hash, 'hex') = $2) ORDER BY seen_at DESC, session_no DESC), '[]'))::text
FROM session WHERE user_no = $1 AND expires_at > now() AND (kind = 'token' OR seen_at > now() - $3::int8 * interval '1 millisecond')

-- name: auth_session_end
-- takes: int4 int8
DELETE FROM session WHERE user_no = $1 AND session_no = $2

-- name: auth_users
-- Of one when $1 names one; without the frame then.
-- takes: text
-- gives: text
SELECT CASE WHEN $1 = '' THEN json_build_object('users', coalesce(json_agg(u.j ORDER BY u.name), '[]')) ELSE json_agg(u.j) -> 0 END::text
FROM (SELECT u.name, json_build_object('username', u.name, 'role', u.role, 'email', u.email, 'created_at', ms(u.created_at),
          'last_login_at', ms(u.last_login_at), 'disabled', NOT u.is_active, 'has_password', u.password_hash IS NOT NULL,
          'sessions', (SELECT count(*) FROM session s WHERE s.user_no = u.user_no AND s.expires_at > now()),
          'tokens', (SELECT count(*) FROM api_token t WHERE t.user_no = u.user_no AND t.expires_at > now()),
          'grants', (SELECT count(*) FROM dag_grant g WHERE g.user_no = u.user_no)) AS j
      FROM user_account u WHERE $1 = '' OR u.name = $1) u

-- name: auth_user_patch
-- What is empty stays. Not the last administrator. Whoever may less, or nothing any more, signs in again.
-- takes: text text text text
-- gives: int4
WITH patched AS (
    UPDATE user_account u SET role = coalesce(nullif($2, ''), u.role), is_active = CASE $3 WHEN '' THEN u.is_active ELSE $3 = 'false' END,
        email = coalesce(nullif($4, ''), u.email)
    WHERE u.name = $1 AND (u.role <> 'Admin' OR (coalesce(nullif($2, ''), 'Admin') = 'Admin' AND $3 <> 'true') OR EXISTS (
        SELECT FROM user_account o WHERE o.role = 'Admin' AND o.is_active AND o.user_no <> u.user_no))
    RETURNING u.user_no
), ended AS (
    DELETE FROM session s USING patched p WHERE s.user_no = p.user_no AND ($2 <> '' OR $3 = 'true')
)
SELECT user_no FROM patched

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

-- name: auth_sessions_end_of
-- takes: int4
DELETE FROM session WHERE user_no = $1

-- name: auth_favourite
-- Whether DAG $2 is to be a favourite ($3) of user $1. Gives whether it was one; no row: there is no such DAG.
-- takes: int4 text bool
-- gives: bool
WITH it AS (
    SELECT d.dag_no, EXISTS (SELECT FROM favourite m WHERE m.dag_no = d.dag_no AND m.user_no = $1) AS was FROM dag d WHERE d.dag_id = $2
), made AS (
    INSERT INTO favourite (dag_no, user_no) SELECT dag_no, $1 FROM it WHERE $3 ON CONFLICT DO NOTHING
), gone AS (
    DELETE FROM favourite m USING it WHERE m.dag_no = it.dag_no AND m.user_no = $1 AND NOT $3
)
SELECT was FROM it

-- ---- saved views

-- name: auth_views
-- Of user $1; one when $2 is its number, or $3 and $4 are its page and name, without the frame then.
-- takes: int4 int4 text text
-- gives: text
SELECT CASE WHEN $2::int4 = 0 AND $4::text = '' THEN json_build_object('views', coalesce(json_agg(v.j ORDER BY v.page, v.name), '[]')) ELSE json_agg(v.j) -> 0 END::text
FROM (SELECT v.page, v.name, json_build_object('id', v.view_no, 'page', v.page, 'name', v.name, 'query', v.query, 'is_default', v.is_default) AS j
      FROM saved_view v WHERE v.user_no = $1 AND ($2::int4 = 0 OR v.view_no = $2) AND ($4::text = '' OR (v.page = $3 AND v.name = $4))) v

-- name: auth_view_lock
-- What one user changes of their views comes one after the other: they are counted, and one is the default.
-- takes: int4
SELECT FROM user_account WHERE user_no = $1 FOR NO KEY UPDATE

-- name: auth_view_put
-- No row when the user has $5 already.
-- takes: int4 text text text int8
INSERT INTO saved_view (user_no, page, name, query)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM saved_view v WHERE v.user_no = $1) < $5

-- name: auth_view_patch
-- View $2 of user $1. What is empty stays; $5 is 'true', 'false' or empty. The default of a page is one: what was it before is it
-- no more.
-- takes: int4 int4 text text text
UPDATE saved_view v SET
    name = CASE WHEN v.view_no = m.view_no AND $3 <> '' THEN $3 ELSE v.name END,
    query = CASE WHEN v.view_no = m.view_no AND $4 <> '' THEN $4 ELSE v.query END,
    is_default = CASE WHEN $5 = '' THEN v.is_default ELSE v.view_no = m.view_no AND $5 = 'true' END
FROM saved_view m
WHERE m.user_no = $1 AND m.view_no = $2 AND v.user_no = m.user_no AND v.page = m.page AND (v.view_no = m.view_no OR ($5 = 'true' AND v.is_default))

-- name: auth_view_delete
-- takes: int4 int4
DELETE FROM saved_view WHERE user_no = $1 AND view_no = $2

-- ---- personal tokens

-- name: auth_token
-- Alive, and its user active; used_at is written at most once a minute.
-- takes: bytea
-- gives: int4 text text text[] text[]
WITH alive AS (
    SELECT t.token_no, t.used_at, t.rights, t.dags, u.user_no, u.name, u.role FROM api_token t JOIN user_account u ON u.user_no = t.user_no
    WHERE t.token_hash = $1 AND u.is_active AND t.expires_at > now()
), used AS (
    UPDATE api_token t SET used_at = now() FROM alive a
    WHERE t.token_no = a.token_no AND (a.used_at IS NULL OR a.used_at < now() - interval '1 minute')
)
SELECT user_no, name, role, rights, dags FROM alive

-- name: auth_token_put
-- $1 its user, $5 and $6: the rights and the DAGs it is held to.
-- takes: text bytea text text int8 text[] text[]
INSERT INTO api_token (token_hash, user_no, name, created_by, expires_at, rights, dags)
SELECT $2, user_no, $3, $4, now() + $5::int8 * interval '1 millisecond', $6, $7 FROM user_account WHERE name = $1

-- name: auth_tokens
-- Of one user; $2 names one of them, without the frame then.
-- takes: text text
-- gives: text
SELECT CASE WHEN $2 = '' THEN json_build_object('tokens', coalesce(json_agg(t.j ORDER BY t.token_no) FILTER (WHERE t.token_no IS NOT NULL), '[]'))
            ELSE json_agg(t.j) FILTER (WHERE t.token_no IS NOT NULL) -> 0 END::text
FROM user_account u LEFT JOIN LATERAL (
    SELECT t.token_no, json_build_object('id', t.token_no, 'name', t.name, 'username', u.name, 'rights', t.rights, 'dags', t.dags,
        'created_by', t.created_by, 'created_at', ms(t.created_at), 'last_used_at', ms(t.used_at), 'expires_at', ms(t.expires_at),
        'is_expired', t.expires_at <= now()) AS j
    FROM api_token t WHERE t.user_no = u.user_no AND ($2 = '' OR t.name = $2)) t ON true
WHERE u.name = $1
GROUP BY u.user_no

-- name: auth_token_delete
-- takes: text int8
DELETE FROM api_token t USING user_account u WHERE u.user_no = t.user_no AND u.name = $1 AND t.token_no = $2

-- ---- rights on DAGs

-- name: auth_grants
-- $1, $2, $3 name one by its user or role and its DAGs, without the frame then.
-- takes: text text text
-- gives: text
SELECT CASE WHEN $3 = '' THEN json_build_object('grants', coalesce(json_agg(g.j ORDER BY g.grant_no), '[]')) ELSE json_agg(g.j) -> 0 END::text
FROM (SELECT g.grant_no, json_build_object('id', g.grant_no, 'username', u.name, 'role', g.role, 'dags', g.dags, 'level', g.level,
          'created_by', g.created_by, 'created_at', ms(g.created_at)) AS j
      FROM dag_grant g LEFT JOIN user_account u ON u.user_no = g.user_no
      WHERE $3 = '' OR (g.dags = $3 AND coalesce(u.name, '') = $1 AND coalesce(g.role, '') = $2)) g

-- name: auth_grant_put
-- To user $1, or to everybody of role $2 and above. What was granted on the same DAGs before gives way.
-- takes: text text text text text
INSERT INTO dag_grant (user_no, role, dags, level, created_by)
SELECT u.user_no, nullif($2, ''), $3, $4, $5 FROM (SELECT 1) one LEFT JOIN user_account u ON u.name = $1 WHERE $1 = '' OR u.user_no IS NOT NULL
ON CONFLICT (user_no, role, dags) DO UPDATE SET level = excluded.level, created_by = excluded.created_by, created_at = now()

-- name: auth_grant_delete
-- takes: int4
DELETE FROM dag_grant WHERE grant_no = $1

-- name: auth_my_grants
-- What applies to somebody, by name or by role.
-- takes: int4 int4
-- gives: text
SELECT json_build_object('grants', (SELECT coalesce(json_agg(json_build_object('dags', g.dags, 'level', g.level) ORDER BY g.dags, g.level), '[]')
        FROM dag_grant g WHERE g.user_no = u.user_no OR role_rank(g.role) <= $2),
    'has_password', u.password_hash IS NOT NULL)::text
FROM user_account u WHERE u.user_no = $1

-- name: auth_my_dags
-- The DAGs on which somebody is more than their role makes them, each with what.
-- takes: int4 int4 text[]
-- gives: text
SELECT json_build_object('dags', coalesce(json_object_agg(n.dag_id, (ARRAY['Public', 'Viewer', 'User', 'Op', 'Admin'])[n.rank]), '{}'))::text
FROM (SELECT d.dag_id, dag_rank($1, $2, $3, d.dag_id, d.tags) AS rank FROM dag d) n WHERE n.rank > $2

-- name: auth_dag_rank
-- What somebody is on DAG $4, or on that of backfill $5; no row when there is none.
-- takes: int4 int4 text[] text int8
-- gives: int4
SELECT dag_rank($1, $2, $3, d.dag_id, d.tags) FROM dag d
WHERE d.dag_id = $4 OR d.dag_no = (SELECT b.dag_no FROM backfill b WHERE b.backfill_no = $5)

-- name: auth_highest_rank
-- The most that somebody may be on some DAG.
-- takes: int4 int4
-- gives: int4
SELECT greatest($2, (SELECT max(role_rank(g.level)) FROM dag_grant g WHERE g.user_no = $1 OR role_rank(g.role) <= $2))

-- name: auth_dags_read
-- The DAGs that somebody may read.
-- takes: int4 int4 text[]
-- gives: text
SELECT coalesce(json_agg(d.dag_id), '[]')::text FROM dag d WHERE dag_rank($1, $2, $3, d.dag_id, d.tags) >= 2

-- ---- the audit log

-- name: audit_lock
-- Before a row is added, in a statement of its own: the next one then sees the row that was added last.
-- gives: void
SELECT pg_advisory_xact_lock(4811)

-- name: audit_verify
-- The hashes of $4 rows from row $3 on anew, each from the row before it. $1 and $2: the number and hash of a row that was noted
-- down earlier.
-- takes: int8 text int8 int8
-- gives: text
WITH part AS (
    SELECT * FROM audit WHERE audit_no >= $3 ORDER BY audit_no LIMIT $4
), last AS (
    SELECT chain, audit_no FROM audit WHERE audit_no < $3 ORDER BY audit_no DESC LIMIT 1
), checked AS (
    SELECT a.audit_no, a.chain, coalesce(lag(a.chain) OVER w, l.chain) AS before, coalesce(lag(a.audit_no) OVER w, l.audit_no) AS before_no,
        concat_ws(E'\x1f', ms(a.at), a.actor, a.event, coalesce(a.dag_id, ''), coalesce(a.run_id, ''), coalesce(a.task_id, ''),
                  coalesce(a.map_index, -2), a.allowed, a.address, a.detail) AS content
    FROM part a LEFT JOIN last l ON true WINDOW w AS (ORDER BY a.audit_no)
), broken AS (
    SELECT c.audit_no, c.before_no FROM checked c
    WHERE c.chain <> sha256(coalesce(c.before, ''::bytea) || convert_to(c.content, 'UTF8')) ORDER BY c.audit_no LIMIT 1
), noted AS (
    SELECT $1::int8 = 0 OR EXISTS (SELECT FROM audit a WHERE a.audit_no = $1 AND encode(a.chain, 'hex') = $2) AS is_there
)
SELECT json_build_object('ok', NOT EXISTS (SELECT FROM broken) AND n.is_there,
    'rows', (SELECT count(*) FROM part), 'next', (SELECT min(a.audit_no) FROM audit a WHERE a.audit_no > (SELECT max(audit_no) FROM part)),
    'broken_at', (SELECT audit_no FROM broken), 'after', (SELECT before_no FROM broken),
    'noted_is_there', CASE WHEN $1 > 0 THEN n.is_there END,
    'head', (SELECT json_build_object('id', a.audit_no, 'hash', encode(a.chain, 'hex'), 'at', ms(a.at)) FROM audit a ORDER BY a.audit_no DESC LIMIT 1))::text
FROM noted n
