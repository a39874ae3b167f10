-- The pages of the web application (docs/api/ui.md): each block gives one row of JSON text, or no row (404). $1 is the
-- position of the stream that the answer reflects, read before it. Where a sentence for a cause is shown, the array of all
-- of them is a parameter.

-- name: ui_home
-- takes: int8 int4 text[]
-- gives: text
WITH live AS (
    SELECT r.* FROM live_run l JOIN run r ON r.run_no = l.run_no
), since AS (
    SELECT now() - $2::int4 * interval '1 hour' AS at, ((ms(now() - $2::int4 * interval '1 hour') / 86400000) - 31) << 32 AS run_no
), failure AS ( -- the last to end of the newest, which are found from the end of what there is
    SELECT f.run_no FROM (SELECT r.run_no, r.ended_at FROM since s, run r WHERE r.run_no >= s.run_no AND r.ended_at >= s.at AND r.state = 3
                          ORDER BY r.run_no DESC LIMIT 1000) f ORDER BY f.ended_at DESC LIMIT 50
), states AS ( -- of the instances of each run. Where none has a second row the rows are counted as they stand: sorting them takes twice as long.
    SELECT l.run_no, n.* FROM live l CROSS JOIN LATERAL (
        WITH plain AS MATERIALIZED (
            SELECT CASE WHEN y.cleared THEN 0 ELSE y.state END AS state, count(*) AS count, bool_or(y.row_no > 1) AS is_again
            FROM try y WHERE y.run_no = l.run_no GROUP BY 1)
        SELECT p.state, p.count FROM plain p WHERE NOT (SELECT bool_or(is_again) FROM plain)
        UNION ALL SELECT i.state, count(*) FROM (
            SELECT DISTINCT ON (y.task, y.map_index) CASE WHEN y.cleared THEN 0 ELSE y.state END AS state
            FROM try y WHERE y.run_no = l.run_no AND (SELECT bool_or(is_again) FROM plain) ORDER BY y.task, y.map_index, y.row_no DESC) i GROUP BY 1) n
), counts AS (
    SELECT run_no, sum(count) FILTER (WHERE state IN (4, 5, 6, 7, 11)) AS done, sum(count) FILTER (WHERE state IN (5, 7)) AS failed,
        sum(count) FILTER (WHERE state = 1) AS scheduled, sum(count) FILTER (WHERE state = 2) AS queued, sum(count) FILTER (WHERE state = 3) AS running,
        sum(count) FILTER (WHERE state = 8) AS up_for_retry, sum(count) FILTER (WHERE state = 9) AS up_for_reschedule, sum(count) FILTER (WHERE state = 10) AS deferred
    FROM states GROUP BY run_no
), totals AS (
    SELECT l.run_no, v.tasks_total + coalesce((SELECT sum(x.length - 1) FROM expansion x
        WHERE x.run_no = l.run_no AND x.length > 0), 0) AS total FROM live l JOIN dag_version v ON v.version_no = l.version_no
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'hours', $2,
    'dags', (SELECT json_build_object('total', count(*), 'active', count(*) FILTER (WHERE NOT is_paused),
        'paused', count(*) FILTER (WHERE is_paused), 'import_errors', (SELECT count(*) FROM import_error))
        FROM dag WHERE NOT is_stale),
    'runs', json_build_object('queued', (SELECT count(*) FROM live WHERE state = 0),
        'running', (SELECT count(*) FROM live WHERE state = 1)),
    'tasks', (SELECT json_build_object('scheduled', coalesce(sum(scheduled), 0), 'queued', coalesce(sum(queued), 0),
        'running', coalesce(sum(running), 0), 'up_for_retry', coalesce(sum(up_for_retry), 0),
        'up_for_reschedule', coalesce(sum(up_for_reschedule), 0), 'deferred', coalesce(sum(deferred), 0)) FROM counts),
    'slots', (SELECT json_build_object('workers', count(*) FILTER (WHERE state < 2), -- what is drained may end, and is not missed
        'draining', count(*) FILTER (WHERE state = 1),
        'lost', count(*) FILTER (WHERE state = 3 AND reason NOT LIKE 'drained%' AND seen_at > now() - interval '10 minutes'),
        'total', coalesce(sum(slots) FILTER (WHERE state = 0), 0),
        'used', (SELECT coalesce(sum(count), 0) FROM states WHERE state IN (2, 3))) FROM worker),
    'running', (SELECT coalesce(json_agg(json_build_object('dag_id', d.dag_id, 'run_id', l.run_id, 'key', l.run_no,
            'state', run_state_word(l.state), 'run_type', run_type_word(l.run_type), 'run_after', ms(l.run_after),
            'start', ms(l.started_at), 'total', t.total, 'done', coalesce(c.done, 0), 'failed', coalesce(c.failed, 0))
            ORDER BY l.run_no DESC), '[]')
        FROM (SELECT * FROM live ORDER BY run_no DESC LIMIT 50) l JOIN dag d ON d.dag_no = l.dag_no
        JOIN totals t ON t.run_no = l.run_no LEFT JOIN counts c ON c.run_no = l.run_no),
    'failures', (SELECT coalesce(json_agg(json_build_object('dag_id', d.dag_id, 'run_id', e.run_id, 'key', e.run_no,
            'start', ms(e.started_at), 'end', ms(e.ended_at), 'run_state', 'failed',
            'task_id', v.ir -> 'tasks' -> f.task ->> 'id', 'map_index', f.map_index, 'try_number', f.try_no,
            'failed', e.n_failed, 'error', coalesce(nullif(f.error, ''), ($3::text[])[coalesce(f.cause, e.cause) + 1]))
            ORDER BY e.ended_at DESC), '[]')
        FROM failure n JOIN run e ON e.run_no = n.run_no JOIN dag d ON d.dag_no = e.dag_no
        JOIN dag_version v ON v.version_no = e.version_no
        LEFT JOIN LATERAL (SELECT y.* FROM try y WHERE y.run_no = e.run_no AND y.state = 5 AND NOT y.cleared
                           ORDER BY y.ended_at, y.task LIMIT 1) f ON true),
    'next', (SELECT coalesce(json_agg(json_build_object('dag_id', n.dag_id, 'at', ms(n.next_fire_at),
            'schedule', schedule_text(n.schedule)) ORDER BY n.next_fire_at), '[]')
        FROM (SELECT * FROM dag WHERE NOT is_paused AND NOT is_stale AND next_fire_at > now() ORDER BY next_fire_at LIMIT 20) n))::text

-- name: ui_activity
-- What ended: tries in bars of at least a minute, and how many runs. Apart from ui_home, which need not wait for it.
-- takes: int8 int4
-- gives: text
WITH step AS (
    SELECT ms(now() - $2::int4 * interval '1 hour') AS from_ms, greatest(60000, ceil($2::int4 * 3600000.0 / 96 / 60000)::bigint * 60000) AS ms
), bucket AS (
    -- in floating point and without a function of ours: this is done for each try of the whole time
    SELECT floor((date_part('epoch', y.ended_at) * 1000 - s.from_ms) / s.ms)::bigint AS n, count(*) FILTER (WHERE y.state = 4) AS success,
           count(*) FILTER (WHERE y.state = 5) AS failed
    FROM step s, try y WHERE y.run_no >= ((s.from_ms / 86400000) - 2) << 32 AND y.ended_at >= now() - $2::int4 * interval '1 hour'
        AND y.state IN (4, 5) GROUP BY 1
), ended AS (
    SELECT count(*) FILTER (WHERE r.state = 2) AS success, count(*) FILTER (WHERE r.state = 3) AS failed
    FROM step s, run r WHERE r.run_no >= ((s.from_ms / 86400000) - 31) << 32 AND r.ended_at >= now() - $2::int4 * interval '1 hour'
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'from', s.from_ms, 'step_ms', s.ms,
    'runs', (SELECT json_build_object('success', e.success, 'failed', e.failed) FROM ended e),
    'success', json_agg(coalesce(b.success, 0) ORDER BY g.n), 'failed', json_agg(coalesce(b.failed, 0) ORDER BY g.n))::text
FROM step s CROSS JOIN LATERAL generate_series(0, (ms(now()) - s.from_ms) / s.ms) AS g (n)
LEFT JOIN bucket b ON b.n = g.n GROUP BY s.from_ms, s.ms

