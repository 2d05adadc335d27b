-- The rows of goose_db_version are the same in every store, so that verify knows
-- each of them. The time of a migration, which no other row confirms, is not kept.

-- +goose Up

DROP TRIGGER migration_is_noted;
DELETE FROM setting WHERE name = 'migrations';
UPDATE goose_db_version SET tstamp = '1970-01-01 00:00:00';
-- +goose StatementBegin
CREATE TRIGGER migration_has_no_time AFTER INSERT ON goose_db_version
BEGIN UPDATE goose_db_version SET tstamp = '1970-01-01 00:00:00' WHERE id = new.id; END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER migration_has_no_time;
-- +goose StatementBegin
CREATE TRIGGER migration_is_noted AFTER INSERT ON goose_db_version
BEGIN
    INSERT OR REPLACE INTO setting (name, value)
    SELECT 'migrations', group_concat(quote(id) || ' ' || quote(version_id) || ' ' || quote(is_applied) || ' ' || quote(tstamp), x'0a')
    FROM (SELECT id, version_id, is_applied, tstamp FROM goose_db_version ORDER BY id);
END;
-- +goose StatementEnd
INSERT INTO setting (name, value)
SELECT 'migrations', group_concat(quote(id) || ' ' || quote(version_id) || ' ' || quote(is_applied) || ' ' || quote(tstamp), x'0a')
FROM (SELECT id, version_id, is_applied, tstamp FROM goose_db_version WHERE version_id < 10 ORDER BY id);
