-- Reading by time costs what it finds. The instants of the views are text made of
-- integers, so a filter on one needs an index on that very expression (or reads
-- everything): these indexes repeat the expressions of the views letter for letter.
-- What they cost is paid by changes, counters that move and pages, not by
-- snapshots.

-- +goose Up

CREATE INDEX change_at_before ON change (strftime('%Y-%m-%dT%H:%M:%fZ', before / 1000.0, 'unixepoch'));
CREATE INDEX change_at_after ON change (strftime('%Y-%m-%dT%H:%M:%fZ', after / 1000.0, 'unixepoch'));
CREATE INDEX status_step_at_before ON status_step (strftime('%Y-%m-%dT%H:%M:%fZ', before / 1000.0, 'unixepoch'));
CREATE INDEX status_step_at_after ON status_step (strftime('%Y-%m-%dT%H:%M:%fZ', after / 1000.0, 'unixepoch'));
CREATE INDEX assignment_at_from_before ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', from_before / 1000.0, 'unixepoch'));
CREATE INDEX assignment_at_from_after ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', from_after / 1000.0, 'unixepoch'));
CREATE INDEX assignment_at_to_before ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', to_before / 1000.0, 'unixepoch'));
CREATE INDEX assignment_at_to_after ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', to_after / 1000.0, 'unixepoch'));
CREATE INDEX response_at_received_at ON response (strftime('%Y-%m-%dT%H:%M:%fZ', received_at / 1000.0, 'unixepoch'));
CREATE INDEX response_at_sent_at ON response (strftime('%Y-%m-%dT%H:%M:%fZ', sent_at / 1000.0, 'unixepoch'));
CREATE INDEX run_at_started_at ON run (strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch'));
CREATE INDEX run_at_finished_at ON run (strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch'));
CREATE INDEX failure_at_at ON failure (strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'));

-- A version knows when the next one began; the trigger tells it. Nothing else of
-- a version can change, and that only once.
ALTER TABLE version ADD COLUMN valid_to INTEGER; -- valid_from of the next; NULL: current
DROP TRIGGER version_is_fixed;
UPDATE version SET valid_to = (
    SELECT n.valid_from FROM version n WHERE n.account_id = version.account_id AND n.number = version.number + 1
);
-- +goose StatementBegin
CREATE TRIGGER version_is_fixed BEFORE UPDATE OF
    id, account_id, number, response_id, document_id, valid_from, health, status, status_code_info,
    status_code_description, username, type, last_synchronization_time, locked_until, squid_count ON version
BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER version_ends_once BEFORE UPDATE OF valid_to ON version WHEN old.valid_to IS NOT NULL
BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER version_is_followed AFTER INSERT ON version WHEN new.number > 1
BEGIN UPDATE version SET valid_to = new.valid_from WHERE account_id = new.account_id AND number = new.number - 1; END;
-- +goose StatementEnd
CREATE INDEX version_at_valid_from ON version (strftime('%Y-%m-%dT%H:%M:%fZ', valid_from / 1000.0, 'unixepoch'));
CREATE INDEX version_at_valid_to ON version (strftime('%Y-%m-%dT%H:%M:%fZ', valid_to / 1000.0, 'unixepoch'));

-- The names that accounts have now, for those who look for one by its name.
CREATE INDEX version_current ON version (username COLLATE NOCASE, account_id) WHERE valid_to IS NULL;

-- What was known of an account before it was gone counts no more.
CREATE INDEX version_gone ON version (account_id, number, response_id) WHERE health = 'gone';

-- The movements of counters in a period are read from the index alone, in the
-- order in which they came.
DROP INDEX usage_by_response;
CREATE INDEX usage_by_response ON usage (response_id, account_id, pointer, body, max);

-- Where the counters of each limit stand: their last row of usage. A report finds
-- here what did not move in its period.
CREATE TABLE counter (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    pointer     TEXT NOT NULL, -- /params/user/NAME
    response_id INTEGER NOT NULL REFERENCES response (id),
    body        TEXT NOT NULL,
    max         TEXT,
    PRIMARY KEY (account_id, pointer)
) STRICT, WITHOUT ROWID;
INSERT INTO counter (account_id, pointer, response_id, body, max)
SELECT u.account_id, u.pointer, max(u.response_id), u.body, u.max -- those of the row that has the maximum
FROM usage u
WHERE u.pointer >= '/params/user/' AND u.pointer < '/params/user0'
GROUP BY u.account_id, u.pointer;
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

-- Whether the settings of an account changed since then, which its counters do not
-- tell.
CREATE INDEX change_of_settings ON change (account_id, before) WHERE kind IN ('limit', 'schema', 'returned');

DROP VIEW account_versions;
CREATE VIEW account_versions AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.number AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', v.valid_from / 1000.0, 'unixepoch') AS valid_from,
    strftime('%Y-%m-%dT%H:%M:%fZ', v.valid_to / 1000.0, 'unixepoch') AS valid_to,
    v.health AS health,
    v.status AS status,
    v.status_code_info AS status_code_info,
    v.username AS username,
    v.type AS type,
    d.body AS document,
    v.status_code_description AS status_code_description,
    v.last_synchronization_time AS last_synchronization_time,
    v.squid_count AS squid_count
FROM version v
JOIN account a ON a.id = v.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN document d ON d.id = v.document_id;

DROP VIEW status_changes;
CREATE VIEW status_changes AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    (
        SELECT v.username FROM version v
        WHERE v.account_id = s.account_id AND v.valid_from <= s.before
        ORDER BY v.valid_from DESC, v.id DESC LIMIT 1
    ) AS username,
    s.status_before AS status_before,
    s.status_after AS status_after,
    s.info_before AS info_before,
    s.info_after AS info_after,
    s.health_before AS health_before,
    s.health_after AS health_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.after / 1000.0, 'unixepoch') AS after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.before / 1000.0, 'unixepoch') AS before,
    r.run_id AS run
FROM status_step s
JOIN account a ON a.id = s.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN response r ON r.id = s.response_id
WHERE s.health_before IS NOT NULL;

DROP VIEW limit_usage;
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

DROP VIEW snapshots;
CREATE VIEW snapshots AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch') AS taken_at,
    r.run_id AS run,
    r.source AS source,
    (
        SELECT v.number FROM version v
        WHERE v.account_id = a.id AND v.valid_from <= r.received_at AND v.response_id <= r.id
        ORDER BY v.valid_from DESC, v.id DESC LIMIT 1
    ) AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.sent_at / 1000.0, 'unixepoch') AS sent_at
