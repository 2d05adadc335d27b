-- Views that answer many rows look less up for each of them: what they want of an
-- account's versions stands in an index, and open assignments come by account.

-- +goose Up

-- What was known at a moment, and since which response: see the view snapshots.
DROP INDEX version_by_time;
CREATE INDEX version_by_time ON version (account_id, valid_from, number, response_id);

-- The name that an account has now, for those who look for it by its account. What
-- the condition asks for is in it too: else each row would be read for that.
CREATE INDEX version_now ON version (account_id, username, valid_to) WHERE valid_to IS NULL;

DROP INDEX assignment_at_to_before;
CREATE INDEX assignment_at_to_before ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', to_before / 1000.0, 'unixepoch'), account_id);

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
        ORDER BY v.valid_from DESC, v.number DESC LIMIT 1
    ) AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.sent_at / 1000.0, 'unixepoch') AS sent_at
FROM workspace w
JOIN account a ON a.workspace_id = w.id
-- The plus keeps the bounds from becoming a range of account ids.
JOIN response r ON r.workspace_id = w.id AND +a.id BETWEEN r.account_min AND r.account_max
JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id;

DROP VIEW status_changes;
CREATE VIEW status_changes AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    (
        SELECT v.username FROM version v
        WHERE v.account_id = s.account_id AND v.valid_from <= s.before
        ORDER BY v.valid_from DESC, v.number DESC LIMIT 1
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

DROP VIEW squid_assignments;
CREATE VIEW squid_assignments AS
SELECT
    w.name AS workspace,
    q.hash AS squid,
    (SELECT name FROM squid_name WHERE squid_id = q.id ORDER BY since DESC LIMIT 1) AS squid_name,
    a.hash AS account,
    v.username AS username,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.from_after / 1000.0, 'unixepoch') AS from_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.from_before / 1000.0, 'unixepoch') AS from_before,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_after / 1000.0, 'unixepoch') AS to_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_before / 1000.0, 'unixepoch') AS to_before
FROM assignment g
JOIN squid q ON q.id = g.squid_id
JOIN account a ON a.id = g.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN version v ON v.account_id = a.id AND v.valid_to IS NULL;

-- See 00004_planner.sql. The figures of an index go with it.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('version', 'version_by_time', '100000 10 1 1 1'),
    ('version', 'version_now', '10000 1 1 1'),
    ('assignment', 'assignment_at_to_before', '30000 30 1');

-- +goose Down
DROP VIEW squid_assignments;
CREATE VIEW squid_assignments AS
SELECT
    w.name AS workspace,
    q.hash AS squid,
    (SELECT name FROM squid_name WHERE squid_id = q.id ORDER BY since DESC LIMIT 1) AS squid_name,
    a.hash AS account,
    v.username AS username,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.from_after / 1000.0, 'unixepoch') AS from_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.from_before / 1000.0, 'unixepoch') AS from_before,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_after / 1000.0, 'unixepoch') AS to_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_before / 1000.0, 'unixepoch') AS to_before
FROM assignment g
JOIN squid q ON q.id = g.squid_id
JOIN account a ON a.id = g.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN head h ON h.account_id = a.id
JOIN version v ON v.id = h.version_id;

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

DROP INDEX assignment_at_to_before;
CREATE INDEX assignment_at_to_before ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', to_before / 1000.0, 'unixepoch'));
DROP INDEX version_now;
DROP INDEX version_by_time;
CREATE INDEX version_by_time ON version (account_id, valid_from);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('version', 'version_by_time', '100000 10 1'),
    ('assignment', 'assignment_at_to_before', '30000 30');