-- name: ui_lanes
-- What was under way beside what: the DAGs with most to tell (what failed, then what runs, then what ran last, then what comes next), and
-- of each the newest runs.
-- takes: int8 int4
-- gives: text
WITH since AS (
    SELECT now() - $2::int4 * interval '1 hour' AS at, ((ms(now() - $2::int4 * interval '1 hour') / 86400000) - 31) << 32 AS run_no
), ran AS (
    SELECT r.dag_no, count(*) FILTER (WHERE r.state = 3) AS failed, count(*) FILTER (WHERE r.state < 2) AS open, max(r.run_no) AS newest
    FROM since s, run r WHERE r.run_no >= s.run_no AND r.started_at IS NOT NULL AND (r.ended_at IS NULL OR r.ended_at >= s.at) GROUP BY r.dag_no
), lane AS (
    SELECT d.dag_no, d.dag_id, CASE WHEN d.is_paused OR d.is_stale THEN NULL ELSE d.next_fire_at END AS next_at, coalesce(n.failed, 0) AS failed,
           coalesce(n.open, 0) AS open, n.newest
    FROM dag d LEFT JOIN ran n ON n.dag_no = d.dag_no
    WHERE n.dag_no IS NOT NULL OR (NOT d.is_paused AND NOT d.is_stale AND d.next_fire_at < now() + $2::int4 * interval '1 hour')
    ORDER BY coalesce(n.failed, 0) > 0 DESC, coalesce(n.open, 0) > 0 DESC, n.newest DESC NULLS LAST, d.next_fire_at LIMIT 24
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'from', ms(s.at), 'dags', (SELECT count(*) FROM ran),
    'lanes', (SELECT coalesce(json_agg(json_build_object('dag_id', l.dag_id, 'next', ms(l.next_at), 'open', l.open, 'failed', l.failed, 'runs', r.runs)
        ORDER BY l.failed > 0 DESC, l.open > 0 DESC, l.newest DESC NULLS LAST, l.next_at, l.dag_id), '[]')
        FROM lane l CROSS JOIN LATERAL (SELECT json_build_object('id', coalesce(json_agg(r.run_id ORDER BY r.run_no DESC), '[]'),
                'state', coalesce(string_agg(run_state_letter(r.state), '' ORDER BY r.run_no DESC), ''),
                'start', coalesce(json_agg(ms(r.started_at) ORDER BY r.run_no DESC), '[]'),
                'end', coalesce(json_agg(ms(r.ended_at) ORDER BY r.run_no DESC), '[]')) AS runs
            FROM (SELECT * FROM run WHERE dag_no = l.dag_no AND run_no >= s.run_no AND started_at IS NOT NULL
                      AND (ended_at IS NULL OR ended_at >= s.at) ORDER BY run_no DESC LIMIT 60) r) r))::text
FROM since s

-- name: ui_dags
-- $2 q, $3 tags, $4 owners, $5 paused ('', 'true', 'false'), $6 states of the last run, $7 order, $8 runs each, $9 limit,
-- $10 offset, $11 exact ids, $12 who asks, $13 whether theirs ('', 'true', 'false').
-- takes: int8 text text[] text[] text text[] text int4 int4 int4 text[] int4 text
-- gives: text
WITH hit AS MATERIALIZED ( -- what the order needs; the rest is read for the rows that are shown
    SELECT d.dag_no, d.dag_id, CASE WHEN $7 = '-last_run' THEN -coalesce(l.run_no, 0)
        WHEN $7 = 'attention' THEN CASE WHEN d.is_paused THEN 3 WHEN l.state = 3 THEN 0 WHEN l.state < 2 THEN 1 ELSE 2 END
        WHEN $7 = 'next_run' THEN ms(d.next_fire_at) END AS place
    FROM dag d LEFT JOIN favourite m ON m.dag_no = d.dag_no AND m.user_no = $12
    CROSS JOIN LATERAL (SELECT CASE WHEN cardinality(d.owners) = 0 THEN ARRAY['headrace'] ELSE d.owners END AS owners) o
    LEFT JOIN LATERAL (SELECT r.state, r.run_no FROM run r WHERE r.dag_no = d.dag_no ORDER BY r.run_no DESC LIMIT 1) l ON true
    WHERE (NOT d.is_stale OR d.dag_id = ANY ($11)) AND (cardinality($11::text[]) = 0 OR d.dag_id = ANY ($11))
      AND ($2 = '' OR strpos(lower(concat_ws(' ', d.dag_id, d.description, array_to_string(d.tags, ' '),
                                             array_to_string(o.owners, ' '), d.fileloc)), lower($2)) > 0)
      AND (cardinality($3::text[]) = 0 OR d.tags && $3) AND (cardinality($4::text[]) = 0 OR o.owners && $4)
      AND ($5 = '' OR d.is_paused = ($5 = 'true')) AND ($13 = '' OR (m.dag_no IS NOT NULL) = ($13 = 'true'))
      AND (cardinality($6::text[]) = 0 OR run_state_word(l.state) = ANY ($6))
), shown AS (
    SELECT d.*, h.place, CASE WHEN cardinality(d.owners) = 0 THEN ARRAY['headrace'] ELSE d.owners END AS all_owners, m.dag_no IS NOT NULL AS is_favorite
    FROM (SELECT * FROM hit ORDER BY place, dag_id LIMIT $9::int4 OFFSET $10::int4) h JOIN dag d ON d.dag_no = h.dag_no
    LEFT JOIN favourite m ON m.dag_no = d.dag_no AND m.user_no = $12
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'total_entries', (SELECT count(*) FROM hit),
    'tags', (SELECT coalesce(json_agg(t.tag ORDER BY t.tag), '[]') FROM (SELECT DISTINCT unnest(tags) AS tag FROM dag WHERE NOT is_stale) t),
    'owners', (SELECT coalesce(json_agg(o.owner ORDER BY o.owner), '[]') FROM (
        SELECT DISTINCT unnest(CASE WHEN cardinality(owners) = 0 THEN ARRAY['headrace'] ELSE owners END) AS owner FROM dag WHERE NOT is_stale) o),
    'dags', (SELECT coalesce(json_agg(json_build_object('dag_id', s.dag_id, 'display_name', s.dag_id, 'description', s.description,
        'tags', s.tags, 'owners', s.all_owners, 'file', s.fileloc, 'is_paused', s.is_paused, 'is_stale', s.is_stale,
        'is_favorite', s.is_favorite, 'has_import_errors', EXISTS (SELECT FROM import_error e WHERE e.path = s.fileloc OR e.dag_id = s.dag_id),
        'schedule', schedule_text(s.schedule), 'timezone', coalesce(v.ir ->> 'timezone', 'UTC'), 'next_run', ms(s.next_fire_at),
        'version', v.version_number, 'task_count', coalesce(v.tasks_total, 0),
        'queued', c.queued, 'running', c.running, 'median_ms', m.median_ms, 'runs', r.runs) ORDER BY s.place, s.dag_id), '[]')
        FROM shown s LEFT JOIN dag_version v ON v.version_no = s.version_no
        CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE y.state = 2) AS queued, count(*) FILTER (WHERE y.state = 3) AS running
            FROM run r JOIN live_run l ON l.run_no = r.run_no JOIN try y ON y.run_no = r.run_no
            WHERE r.dag_no = s.dag_no AND y.state IN (2, 3) AND NOT y.cleared) c
        CROSS JOIN LATERAL (SELECT (percentile_cont(0.5) WITHIN GROUP (ORDER BY ms(r.ended_at) - ms(r.started_at))
                                    FILTER (WHERE r.state = 2))::bigint AS median_ms
            FROM (SELECT * FROM run WHERE dag_no = s.dag_no ORDER BY run_no DESC LIMIT 50) r) m
        CROSS JOIN LATERAL (SELECT json_build_object('key', coalesce(json_agg(r.run_no ORDER BY r.run_no DESC), '[]'),
                'id', coalesce(json_agg(r.run_id ORDER BY r.run_no DESC), '[]'),
                'state', coalesce(string_agg(run_state_letter(r.state), '' ORDER BY r.run_no DESC), ''),
                'type', coalesce(json_agg(run_type_word(r.run_type) ORDER BY r.run_no DESC), '[]'),
                'run_after', coalesce(json_agg(ms(r.run_after) ORDER BY r.run_no DESC), '[]'),
                'start', coalesce(json_agg(ms(r.started_at) ORDER BY r.run_no DESC), '[]'),
                'end', coalesce(json_agg(ms(r.ended_at) ORDER BY r.run_no DESC), '[]')) AS runs
            FROM (SELECT * FROM run WHERE dag_no = s.dag_no ORDER BY run_no DESC LIMIT $8::int4) r) r))::text

-- name: ui_shape_tag
-- All that a shape is made of, in short: who has it already is not made it again.
-- takes: text int4
-- gives: text
SELECT left(encode(v.hash, 'hex'), 16) || '-' || v.version_number || '-' || (SELECT count(*) FROM dag_version o WHERE o.dag_no = d.dag_no)
FROM dag d JOIN dag_version v ON v.dag_no = d.dag_no
WHERE d.dag_id = $1 AND CASE WHEN $2 < 0 THEN v.version_no = d.version_no ELSE v.version_number = $2 END