FROM workspace w
JOIN account a ON a.workspace_id = w.id
-- The plus keeps the bounds from becoming a range of account ids.
JOIN response r ON r.workspace_id = w.id AND +a.id BETWEEN r.account_min AND r.account_max
JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id;

-- See 00004_planner.sql.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('change', 'change_at_before', '200000 100'),
    ('change', 'change_at_after', '200000 100'),
    ('change', 'change_of_settings', '50000 5 1'),
    ('status_step', 'status_step_at_before', '50000 50'),
    ('status_step', 'status_step_at_after', '50000 50'),
    ('assignment', 'assignment_at_from_before', '30000 30'),
    ('assignment', 'assignment_at_from_after', '30000 30'),
    ('assignment', 'assignment_at_to_before', '30000 30'),
    ('assignment', 'assignment_at_to_after', '30000 30'),
    ('response', 'response_at_received_at', '100000 1'),
    ('response', 'response_at_sent_at', '100000 1'),
    ('run', 'run_at_started_at', '2000 1'),
    ('run', 'run_at_finished_at', '2000 1'),
    ('failure', 'failure_at_at', '2000 2'),
    ('version', 'version_current', '10000 1 1'),
    ('version', 'version_gone', '1000 1 1 1'),
    ('version', 'version_at_valid_from', '100000 100'),
    ('version', 'version_at_valid_to', '100000 100'),
    ('counter', 'counter', '30000 3 1');
