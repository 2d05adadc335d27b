-- The working state of those who watch: alerts, the messages that tell about them, and
-- what people asked for. It is no evidence: it is not in the log, and its rows change and
-- are deleted. A text is '' where there is none, so that it can be in a key.

-- +goose Up

-- How far the alerts of a workspace were evaluated, and how many rows of each table below
-- were numbered so far: no number is given twice.
CREATE TABLE alert_place (
    ws        INTEGER NOT NULL,
    run       INTEGER NOT NULL CHECK (run >= 0), -- 0: none yet
    at        INTEGER, -- of the last evaluation; NULL: never
    digest_at INTEGER, -- when the last digest was queued; NULL: never
    alerts    INTEGER NOT NULL CHECK (alerts >= 0),
    messages  INTEGER NOT NULL CHECK (messages >= 0),
    silences  INTEGER NOT NULL CHECK (silences >= 0),
    cursors   INTEGER NOT NULL CHECK (cursors >= 0),
    PRIMARY KEY (ws)
) STRICT, WITHOUT ROWID;

-- A condition that holds, or held.
CREATE TABLE alert (
    ws         INTEGER NOT NULL,
    id         INTEGER NOT NULL CHECK (id > 0),
    condition  TEXT NOT NULL,
    account    TEXT NOT NULL, -- id
    squid      TEXT NOT NULL, -- id
    limit_name TEXT NOT NULL,
    after      INTEGER, -- the window in which it began
    before     INTEGER,
    run        INTEGER, -- NULL: no run noticed it
    polls      INTEGER NOT NULL CHECK (polls >= 0),
    fired_at   INTEGER, -- NULL: pending
    told       INTEGER NOT NULL CHECK (told IN (0, 1)),
    silenced   INTEGER NOT NULL CHECK (silenced IN (0, 1)),
    reminders  INTEGER NOT NULL CHECK (reminders >= 0),
    ended_at   INTEGER, -- NULL: it holds
    detail     TEXT NOT NULL CHECK (json_valid(detail)), -- an object
    PRIMARY KEY (ws, id),
    CHECK (fired_at IS NOT NULL OR (told = 0 AND reminders = 0))
) STRICT, WITHOUT ROWID;
-- What holds has one alert.
CREATE UNIQUE INDEX alert_holds ON alert (ws, condition, account, squid, limit_name) WHERE ended_at IS NULL;

-- Something to be told to somebody.
CREATE TABLE message (
    ws        INTEGER NOT NULL,
    n         INTEGER NOT NULL CHECK (n > 0),
    id        TEXT NOT NULL, -- the idempotency key
    event     TEXT NOT NULL CHECK (event IN ('fired', 'recovered', 'reminder', 'digest', 'test')),
    condition TEXT NOT NULL,
    run       INTEGER, -- NULL: of no run
    at        INTEGER NOT NULL,
    accounts  TEXT NOT NULL CHECK (json_valid(accounts)), -- a list of ids
    sinks     TEXT NOT NULL CHECK (json_valid(sinks)), -- a list of names: each has a delivery
    body      TEXT NOT NULL CHECK (json_valid(body)), -- an object; {} once an account of it was redacted
    PRIMARY KEY (ws, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_id ON message (ws, id);

-- A message on its way to one sink.
CREATE TABLE delivery (
    ws       INTEGER NOT NULL,
    message  INTEGER NOT NULL,
    sink     TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dropped')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_at  INTEGER, -- when it may be tried next
    ended_at INTEGER, -- when it was delivered or dropped
    error    TEXT NOT NULL, -- of the last attempt
    pause    INTEGER NOT NULL CHECK (pause IN (0, 1)), -- nothing else is sent to the sink before next_at
    asked    INTEGER NOT NULL CHECK (asked IN (0, pause)), -- the sink itself asked for the time until next_at
    PRIMARY KEY (ws, message, sink),
    CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (ws, next_at) WHERE next_at IS NOT NULL;

-- Alerts that are not told until a moment: those of an account, a type or a squid.
CREATE TABLE silence (
    ws       INTEGER NOT NULL,
    id       INTEGER NOT NULL CHECK (id > 0),
    account  TEXT NOT NULL, -- id
    type     TEXT NOT NULL,
    squid    TEXT NOT NULL, -- id
    reason   TEXT NOT NULL CHECK (reason <> ''),
    from_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL CHECK (until_at >= from_at),
    PRIMARY KEY (ws, id),
    CHECK ((account <> '') + (type <> '') + (squid <> '') = 1)
) STRICT, WITHOUT ROWID;

-- Up to which run a consumer has seen the changes.
CREATE TABLE cursor (
    ws       INTEGER NOT NULL,
    consumer TEXT NOT NULL CHECK (consumer <> ''),
    run      INTEGER NOT NULL CHECK (run >= 0),
    PRIMARY KEY (ws, consumer)
) STRICT, WITHOUT ROWID;

CREATE VIEW alerts AS
SELECT
    w.name AS workspace,
    x.id AS alert,
    x.condition AS condition,
    nullif(x.account, '') AS account,
    v.username AS username,
    v.type AS type,
    nullif(x.squid, '') AS squid,
    (SELECT n.name FROM squid q JOIN squid_name n ON n.ws = q.ws AND n.squid = q.id WHERE q.ws = x.ws AND q.hash = x.squid ORDER BY n.at DESC LIMIT 1) AS squid_name,
    nullif(x.limit_name, '') AS limit_name,
    strftime('%Y-%m-%dT%H:%M:%fZ', x.after / 1000.0, 'unixepoch') AS after,
    strftime('%Y-%m-%dT%H:%M:%fZ', x.before / 1000.0, 'unixepoch') AS before,
    x.run AS run,
    x.polls AS polls,
    CASE WHEN x.ended_at IS NOT NULL THEN 'ended' WHEN x.fired_at IS NULL THEN 'pending' ELSE 'open' END AS state,
    strftime('%Y-%m-%dT%H:%M:%fZ', x.fired_at / 1000.0, 'unixepoch') AS fired_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', x.ended_at / 1000.0, 'unixepoch') AS ended_at,
    x.told AS told,
    x.silenced AS silenced,
    x.reminders AS reminders,
    x.detail AS detail
FROM alert x
JOIN workspace w ON w.id = x.ws
LEFT JOIN account a ON a.ws = x.ws AND a.hash = x.account
LEFT JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

CREATE VIEW deliveries AS
SELECT
    w.name AS workspace,
    m.id AS message,
    m.event AS event,
    nullif(m.condition, '') AS condition,
    m.run AS run,
    strftime('%Y-%m-%dT%H:%M:%fZ', m.at / 1000.0, 'unixepoch') AS at,
    d.sink AS sink,
    d.state AS state,
    d.attempts AS attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', d.next_at / 1000.0, 'unixepoch') AS next_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', d.ended_at / 1000.0, 'unixepoch') AS ended_at,
    nullif(d.error, '') AS error,
    m.body AS body
FROM delivery d
JOIN message m ON m.ws = d.ws AND m.n = d.message
JOIN workspace w ON w.id = d.ws;

-- +goose Down
DROP VIEW deliveries;
DROP VIEW alerts;
DROP TABLE cursor;
DROP TABLE silence;
DROP TABLE delivery;
DROP TABLE message;
DROP TABLE alert;
DROP TABLE alert_place;
