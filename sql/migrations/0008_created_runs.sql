-- What asset events say of the runs that they have made: whether the event was the last one that the run waited for.

-- As Airflow's API shows it, with the runs that it has made. The last of the events that a run took is the one that triggered it;
-- a run that has not begun yet has the time at which it was queued, for clients cannot do without one.
CREATE OR REPLACE FUNCTION asset_event_json(e asset_event) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT json_build_object('id', e.event_no, 'asset_id', e.asset_no, 'uri', a.name, 'name', a.name, 'group', 'asset', 'extra', e.extra,
        'source_dag_id', d.dag_id, 'source_run_id', r.run_id, 'source_task_id', v.ir -> 'tasks' -> e.task ->> 'id',
        'source_map_index', e.map_index, 'timestamp', e.at, 'partition_key', NULL,
        'created_dagruns', (SELECT coalesce(json_agg(json_build_object('run_id', m.run_id, 'dag_id', md.dag_id,
            'logical_date', m.logical_at, 'start_date', coalesce(m.started_at, m.queued_at), 'end_date', m.ended_at, 'state', run_state_word(m.state),
            'data_interval_start', m.interval_start, 'data_interval_end', m.interval_end, 'partition_key', NULL,
            'triggering', NOT EXISTS (SELECT FROM asset_taken l WHERE l.run_no = t.run_no AND l.event_no > t.event_no))
            ORDER BY m.run_no), '[]')
            FROM asset_taken t JOIN run m ON m.run_no = t.run_no JOIN dag md ON md.dag_no = m.dag_no WHERE t.event_no = e.event_no))
    FROM asset a LEFT JOIN dag d ON d.dag_no = e.dag_no LEFT JOIN run r ON r.run_no = e.run_no
    LEFT JOIN dag_version v ON v.version_no = r.version_no WHERE a.asset_no = e.asset_no
$$;
