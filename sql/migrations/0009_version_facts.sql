-- What lists of DAGs show of a version. Its ir is large and stored apart: to read it for each row takes longer than the rest of the list.

ALTER TABLE dag_version
    ADD COLUMN max_active_tasks int NOT NULL GENERATED ALWAYS AS (coalesce((ir ->> 'max_active_tasks')::int, 16)) STORED,
    ADD COLUMN max_active_runs int NOT NULL GENERATED ALWAYS AS (coalesce((ir ->> 'max_active_runs')::int, 16)) STORED,
    ADD COLUMN max_failed_runs int NOT NULL GENERATED ALWAYS AS (coalesce((ir ->> 'max_consecutive_failed_runs')::int, 0)) STORED,
    ADD COLUMN has_task_limits boolean GENERATED ALWAYS AS (jsonb_path_exists(ir,
        '$.tasks[*] ? (exists(@.max_active_tis_per_dag) || exists(@.max_active_tis_per_dagrun))')) STORED;
