-- How long things lasted, in one line of SQL each: health_periods and squid_health.
-- The views of changes get the type of the account; status_changes says what an
-- account became, so that a step from expired to expired is not taken for an expiry;
-- the document of account_current has the counters of now.

-- +goose Up

-- The name and the type that an account has now, for those who look for them by its account.
DROP INDEX version_now;
CREATE INDEX version_now ON version (account_id, username, type, valid_to) WHERE valid_to IS NULL;

-- The counters, null in a stored document, are put back by a merge patch
-- (RFC 7396). The inner json_patch leaves out counters that are null: in a merge patch, null
-- removes a member. Only objects that have a counter in this document get one: the
-- other endpoint may have told of more.
DROP VIEW account_current;
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
    CASE WHEN d.body IS NOT NULL THEN json_patch(d.body, json_patch('{}', json_patch(
        CASE WHEN json_type(d.body, '$.params.user') = 'object' THEN json_object('params', json_object('user', json((
            SELECT json_group_object(e.key, json(c.body))
            FROM json_each(d.body, '$.params.user') e
            JOIN counter c ON c.account_id = a.id
                AND c.pointer = '/params/user/' || replace(replace(e.key, '~', '~0'), '/', '~1')
            WHERE e.type = 'object' AND coalesce(
                json_type(e.value, '$.value'), json_type(e.value, '$.current'),
                json_type(e.value, '$.timestamp'), json_type(e.value, '$.last_batch_at')
            ) IS NOT NULL
        )))) ELSE '{}' END,
        CASE WHEN json_type(d.body, '$.resets_in') IS NOT NULL THEN json_object('resets_in', json((
            SELECT c.body FROM counter c WHERE c.account_id = a.id AND c.pointer = '/resets_in'
        ))) ELSE '{}' END
    ))) END AS document
FROM account a
JOIN workspace w ON w.id = a.workspace_id
JOIN head h ON h.account_id = a.id
JOIN version v ON v.id = h.version_id
JOIN seen ON seen.account_id = a.id
JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
JOIN document d ON d.id = s.document_id
LEFT JOIN absence missing ON missing.id = h.absence_id;

-- last_seen is when the last snapshot of the version was received.
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
    v.squid_count AS squid_count,
    CASE
        WHEN v.valid_to IS NULL THEN (
            SELECT strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch')
            FROM seen
            JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
            WHERE seen.account_id = v.account_id
        )
        ELSE (
            SELECT strftime('%Y-%m-%dT%H:%M:%fZ', r.received_at / 1000.0, 'unixepoch')
            FROM response r
            JOIN snapshot s ON s.response_id = r.id AND s.account_id = v.account_id
            WHERE r.workspace_id = a.workspace_id AND r.received_at <= v.valid_to
                AND +v.account_id BETWEEN r.account_min AND r.account_max
                AND +r.id < (SELECT n.response_id FROM version n WHERE n.account_id = v.account_id AND n.number = v.number + 1)
            ORDER BY r.received_at DESC LIMIT 1
        )
    END AS last_seen
FROM version v
JOIN account a ON a.id = v.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN document d ON d.id = v.document_id;

DROP VIEW changes;
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
    v.number AS version,
    v.type AS type
FROM change c
JOIN account a ON a.id = c.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN version v ON v.id = c.version_id
JOIN response r ON r.id = v.response_id;

-- became is the health when it is another than before; NULL: only the reason changed.
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
    r.run_id AS run,
    (
        SELECT v.type FROM version v
        WHERE v.account_id = s.account_id AND v.valid_from <= s.before
        ORDER BY v.valid_from DESC, v.number DESC LIMIT 1
    ) AS type,
    CASE WHEN s.health_before IS NOT s.health_after THEN s.health_after END AS became
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
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_before / 1000.0, 'unixepoch') AS to_before,
    v.type AS type
FROM assignment g
JOIN squid q ON q.id = g.squid_id
JOIN account a ON a.id = g.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN version v ON v.account_id = a.id AND v.valid_to IS NULL;

