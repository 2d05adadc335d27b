-- The documented views, with the same columns and the same answers as those of a store
-- in SQLite (migrations/sqlite/00004_views.sql).

-- +goose NO TRANSACTION
-- +goose Up

CREATE OR REPLACE VIEW failures AS
SELECT
    f.run AS run,
    w.name AS workspace,
    f.account AS account,
    f.kind AS kind,
    f.http_status AS http_status,
    f.message AS message,
    instant_text(f.at) COLLATE "C" AS at
FROM failure f
JOIN workspace w ON w.id = f.ws;

-- +goose Down
DROP VIEW IF EXISTS failures;
