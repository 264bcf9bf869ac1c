-- Roles on a ClickHouse server of your own. Run once, as an administrator, after `shekara warehouse --migrate-only`:
--   clickhouse-client --queries-file deploy/clickhouse/access.sql
-- Then give people roles: CREATE USER aigerim IDENTIFIED WITH sha256_password BY '…' DEFAULT ROLE shekara_analyst;
-- The embedded engine has no users: its endpoint is one read-only door with one token (docs/warehouse.md).

CREATE SETTINGS PROFILE IF NOT EXISTS shekara_reading SETTINGS
    readonly = 2,
    max_execution_time = 60 MIN 0 MAX 300,
    max_result_rows = 1000000 MIN 0 MAX 10000000,
    max_memory_usage = 4000000000 MAX 8000000000,
    allow_ddl = 0;

-- The sink: inserts, creates what the migrations hold, reads its own record of them.
CREATE ROLE IF NOT EXISTS shekara_writer;
GRANT CREATE TABLE, CREATE VIEW, ALTER COLUMN, ALTER TABLE, DROP VIEW, INSERT, SELECT ON shekara.* TO shekara_writer;
GRANT SELECT ON system.columns TO shekara_writer;
GRANT SELECT ON system.databases TO shekara_writer;

-- Operations: whether everything arrives; no rows about people.
CREATE ROLE IF NOT EXISTS shekara_operations SETTINGS PROFILE shekara_reading;
GRANT SELECT ON shekara.mart_ledger TO shekara_operations;
GRANT SELECT ON shekara.batches TO shekara_operations;
GRANT SELECT ON shekara.refused_rows TO shekara_operations;
GRANT SELECT(topic, partition, offset, timestamp_at, code, reason, event_type, source) ON shekara.dead_letters TO shekara_operations;
GRANT SELECT ON shekara.schema_migrations TO shekara_operations;

-- Analysts: everything but the bytes of dead letters, which may hold anything a publisher sent.
CREATE ROLE IF NOT EXISTS shekara_analyst SETTINGS PROFILE shekara_reading;
GRANT SELECT ON shekara.* TO shekara_analyst;
REVOKE SELECT(key, value) ON shekara.dead_letters FROM shekara_analyst;