-- The times an account had one health, a lock included. A period begins with the
-- status step that changed the health and ends with the next such step; the last one
-- of an account is open. Each of the two steps is bound to the other, so that a
-- condition on either end can use the index on it.
--
-- min_seconds is certain and max_seconds possible; NULL: it began before the account
-- was first seen. Those of an open period run to the last snapshot of the account.
CREATE VIEW health_periods AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    v.type AS type,
    s.health_after AS health,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.after / 1000.0, 'unixepoch') AS from_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.before / 1000.0, 'unixepoch') AS from_before,
    strftime('%Y-%m-%dT%H:%M:%fZ', n.after / 1000.0, 'unixepoch') AS to_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', n.before / 1000.0, 'unixepoch') AS to_before,
    max(0, coalesce(n.after, s.before) - s.before) / 1000.0 AS min_seconds,
    (n.before - s.after) / 1000.0 AS max_seconds
FROM status_step s
JOIN status_step n ON n.id = (
    SELECT t.id FROM status_step t
    WHERE t.account_id = s.account_id AND t.health_before IS NOT t.health_after AND (t.before, t.id) > (s.before, s.id)
    ORDER BY t.before, t.id LIMIT 1
) AND s.id = (
    SELECT t.id FROM status_step t
    WHERE t.account_id = n.account_id AND t.health_before IS NOT t.health_after AND (t.before, t.id) < (n.before, n.id)
    ORDER BY t.before DESC, t.id DESC LIMIT 1
)
JOIN account a ON a.id = s.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN version v ON v.account_id = a.id AND v.valid_to IS NULL
WHERE s.health_before IS NOT s.health_after AND n.health_before IS NOT n.health_after
UNION ALL
SELECT
    w.name,
    a.hash,
    v.username,
    v.type,
    s.health_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.after / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', s.before / 1000.0, 'unixepoch'),
    NULL,
    NULL,
    max(0, r.sent_at - s.before) / 1000.0,
    (r.received_at - s.after) / 1000.0
FROM seen
JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
JOIN status_step s ON s.account_id = seen.account_id AND s.id = (
    SELECT t.id FROM status_step t
    WHERE t.account_id = seen.account_id AND t.health_before IS NOT t.health_after
    ORDER BY t.before DESC, t.id DESC LIMIT 1
)
JOIN account a ON a.id = s.account_id
JOIN workspace w ON w.id = a.workspace_id
JOIN version v ON v.account_id = a.id AND v.valid_to IS NULL;