-- name: ui_shape
-- $2: the version, or below 0 for the newest.
-- takes: text int4
-- gives: text
WITH it AS (
    SELECT d.dag_id, v.*, (SELECT count(*) FROM dag_version o WHERE o.dag_no = d.dag_no) AS versions
    FROM dag d JOIN dag_version v ON v.dag_no = d.dag_no
    WHERE d.dag_id = $1 AND CASE WHEN $2 < 0 THEN v.version_no = d.version_no ELSE v.version_number = $2 END
), task AS MATERIALIZED (
    SELECT t.number::int - 1 AS ordinal, t.value ->> 'id' AS id, t.value FROM it, jsonb_array_elements(it.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
), grp AS MATERIALIZED (
    SELECT g.number::int - 1 AS n, g.value ->> 'id' AS id, (g.value ->> 'id') || '.' AS prefix, coalesce((g.value ->> 'parent')::int, -1) AS parent,
           g.value ->> 'tooltip' AS doc
    FROM it, jsonb_array_elements(it.ir -> 'groups') WITH ORDINALITY AS g (value, number)
), node AS (
    SELECT t.ordinal, t.id, coalesce(t.value ->> 'display_name', t.id) AS name,
           CASE WHEN t.value ? 'for_each' THEN 2 ELSE 0 END AS kind,
           coalesce((SELECT it.tasks_total + g.n FROM grp g WHERE starts_with(t.id, g.prefix)
                     ORDER BY length(g.id) DESC LIMIT 1), -1) AS parent,
           t.value ->> 'operator_kind' AS op, coalesce(t.value ->> 'trigger_rule', 'all_success') AS rule,
           coalesce(t.value ->> 'queue', 'default') AS queue, coalesce(t.value ->> 'pool', 'default_pool') AS pool,
           t.value ->> 'doc_md' AS doc, t.value ? 'display_name' AS is_named
    FROM it, task t
    UNION ALL
    SELECT it.tasks_total + g.n, g.id, g.id, 1, CASE WHEN g.parent < 0 THEN -1 ELSE it.tasks_total + g.parent END,
           '', '', '', '', g.doc, false FROM it, grp g
), named AS (
    SELECT n.*, CASE WHEN n.is_named OR p.id IS NULL THEN n.name ELSE substr(n.id, length(p.id) + 2) END AS label
    FROM node n LEFT JOIN node p ON p.ordinal = n.parent
), edge AS (
    SELECT u.value::int AS above, t.ordinal AS below FROM task t, jsonb_array_elements_text(t.value -> 'upstream') AS u (value)
    ORDER BY 1, 2
)
SELECT json_build_object('dag_id', it.dag_id, 'version', it.version_number, 'hash', encode(it.hash, 'hex'), 'versions', it.versions,
    'id', c.id, 'name', c.name, 'kind', c.kind, 'parent', c.parent, 'op', c.op, 'rule', c.rule, 'queue', c.queue, 'pool', c.pool, 'doc', c.doc,
    'from', (SELECT coalesce(json_agg(above), '[]') FROM edge),
    'to', (SELECT coalesce(json_agg(below), '[]') FROM edge))::text
FROM it JOIN ( -- no row when there is no task
    SELECT json_agg(n.id) AS id, json_agg(n.label) AS name, json_agg(n.kind) AS kind, json_agg(n.parent) AS parent, json_agg(n.op) AS op,
        json_agg(n.rule) AS rule, json_agg(n.queue) AS queue, json_agg(n.pool) AS pool, json_agg(n.doc) AS doc
    FROM (SELECT * FROM named ORDER BY ordinal) n) c ON c.id IS NOT NULL

-- name: ui_cells
-- $3 runs, $4 older than this key (0: from the newest), $5 run types, $6 run states. $7 runs whose cells are known, $8 the marks that they
-- were read with, $9 the version by whose tasks they are placed: of those no line is given. Runs that have not ended have no mark.
-- takes: int8 text int4 int8 text[] text[] int8[] text[] int8
-- gives: text
WITH it AS (
    SELECT d.dag_no, v.version_no, v.ir, v.hash FROM dag d LEFT JOIN dag_version v ON v.version_no = d.version_no WHERE d.dag_id = $2
), edge_run AS (
    SELECT r.run_after, r.run_no FROM run r, it WHERE r.run_no = $4 AND r.dag_no = it.dag_no
), picked AS (
    SELECT r.*, CASE WHEN r.state >= 2 THEN r.xmin || '.' || (date_part('epoch', r.updated_at) * 1000000)::int8 END AS mark
    FROM run r, it WHERE r.dag_no = it.dag_no
        AND ($4 = 0 OR (r.run_after, r.run_no) < (SELECT run_after, run_no FROM edge_run))
        AND (cardinality($5::text[]) = 0 OR run_type_word(r.run_type) = ANY ($5))
        AND (cardinality($6::text[]) = 0 OR run_state_word(r.state) = ANY ($6))
    ORDER BY r.run_after DESC, r.run_no DESC LIMIT $3::int4 + 1
), shown AS (
    SELECT s.*, (row_number() OVER (ORDER BY s.run_after DESC, s.run_no DESC))::int - 1 AS place,
        it.version_no = $9 AND (s.run_no, s.mark) IN (SELECT * FROM unnest($7::int8[], $8::text[])) IS TRUE AS is_known
    FROM picked s, it
    ORDER BY s.run_after DESC, s.run_no DESC LIMIT $3::int4
), task AS (
    SELECT t.number::int - 1 AS ordinal, t.value ->> 'id' AS id FROM it, jsonb_array_elements(it.ir -> 'tasks')
        WITH ORDINALITY AS t (value, number)
), known AS MATERIALIZED ( -- of each version that is shown, for each task of the newest: its ordinal there
    SELECT v.version_no, k.ordinal, t.there FROM (SELECT DISTINCT s.version_no FROM shown s WHERE NOT s.is_known) v CROSS JOIN task k
    LEFT JOIN (SELECT w.version_no, t.value ->> 'id' AS id, t.number::int - 1 AS there FROM dag_version w
               CROSS JOIN LATERAL jsonb_array_elements(w.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
               WHERE w.version_no IN (SELECT s.version_no FROM shown s WHERE NOT s.is_known)) t ON t.version_no = v.version_no AND t.id = k.id
    ORDER BY v.version_no, k.ordinal
), line AS ( -- one a run, each by itself: its letters, and what else is told of a cell as the inside of a JSON list
    SELECT s.place, s.is_known, c.* FROM shown s CROSS JOIN LATERAL (
        SELECT string_agg(o.letter, '') AS letters,
            string_agg(format('[%s,%s]', o.ordinal, o.try_no), ',') FILTER (WHERE o.try_no > 1) AS tries,
            string_agg(format('[%s,%s,%s,%s,%s,%s]', o.ordinal, o.length, o.length - coalesce(o.active + o.good + o.bad, 0),
                coalesce(o.active, 0), coalesce(o.good, 0), coalesce(o.bad, 0)), ',') FILTER (WHERE o.length IS NOT NULL) AS mapped
        FROM (SELECT k.ordinal, g.try_no, g.active, g.good, g.bad, x.length, CASE WHEN k.there IS NULL THEN '-'
                -- instances without a row are not started, which is worse than having ended well
                WHEN x.length > coalesce(g.rows, 0) AND coalesce(g.worst, 10) >= 10 THEN '.'
                ELSE substr('furqoycdz.skx', coalesce(g.worst, 10), 1) END AS letter
              FROM known k
              LEFT JOIN (
                SELECT n.task, max(n.try_no) AS try_no, count(*) FILTER (WHERE n.map_index >= 0) AS rows,
                    min(n.worse) AS worst, count(*) FILTER (WHERE n.worse IN (3, 4, 9)) AS active,
                    count(*) FILTER (WHERE n.worse > 10) AS good, count(*) FILTER (WHERE n.worse < 3) AS bad
                FROM (SELECT DISTINCT ON (y.task, y.map_index) y.task, y.map_index, y.try_no,
                          -- the place of its state in the letters above: the least is the worst
                          CASE WHEN y.cleared THEN 10 ELSE (ARRAY[10, 5, 4, 3, 11, 1, 12, 2, 6, 7, 8, 13, 9])[y.state + 1] END AS worse
                      FROM try y WHERE y.run_no = s.run_no ORDER BY y.task, y.map_index, y.row_no DESC) n
                GROUP BY n.task) g ON g.task = k.there
              LEFT JOIN expansion x ON x.run_no = s.run_no AND x.task = k.there AND x.length > 0
              WHERE k.version_no = s.version_no AND NOT s.is_known ORDER BY k.ordinal) o) c
)
SELECT json_build_object('version_no', it.version_no, 'page', json_build_object('seq', $1::int8, 'now', ms(now()),
        'hash', encode(it.hash, 'hex'), 'more', (SELECT count(*) FROM picked) > $3,
    'runs', (SELECT json_build_object('key', coalesce(json_agg(s.run_no ORDER BY s.place), '[]'),
        'id', coalesce(json_agg(s.run_id ORDER BY s.place), '[]'),
        'type', coalesce(json_agg(run_type_word(s.run_type) ORDER BY s.place), '[]'),
        'state', coalesce(string_agg(run_state_letter(s.state), '' ORDER BY s.place), ''),
        'run_after', coalesce(json_agg(ms(s.run_after) ORDER BY s.place), '[]'),
        'logical', coalesce(json_agg(ms(s.logical_at) ORDER BY s.place), '[]'),
        'start', coalesce(json_agg(ms(s.started_at) ORDER BY s.place), '[]'),
        'end', coalesce(json_agg(ms(s.ended_at) ORDER BY s.place), '[]'),
        'version', coalesce(json_agg(v.version_number ORDER BY s.place), '[]'),
        'note', coalesce(json_agg(s.note ORDER BY s.place), '[]'))
        FROM shown s JOIN dag_version v ON v.version_no = s.version_no)),
    'marks', (SELECT coalesce(json_agg(s.mark ORDER BY s.place), '[]') FROM shown s),
    'lines', (SELECT coalesce(json_agg(CASE WHEN NOT l.is_known THEN json_build_array(coalesce(l.letters, ''), coalesce(l.tries, ''),
        coalesce(l.mapped, '')) END ORDER BY l.place), '[]') FROM line l))::text
FROM it

-- name: ui_run
-- takes: int8 text text text[]
-- gives: text
WITH it AS (
    SELECT d.dag_id, d.is_paused, r.*, v.version_number, v.hash, v.ir FROM dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $3
    JOIN run r ON r.run_no = k.run_no JOIN dag_version v ON v.version_no = r.version_no WHERE d.dag_id = $2
), task AS (
    SELECT t.number::int - 1 AS ordinal FROM it, jsonb_array_elements(it.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
), newest AS (
    SELECT DISTINCT ON (y.task, y.map_index) y.*, CASE WHEN y.cleared THEN 0 ELSE y.state END AS st
    FROM it JOIN try y ON y.run_no = it.run_no ORDER BY y.task, y.map_index, y.row_no DESC
), grouped AS (
    SELECT n.task, max(n.try_no) AS try_no, count(*) AS rows, count(*) FILTER (WHERE n.map_index >= 0) AS mapped_rows,
        min(n.queued_at) AS queued, min(n.started_at) AS started, CASE WHEN bool_and(n.ended_at IS NOT NULL) THEN max(n.ended_at) END AS ended,
        (array_agg(n.st ORDER BY array_position(ARRAY[5, 7, 3, 2, 1, 8, 9, 10, 12, 0, 4, 6, 11]::int[], n.st::int)))[1] AS worst,
        count(*) FILTER (WHERE n.st IN (2, 3, 12)) AS active, count(*) FILTER (WHERE n.st IN (4, 6, 11)) AS good,
        count(*) FILTER (WHERE n.st IN (5, 7)) AS bad, min(w.name) AS worker
    FROM newest n LEFT JOIN worker w ON w.worker_no = n.worker_no GROUP BY n.task
), cell AS (
    SELECT t.ordinal, g.*, x.length, CASE WHEN x.length > coalesce(g.mapped_rows, 0) AND coalesce(g.worst, 0) IN (0, 4, 6, 11) THEN 0
        ELSE coalesce(g.worst, 0) END AS state
    FROM task t LEFT JOIN grouped g ON g.task = t.ordinal
    LEFT JOIN (SELECT x.* FROM it JOIN expansion x ON x.run_no = it.run_no AND x.length > 0) x ON x.task = t.ordinal
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'dag_id', it.dag_id, 'is_paused', it.is_paused,
    'run', json_build_object('key', it.run_no, 'run_id', it.run_id, 'state', run_state_word(it.state), 'run_type', run_type_word(it.run_type),
        'logical_date', ms(it.logical_at), 'data_interval_start', ms(it.interval_start), 'data_interval_end', ms(it.interval_end),
        'run_after', ms(it.run_after), 'queued_at', ms(it.queued_at), 'start', ms(it.started_at), 'end', ms(it.ended_at),
        'version', it.version_number, 'hash', encode(it.hash, 'hex'), 'conf', it.conf,
        'params', coalesce((SELECT jsonb_object_agg(p.key, CASE WHEN jsonb_typeof(p.value) = 'object' THEN p.value -> 'default' ELSE p.value END)
                            FROM jsonb_each(it.ir -> 'params') AS p), '{}') || it.conf,
        'note', it.note, 'triggered_by', nullif(it.triggered_by, ''), 'cause', nullif(($4::text[])[it.cause + 1], '')),
    'previous_good', (SELECT r.run_id FROM run r WHERE r.dag_no = it.dag_no AND r.run_no < it.run_no AND r.state = 2 ORDER BY r.run_no DESC LIMIT 1),
    'older', (SELECT r.run_id FROM run r WHERE r.dag_no = it.dag_no AND r.run_no < it.run_no ORDER BY r.run_no DESC LIMIT 1),
    'newer', (SELECT r.run_id FROM run r WHERE r.dag_no = it.dag_no AND r.run_no > it.run_no ORDER BY r.run_no LIMIT 1),
    'st', (SELECT coalesce(string_agg(task_state_letter(c.state), '' ORDER BY c.ordinal), '') FROM cell c),
    'try', (SELECT coalesce(json_agg(coalesce(c.try_no, 0) ORDER BY c.ordinal), '[]') FROM cell c),
    'queued', (SELECT coalesce(json_agg(ms(c.queued) ORDER BY c.ordinal), '[]') FROM cell c),
    'start', (SELECT coalesce(json_agg(ms(c.started) ORDER BY c.ordinal), '[]') FROM cell c),
    'end', (SELECT coalesce(json_agg(CASE WHEN c.length IS NULL OR c.mapped_rows = c.length THEN ms(c.ended) END ORDER BY c.ordinal), '[]') FROM cell c),
    'worker', (SELECT coalesce(json_agg(c.worker ORDER BY c.ordinal), '[]') FROM cell c),
    'mapped', (SELECT coalesce(json_agg(json_build_array(c.ordinal, c.length, c.length - coalesce(c.active + c.good + c.bad, 0),
        coalesce(c.active, 0), coalesce(c.good, 0), coalesce(c.bad, 0)) ORDER BY c.ordinal), '[]') FROM cell c WHERE c.length IS NOT NULL),
    'errors', (SELECT coalesce(json_agg(json_build_array(e.task, e.map_index, e.try_no, coalesce(nullif(e.error, ''), ($4::text[])[e.cause + 1]))
        ORDER BY e.task, e.map_index), '[]') FROM (SELECT * FROM newest WHERE st = 5 ORDER BY task, map_index LIMIT 50) e))::text
FROM it

-- name: ui_mapped_states
-- As little of each instance of a mapped task as the picture of all needs, in four lines, of which three are numbers with commas between:
-- JSON; map index * 16 + state of their first rows; row * 2^32 + map index * 16 + state of the others; the indexes of those whose newest
-- row has $4 in its index, label and error. In no order.
-- takes: text text text text text[]
-- gives: text
WITH it AS (
    SELECT r.run_no, t.number::int - 1 AS task, coalesce(x.length, 0) AS length
    FROM dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2 JOIN run r ON r.run_no = k.run_no
    JOIN dag_version v ON v.version_no = r.version_no
    CROSS JOIN LATERAL jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
    LEFT JOIN expansion x ON x.run_no = r.run_no AND x.task = t.number - 1
    WHERE d.dag_id = $1 AND t.value ->> 'id' = $3
)
SELECT json_build_object('now', ms(now()), 'run_no', it.run_no, 'task', it.task, 'total', it.length)::text
    || E'\n' || coalesce(y.tries, '') || E'\n' || coalesce(y.again, '') || E'\n' || coalesce(CASE WHEN $4 <> '' THEN (
        SELECT btrim(array_agg(y.map_index)::text, '{}') FROM try y WHERE y.run_no = it.run_no AND y.task = it.task AND y.map_index >= 0
            AND strpos(lower(concat_ws(' ', y.map_index, y.map_label, CASE WHEN y.state IN (5, 7, 8) AND NOT y.cleared
                THEN coalesce(nullif(y.error, ''), ($5::text[])[y.cause + 1]) END)), lower($4)) > 0
            AND NOT EXISTS (SELECT FROM try n WHERE n.run_no = y.run_no AND n.task = y.task AND n.map_index = y.map_index AND n.row_no > y.row_no)) END, '')
FROM it CROSS JOIN LATERAL (
    SELECT btrim((array_agg(y.map_index * 16 + y.st) FILTER (WHERE y.row_no <= 1))::text, '{}') AS tries,
        btrim((array_agg((y.row_no::int8 << 32) + y.map_index * 16 + y.st) FILTER (WHERE y.row_no > 1))::text, '{}') AS again
    FROM (SELECT y.*, CASE WHEN y.cleared THEN 0 ELSE y.state END AS st FROM try y
          WHERE y.run_no = it.run_no AND y.task = it.task AND y.map_index >= 0) y) y

-- name: ui_mapped_rows
-- $3: the instances that are shown; $4: those that failed.
-- takes: int8 int4 int4[] int4[] text[]
-- gives: text
SELECT json_build_object(
    'errors', (SELECT coalesce(json_agg(json_build_array(e.error, e.count) ORDER BY e.count DESC, e.error), '[]') FROM (
        SELECT y.error, count(*) FROM unnest($4::int4[]) i CROSS JOIN LATERAL (
            SELECT coalesce(nullif(y.error, ''), ($5::text[])[y.cause + 1]) AS error, y.state IN (5, 7) AND NOT y.cleared AS is_failed
            FROM try y WHERE y.run_no = $1::int8 AND y.task = $2::int4 AND y.map_index = i ORDER BY y.row_no DESC LIMIT 1) y
        WHERE y.is_failed -- still
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5) e),
    'rows', (SELECT coalesce(json_agg(json_build_object('map_index', i, 'label', y.map_label, 'state', task_state_word(coalesce(y.st, 0)),
        'try', coalesce(y.try_no, 0), 'start', ms(y.started_at), 'end', ms(y.ended_at), 'worker', w.name,
        'error', CASE WHEN y.st IN (5, 7, 8) THEN coalesce(nullif(y.error, ''), ($5::text[])[y.cause + 1]) END) ORDER BY i), '[]')
        FROM unnest($3::int4[]) i LEFT JOIN LATERAL (SELECT y.*, CASE WHEN y.cleared THEN 0 ELSE y.state END AS st
            FROM try y WHERE y.run_no = $1::int8 AND y.task = $2::int4 AND y.map_index = i ORDER BY y.row_no DESC LIMIT 1) y ON true
        LEFT JOIN worker w ON w.worker_no = y.worker_no))::text

-- name: ui_task
-- takes: int8 text text text int4 text[] text[]
-- gives: text
WITH it AS (
    SELECT d.dag_id, r.run_no, r.run_id, r.state AS run_state, v.version_number, v.ir, t.value AS task, t.number::int - 1 AS ordinal
    FROM dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $3 JOIN run r ON r.run_no = k.run_no
    JOIN dag_version v ON v.version_no = r.version_no
    CROSS JOIN LATERAL jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
    WHERE d.dag_id = $2 AND t.value ->> 'id' = $4
), tries AS (
    SELECT y.*, w.name AS worker, w.host FROM it JOIN try y ON y.run_no = it.run_no AND y.task = it.ordinal AND y.map_index = $5
    LEFT JOIN worker w ON w.worker_no = y.worker_no
), newest AS (SELECT * FROM tries ORDER BY row_no DESC LIMIT 1), result AS (
    SELECT o.value, octet_length(o.value::text) AS size FROM it JOIN output o ON o.run_no = it.run_no AND o.task = it.ordinal
        AND o.map_index = $5 AND o.key = 'return_value'
), history AS (
    SELECT ms(y.queued_at) AS at, 'scheduled' AS before, 'queued' AS after, y.try_no, 10 AS cause, y.row_no, 0 AS step FROM tries y WHERE y.attempt IS NOT NULL
    UNION ALL SELECT ms(y.started_at), 'queued', 'running', y.try_no, 11, y.row_no, 1 FROM tries y WHERE y.started_at IS NOT NULL
    UNION ALL SELECT coalesce(ms(y.ended_at), ms(y.queued_at)),
        CASE WHEN y.attempt IS NULL THEN 'none' WHEN y.started_at IS NULL THEN 'queued' ELSE 'running' END,
        task_state_word(y.state), y.try_no, y.cause, y.row_no, 2 FROM tries y WHERE y.state NOT IN (0, 1, 2, 3)
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'dag_id', it.dag_id, 'run_id', it.run_id, 'task_id', $4, 'map_index', $5,
    'map_label', n.map_label, 'is_mapped', it.task ? 'for_each' AND $5 < 0, 'run_state', run_state_word(it.run_state), 'version', it.version_number,
    'state', CASE WHEN n.cleared THEN 'none' ELSE coalesce(task_state_word(n.state), 'none') END, 'try', coalesce(n.try_no, 0),
    'max_tries', coalesce((it.task ->> 'retries')::int, 0) + 1, 'operator', it.task ->> 'operator_kind',
    'queue', coalesce(n.queue, it.task ->> 'queue', 'default'), 'pool', coalesce(n.pool, it.task ->> 'pool', 'default_pool'),
    'pool_slots', coalesce((it.task ->> 'pool_slots')::int, 1), 'priority_weight', coalesce(n.priority, (it.task ->> 'priority_weight')::int, 1),
    'trigger_rule', coalesce(it.task ->> 'trigger_rule', 'all_success'), 'scheduled_at', ms(n.queued_at), 'queued_at', ms(n.queued_at),
    'start', ms(n.started_at), 'end', ms(n.ended_at), 'worker', n.worker, 'host', n.host, 'pid', NULL,
    'error', CASE WHEN n.state IN (5, 7, 8) AND NOT n.cleared THEN coalesce(nullif(n.error, ''), ($6::text[])[n.cause + 1]) END,
    'tries', (SELECT coalesce(json_agg(json_build_object('try', y.try_no, 'attempt_id', y.attempt, 'state', task_state_word(y.state),
        'queued_at', ms(y.queued_at), 'start', ms(y.started_at), 'end', ms(y.ended_at), 'worker', y.worker, 'host', y.host, 'pid', NULL,
        'exit_code', CASE WHEN y.exit_code >= 0 THEN y.exit_code END, 'signal', CASE WHEN y.exit_code < 0 THEN -y.exit_code END,
        'error', CASE WHEN y.state IN (5, 7, 8) THEN coalesce(nullif(y.error, ''), ($6::text[])[y.cause + 1]) END, 'log_lines', NULL, 'log_bytes', NULL,
        'cpu_ms', y.cpu_ms, 'memory_peak_bytes', y.memory_peak) ORDER BY y.row_no), '[]') FROM tries y WHERE y.attempt IS NOT NULL),
    'history', (SELECT coalesce(json_agg(json_build_object('at', h.at, 'from', h.before, 'to', h.after, 'try', h.try_no, 'cause', ($7::text[])[h.cause + 1],
        'sentence', ($6::text[])[h.cause + 1], 'actor', CASE WHEN h.cause IN (18, 25, 26) THEN 'user' WHEN h.step = 0 OR h.before = 'none' THEN 'scheduler' ELSE 'worker' END)
        ORDER BY h.row_no, h.step), '[]') FROM history h),
    'upstream', (SELECT coalesce(json_agg(it.ir -> 'tasks' -> u.value::int ->> 'id'), '[]') FROM jsonb_array_elements_text(it.task -> 'upstream') AS u (value)),
    'downstream', (SELECT coalesce(json_agg(o.value ->> 'id'), '[]') FROM jsonb_array_elements(it.ir -> 'tasks') AS o (value)
                   WHERE o.value -> 'upstream' @> to_jsonb(it.ordinal)),
    'rendered', it.task -> 'operator_args',
    'output', CASE WHEN o.size <= 65536 THEN o.value END, 'output_bytes', o.size)::text
FROM it LEFT JOIN newest n ON true LEFT JOIN result o ON true

-- name: ui_import_errors
-- gives: text
SELECT json_build_object('import_errors', coalesce(json_agg(json_build_object('import_error_id', e.import_error_no, 'file', e.path,
    'line', nullif(e.line, 0), 'column', nullif(e.col, 0), 'message', e.message, 'advice', nullif(e.advice, ''),
    'excerpt', nullif(e.excerpt, ''), 'at', ms(e.seen_at),
    'dag_ids', (SELECT coalesce(json_agg(d.dag_id ORDER BY d.dag_id), '[]') FROM dag d WHERE d.fileloc = e.path OR d.dag_id = e.dag_id),
    'last_good_version', (SELECT max(v.version_number) FROM dag d JOIN dag_version v ON v.version_no = d.version_no
                          WHERE d.fileloc = e.path OR d.dag_id = e.dag_id))
    ORDER BY e.path, e.line, e.import_error_no), '[]'))::text
FROM import_error e

-- name: ui_calendar
-- takes: text int8 int8 text
-- gives: text
SELECT json_build_object('days', coalesce((SELECT json_agg(json_build_array(x.day, x.success, x.failed, x.open, 0) ORDER BY x.day)
    FROM (SELECT (coalesce(r.logical_at, r.run_after) AT TIME ZONE $4)::date AS day, count(*) FILTER (WHERE r.state = 2) AS success,
                 count(*) FILTER (WHERE r.state = 3) AS failed, count(*) FILTER (WHERE r.state < 2) AS open
          FROM run r WHERE r.dag_no = d.dag_no AND coalesce(r.logical_at, r.run_after) BETWEEN at_ms($2) AND at_ms($3) GROUP BY 1) x), '[]'))::text
FROM dag d WHERE d.dag_id = $1

-- name: ui_backfills
-- takes: int8 text
-- gives: text
SELECT json_build_object('seq', $1::int8, 'now', ms(now()), 'backfills', (
    SELECT coalesce(json_agg(json_build_object('id', b.backfill_no, 'from', ms(b.from_at), 'to', ms(b.to_at), 'is_paused', b.is_paused,
        'is_backwards', b.is_backwards, 'reprocess', reprocess_word(b.reprocess), 'max_active_runs', b.max_active_runs,
        'triggered_by', b.triggered_by, 'created_at', ms(b.created_at), 'ended_at', ms(b.ended_at), 'queued', n.queued, 'running', n.running,
        'success', n.success, 'failed', n.failed, 'passed_over', n.passed_over) ORDER BY b.backfill_no DESC), '[]')
    FROM (SELECT * FROM backfill WHERE dag_no = d.dag_no ORDER BY backfill_no DESC LIMIT 50) b
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE r.state = 0) AS queued, count(*) FILTER (WHERE r.state = 1) AS running,
            count(*) FILTER (WHERE r.state = 2) AS success, count(*) FILTER (WHERE r.state = 3) AS failed,
            count(*) FILTER (WHERE k.run_no IS NULL) AS passed_over
        FROM backfill_run k LEFT JOIN run r ON r.run_no = k.run_no WHERE k.backfill_no = b.backfill_no) n))::text
FROM dag d WHERE d.dag_id = $2

-- name: ui_trends
-- takes: text int4
-- gives: text
WITH it AS (SELECT d.dag_no, v.ir FROM dag d LEFT JOIN dag_version v ON v.version_no = d.version_no WHERE d.dag_id = $1), shown AS (
    SELECT r.*, v.version_number, v.ir AS run_ir FROM (SELECT r.* FROM run r, it WHERE r.dag_no = it.dag_no ORDER BY r.run_no DESC LIMIT $2::int4) r
    JOIN dag_version v ON v.version_no = r.version_no
), task AS (
    SELECT t.number::int - 1 AS ordinal, t.value ->> 'id' AS id FROM it, jsonb_array_elements(it.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
), newest AS (
    SELECT DISTINCT ON (y.run_no, y.task, y.map_index) y.* FROM shown s JOIN try y ON y.run_no = s.run_no
    ORDER BY y.run_no, y.task, y.map_index, y.row_no DESC
), summed AS (
    SELECT n.run_no, n.task, max(ms(n.ended_at)) - min(ms(n.started_at)) AS run_ms, min(ms(n.started_at)) - min(ms(n.queued_at)) AS wait_ms,
           max(n.try_no) AS tries FROM newest n GROUP BY n.run_no, n.task
), named AS (
    SELECT s.run_no, s.task, v.run_ir -> 'tasks' -> s.task ->> 'id' AS id, s.run_ms, s.wait_ms, s.tries FROM summed s JOIN shown v ON v.run_no = s.run_no
)
SELECT json_build_object('runs', (SELECT json_build_object('key', coalesce(json_agg(run_no ORDER BY run_no), '[]'),
        'id', coalesce(json_agg(run_id ORDER BY run_no), '[]'), 'state', coalesce(string_agg(run_state_letter(state), '' ORDER BY run_no), ''),
        'start', coalesce(json_agg(ms(started_at) ORDER BY run_no), '[]'), 'end', coalesce(json_agg(ms(ended_at) ORDER BY run_no), '[]'),
        'version', coalesce(json_agg(version_number ORDER BY run_no), '[]')) FROM shown),
    'tasks', (SELECT json_build_object('id', coalesce(json_agg(t.id ORDER BY t.ordinal), '[]'), 'run_ms', coalesce(json_agg(t.run_ms ORDER BY t.ordinal), '[]'),
        'wait_ms', coalesce(json_agg(t.wait_ms ORDER BY t.ordinal), '[]'), 'tries', coalesce(json_agg(t.tries ORDER BY t.ordinal), '[]'))
        FROM (SELECT k.ordinal, k.id, json_agg(n.run_ms ORDER BY s.run_no) AS run_ms, json_agg(n.wait_ms ORDER BY s.run_no) AS wait_ms,
                     json_agg(n.tries ORDER BY s.run_no) AS tries
              FROM task k CROSS JOIN shown s LEFT JOIN named n ON n.run_no = s.run_no AND n.id = k.id GROUP BY k.ordinal, k.id) t))::text
FROM it

-- name: ui_usage
-- What task $3 of DAG $2 used in each of the newest $5 runs, over all its tries that count: of instance $4, or with -1 of its first 500.
-- Runs in which it did not run are left out.
-- takes: int8 text text int4 int4
-- gives: text
WITH it AS (SELECT d.dag_no FROM dag d WHERE d.dag_id = $2), shown AS (
    SELECT r.run_no, r.run_id, r.version_no, r.started_at FROM it JOIN run r ON r.dag_no = it.dag_no ORDER BY r.run_no DESC LIMIT $5::int4
), spec AS (
    SELECT v.version_no, v.version_number, t.number::int - 1 AS task, (t.value ->> 'memory_bytes')::int8 AS memory_max
    FROM dag_version v CROSS JOIN LATERAL jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS t (value, number)
    WHERE v.version_no IN (SELECT version_no FROM shown) AND t.value ->> 'id' = $3
), used AS (
    SELECT s.run_no, s.run_id, s.started_at, p.version_number, p.memory_max, u.*
    FROM shown s JOIN spec p ON p.version_no = s.version_no CROSS JOIN LATERAL (
        SELECT sum(ms(y.ended_at) - ms(y.started_at)) AS ran_ms, sum(y.cpu_ms) AS cpu_ms, max(y.memory_peak) AS memory_peak,
               count(*) AS tries, bool_or(y.state = 5) AS failed
        FROM try y WHERE y.run_no = s.run_no AND y.task = p.task AND y.started_at IS NOT NULL AND NOT y.cleared
            AND y.map_index BETWEEN $4::int4 AND CASE WHEN $4::int4 < 0 THEN 499 ELSE $4::int4 END) u
    WHERE u.tries > 0
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()),
    'run_id', coalesce(json_agg(run_id ORDER BY run_no), '[]'), 'start', coalesce(json_agg(ms(started_at) ORDER BY run_no), '[]'),
    'version', coalesce(json_agg(version_number ORDER BY run_no), '[]'), 'tries', coalesce(json_agg(tries ORDER BY run_no), '[]'),
    'failed', coalesce(json_agg(failed ORDER BY run_no), '[]'), 'ran_ms', coalesce(json_agg(ran_ms ORDER BY run_no), '[]'),
    'cpu_ms', coalesce(json_agg(cpu_ms ORDER BY run_no), '[]'), 'memory_peak_bytes', coalesce(json_agg(memory_peak ORDER BY run_no), '[]'),
    'memory_max_bytes', coalesce(json_agg(memory_max ORDER BY run_no), '[]'))::text
FROM used HAVING EXISTS (SELECT FROM it)

-- name: ui_search
-- $2, $3: whether who asks may read variables, and connections.
-- takes: text bool bool
-- gives: text
SELECT json_build_object('items', coalesce(json_agg(json_build_object('kind', h.kind, 'label', h.label, 'dag_id', h.dag_id, 'run_id', h.run_id,
    'id', h.id) ORDER BY h.rank, h.place, h.label), '[]'))::text
FROM (
    SELECT * FROM (
        SELECT 1 AS rank, strpos(lower(dag_id), lower($1)) AS place, 'dag' AS kind, dag_id AS label, dag_id, NULL::text AS run_id, dag_id AS id
        FROM dag WHERE NOT is_stale AND strpos(lower(dag_id), lower($1)) > 0
        UNION ALL SELECT 2, strpos(lower(t ->> 'id'), lower($1)), 'task', t ->> 'id', d.dag_id, NULL, t ->> 'id'
        FROM dag d JOIN dag_version v ON v.version_no = d.version_no, jsonb_array_elements(v.ir -> 'tasks') AS t
        WHERE NOT d.is_stale AND strpos(lower(t ->> 'id'), lower($1)) > 0
        UNION ALL (SELECT 3, strpos(lower(k.run_id), lower($1)), 'run', k.run_id, d.dag_id, k.run_id, k.run_id
        FROM run_key k JOIN dag d ON d.dag_no = k.dag_no WHERE strpos(lower(k.run_id), lower($1)) > 0 ORDER BY k.run_no DESC LIMIT 20)
        UNION ALL SELECT 4, 1, 'worker', name, NULL, NULL, name FROM worker WHERE state < 3 AND strpos(lower(name), lower($1)) > 0
        UNION ALL SELECT 5, 1, 'pool', name, NULL, NULL, name FROM pool WHERE strpos(lower(name), lower($1)) > 0
        UNION ALL SELECT 6, 1, 'variable', key, NULL, NULL, key FROM variable WHERE $2 AND strpos(lower(key), lower($1)) > 0
        UNION ALL SELECT 7, 1, 'connection', connection_id, NULL, NULL, connection_id FROM connection
        WHERE $3 AND strpos(lower(connection_id), lower($1)) > 0
    ) a WHERE $1 <> '' ORDER BY rank, place, label LIMIT 20) h

-- name: ui_runs
-- $2 q, $3 patterns of dag_fits, $4 states, $5 types, $6 from, $7 to (0: none), $8 limit (0: how many there are, up to 10001), $9 older than
-- this key (0: none), $10 and $11: it took so many ms at least, at most (0: any).
-- takes: int8 text text[] text[] text[] int8 int8 int4 int8 int8 int8
-- gives: text
WITH fits AS NOT MATERIALIZED (
    SELECT r.*, d.dag_id FROM run r JOIN dag d ON d.dag_no = r.dag_no
    WHERE ($9::int8 = 0 OR r.run_no < $9) AND ($2 = '' OR strpos(lower(d.dag_id || ' ' || r.run_id), lower($2)) > 0)
      AND (cardinality($3::text[]) = 0 OR r.dag_no = ANY (ARRAY(SELECT f.dag_no FROM dag f WHERE EXISTS (SELECT FROM unnest($3) AS p (pattern) WHERE dag_fits(p.pattern, f.dag_id, f.tags)))))
      AND (cardinality($4::text[]) = 0 OR run_state_word(r.state) = ANY ($4))
      AND (cardinality($5::text[]) = 0 OR run_type_word(r.run_type) = ANY ($5))
      AND (r.ended_at IS NULL OR (($6::int8 = 0 OR r.ended_at >= at_ms($6)) AND ($7::int8 = 0 OR r.ended_at <= at_ms($7))))
      AND ($10::int8 = 0 OR ms(coalesce(r.ended_at, now())) - ms(r.started_at) >= $10) AND ($11::int8 = 0 OR ms(coalesce(r.ended_at, now())) - ms(r.started_at) <= $11)
), picked AS (SELECT * FROM fits ORDER BY run_no DESC LIMIT $8::int4 + 1
), shown AS (SELECT * FROM picked ORDER BY run_no DESC LIMIT $8::int4)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()),
    'matches', CASE WHEN $8::int4 = 0 THEN (SELECT count(*) FROM (SELECT FROM fits LIMIT 10001) f) END,
    'runs', (SELECT coalesce(json_agg(json_build_object('dag_id', s.dag_id, 'run_id', s.run_id, 'key', s.run_no, 'state', run_state_word(s.state),
        'run_type', run_type_word(s.run_type), 'run_after', ms(s.run_after), 'start', ms(s.started_at), 'end', ms(s.ended_at), 'version', v.version_number,
        'triggered_by', nullif(s.triggered_by, ''), 'note', s.note,
        'total', v.tasks_total + coalesce((SELECT sum(x.length - 1) FROM expansion x WHERE x.run_no = s.run_no AND x.length > 0), 0),
        'done', CASE WHEN s.state >= 2 THEN s.n_success + s.n_failed + s.n_skipped ELSE c.done END,
        'failed', CASE WHEN s.state >= 2 THEN s.n_failed ELSE c.failed END) ORDER BY s.run_no DESC), '[]')
        FROM shown s JOIN dag_version v ON v.version_no = s.version_no
        CROSS JOIN LATERAL ( -- as in ui_home
            WITH plain AS MATERIALIZED (
                SELECT CASE WHEN y.cleared THEN 0 ELSE y.state END AS state, count(*) AS count, bool_or(y.row_no > 1) AS is_again
                FROM try y WHERE y.run_no = s.run_no AND s.state < 2 GROUP BY 1)
            SELECT coalesce(sum(n.count) FILTER (WHERE n.state IN (4, 5, 6, 7, 11)), 0) AS done, coalesce(sum(n.count) FILTER (WHERE n.state IN (5, 7)), 0) AS failed
            FROM (SELECT p.state, p.count FROM plain p WHERE NOT (SELECT bool_or(is_again) FROM plain)
                  UNION ALL SELECT i.state, count(*) FROM (
                      SELECT DISTINCT ON (y.task, y.map_index) CASE WHEN y.cleared THEN 0 ELSE y.state END AS state
                      FROM try y WHERE y.run_no = s.run_no AND (SELECT bool_or(is_again) FROM plain) ORDER BY y.task, y.map_index, y.row_no DESC) i GROUP BY 1) n) c),
    'next', CASE WHEN (SELECT count(*) FROM picked) > $8 THEN (SELECT min(run_no)::text FROM shown) END)::text

