-- What the example loads: every package of a day, what each needs, and every name that answers to a need.
CREATE SCHEMA IF NOT EXISTS archive;

CREATE TABLE IF NOT EXISTS archive.package (
    day           date NOT NULL,
    package       text NOT NULL,
    version       text NOT NULL,
    architecture  text NOT NULL,
    section       text NOT NULL,
    priority      text NOT NULL,
    maintainer    text NOT NULL,
    size_bytes    bigint NOT NULL,
    installed_kib bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS package_day ON archive.package (day, package);

CREATE TABLE IF NOT EXISTS archive.dependency (
    day          date NOT NULL,
    package      text NOT NULL,
    kind         text NOT NULL,     -- Depends or Pre-Depends
    alternatives text[] NOT NULL    -- any one of them is enough
);
CREATE INDEX IF NOT EXISTS dependency_day ON archive.dependency (day);

CREATE TABLE IF NOT EXISTS archive.name (
    day  date NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (day, name)
);

CREATE TABLE IF NOT EXISTS archive.load (
    day       date PRIMARY KEY,
    source    text NOT NULL,
    records   integer NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