-- The times a squid had the same number of accounts, and of healthy ones among them.
-- The counts are those after all that was noticed in one instant. When several things
-- were noticed at once, the new counts hold since the last of them happened, and the
-- old ones ended when the first of them did: the windows say just that. An end of
-- which only to_before is known has no to_after.
--
-- min_seconds is certain and max_seconds possible, as in health_periods; those of an
-- open stretch run to the last snapshots of its accounts, or of the workspace where
-- the squid has none.
CREATE VIEW squid_health AS
WITH
-- What moves the two counts of a squid: an assignment that begins or ends, with the
-- health that the account had then, and an assigned account that becomes healthy or
-- stops being so.
event AS (
    SELECT
        q.id AS squid_id,
        q.hash AS squid,
        g.from_before AS at,
        g.from_after AS after,
        1 AS accounts,
        'healthy' IS (
            SELECT s.health_after FROM status_step s
            WHERE s.account_id = g.account_id AND s.before <= g.from_before
            ORDER BY s.before DESC, s.id DESC LIMIT 1
        ) AS healthy_accounts
    FROM squid q
    JOIN assignment g ON g.squid_id = q.id
    WHERE g.from_before IS NOT g.to_before
    UNION ALL
    SELECT
        q.id,
        q.hash,
        g.to_before,
        g.to_after,
        -1,
        -('healthy' IS (
            SELECT s.health_after FROM status_step s
            WHERE s.account_id = g.account_id AND s.before < g.to_before
            ORDER BY s.before DESC, s.id DESC LIMIT 1
        ))
    FROM squid q
    JOIN assignment g ON g.squid_id = q.id
    WHERE g.from_before < g.to_before
    UNION ALL
    -- A step in the instant in which the assignment ended counts no more, but the
    -- account may have stopped being healthy first.
    SELECT
        q.id,
        q.hash,
        s.before,
        s.after,
        0,
        CASE WHEN s.before IS NOT g.to_before THEN (s.health_after = 'healthy') - (s.health_before = 'healthy') ELSE 0 END
    FROM squid q
    JOIN assignment g ON g.squid_id = q.id
    JOIN status_step s ON s.account_id = g.account_id AND s.before > g.from_before
    WHERE (s.health_after = 'healthy') <> (s.health_before = 'healthy') AND (g.to_before IS NULL OR s.before <= g.to_before)
),
-- The counts after all events of an instant. All windows have the same partition:
-- only then does SQLite push a condition on the squid down to the events.
turn AS (
    SELECT
        squid_id,
        squid,
        at,
        sum(accounts) OVER past AS accounts,
        sum(healthy_accounts) OVER past AS healthy_accounts,
        sum(accounts) OVER now AS more_accounts,
        sum(healthy_accounts) OVER now AS more_healthy,
        max(after) OVER now AS last_after,
        CASE WHEN count(after) OVER now = count(*) OVER now THEN min(after) OVER now END AS first_after,
        lag(at) OVER past AS previous
    FROM event
    WINDOW
        past AS (PARTITION BY squid_id, squid ORDER BY at),
        now AS (PARTITION BY squid_id, squid ORDER BY at RANGE BETWEEN CURRENT ROW AND CURRENT ROW)
),
stretch AS (
    SELECT
        squid_id,
        squid,
        healthy_accounts,
        accounts,
        last_after AS from_after,
        at AS from_before,
        lead(first_after) OVER past AS to_after,
        lead(at) OVER past AS to_before
    FROM turn
    WHERE previous IS NOT at AND (more_accounts <> 0 OR more_healthy <> 0)
    WINDOW past AS (PARTITION BY squid_id, squid ORDER BY at)
)
SELECT
    w.name AS workspace,
    t.squid AS squid,
    (SELECT n.name FROM squid_name n WHERE n.squid_id = t.squid_id ORDER BY n.since DESC LIMIT 1) AS squid_name,
    t.healthy_accounts AS healthy_accounts,
    t.accounts AS accounts,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.from_after / 1000.0, 'unixepoch') AS from_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.from_before / 1000.0, 'unixepoch') AS from_before,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.to_after / 1000.0, 'unixepoch') AS to_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.to_before / 1000.0, 'unixepoch') AS to_before,
    max(0, CASE WHEN t.to_before IS NOT NULL THEN coalesce(t.to_after, t.from_before) ELSE coalesce(
        (
            SELECT min(r.sent_at)
            FROM assignment g
            JOIN seen ON seen.account_id = g.account_id
            JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
            WHERE g.squid_id = t.squid_id AND g.to_before IS NULL
        ),
        (SELECT max(r.sent_at) FROM response r WHERE r.workspace_id = q.workspace_id AND r.received_at = (
            SELECT max(received_at) FROM response WHERE workspace_id = q.workspace_id
        ))
    ) END - t.from_before) / 1000.0 AS min_seconds,
    (coalesce(
        t.to_before,
        (
            SELECT max(r.received_at)
            FROM assignment g
            JOIN seen ON seen.account_id = g.account_id
            JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
            WHERE g.squid_id = t.squid_id AND g.to_before IS NULL
        ),
        (SELECT max(received_at) FROM response WHERE workspace_id = q.workspace_id)
    ) - t.from_after) / 1000.0 AS max_seconds
FROM stretch t
CROSS JOIN squid q ON q.id = t.squid_id
JOIN workspace w ON w.id = q.workspace_id;

-- See 00004_planner.sql. The figures of an index go with it.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('version', 'version_now', '10000 1 1 1 1');

-- +goose Down
DROP VIEW squid_health;
DROP VIEW health_periods;
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

DROP VIEW changes;
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

DROP VIEW account_current;
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

DROP INDEX version_now;
CREATE INDEX version_now ON version (account_id, username, valid_to) WHERE valid_to IS NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('version', 'version_now', '10000 1 1 1');
