-- Counters that move in every snapshot are written at the speed of snapshots: in
-- the order in which they come, with one narrow index beside. Where they stand is
-- written once a transaction, and in one place.

-- +goose Up

DROP VIEW limit_usage;
DROP TRIGGER counter_moves;
DROP TRIGGER usage_is_kept;
DROP TRIGGER usage_is_fixed;

-- Volatile values, once for each snapshot that moves them. pointer is the
-- object that holds them (/params/user/NAME, body: its volatile members) or the
-- value itself (/resets_in). Response and account are those of a snapshot: looking
-- them up for that would cost as much as the row.
CREATE TABLE moved (
    response_id INTEGER NOT NULL,
    account_id  INTEGER NOT NULL,
    pointer     TEXT NOT NULL,
    body        TEXT NOT NULL,
    max         TEXT, -- JSON: the limit in force, where there is one
    PRIMARY KEY (response_id, account_id, pointer)
) STRICT, WITHOUT ROWID;
INSERT INTO moved (response_id, account_id, pointer, body, max)
SELECT response_id, account_id, pointer, body, max FROM usage ORDER BY response_id, account_id, pointer;
DROP TABLE usage;
ALTER TABLE moved RENAME TO usage;
CREATE INDEX usage_by_account ON usage (account_id, pointer, response_id);
-- +goose StatementBegin
CREATE TRIGGER usage_is_kept BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_is_fixed BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd

-- Where all volatile values stand, and not those of limits alone: what the next
-- snapshot is compared with. Without foreign keys a row is replaced where it is.
DROP TABLE counter;
CREATE TABLE counter (
    account_id  INTEGER NOT NULL,
    pointer     TEXT NOT NULL,
    response_id INTEGER NOT NULL, -- that moved it last
    body        TEXT NOT NULL,
    max         TEXT,
    PRIMARY KEY (account_id, pointer)
) STRICT, WITHOUT ROWID;
INSERT INTO counter (account_id, pointer, response_id, body, max)
SELECT account_id, pointer, max(response_id), body, max -- those of the row that has the maximum
FROM usage
GROUP BY account_id, pointer;
ALTER TABLE head DROP COLUMN usage;

CREATE VIEW limit_usage AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    replace(replace(substr(u.pointer, 14), '~1', '/'), '~0', '~') AS limit_name,
    coalesce(json_extract(u.body, '$.value'), json_extract(u.body, '$.current')) AS value,
    json_extract(u.max, '$') AS max,
    CASE WHEN json_type(u.body, '$.timestamp') = 'integer' AND json_extract(u.body, '$.timestamp') BETWEEN 1 AND 137438953472
        THEN strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(u.body, '$.timestamp'), 'unixepoch')
    END AS resets_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch') AS seen_at,
    r.run_id AS run
FROM usage u
JOIN account a ON a.id = u.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN response r ON r.id = u.response_id
-- The plus keeps the pointers from becoming a range to look for in each account.
WHERE +u.pointer >= '/params/user/' AND +u.pointer < '/params/user0';

-- See 00004_planner.sql.
DELETE FROM sqlite_stat1 WHERE tbl IN ('usage', 'moved');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('usage', 'usage', '1000000 10 3 1'),
    ('usage', 'usage_by_account', '1000000 100 25 1');

-- +goose Down
DROP VIEW limit_usage;
ALTER TABLE head ADD COLUMN usage TEXT NOT NULL DEFAULT '{}'; -- pointer to body, the last of each
UPDATE head SET usage = (
    SELECT json_group_object(c.pointer, json(c.body)) FROM counter c WHERE c.account_id = head.account_id
);
DROP TABLE counter;
CREATE TABLE counter (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    pointer     TEXT NOT NULL, -- /params/user/NAME
    response_id INTEGER NOT NULL REFERENCES response (id),
    body        TEXT NOT NULL,
    max         TEXT,
    PRIMARY KEY (account_id, pointer)
) STRICT, WITHOUT ROWID;
INSERT INTO counter (account_id, pointer, response_id, body, max)
SELECT account_id, pointer, max(response_id), body, max
FROM usage
WHERE pointer >= '/params/user/' AND pointer < '/params/user0'
GROUP BY account_id, pointer;
DROP TRIGGER usage_is_kept;
DROP TRIGGER usage_is_fixed;
DROP INDEX usage_by_account;
CREATE TABLE moved (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    pointer     TEXT NOT NULL,
    response_id INTEGER NOT NULL REFERENCES response (id),
    body        TEXT NOT NULL,
    max         TEXT, -- JSON: the limit in force, where there is one
    PRIMARY KEY (account_id, pointer, response_id)
) STRICT, WITHOUT ROWID;
INSERT INTO moved (account_id, pointer, response_id, body, max)
SELECT account_id, pointer, response_id, body, max FROM usage ORDER BY account_id, pointer, response_id;
DROP TABLE usage;
ALTER TABLE moved RENAME TO usage;
CREATE INDEX usage_by_response ON usage (response_id, account_id, pointer, body, max);
-- +goose StatementBegin
CREATE TRIGGER usage_is_kept BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_is_fixed BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER counter_moves AFTER INSERT ON usage WHEN new.pointer >= '/params/user/' AND new.pointer < '/params/user0'
BEGIN
    INSERT INTO counter (account_id, pointer, response_id, body, max)
    VALUES (new.account_id, new.pointer, new.response_id, new.body, new.max)
    ON CONFLICT (account_id, pointer) DO UPDATE SET
        response_id = excluded.response_id,
        body = excluded.body,
        max = excluded.max;
END;
-- +goose StatementEnd
CREATE VIEW limit_usage AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    replace(replace(substr(u.pointer, 14), '~1', '/'), '~0', '~') AS limit_name,
    coalesce(json_extract(u.body, '$.value'), json_extract(u.body, '$.current')) AS value,
    json_extract(u.max, '$') AS max,
    CASE WHEN json_type(u.body, '$.timestamp') = 'integer' AND json_extract(u.body, '$.timestamp') BETWEEN 1 AND 137438953472
        THEN strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(u.body, '$.timestamp'), 'unixepoch')
    END AS resets_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch') AS seen_at,
    r.run_id AS run
FROM usage u
JOIN account a ON a.id = u.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN response r ON r.id = u.response_id
-- The plus keeps the pointers from becoming a range to look for in each account.
WHERE +u.pointer >= '/params/user/' AND +u.pointer < '/params/user0';
DELETE FROM sqlite_stat1 WHERE tbl IN ('usage', 'moved');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('usage', 'usage', '1000000 100 25 1'),
    ('usage', 'usage_by_response', '1000000 10 3 1 1 1');