-- name: ui_tasks
-- As ui_runs, by instance, and of a run the last one first, too: that is the primary key backwards, so that a run of 100 000 is not
-- sorted. $5 workers, $9 and $10: run and place within it of the last one shown, $12 pools, $13 queues, $14 and
-- $15: it took so many ms at least, at most, $16 and $17: it is at this try at least, at most (0: any).
-- takes: int8 text text[] text[] text[] int8 int8 int4 int8 int8 text[] text[] text[] int8 int8 int4 int4
-- gives: text
WITH fits AS NOT MATERIALIZED (
    SELECT y.*, d.dag_id, r.run_id, v.ir -> 'tasks' -> y.task AS spec, w.name AS worker, CASE WHEN y.cleared THEN 0 ELSE y.state END AS st,
           (y.task::bigint << 32) | (y.map_index + 1) AS place
    FROM try y JOIN run r ON r.run_no = y.run_no JOIN dag d ON d.dag_no = y.dag_no JOIN dag_version v ON v.version_no = r.version_no
    LEFT JOIN worker w ON w.worker_no = y.worker_no
    WHERE ($9::int8 = 0 OR (y.run_no <= $9 AND (y.run_no, y.task, y.map_index) < ($9, ($10::int8 >> 32)::int4, ($10 & 4294967295)::int4 - 1)))
      AND NOT EXISTS (SELECT FROM try n WHERE n.run_no = y.run_no AND n.task = y.task AND n.map_index = y.map_index AND n.row_no > y.row_no)
      AND ($2 = '' OR strpos(lower(concat_ws(' ', d.dag_id, r.run_id, v.ir -> 'tasks' -> y.task ->> 'id', y.map_label)), lower($2)) > 0)
      AND (cardinality($3::text[]) = 0 OR y.dag_no = ANY (ARRAY(SELECT f.dag_no FROM dag f WHERE EXISTS (SELECT FROM unnest($3) AS p (pattern) WHERE dag_fits(p.pattern, f.dag_id, f.tags)))))
      AND (cardinality($4::text[]) = 0 OR CASE WHEN y.cleared THEN 'none' ELSE task_state_word(y.state) END = ANY ($4))
      AND (cardinality($5::text[]) = 0 OR w.name = ANY ($5))
      AND (cardinality($12::text[]) = 0 OR y.pool = ANY ($12)) AND (cardinality($13::text[]) = 0 OR y.queue = ANY ($13))
      AND ($14::int8 = 0 OR ms(coalesce(y.ended_at, now())) - ms(y.started_at) >= $14) AND ($15::int8 = 0 OR ms(coalesce(y.ended_at, now())) - ms(y.started_at) <= $15)
      AND ($16::int4 = 0 OR y.try_no >= $16) AND ($17::int4 = 0 OR y.try_no <= $17)
      AND (y.ended_at IS NULL OR (($6::int8 = 0 OR y.ended_at >= at_ms($6)) AND ($7::int8 = 0 OR y.ended_at <= at_ms($7))))
), picked AS (SELECT * FROM fits ORDER BY run_no DESC, task DESC, map_index DESC, row_no DESC LIMIT $8::int4 + 1
), shown AS (SELECT * FROM picked ORDER BY run_no DESC, task DESC, map_index DESC LIMIT $8::int4)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()),
    'matches', CASE WHEN $8::int4 = 0 THEN (SELECT count(*) FROM (SELECT FROM fits LIMIT 10001) f) END,
    'tasks', (SELECT coalesce(json_agg(json_build_object('dag_id', s.dag_id, 'run_id', s.run_id, 'task_id', s.spec ->> 'id', 'map_index', s.map_index,
        'state', task_state_word(s.st), 'try', s.try_no, 'queued_at', ms(s.queued_at), 'start', ms(s.started_at), 'end', ms(s.ended_at), 'worker', s.worker,
        'queue', s.queue, 'pool', s.pool, 'operator', s.spec ->> 'operator_kind',
        'error', CASE WHEN s.st IN (5, 7, 8) THEN coalesce(nullif(s.error, ''), ($11::text[])[s.cause + 1]) END) ORDER BY s.run_no DESC, s.task DESC, s.map_index DESC), '[]')
        FROM shown s),
    'next', CASE WHEN (SELECT count(*) FROM picked) > $8 THEN (SELECT s.run_no || '.' || s.place FROM shown s ORDER BY s.run_no, s.task, s.map_index LIMIT 1) END)::text

