-- The documented views: SQL is an interface. They keep their columns and only ever get
-- more. Instants are RFC 3339 text, UTC, with milliseconds; values of the API are SQL
-- text (JSON text for objects and lists, and for numbers that SQLite would round;
-- limit_usage has numbers, to do sums with). Nothing here needs a newer SQLite than
-- STRICT tables do (3.37): other programs read the store too.

-- +goose Up

-- The last response that showed each account. It serves the views below.
CREATE VIEW last_response AS
SELECT a.ws AS ws, a.id AS account, r.at AS at, r.sent_at AS sent_at
FROM account a
JOIN response r ON r.ws = a.ws AND r.at = (
    SELECT max((
        SELECT max(at) FROM response WHERE ws = x.ws AND source = x.source AND slot = x.slot AND at BETWEEN x.first AND x.last
    ))
    FROM shown x
    -- Of the stays that are over, the one that ended last.
    WHERE x.ws = a.ws AND x.account = a.id AND x.last >= coalesce((
        SELECT max(last) FROM shown WHERE ws = a.ws AND account = a.id AND last < 9223372036854775807
    ), 0)
);

-- The counters, null in a stored document, are put back by a merge patch
-- (RFC 7396). The inner json_patch leaves out counters that are null: in a merge patch, null
-- removes a member. Only objects that have a counter in this document get one: the
-- other endpoint may have told of more.
CREATE VIEW account_current AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    v.type AS type,
    s.health AS health,
    v.status AS status,
    v.status_code_info AS status_code_info,
    v.status_code_description AS status_code_description,
    v.last_synchronization_time AS last_synchronization_time,
    v.squid_count AS squid_count,
    (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') FROM last_response r WHERE r.ws = a.ws AND r.account = a.id) AS seen_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.absent_since / 1000.0, 'unixepoch') AS unlisted_since,
    (
        SELECT json_patch(d.body, json_patch('{}', json_patch(
            CASE WHEN json_type(d.body, '$.params.user') = 'object' THEN json_object('params', json_object('user', json((
                SELECT json_group_object(e.key, json(c.body))
                FROM json_each(d.body, '$.params.user') e
                JOIN name n ON n.ws = a.ws AND n.top = 'params'
                    AND n.sub = '/user/' || replace(replace(e.key, '~', '~0'), '/', '~1')
                JOIN counter c ON c.ws = a.ws AND c.account = a.id AND c.name = n.id
                WHERE e.type = 'object' AND coalesce(
                    json_type(e.value, '$.value'), json_type(e.value, '$.current'),
                    json_type(e.value, '$.timestamp'), json_type(e.value, '$.last_batch_at')
                ) IS NOT NULL
            )))) ELSE '{}' END,
            CASE WHEN json_type(d.body, '$.resets_in') IS NOT NULL THEN json_object('resets_in', json((
                SELECT c.body
                FROM name n
                JOIN counter c ON c.ws = n.ws AND c.account = a.id AND c.name = n.id
                WHERE n.ws = a.ws AND n.top = 'resets_in' AND n.sub = ''
            ))) ELSE '{}' END
        )))
        FROM body d WHERE d.ws = a.ws AND d.account = a.id AND d.endpoint = s.latest
    ) AS document
FROM account a
JOIN workspace w ON w.id = a.ws
JOIN state s ON s.ws = a.ws AND s.account = a.id
JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

CREATE VIEW account_versions AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.number AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') AS valid_from,
    strftime('%Y-%m-%dT%H:%M:%fZ', v.until / 1000.0, 'unixepoch') AS valid_to,
    v.health AS health,
    v.status AS status,
    v.status_code_info AS status_code_info,
    v.username AS username,
    v.type AS type,
    -- The current document is at hand; an older one is joined from its members.
    CASE WHEN v.until IS NULL THEN (
        SELECT body FROM body WHERE ws = v.ws AND account = v.account AND endpoint = v.endpoint
    ) ELSE (
        SELECT '{' || group_concat(json_quote(top) || ':' || coalesce('{' || parts || '}', whole)) || '}'
        FROM (
            SELECT
                top,
                max(CASE WHEN sub = '' THEN value END) AS whole,
                group_concat(CASE WHEN sub <> '' THEN json_quote(substr(sub, 2)) || ':' || value END) AS parts
            FROM (
                SELECT n.top AS top, n.sub AS sub, coalesce(f.value, t.body) AS value
                FROM name n
                CROSS JOIN fact f ON f.ws = n.ws AND f.account = v.account AND f.endpoint = v.endpoint AND f.name = n.id AND f.at = (
                    SELECT g.at FROM fact g
                    WHERE g.ws = n.ws AND g.account = v.account AND g.endpoint = v.endpoint AND g.name = n.id AND g.at <= v.at
                    ORDER BY g.at DESC LIMIT 1
                )
                LEFT JOIN value t ON t.ws = f.ws AND t.id = f.value_id
                WHERE n.ws = v.ws AND coalesce(f.value, t.body) IS NOT NULL
                ORDER BY n.top, n.sub
            )
            GROUP BY top
        )
    ) END AS document,
    v.status_code_description AS status_code_description,
    v.last_synchronization_time AS last_synchronization_time,
    v.squid_count AS squid_count,
    -- When the last snapshot of the version was received.
    strftime('%Y-%m-%dT%H:%M:%fZ', (
        SELECT max((
            SELECT max(at) FROM response
            WHERE ws = x.ws AND source = x.source AND slot = x.slot
                AND at BETWEEN x.first AND min(x.last, coalesce(v.until - 1, 9223372036854775807))
        ))
        FROM shown x
        WHERE x.ws = v.ws AND x.account = v.account AND x.first < coalesce(v.until, 9223372036854775807) AND x.last >= coalesce((
            SELECT max(last) FROM shown
            WHERE ws = v.ws AND account = v.account AND last < coalesce(v.until, 9223372036854775807)
        ), 0)
    ) / 1000.0, 'unixepoch') AS last_seen
FROM version v
JOIN account a ON a.ws = v.ws AND a.id = v.account
JOIN workspace w ON w.id = a.ws
JOIN response r ON r.ws = v.ws AND r.at = v.at AND r.news > 0;

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
    strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') AS before,
    r.run AS run,
    c.health_before AS health_before,
    c.health_after AS health_after,
    v.number AS version,
    v.type AS type
FROM change c
JOIN response r ON r.ws = c.ws AND r.at = c.at AND r.news > 0
JOIN account a ON a.ws = c.ws AND a.id = c.account
JOIN workspace w ON w.id = c.ws
JOIN version v ON v.ws = c.ws AND v.account = c.account AND v.at = c.at;

CREATE VIEW status_changes AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    s.status_before AS status_before,
    s.status_after AS status_after,
    s.info_before AS info_before,
    s.info_after AS info_after,
    s.health_before AS health_before,
    s.health_after AS health_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.after / 1000.0, 'unixepoch') AS after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.at / 1000.0, 'unixepoch') AS before,
    (SELECT r.run FROM response r WHERE r.ws = s.ws AND r.at = s.at) AS run,
    v.type AS type,
    CASE WHEN s.health_before IS NOT s.health_after THEN s.health_after END AS became -- NULL: only the reason changed