UPDATE sqlite_stat1 SET stat = '1000000 10 3 1 1 1' WHERE idx = 'usage_by_response';

-- +goose Down
DELETE FROM sqlite_stat1 WHERE idx IN ('counter', 'change_of_settings', 'version_current', 'version_gone') OR idx LIKE '%\_at\_%' ESCAPE '\';
UPDATE sqlite_stat1 SET stat = '1000000 10' WHERE idx = 'usage_by_response';
DROP VIEW account_versions;
DROP VIEW status_changes;
DROP VIEW limit_usage;
DROP VIEW snapshots;
CREATE VIEW account_versions AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.number AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', v.valid_from / 1000.0, 'unixepoch') AS valid_from,
    strftime('%Y-%m-%dT%H:%M:%fZ', n.valid_from / 1000.0, 'unixepoch') AS valid_to,
    v.health AS health,
    v.status AS status,
    v.status_code_info AS status_code_info,
    v.username AS username,
    v.type AS type,
    d.body AS document,
    v.status_code_description AS status_code_description,
    v.last_synchronization_time AS last_synchronization_time,
    v.squid_count AS squid_count
FROM version v
JOIN account a ON a.id = v.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN document d ON d.id = v.document_id
LEFT JOIN version n ON n.account_id = v.account_id AND n.number = v.number + 1;

CREATE VIEW status_changes AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    (
        SELECT v.username FROM version v
        WHERE v.account_id = s.account_id AND v.valid_from <= s.before
        ORDER BY v.number DESC LIMIT 1
    ) AS username,
    s.status_before AS status_before,
    s.status_after AS status_after,
    s.info_before AS info_before,
    s.info_after AS info_after,
    s.health_before AS health_before,
    s.health_after AS health_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.after / 1000.0, 'unixepoch') AS after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.before / 1000.0, 'unixepoch') AS before,
    r.run_id AS run
FROM status_step s
JOIN account a ON a.id = s.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN response r ON r.id = s.response_id
WHERE s.health_before IS NOT NULL;

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
WHERE u.pointer >= '/params/user/' AND u.pointer < '/params/user0';

CREATE VIEW snapshots AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch') AS taken_at,
    r.run_id AS run,
    r.source AS source,
    (
        SELECT max(v.number) FROM version v
        WHERE v.account_id = a.id AND v.response_id <= r.id
    ) AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.sent_at / 1000.0, 'unixepoch') AS sent_at
FROM workspace w
JOIN account a ON a.workspace_id = w.id
-- The plus keeps the bounds from becoming a range of account ids.
JOIN response r ON r.workspace_id = w.id AND +a.id BETWEEN r.account_min AND r.account_max
JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id;

DROP INDEX change_of_settings;
DROP TRIGGER counter_moves;
DROP TABLE counter;
DROP INDEX usage_by_response;
CREATE INDEX usage_by_response ON usage (response_id);
DROP INDEX version_gone;
DROP INDEX version_current;
DROP INDEX version_at_valid_to;
DROP INDEX version_at_valid_from;
DROP TRIGGER version_is_followed;
DROP TRIGGER version_ends_once;
DROP TRIGGER version_is_fixed;
ALTER TABLE version DROP COLUMN valid_to;
-- +goose StatementBegin
CREATE TRIGGER version_is_fixed BEFORE UPDATE ON version BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
DROP INDEX failure_at_at;
DROP INDEX run_at_finished_at;
DROP INDEX run_at_started_at;
DROP INDEX response_at_sent_at;
DROP INDEX response_at_received_at;
DROP INDEX assignment_at_to_after;
DROP INDEX assignment_at_to_before;
DROP INDEX assignment_at_from_after;
DROP INDEX assignment_at_from_before;
DROP INDEX status_step_at_after;
DROP INDEX status_step_at_before;
DROP INDEX change_at_after;
DROP INDEX change_at_before;
