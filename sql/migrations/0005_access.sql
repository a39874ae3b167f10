-- Who may see and do what: a role below Viewer, grants on single DAGs, and tokens that may less than their owner.

ALTER TABLE user_account DROP CONSTRAINT user_account_role_check,
    ADD CONSTRAINT user_account_role_check CHECK (role IN ('Public', 'Viewer', 'User', 'Op', 'Admin'));

-- As numbers, in order: enum role of webserver/auth/right.h. NULL is no role, and neither below nor above any.
CREATE FUNCTION role_rank(role text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_position(ARRAY['Public', 'Viewer', 'User', 'Op', 'Admin'], role)
$$;

-- "etl", "finance.*" (ids that begin so, up to a separator), "tag:finance", "*".
CREATE FUNCTION dag_fits(pattern text, dag_id text, tags text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN starts_with(pattern, 'tag:') THEN substr(pattern, 5) = ANY (tags)
                WHEN right(pattern, 1) = '*' THEN starts_with(dag_id, left(pattern, -1))
                ELSE pattern = dag_id END
$$;

-- A user, or everybody of a role and above, has the rights of `level` on the DAGs that fit.
CREATE TABLE dag_grant (
    grant_no   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_no    int REFERENCES user_account ON DELETE CASCADE,
    role       text CHECK (role IN ('Public', 'Viewer', 'User', 'Op')),
    dags       text NOT NULL,
    level      text NOT NULL CHECK (level IN ('Viewer', 'User', 'Op')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((user_no IS NULL) <> (role IS NULL)),
    UNIQUE NULLS NOT DISTINCT (user_no, role, dags)
);

-- The rank that somebody has on a DAG: their own everywhere, or what a grant lifts it to. `scope` is a token's: outside of it
-- there is none. Every list and every single answer about a DAG is decided by this.
CREATE FUNCTION dag_rank(reader int, rank int, scope text[], dag_id text, tags text[]) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN cardinality(scope) > 0 AND NOT EXISTS (SELECT FROM unnest(scope) AS s (pattern) WHERE dag_fits(s.pattern, $4, $5)) THEN 0
        ELSE greatest(rank, (SELECT max(role_rank(g.level)) FROM dag_grant g
                             WHERE (g.user_no = reader OR role_rank(g.role) <= rank) AND dag_fits(g.dags, $4, $5))) END
$$;

-- Of sessions: a number to speak of them without their secret, and where they were opened.
ALTER TABLE session ADD COLUMN session_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN address text NOT NULL DEFAULT '', ADD COLUMN agent text NOT NULL DEFAULT '';

-- Personal tokens. Not in `session`: a web server of the release before would take one without its limits.
CREATE TABLE api_token (
    token_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    user_no    int NOT NULL REFERENCES user_account ON DELETE CASCADE,
    name       text NOT NULL,
    rights     text[] NOT NULL,        -- empty: all of its owner's
    dags       text[] NOT NULL,        -- patterns of dag_fits; empty: all
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz,
    expires_at timestamptz NOT NULL,
    UNIQUE (user_no, name)
);
