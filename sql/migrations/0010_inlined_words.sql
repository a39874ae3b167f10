-- The functions of 0002 in words that the planner can put in place of the call: no subquery, and nothing that depends on a session
-- (numbers joined to texts do, and so does the epoch of a timestamptz). Called, each of them is planned anew by every statement.

CREATE OR REPLACE FUNCTION ms(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN isfinite(at) THEN (extract(epoch FROM at AT TIME ZONE 'UTC') * 1000)::bigint END
$$;

CREATE OR REPLACE FUNCTION duration_text(length_ms bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length_ms = 0 THEN '0s' ELSE
        coalesce(nullif(length_ms / 86400000, 0)::text || 'd', '') || coalesce(nullif(length_ms / 3600000 % 24, 0)::text || 'h', '')
        || coalesce(nullif(length_ms / 60000 % 60, 0)::text || 'm', '') || coalesce(nullif(length_ms / 1000 % 60, 0)::text || 's', '')
        || coalesce(nullif(length_ms % 1000, 0)::text || 'ms', '') END
$$;

-- Several cron expressions are a list of texts without quotes: what JSON puts between them is replaced.
CREATE OR REPLACE FUNCTION schedule_text(schedule jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN schedule IS NULL OR jsonb_typeof(schedule) <> 'object' THEN NULL
        WHEN jsonb_typeof(schedule -> 'cron') = 'array' THEN nullif(replace(btrim(schedule ->> 'cron', '[]"'), '", "', ' | '), '')
        WHEN schedule ? 'cron' THEN schedule ->> 'cron'
        WHEN schedule ? 'every_ms' THEN 'every ' || duration_text((schedule ->> 'every_ms')::bigint)
        WHEN schedule ? 'at' THEN 'at ' || jsonb_array_length(schedule -> 'at')::text || ' times'
        WHEN schedule ? 'once' THEN '@once'
        WHEN schedule ? 'continuous' THEN '@continuous'
        WHEN schedule ? 'assets' THEN 'assets: ' || btrim(schedule ->> 'assets', '[]"')
        WHEN schedule ? 'files' THEN 'files: ' || coalesce(schedule -> 'files' ->> 'path', '')
    END
$$;