FROM status_step s
JOIN account a ON a.ws = s.ws AND a.id = s.account
JOIN workspace w ON w.id = s.ws
JOIN version v ON v.ws = s.ws AND v.account = s.account AND v.at = (
    SELECT at FROM version WHERE ws = s.ws AND account = s.account AND at <= s.at ORDER BY at DESC LIMIT 1
)
WHERE s.health_before IS NOT NULL;

CREATE VIEW squid_assignments AS
SELECT
    w.name AS workspace,
    q.hash AS squid,
    coalesce((SELECT name FROM squid_name WHERE ws = q.ws AND squid = q.id ORDER BY at DESC, account DESC LIMIT 1), '') AS squid_name,
    a.hash AS account,
    v.username AS username,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.from_after / 1000.0, 'unixepoch') AS from_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.from_before / 1000.0, 'unixepoch') AS from_before,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_after / 1000.0, 'unixepoch') AS to_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', g.to_before / 1000.0, 'unixepoch') AS to_before,
    v.type AS type
FROM assignment g
JOIN squid q ON q.ws = g.ws AND q.id = g.squid
JOIN account a ON a.ws = g.ws AND a.id = g.account
JOIN workspace w ON w.id = g.ws
JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

CREATE VIEW limit_usage AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    replace(replace(substr(n.sub, 7), '~1', '/'), '~0', '~') AS limit_name,
    coalesce(json_extract(u.body, '$.value'), json_extract(u.body, '$.current')) AS value,
    json_extract(u.max, '$') AS max,
    CASE WHEN json_type(u.body, '$.timestamp') = 'integer' AND json_extract(u.body, '$.timestamp') BETWEEN 1 AND 137438953472
        THEN strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(u.body, '$.timestamp'), 'unixepoch')
    END AS resets_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') AS seen_at,
    r.run AS run
