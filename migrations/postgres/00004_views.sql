-- The documented views, with the same columns and the same answers as those of a store
-- in SQLite (migrations/sqlite/00004_views.sql says what they mean). Whole numbers are
-- bigint, smallint or integer, flags 0 or 1, other numbers double precision; JSON is
-- text. A subquery looks at one workspace: the one of its row.
--
-- Where answers differ:
--
--   - A character U+0000 in a text of the API, which a text here cannot hold, is U+FFFD in
--     the values of changes. SQLite ends the text there.
--   - The value and the limit of a counter are NULL if they are no number, or one that a
--     double cannot hold, and integers beyond 2^53 are rounded: a column has one type.
--   - In account_current, a counter that is an object keeps its members that are null.

-- +goose NO TRANSACTION
-- +goose Up

-- The functions call none of each other: a function finds another one by the search_path
-- of whoever reads a view.

-- A stored text as a JSON string. See 00001_evidence.sql for U+0000.
CREATE OR REPLACE FUNCTION json_quote(text text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT replace(replace(to_json(text)::text, '\u0001\u0001', '\u0000'), '\u0001\u0002', '\u0001')
$$;

-- JSON for PostgreSQL to take apart. It refuses the escape of U+0000, and so does
-- everything that reads the text of a string: that escape is spelled in the way of
-- stored texts. json_restored is the inverse.
CREATE OR REPLACE FUNCTION json_readable(value text) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT replace(replace(value, '\u0001', '\u0001\u0002'), '\u0000', '\u0001\u0001')::json
$$;
CREATE OR REPLACE FUNCTION json_restored(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT replace(replace(value, '\u0001\u0001', '\u0000'), '\u0001\u0002', '\u0001')
$$;

-- The value of a JSON text: a string without its quotes, NULL for null, and all else as
-- it is spelled. '\\' is spelled otherwise first, so that each '\u0000' that is then
-- left stands for the character that text cannot hold.
CREATE OR REPLACE FUNCTION json_value_text(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value = 'null' THEN NULL
        WHEN left(value, 1) <> '"' THEN value
        WHEN strpos(value, '\') = 0 THEN substr(value, 2, length(value) - 2)
        ELSE replace(replace(value, '\\', '\u005c'), '\u0000', '\ufffd')::json #>> '{}'
    END
$$;

-- The number that a JSON text is, 1 and 0 for true and false; NULL for all else, and for
-- a number that could be too large or too small for a double.
CREATE OR REPLACE FUNCTION json_number(value text) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value IN ('true', 'false') THEN (value = 'true')::integer
        WHEN value ~ '^-?[0-9]{1,200}(\.[0-9]{1,200})?([eE][+-]?[0-9]{1,2})?$' THEN value::double precision
    END
$$;

-- A document with its counters, which are null in it, put back where they are: in the
-- objects of /params/user, and in /resets_in. counters has the bodies by their pointers,
-- without the first slash. The rest of the document stays as it is spelled. (A function
-- hides from the planner how often it thinks that this loops: it would compile every
-- query to machine code.)
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION json_with_counters(document json, counters json) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    limits json := document -> 'params' -> 'user';
    params text;
BEGIN
    IF json_typeof(limits) = 'object' THEN
        SELECT '{' || coalesce(string_agg(to_json(l.key)::text || ':' || CASE
            WHEN json_typeof(l.value) = 'object' THEN (
                SELECT '{' || coalesce(string_agg(to_json(e.key)::text || ':' || coalesce(l.counter -> e.key, e.value)::text, ',' ORDER BY e.n), '') || '}'
                FROM json_each(l.value) WITH ORDINALITY e (key, value, n)
            )
            ELSE l.value::text
        END, ',' ORDER BY l.n), '') || '}'
        INTO params
        FROM (
            SELECT o.key, o.value, o.n, counters -> ('params/user/' || replace(replace(o.key, '~', '~0'), '/', '~1')) AS counter
            FROM json_each(limits) WITH ORDINALITY o (key, value, n)
        ) l;
        SELECT '{' || string_agg(to_json(p.key)::text || ':' || CASE p.key WHEN 'user' THEN params ELSE p.value::text END, ',' ORDER BY p.n) || '}'
        INTO params
        FROM json_each(document -> 'params') WITH ORDINALITY p (key, value, n);
    END IF;
    RETURN (
        SELECT '{' || string_agg(to_json(m.key)::text || ':' || coalesce(
            CASE m.key WHEN 'params' THEN params WHEN 'resets_in' THEN (counters -> 'resets_in')::text END,
            m.value::text
        ), ',' ORDER BY m.n) || '}'
        FROM json_each(document) WITH ORDINALITY m (key, value, n)
    );
END
$$;
-- +goose StatementEnd

-- The last response that showed each account. It serves the views below.
CREATE OR REPLACE VIEW last_response AS
SELECT a.ws AS ws, a.id AS account, r.at AS at, r.sent_at AS sent_at
FROM account a
CROSS JOIN LATERAL (
    SELECT max((
        SELECT max(p.at) FROM response p WHERE p.ws = x.ws AND p.source = x.source AND p.slot = x.slot AND p.at BETWEEN x.first AND x.last
    )) AS at
    FROM shown x
    -- Of the stays that are over, the one that ended last.
    WHERE x.ws = a.ws AND x.account = a.id AND x.last >= coalesce((
        SELECT max(y.last) FROM shown y WHERE y.ws = a.ws AND y.account = a.id AND y.last < 9223372036854775807
    ), 0)
) l
JOIN response r ON r.ws = a.ws AND r.at = l.at;

CREATE OR REPLACE VIEW account_current AS
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
    (SELECT instant_text(r.at) COLLATE "C" FROM last_response r WHERE r.ws = a.ws AND r.account = a.id) AS seen_at,
    instant_text(s.absent_since) COLLATE "C" AS unlisted_since,
    (
        SELECT json_restored(json_with_counters(json_readable(d.body), (
            SELECT json_object_agg(n.top || n.sub, json_readable(c.body))
            FROM counter c
            JOIN name n ON n.ws = c.ws AND n.id = c.name
            WHERE c.ws = a.ws AND c.account = a.id
        ))) COLLATE "C"
        FROM body d WHERE d.ws = a.ws AND d.account = a.id AND d.endpoint = s.latest
    ) AS document
FROM account a
JOIN workspace w ON w.id = a.ws
JOIN state s ON s.ws = a.ws AND s.account = a.id
JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

CREATE OR REPLACE VIEW account_versions AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.number AS version,
    instant_text(r.at) COLLATE "C" AS valid_from,
    instant_text(v.until) COLLATE "C" AS valid_to,
    v.health AS health,
    v.status AS status,
    v.status_code_info AS status_code_info,
    v.username AS username,
    v.type AS type,
    -- The current document is at hand; an older one is joined from its members.
    CASE WHEN v.until IS NULL THEN (
        SELECT d.body FROM body d WHERE d.ws = v.ws AND d.account = v.account AND d.endpoint = v.endpoint
    ) ELSE (
        SELECT '{' || string_agg(json_quote(o.top) || ':' || coalesce('{' || o.parts || '}', o.whole), ',' ORDER BY o.top) || '}'
        FROM (
            SELECT
                m.top AS top,
                max(CASE WHEN m.sub = '' THEN m.value END) AS whole,
                string_agg(CASE WHEN m.sub <> '' THEN json_quote(substr(m.sub, 2)) || ':' || m.value END, ',' ORDER BY m.sub) AS parts
            FROM (
                SELECT n.top AS top, n.sub AS sub, coalesce(f.value, t.body) AS value
                FROM name n
                JOIN LATERAL (
                    SELECT g.value, g.value_id FROM fact g
                    WHERE g.ws = n.ws AND g.account = v.account AND g.endpoint = v.endpoint AND g.name = n.id AND g.at <= v.at
                    ORDER BY g.at DESC LIMIT 1
                ) f ON true
                LEFT JOIN value t ON t.ws = n.ws AND t.id = f.value_id
                WHERE n.ws = v.ws AND coalesce(f.value, t.body) IS NOT NULL
            ) m
            GROUP BY m.top
        ) o
    ) END AS document,
    v.status_code_description AS status_code_description,
    v.last_synchronization_time AS last_synchronization_time,
    v.squid_count AS squid_count,
    -- When the last snapshot of the version was received.
    instant_text((
        SELECT max((
            SELECT max(p.at) FROM response p
            WHERE p.ws = x.ws AND p.source = x.source AND p.slot = x.slot
                AND p.at BETWEEN x.first AND least(x.last, coalesce(v.until - 1, 9223372036854775807))
        ))
        FROM shown x
        WHERE x.ws = v.ws AND x.account = v.account AND x.first < coalesce(v.until, 9223372036854775807) AND x.last >= coalesce((
            SELECT max(y.last) FROM shown y
            WHERE y.ws = v.ws AND y.account = v.account AND y.last < coalesce(v.until, 9223372036854775807)
        ), 0)
    )) COLLATE "C" AS last_seen
FROM version v
JOIN account a ON a.ws = v.ws AND a.id = v.account
JOIN workspace w ON w.id = a.ws
JOIN response r ON r.ws = v.ws AND r.at = v.at AND r.news > 0;

CREATE OR REPLACE VIEW changes AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    c.kind AS kind,
    c.path AS path,
    json_value_text(c.old) AS old,
    json_value_text(c.new) AS new,
    instant_text(c.after) COLLATE "C" AS after,
    instant_text(r.at) COLLATE "C" AS before,
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

CREATE OR REPLACE VIEW status_changes AS
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
    instant_text(s.after) COLLATE "C" AS after,
    instant_text(s.at) COLLATE "C" AS before,
    (SELECT r.run FROM response r WHERE r.ws = s.ws AND r.at = s.at) AS run,
    v.type AS type,
    CASE WHEN s.health_before <> s.health_after THEN s.health_after END AS became -- NULL: only the reason changed
FROM status_step s
JOIN account a ON a.ws = s.ws AND a.id = s.account
JOIN workspace w ON w.id = s.ws
JOIN LATERAL (
    SELECT o.username, o.type FROM version o WHERE o.ws = s.ws AND o.account = s.account AND o.at <= s.at ORDER BY o.at DESC LIMIT 1
) v ON true
WHERE s.health_before IS NOT NULL;

CREATE OR REPLACE VIEW squid_assignments AS
SELECT
    w.name AS workspace,
    q.hash AS squid,
    coalesce((
        SELECT n.name FROM squid_name n WHERE n.ws = q.ws AND n.squid = q.id ORDER BY n.at DESC, n.account DESC LIMIT 1
    ), '') AS squid_name,
    a.hash AS account,
    v.username AS username,
    instant_text(g.from_after) COLLATE "C" AS from_after,
    instant_text(g.from_before) COLLATE "C" AS from_before,
    instant_text(g.to_after) COLLATE "C" AS to_after,
    instant_text(g.to_before) COLLATE "C" AS to_before,
    v.type AS type
FROM assignment g
JOIN squid q ON q.ws = g.ws AND q.id = g.squid
JOIN account a ON a.ws = g.ws AND a.id = g.account
JOIN workspace w ON w.id = g.ws
JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

CREATE OR REPLACE VIEW limit_usage AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    replace(replace(substr(n.sub, 7), '~1', '/'), '~0', '~') AS limit_name,
    json_number(coalesce(nullif((c.body -> 'value')::text, 'null'), (c.body -> 'current')::text)) AS value,
    json_number(u.max) AS max,
    CASE WHEN (c.body -> 'timestamp')::text ~ '^[0-9]{1,12}$' AND json_number((c.body -> 'timestamp')::text) BETWEEN 1 AND 137438953472
        THEN instant_text((c.body -> 'timestamp')::text::bigint * 1000) COLLATE "C"
    END AS resets_at,
    instant_text(r.at) COLLATE "C" AS seen_at,
    r.run AS run
FROM usage u
CROSS JOIN LATERAL (SELECT json_readable(u.body) AS body) c
JOIN name n ON n.ws = u.ws AND n.id = u.name
JOIN account a ON a.ws = u.ws AND a.id = u.account
JOIN workspace w ON w.id = u.ws
JOIN response r ON r.ws = u.ws AND r.at = u.at AND r.news > 0
WHERE n.top = 'params' AND n.sub >= '/user/' AND n.sub < '/user0';

CREATE OR REPLACE VIEW snapshots AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    instant_text(r.at) COLLATE "C" AS taken_at,
    u.id AS run,
    CASE r.source WHEN 1 THEN 'list' WHEN 2 THEN 'detail' ELSE 'import' END COLLATE "C" AS source,
    (
        SELECT v.number FROM version v WHERE v.ws = s.ws AND v.account = s.account AND v.at <= r.at ORDER BY v.at DESC LIMIT 1
    ) AS version,
    instant_text(r.sent_at) COLLATE "C" AS sent_at
FROM workspace w
JOIN response r ON r.ws = w.id
-- The ends of the run let its responses be found by their key.
JOIN run u ON u.ws = r.ws AND u.id = r.run AND r.at BETWEEN u.first_at AND u.last_at
JOIN shown s ON s.ws = r.ws AND s.source = r.source AND s.slot = r.slot AND r.at BETWEEN s.first AND s.last
JOIN account a ON a.ws = s.ws AND a.id = s.account;

CREATE OR REPLACE VIEW runs AS
SELECT
    r.id AS run,
    w.name AS workspace,
    instant_text(r.started_at) COLLATE "C" AS started_at,
    instant_text(r.finished_at) COLLATE "C" AS finished_at,
    (r.state = 'complete')::integer AS complete,
    r.requested AS requested,
    r.changed + r.unchanged AS captured,
    r.changed AS changed,
    r.unchanged AS unchanged,
    r.gone AS gone,
    r.failed AS failed,
    r.requests AS requests,
    r.warnings AS warnings,
    ('[' || coalesce((
        SELECT string_agg(
            '{"account":' || coalesce(json_quote(f.account), 'null') || ',"kind":' || json_quote(f.kind)
                || ',"http_status":' || coalesce(f.http_status::text, 'null') || ',"message":' || json_quote(f.message) || '}',
            ',' ORDER BY f.n
        )
        FROM failure f WHERE f.ws = r.ws AND f.run = r.id
    ), '') || ']') COLLATE "C" AS failures,
    r.state AS state
FROM run r
JOIN workspace w ON w.id = r.ws;

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

-- A period begins with the status step that changed the health and ends with the next
-- such step; the last one of an account is open. A condition on the account or on the
-- begin uses an index; one on the end reads all periods. (In SQLite it does not: there
-- each of the two steps is bound to the other. PostgreSQL would take such a join for a
-- few rows, and choose plans that are slow for many.)
CREATE OR REPLACE VIEW health_periods AS
SELECT
    w.name AS workspace,
    a.hash AS account,
    v.username AS username,
    v.type AS type,
    s.health_after AS health,
    instant_text(s.after) COLLATE "C" AS from_after,
    instant_text(s.at) COLLATE "C" AS from_before,
    instant_text(n.after) COLLATE "C" AS to_after,
    instant_text(n.at) COLLATE "C" AS to_before,
    greatest(0, CASE WHEN n.at IS NULL THEN r.sent_at ELSE coalesce(n.after, s.at) END - s.at) / 1000.0::double precision AS min_seconds,
    (coalesce(n.at, r.at) - s.after) / 1000.0::double precision AS max_seconds
FROM status_step s
JOIN account a ON a.ws = s.ws AND a.id = s.account
JOIN workspace w ON w.id = s.ws
JOIN version v ON v.ws = s.ws AND v.account = s.account AND v.until IS NULL
LEFT JOIN LATERAL (
    SELECT t.at, t.after FROM status_step t
    WHERE t.ws = s.ws AND t.account = s.account AND t.health_before IS DISTINCT FROM t.health_after AND t.at > s.at
    ORDER BY t.at LIMIT 1
) n ON true
LEFT JOIN LATERAL (SELECT l.at, l.sent_at FROM last_response l WHERE n.at IS NULL AND l.ws = s.ws AND l.account = s.account) r ON true
WHERE s.health_before IS DISTINCT FROM s.health_after AND coalesce(n.at, r.at) IS NOT NULL;

-- The counts of a squid are those after all that was noticed in one instant.
CREATE OR REPLACE VIEW squid_health AS
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
        coalesce((
            SELECT (s.health_after = 'healthy')::integer FROM status_step s
            WHERE s.ws = g.ws AND s.account = g.account AND s.at <= g.from_before
            ORDER BY s.at DESC LIMIT 1
        ), 0) AS healthy_accounts
    FROM squid q
    JOIN assignment g ON g.ws = q.ws AND g.squid = q.id
    WHERE g.from_before IS DISTINCT FROM g.to_before
    UNION ALL
    SELECT
        q.ws,
        q.id,
        q.hash,
        g.to_before,
        g.to_after,
        -1,
        -coalesce((
            SELECT (s.health_after = 'healthy')::integer FROM status_step s
            WHERE s.ws = g.ws AND s.account = g.account AND s.at < g.to_before
            ORDER BY s.at DESC LIMIT 1
        ), 0)
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
        CASE WHEN s.at IS DISTINCT FROM g.to_before THEN (s.health_after = 'healthy')::integer - (s.health_before = 'healthy')::integer ELSE 0 END
    FROM squid q
    JOIN assignment g ON g.ws = q.ws AND g.squid = q.id
    JOIN status_step s ON s.ws = g.ws AND s.account = g.account AND s.at > g.from_before
    WHERE (s.health_after = 'healthy') <> (s.health_before = 'healthy') AND (g.to_before IS NULL OR s.at <= g.to_before)
),
-- The counts after all events of an instant. All windows have the same partition:
-- only then is a condition on the squid pushed down to the events.
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
    WHERE previous IS DISTINCT FROM at AND (more_accounts <> 0 OR more_healthy <> 0)
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
    instant_text(t.from_after) COLLATE "C" AS from_after,
    instant_text(t.from_before) COLLATE "C" AS from_before,
    instant_text(t.to_after) COLLATE "C" AS to_after,
    instant_text(t.to_before) COLLATE "C" AS to_before,
    CASE WHEN l.certain > t.from_before THEN l.certain - t.from_before ELSE 0 END / 1000.0::double precision AS min_seconds,
    (l.possible - t.from_after) / 1000.0::double precision AS max_seconds
FROM stretch t
JOIN workspace w ON w.id = t.ws
-- What was seen last of the accounts of an open stretch.
LEFT JOIN LATERAL (
    SELECT min(r.sent_at) AS sent_at, max(r.at) AS at
    FROM assignment g
    JOIN last_response r ON r.ws = g.ws AND r.account = g.account
    WHERE t.to_before IS NULL AND g.ws = t.ws AND g.squid = t.squid_id AND g.to_before IS NULL
) o ON true
-- Until when it certainly lasted, and until when it possibly did.
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN t.to_before IS NOT NULL THEN coalesce(t.to_after, t.from_before) ELSE coalesce(
            o.sent_at,
            (SELECT r.sent_at FROM response r WHERE r.ws = t.ws ORDER BY r.at DESC LIMIT 1)
        ) END AS certain,
        coalesce(t.to_before, o.at, (SELECT max(r.at) FROM response r WHERE r.ws = t.ws)) AS possible
) l;

-- +goose Down
DROP VIEW IF EXISTS squid_health;
DROP VIEW IF EXISTS health_periods;
DROP VIEW IF EXISTS failures;
DROP VIEW IF EXISTS runs;
DROP VIEW IF EXISTS snapshots;
DROP VIEW IF EXISTS limit_usage;
DROP VIEW IF EXISTS squid_assignments;
DROP VIEW IF EXISTS status_changes;
DROP VIEW IF EXISTS changes;
DROP VIEW IF EXISTS account_versions;
DROP VIEW IF EXISTS account_current;
DROP VIEW IF EXISTS last_response;
DROP FUNCTION IF EXISTS json_with_counters(json, json);
DROP FUNCTION IF EXISTS json_number(text);
DROP FUNCTION IF EXISTS json_value_text(text);
DROP FUNCTION IF EXISTS json_restored(text);
DROP FUNCTION IF EXISTS json_readable(text);
DROP FUNCTION IF EXISTS json_quote(text);