-- name: ui_workers
-- takes: int8
-- gives: text
WITH busy AS (
    SELECT y.worker_no, y.queue, y.run_no, y.task, y.map_index, y.try_no, y.started_at, y.queued_at, y.state
    FROM live_run l JOIN try y ON y.run_no = l.run_no WHERE y.state IN (1, 2, 3, 12) AND NOT y.cleared
), shown AS (
    SELECT w.*, w.state < 3 AND w.memory_total > 0 AS has_load FROM worker w WHERE w.state < 3 OR w.seen_at > now() - interval '10 minutes'
)
SELECT json_build_object('seq', $1::int8, 'now', ms(now()),
    'workers', (SELECT coalesce(json_agg(json_build_object('name', w.name, 'host', w.host, 'queues', w.queues,
        'state', CASE WHEN w.state < 2 THEN (ARRAY['present', 'draining'])[w.state + 1]
                      -- the row of one that is there is written each minute
                      WHEN w.state = 2 AND w.seen_at > now() - interval '2 minutes' THEN 'drained'
                      WHEN w.state = 2 OR w.reason LIKE 'drained%' THEN 'ended' ELSE 'lost' END, 'slots', w.slots,
        'used', (SELECT count(*) FROM busy b WHERE b.worker_no = w.worker_no AND b.state <> 1), 'version', w.release, 'started_at', ms(w.joined_at),
        'heartbeat_at', ms(w.seen_at), 'cpu_percent', CASE WHEN w.has_load THEN w.cpu_permille / 10::float8 END,
        'memory_bytes', CASE WHEN w.has_load THEN w.memory_used END, 'memory_total_bytes', CASE WHEN w.has_load THEN w.memory_total END,
        'provider', NULL, 'drain_reason', nullif(w.reason, ''),
        'tasks', (SELECT coalesce(json_agg(json_build_object('dag_id', d.dag_id, 'run_id', r.run_id, 'task_id', v.ir -> 'tasks' -> b.task ->> 'id',
            'map_index', b.map_index, 'try', b.try_no, 'start', ms(b.started_at))), '[]')
            FROM (SELECT * FROM busy b WHERE b.worker_no = w.worker_no AND b.state <> 1 ORDER BY b.run_no, b.task LIMIT 100) b
            JOIN run r ON r.run_no = b.run_no JOIN dag d ON d.dag_no = r.dag_no JOIN dag_version v ON v.version_no = r.version_no))
        ORDER BY w.state, w.name), '[]') FROM shown w),
    'queues', (SELECT coalesce(json_agg(json_build_object('queue', q.queue, 'workers', q.workers, 'slots', q.slots,
        'used', (SELECT count(*) FROM busy b WHERE b.queue = q.queue AND b.state <> 1)) ORDER BY q.queue), '[]')
        FROM (SELECT u.queue, count(w.worker_no) AS workers, coalesce(sum(w.slots), 0) AS slots
              FROM (SELECT DISTINCT unnest(queues) AS queue FROM shown UNION SELECT queue FROM busy) u
              LEFT JOIN worker w ON w.state = 0 AND u.queue = ANY (w.queues) GROUP BY u.queue) q))::text

