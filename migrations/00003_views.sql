-- The documented views: SQL is an interface. They keep their columns and only
-- ever get more. Instants are RFC 3339 text, UTC, with milliseconds; values of
-- the API are SQL text (JSON text for objects and lists, and for numbers SQLite
-- would round; limit_usage has numbers, to do sums with). Nothing here needs a newer SQLite than STRICT tables do (3.37):
-- other programs read the store too.

-- +goose Up

CREATE VIEW account_current AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    v.type AS type,
    h.health AS health,
    v.status AS status,
    v.status_code_info AS status_code_info,
    v.status_code_description AS status_code_description,
    v.last_synchronization_time AS last_synchronization_time,
    v.squid_count AS squid_count,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch') AS seen_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', missing.since / 1000.0, 'unixepoch') AS unlisted_since,
    d.body AS document
FROM account a
JOIN workspace w ON w.id = a.workspace_id
JOIN head h ON h.account_id = a.id
JOIN version v ON v.id = h.version_id
JOIN seen ON seen.account_id = a.id
JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
JOIN document d ON d.id = s.document_id
LEFT JOIN absence missing ON missing.id = h.absence_id;

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

CREATE VIEW changes AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    c.kind AS kind,
    c.path AS path,
    CASE json_type(c.old)
        WHEN 'null' THEN NULL
        WHEN 'text' THEN json_extract(c.old, '$')
        ELSE c.old
    END AS old,
    CASE json_type(c.new)
        WHEN 'null' THEN NULL
        WHEN 'text' THEN json_extract(c.new, '$')
        ELSE c.new
    END AS new,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.after / 1000.0, 'unixepoch') AS after,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.before / 1000.0, 'unixepoch') AS before,
    r.run_id AS run,
    c.health_before AS health_before,
    c.health_after AS health_after,
    v.number AS version
FROM change c
JOIN account a ON a.id = c.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN version v ON v.id = c.version_id
JOIN response r ON r.id = v.response_id;

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

CREATE VIEW runs AS
SELECT
    r.id AS run,
    w.name AS workspace,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at / 1000.0, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.finished_at / 1000.0, 'unixepoch') AS finished_at,
    r.state = 'complete' AS complete,
    r.requested AS requested,
    r.changed + r.unchanged AS captured,
    r.changed AS changed,
    r.unchanged AS unchanged,
    r.gone AS gone,
    r.failed AS failed,
    r.requests AS requests,
    r.warnings AS warnings,
    (
        SELECT json_group_array(json_object(
            'account', f.account, 'kind', f.kind, 'http_status', f.http_status, 'message', f.message
        ))
        FROM (SELECT * FROM failure WHERE run_id = r.id ORDER BY id) f
    ) AS failures,
    r.state AS state
FROM run r
JOIN workspace w ON w.id = r.workspace_id;

CREATE VIEW failures AS
SELECT
    f.run_id AS run,
    w.name AS workspace,
    f.account AS account,
    f.kind AS kind,
    f.http_status AS http_status,
    f.message AS message,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.at / 1000.0, 'unixepoch') AS at
FROM failure f
JOIN run r ON r.id = f.run_id
JOIN workspace w ON w.id = r.workspace_id;

-- +goose Down
DROP VIEW failures;
DROP VIEW runs;
DROP VIEW snapshots;
DROP VIEW limit_usage;
DROP VIEW squid_assignments;
DROP VIEW status_changes;
DROP VIEW changes;
DROP VIEW account_versions;
DROP VIEW account_current;