FROM usage u
JOIN name n ON n.ws = u.ws AND n.id = u.name
JOIN account a ON a.ws = u.ws AND a.id = u.account
JOIN workspace w ON w.id = u.ws
JOIN response r ON r.ws = u.ws AND r.at = u.at AND r.news > 0
WHERE n.top = 'params' AND n.sub >= '/user/' AND n.sub < '/user0';

CREATE VIEW snapshots AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') AS taken_at,
    u.id AS run,
    CASE r.source WHEN 1 THEN 'list' WHEN 2 THEN 'detail' ELSE 'import' END AS source,
    (
        SELECT v.number FROM version v WHERE v.ws = s.ws AND v.account = s.account AND v.at <= r.at ORDER BY v.at DESC LIMIT 1
    ) AS version,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.sent_at / 1000.0, 'unixepoch') AS sent_at
FROM workspace w
JOIN response r ON r.ws = w.id
-- The ends of the run let its responses be found by their key.
JOIN run u ON u.ws = r.ws AND u.id = r.run AND r.at BETWEEN u.first_at AND u.last_at
JOIN shown s ON s.ws = r.ws AND s.source = r.source AND s.slot = r.slot AND r.at BETWEEN s.first AND s.last
JOIN account a ON a.ws = s.ws AND a.id = s.account;

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
        FROM (SELECT * FROM failure WHERE ws = r.ws AND run = r.id ORDER BY n) f
    ) AS failures,
    r.state AS state
FROM run r
JOIN workspace w ON w.id = r.ws;

CREATE VIEW failures AS
SELECT
    f.run AS run,
    w.name AS workspace,
    f.account AS account,
    f.kind AS kind,
    f.http_status AS http_status,
    f.message AS message,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.at / 1000.0, 'unixepoch') AS at
FROM failure f
JOIN workspace w ON w.id = f.ws;

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
    strftime('%Y-%m-%dT%H:%M:%fZ', s.at / 1000.0, 'unixepoch') AS from_before,
    strftime('%Y-%m-%dT%H:%M:%fZ', n.after / 1000.0, 'unixepoch') AS to_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', n.at / 1000.0, 'unixepoch') AS to_before,
    max(0, coalesce(n.after, s.at) - s.at) / 1000.0 AS min_seconds,
    (n.at - s.after) / 1000.0 AS max_seconds
FROM status_step s
JOIN status_step n ON n.ws = s.ws AND n.account = s.account AND n.at = (
    SELECT t.at FROM status_step t
    WHERE t.ws = s.ws AND t.account = s.account AND t.health_before IS NOT t.health_after AND t.at > s.at
    ORDER BY t.at LIMIT 1
) AND s.at = (
    SELECT t.at FROM status_step t
    WHERE t.ws = n.ws AND t.account = n.account AND t.health_before IS NOT t.health_after AND t.at < n.at
    ORDER BY t.at DESC LIMIT 1
)
JOIN account a ON a.ws = s.ws AND a.id = s.account
JOIN workspace w ON w.id = a.ws
JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL
WHERE s.health_before IS NOT s.health_after AND n.health_before IS NOT n.health_after
UNION ALL
SELECT
    w.name,
    a.hash,
    v.username,
    v.type,
    s.health_after,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.after / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', s.at / 1000.0, 'unixepoch'),
    NULL,
    NULL,
    max(0, r.sent_at - s.at) / 1000.0,
    (r.at - s.after) / 1000.0