-- name: ui_worker_no
-- takes: text
-- gives: text
SELECT json_build_object('worker_no', worker_no, 'state', state)::text FROM worker WHERE name = $1 ORDER BY state, seen_at DESC LIMIT 1

-- name: ui_autoscaling
-- The rest of each queue is in the settings. $1 hours, $2 queues (all when empty). Decisions are written down when they are made:
-- how it is now is the last point of each queue.
-- takes: int4 text[]
-- gives: text
WITH busy AS (
    SELECT y.queue, count(*) AS demand FROM live_run l JOIN try y ON y.run_no = l.run_no
    WHERE y.state IN (1, 2, 3, 12) AND NOT y.cleared GROUP BY y.queue
), event AS (
    SELECT e.*, lag(e.wanted) OVER (PARTITION BY e.queue ORDER BY e.at, e.event_no) AS before FROM autoscale_event e
    WHERE e.at > now() - $1::int4 * interval '1 hour' AND (cardinality($2::text[]) = 0 OR e.queue = ANY ($2))
), moment AS (
    SELECT e.queue, e.at, e.event_no, e.demand, e.wanted, e.present FROM event e
    UNION ALL
    SELECT l.queue, now(), NULL, coalesce(b.demand, 0), l.wanted, (SELECT count(*) FROM worker w WHERE w.state = 0 AND l.queue = ANY (w.queues))
    FROM (SELECT DISTINCT ON (e.queue) e.queue, e.wanted FROM event e ORDER BY e.queue, e.at DESC, e.event_no DESC) l LEFT JOIN busy b ON b.queue = l.queue
), point AS (
    SELECT m.*, row_number() OVER (PARTITION BY m.queue ORDER BY m.at, m.event_no) AS n, count(*) OVER (PARTITION BY m.queue) AS total FROM moment m
)
SELECT json_build_object('now', ms(now()), 'queues', coalesce((SELECT json_agg(q.j ORDER BY q.queue) FROM (
    SELECT p.queue, json_build_object('queue', p.queue,
        'demand', (array_agg(p.demand ORDER BY p.n DESC))[1], 'wanted', (array_agg(p.wanted ORDER BY p.n DESC))[1],
        'present', (SELECT count(*) FROM worker w WHERE w.state = 0 AND p.queue = ANY (w.queues)),
        'draining', (SELECT count(*) FROM worker w WHERE w.state = 1 AND p.queue = ANY (w.queues)),
        'at', json_agg(ms(p.at) ORDER BY p.n), 'demands', json_agg(p.demand ORDER BY p.n), 'wanteds', json_agg(p.wanted ORDER BY p.n),
        'presents', json_agg(p.present ORDER BY p.n),
        'events', (SELECT coalesce(json_agg(json_build_object('at', ms(v.at), 'from', v.present, 'to', v.wanted,
            'kind', CASE WHEN v.reason ILIKE '%fail%' THEN 'failed' WHEN v.reason ILIKE '%never came%' OR v.reason ILIKE '%missing%' THEN 'missing'
                         WHEN v.wanted < v.present THEN 'in' ELSE 'out' END, 'reason', v.reason) ORDER BY v.at DESC, v.event_no DESC), '[]')
            FROM (SELECT * FROM event WHERE queue = p.queue ORDER BY at DESC, event_no DESC LIMIT 200) v)) AS j
    FROM point p WHERE p.n > p.total - 2000 GROUP BY p.queue) q), '[]'))::text

