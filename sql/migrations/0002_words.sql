-- The words behind the numbers of common/model/state.h, and times and schedules as the API shows them. Only readers use
-- these; tests/store/words_test.c holds them to the C tables.

CREATE FUNCTION task_state_word(state int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['none', 'scheduled', 'queued', 'running', 'success', 'failed', 'skipped', 'upstream_failed',
                  'up_for_retry', 'up_for_reschedule', 'deferred', 'removed', 'restarting'])[state + 1]
$$;

CREATE FUNCTION run_state_word(state int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['queued', 'running', 'success', 'failed'])[state + 1]
$$;

CREATE FUNCTION run_type_word(run_type int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['manual', 'scheduled', 'backfill', 'asset_triggered', 'operator_triggered'])[run_type + 1]
$$;

-- One letter a state, for rows of cells.
CREATE FUNCTION task_state_letter(state int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substr('.oqrsfkuycdxz', state + 1, 1)
$$;

CREATE FUNCTION run_state_letter(state int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substr('qrsf', state + 1, 1)
$$;

-- Milliseconds since 1970; NULL for infinities.
CREATE FUNCTION ms(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN isfinite(at) THEN (extract(epoch FROM at) * 1000)::bigint END
$$;

CREATE FUNCTION at_ms(unix_ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_timestamp(unix_ms / 1000.0)
$$;

-- id_derived of common/base/id.h: the UUID of something that has integer keys.
CREATE FUNCTION derived_id(kind int, a bigint, b bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(int8send(((a >> 4) << 16) | ((a & 15) << 8) | (kind & 255) | (8 << 12))
                  || int8send((b & 4611686018427387903) | (-9223372036854775808)), 'hex')::uuid
$$;

-- "10m", "1h30m": as an author would write it.
CREATE FUNCTION duration_text(length_ms bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length_ms = 0 THEN '0s' ELSE
        coalesce(nullif(length_ms / 86400000, 0) || 'd', '') || coalesce(nullif(length_ms / 3600000 % 24, 0) || 'h', '')
        || coalesce(nullif(length_ms / 60000 % 60, 0) || 'm', '') || coalesce(nullif(length_ms / 1000 % 60, 0) || 's', '')
        || coalesce(nullif(length_ms % 1000, 0) || 'ms', '') END
$$;

-- ISO 8601, as Airflow's client reads durations.
CREATE FUNCTION duration_iso(length_ms bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length_ms > 0 THEN 'P' || coalesce(nullif(length_ms / 86400000, 0) || 'D', '') || 'T'
        || trim_scale(length_ms % 86400000 / 1000.0) || 'S' END
$$;

CREATE FUNCTION schedule_text(schedule jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN schedule IS NULL OR jsonb_typeof(schedule) <> 'object' THEN NULL
        WHEN jsonb_typeof(schedule -> 'cron') = 'array'
            THEN (SELECT string_agg(cron, ' | ') FROM jsonb_array_elements_text(schedule -> 'cron') AS cron)
        WHEN schedule ? 'cron' THEN schedule ->> 'cron'
        WHEN schedule ? 'every_ms' THEN 'every ' || duration_text((schedule ->> 'every_ms')::bigint)
        WHEN schedule ? 'at' THEN 'at ' || jsonb_array_length(schedule -> 'at') || ' times'
        WHEN schedule ? 'once' THEN '@once'
        WHEN schedule ? 'continuous' THEN '@continuous'
        WHEN schedule ? 'assets' THEN 'assets: ' || btrim(schedule ->> 'assets', '[]"')
        WHEN schedule ? 'files' THEN 'files: ' || coalesce(schedule -> 'files' ->> 'path', '')
    END
$$;

-- Refuses the transaction unless a pool, variable or connection is there, or is not there.
CREATE FUNCTION vault_expect(kind text, name text, is_there boolean) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    found boolean := CASE kind
        WHEN 'pool' THEN EXISTS (SELECT FROM pool p WHERE p.name = vault_expect.name)
        WHEN 'variable' THEN EXISTS (SELECT FROM variable v WHERE v.key = vault_expect.name)
        ELSE EXISTS (SELECT FROM connection c WHERE c.connection_id = vault_expect.name) END;
BEGIN
    IF is_there AND NOT found THEN
        RAISE EXCEPTION 'there is no % named "%"', kind, name USING ERRCODE = 'HR404';
    ELSIF found AND NOT is_there THEN
        RAISE EXCEPTION 'there is a % named "%" already', kind, name USING ERRCODE = 'HR412';
    END IF;
END $$;
