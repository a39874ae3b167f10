-- What the stream of changes tells: webserver/api/live.c.

-- name: live_facts
-- Runs by number, and the newest try of instances by run, task and map index (three arrays of the same length).
-- takes: int8[] int8[] int4[] int4[]
-- gives: text
SELECT json_build_object(
    'runs', (SELECT coalesce(json_agg(json_build_array(r.run_no, d.dag_id, r.run_id, r.version_no, run_state_word(r.state),
            run_type_word(r.run_type), ms(r.run_after), ms(r.started_at), ms(r.ended_at))), '[]')
        FROM unnest($1::int8[]) AS k (run_no) JOIN run r ON r.run_no = k.run_no JOIN dag d ON d.dag_no = r.dag_no),
    'tries', (SELECT coalesce(json_agg(json_build_array(k.number - 1, CASE WHEN y.cleared THEN 0 ELSE y.state END, y.try_no,
            ms(y.started_at), ms(y.ended_at), w.name)), '[]')
        FROM unnest($2::int8[], $3::int4[], $4::int4[]) WITH ORDINALITY AS k (run_no, task, map_index, number)
        CROSS JOIN LATERAL (SELECT * FROM try i WHERE i.run_no = k.run_no AND i.task = k.task AND i.map_index = k.map_index
                            ORDER BY i.row_no DESC LIMIT 1) y
        LEFT JOIN worker w ON w.worker_no = y.worker_no))::text

-- name: live_tasks
-- The task ids of a version, by number.
-- takes: int8
-- gives: text
SELECT json_build_object('tasks', jsonb_path_query_array(v.ir, '$.tasks[*].id'))::text FROM dag_version v WHERE v.version_no = $1

-- name: live_marks
-- Hashes that change when a DAG or an import error does, when a worker or a decision of the autoscaler does, and when a worker's load does,
-- as it is written down (every ten seconds at most).
-- gives: text
SELECT json_build_object(
    'dags', (SELECT md5(coalesce(sum(hashtextextended(concat_ws('|', d.dag_no, d.version_no, d.is_paused, d.is_stale,
                                                                d.next_fire_at), 0)), 0)::text) FROM dag d)
            || (SELECT coalesce(max(import_error_no), 0) || '.' || count(*) FROM import_error),
    'workers', (SELECT md5(coalesce(string_agg(concat_ws('|', w.worker_no, w.state, w.slots, w.incarnation, w.reason), ','
                                               ORDER BY w.worker_no), '')) FROM worker w)
            || (SELECT coalesce(max(event_no), 0) FROM autoscale_event),
    'loads', (SELECT md5(coalesce(string_agg(concat_ws('|', w.worker_no, w.cpu_permille, w.memory_used, w.memory_total), ','
                                             ORDER BY w.worker_no), '')) FROM worker w))::text

-- name: live_dag_marks
-- gives: text
SELECT json_build_object('dags', coalesce(json_agg(json_build_array(d.dag_id, hashtextextended(concat_ws('|', d.version_no,
    d.is_paused, d.is_stale, d.next_fire_at, (SELECT string_agg(e.import_error_no::text, ',') FROM import_error e
                                              WHERE e.dag_id = d.dag_id OR e.path = d.fileloc)), 0))), '[]'))::text
FROM dag d

-- name: live_holders
-- Of the secrets whose hashes (hexadecimal) are asked about, those that are still good, each with the role of its user. A browser's session
-- that was not used for $2 ms is over, as it is for auth_session.
-- takes: text[] int8
-- gives: text
SELECT coalesce(json_agg(k.hash || ' ' || u.role), '[]')::text
FROM unnest($1::text[]) AS k (hash) CROSS JOIN LATERAL (
    SELECT s.user_no FROM session s WHERE s.token_hash = decode(k.hash, 'hex') AND s.expires_at > now()
        AND (s.kind = 'token' OR s.seen_at > now() - $2::int8 * interval '1 millisecond')
    UNION ALL SELECT t.user_no FROM api_token t WHERE t.token_hash = decode(k.hash, 'hex') AND t.expires_at > now()) h
JOIN user_account u ON u.user_no = h.user_no AND u.is_active