-- name: ui_why_subject
-- The run, and an instance: the one that is named, or the one of the run that waits most. What to ask the scheduler for, and
-- what to say when it has ended.
-- takes: text text text int4 text[]
-- gives: text
SELECT json_build_object('run_no', r.run_no, 'task', t.ordinal, 'map_index', coalesce(y.map_index, $4), 'is_paused', d.is_paused,
    'state', CASE WHEN $3 = '' THEN run_state_word(r.state) ELSE task_state_word(coalesce(y.state, 0)) END,
    'sentence', CASE WHEN $3 = '' THEN ($5::text[])[r.cause + 1] ELSE coalesce(nullif(y.error, ''), ($5::text[])[y.cause + 1]) END,
    'since', CASE WHEN $3 = '' THEN ms(coalesce(r.ended_at, r.started_at, r.queued_at)) ELSE ms(coalesce(y.ended_at, y.started_at, y.queued_at)) END,
    'leader', (SELECT l.expires_at > now() FROM lease l WHERE l.shard = 0))::text
FROM dag d JOIN run_key k ON k.dag_no = d.dag_no AND k.run_id = $2 JOIN run r ON r.run_no = k.run_no
JOIN dag_version v ON v.version_no = r.version_no
CROSS JOIN LATERAL (SELECT i.number::int - 1 AS ordinal FROM jsonb_array_elements(v.ir -> 'tasks') WITH ORDINALITY AS i (value, number)
                    WHERE $3 = '' OR i.value ->> 'id' = $3) t
LEFT JOIN LATERAL (SELECT DISTINCT ON (i.map_index) i.map_index, i.error, i.cause, i.queued_at, i.started_at, i.ended_at,
                       CASE WHEN i.cleared THEN 0 ELSE i.state END AS state
                   FROM try i WHERE i.run_no = r.run_no AND i.task = t.ordinal AND ($3 = '' OR i.map_index = $4)
                   ORDER BY i.map_index, i.row_no DESC) y ON true
WHERE d.dag_id = $1
ORDER BY array_position(ARRAY[1, 8, 10, 9, 2, 3, 0], coalesce(y.state, 0)::int), t.ordinal LIMIT 1
