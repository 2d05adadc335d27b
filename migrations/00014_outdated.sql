-- A status that is known and no longer says how the account does: a later document had
-- another status_code_info, and no status.

-- +goose Up
ALTER TABLE head ADD COLUMN status_outdated INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE head DROP COLUMN status_outdated;