FROM account a
JOIN workspace w ON w.id = a.ws
JOIN status_step s ON s.ws = a.ws AND s.account = a.id AND s.at = (
    SELECT t.at FROM status_step t
    WHERE t.ws = a.ws AND t.account = a.id AND t.health_before IS NOT t.health_after
    ORDER BY t.at DESC LIMIT 1
)
JOIN last_response r ON r.ws = a.ws AND r.account = a.id
JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

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
        q.ws AS ws,
        q.id AS squid_id,
        q.hash AS squid,
        g.from_before AS at,
        g.from_after AS after,
        1 AS accounts,
        'healthy' IS (
            SELECT s.health_after FROM status_step s
            WHERE s.ws = g.ws AND s.account = g.account AND s.at <= g.from_before
            ORDER BY s.at DESC LIMIT 1
        ) AS healthy_accounts
    FROM squid q
    JOIN assignment g ON g.ws = q.ws AND g.squid = q.id
    WHERE g.from_before IS NOT g.to_before
    UNION ALL
    SELECT
        q.ws,
        q.id,
        q.hash,
        g.to_before,
        g.to_after,
        -1,
        -('healthy' IS (
            SELECT s.health_after FROM status_step s
            WHERE s.ws = g.ws AND s.account = g.account AND s.at < g.to_before
            ORDER BY s.at DESC LIMIT 1
        ))
    FROM squid q
    JOIN assignment g ON g.ws = q.ws AND g.squid = q.id
    WHERE g.from_before < g.to_before
    UNION ALL
    -- A step in the instant in which the assignment ended counts no more, but the
    -- account may have stopped being healthy first.
    SELECT
        q.ws,
        q.id,
        q.hash,
        s.at,
        s.after,
        0,
        CASE WHEN s.at IS NOT g.to_before THEN (s.health_after = 'healthy') - (s.health_before = 'healthy') ELSE 0 END
    FROM squid q
    JOIN assignment g ON g.ws = q.ws AND g.squid = q.id
    JOIN status_step s ON s.ws = g.ws AND s.account = g.account AND s.at > g.from_before
    WHERE (s.health_after = 'healthy') <> (s.health_before = 'healthy') AND (g.to_before IS NULL OR s.at <= g.to_before)
),
-- The counts after all events of an instant. All windows have the same partition:
-- only then does SQLite push a condition on the squid down to the events.
turn AS (
    SELECT
        ws,
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
        past AS (PARTITION BY ws, squid_id, squid ORDER BY at),
        now AS (PARTITION BY ws, squid_id, squid ORDER BY at RANGE BETWEEN CURRENT ROW AND CURRENT ROW)
),
stretch AS (
    SELECT
        ws,
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
    WINDOW past AS (PARTITION BY ws, squid_id, squid ORDER BY at)
)
SELECT
    w.name AS workspace,
    t.squid AS squid,
    coalesce((
        SELECT n.name FROM squid_name n WHERE n.ws = t.ws AND n.squid = t.squid_id ORDER BY n.at DESC, n.account DESC LIMIT 1
    ), '') AS squid_name,
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
            JOIN last_response r ON r.ws = g.ws AND r.account = g.account
            WHERE g.ws = t.ws AND g.squid = t.squid_id AND g.to_before IS NULL
        ),
        (SELECT r.sent_at FROM response r WHERE r.ws = q.ws ORDER BY r.at DESC LIMIT 1)
    ) END - t.from_before) / 1000.0 AS min_seconds,
    (coalesce(
        t.to_before,
        (
            SELECT max(r.at)
            FROM assignment g
            JOIN last_response r ON r.ws = g.ws AND r.account = g.account
            WHERE g.ws = t.ws AND g.squid = t.squid_id AND g.to_before IS NULL
        ),
        (SELECT max(at) FROM response WHERE ws = q.ws)
    ) - t.from_after) / 1000.0 AS max_seconds
FROM stretch t
CROSS JOIN squid q ON q.ws = t.ws AND q.id = t.squid_id
JOIN workspace w ON w.id = q.ws;

-- +goose Down
DROP VIEW squid_health;
DROP VIEW health_periods;
DROP VIEW failures;
DROP VIEW runs;
DROP VIEW snapshots;
DROP VIEW limit_usage;
DROP VIEW squid_assignments;
DROP VIEW status_changes;
DROP VIEW changes;
DROP VIEW account_versions;
DROP VIEW account_current;
DROP VIEW last_response;
