-- How busy the machine of each worker is, as it told last; memory_total 0: it has not told. No index mentions them, and the table has
-- room in its pages: an update stays on the page.

ALTER TABLE worker
    ADD COLUMN cpu_permille int NOT NULL DEFAULT 0,
    ADD COLUMN memory_used  bigint NOT NULL DEFAULT 0,
    ADD COLUMN memory_total bigint NOT NULL DEFAULT 0;
