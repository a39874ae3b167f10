-- How many tasks a version has: lists of runs show it, and its ir is large (0009).

ALTER TABLE dag_version
    ADD COLUMN tasks_total int NOT NULL GENERATED ALWAYS AS (coalesce(jsonb_array_length(ir -> 'tasks'), 0)) STORED;
