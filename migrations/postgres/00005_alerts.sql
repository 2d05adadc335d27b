-- The working state of those who watch: alerts, the messages that tell about them, and
-- what people asked for. It is no evidence: it is not in the log, and its rows change and
-- are deleted. A text is '' where there is none. The tables are those of
-- migrations/sqlite/00006_alerts.sql.

-- +goose NO TRANSACTION
-- +goose Up

-- How far the alerts of a workspace were evaluated, and how many rows of each table below
-- were numbered so far: no number is given twice.
CREATE TABLE IF NOT EXISTS alert_place (
    run       bigint NOT NULL CHECK (run >= 0), -- 0: none yet
    at        bigint, -- of the last evaluation; NULL: never
    digest_at bigint, -- when the last digest was queued; NULL: never
    alerts    bigint NOT NULL CHECK (alerts >= 0),
    messages  bigint NOT NULL CHECK (messages >= 0),
    silences  bigint NOT NULL CHECK (silences >= 0),
    cursors   bigint NOT NULL CHECK (cursors >= 0),
    ws        integer NOT NULL,
    PRIMARY KEY (ws)
);

-- A condition that holds, or held. What holds has one alert: the one writer of the
-- workspace sees to that. (The ids of squids and the names of limits may be too long for
-- an index.)
CREATE TABLE IF NOT EXISTS alert (
    id         bigint NOT NULL CHECK (id > 0),
    after      bigint, -- the window in which it began
    before     bigint,
    run        bigint, -- NULL: no run noticed it
    polls      bigint NOT NULL CHECK (polls >= 0),
    fired_at   bigint, -- NULL: pending
    reminders  bigint NOT NULL CHECK (reminders >= 0),
    ended_at   bigint, -- NULL: it holds
    ws         integer NOT NULL,
    told       smallint NOT NULL CHECK (told IN (0, 1)),
    silenced   smallint NOT NULL CHECK (silenced IN (0, 1)),
    condition  text COLLATE "C" NOT NULL,
    account    text COLLATE "C" NOT NULL, -- id
    squid      text COLLATE "C" NOT NULL, -- id
    limit_name text COLLATE "C" NOT NULL,
    detail     text COLLATE "C" NOT NULL CHECK (detail::json IS NOT NULL), -- an object
    PRIMARY KEY (ws, id),
    CHECK (fired_at IS NOT NULL OR (told = 0 AND reminders = 0))
);
CREATE INDEX IF NOT EXISTS alert_holds ON alert (ws, id) WHERE ended_at IS NULL;

-- Something to be told to somebody.
CREATE TABLE IF NOT EXISTS message (
    n         bigint NOT NULL CHECK (n > 0),
    run       bigint, -- NULL: of no run
    at        bigint NOT NULL,
    ws        integer NOT NULL,
    id        text COLLATE "C" NOT NULL, -- the idempotency key
    event     text COLLATE "C" NOT NULL CHECK (event IN ('fired', 'recovered', 'reminder', 'digest', 'test')),
    condition text COLLATE "C" NOT NULL,
    accounts  text COLLATE "C" NOT NULL CHECK (accounts::json IS NOT NULL), -- a list of ids
    sinks     text COLLATE "C" NOT NULL CHECK (sinks::json IS NOT NULL), -- a list of names: each has a delivery
    body      text COLLATE "C" NOT NULL CHECK (body::json IS NOT NULL), -- an object; {} once an account of it was redacted
    PRIMARY KEY (ws, n)
);
CREATE UNIQUE INDEX IF NOT EXISTS message_id ON message (ws, id);

-- A message on its way to one sink.
CREATE TABLE IF NOT EXISTS delivery (
    message  bigint NOT NULL,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    next_at  bigint, -- when it may be tried next
    ended_at bigint, -- when it was delivered or dropped
    ws       integer NOT NULL,
    pause    smallint NOT NULL CHECK (pause IN (0, 1)), -- nothing else is sent to the sink before next_at
    asked    smallint NOT NULL CHECK (asked IN (0, pause)), -- the sink itself asked for the time until next_at
    sink     text COLLATE "C" NOT NULL,
    state    text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'dropped')),
    error    text COLLATE "C" NOT NULL, -- of the last attempt
    PRIMARY KEY (ws, message, sink),
    CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (ws, next_at) WHERE next_at IS NOT NULL;

-- Alerts that are not told until a moment: those of an account, a type or a squid.
CREATE TABLE IF NOT EXISTS silence (
    id       bigint NOT NULL CHECK (id > 0),
    from_at  bigint NOT NULL,
    until_at bigint NOT NULL CHECK (until_at >= from_at),
    ws       integer NOT NULL,
    account  text COLLATE "C" NOT NULL, -- id
    type     text COLLATE "C" NOT NULL,
    squid    text COLLATE "C" NOT NULL, -- id
    reason   text COLLATE "C" NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (ws, id),
    CHECK ((account <> '')::integer + (type <> '')::integer + (squid <> '')::integer = 1)
);

-- Up to which run a consumer has seen the changes.
CREATE TABLE IF NOT EXISTS cursor (
    run      bigint NOT NULL CHECK (run >= 0),
    ws       integer NOT NULL,
    consumer text COLLATE "C" NOT NULL CHECK (consumer <> ''),
    PRIMARY KEY (ws, consumer)
);

CREATE OR REPLACE VIEW alerts AS
SELECT
    w.name AS workspace,
    x.id AS alert,
    x.condition AS condition,
    nullif(x.account, '') AS account,
    v.username AS username,
    v.type AS type,
    nullif(x.squid, '') AS squid,
    (
        SELECT n.name FROM squid q JOIN squid_name n ON n.ws = q.ws AND n.squid = q.id
        WHERE q.ws = x.ws AND q.hash = x.squid ORDER BY n.at DESC LIMIT 1
    ) AS squid_name,
    nullif(x.limit_name, '') AS limit_name,
    instant_text(x.after) COLLATE "C" AS after,
    instant_text(x.before) COLLATE "C" AS before,
    x.run AS run,
    x.polls AS polls,
    CASE WHEN x.ended_at IS NOT NULL THEN 'ended' WHEN x.fired_at IS NULL THEN 'pending' ELSE 'open' END COLLATE "C" AS state,
    instant_text(x.fired_at) COLLATE "C" AS fired_at,
    instant_text(x.ended_at) COLLATE "C" AS ended_at,
    x.told AS told,
    x.silenced AS silenced,
    x.reminders AS reminders,
    x.detail AS detail
FROM alert x
JOIN workspace w ON w.id = x.ws
LEFT JOIN account a ON a.ws = x.ws AND a.hash = x.account
LEFT JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL;

CREATE OR REPLACE VIEW deliveries AS
SELECT
    w.name AS workspace,
    m.id AS message,
    m.event AS event,
    nullif(m.condition, '') AS condition,
    m.run AS run,
    instant_text(m.at) COLLATE "C" AS at,
    d.sink AS sink,
    d.state AS state,
    d.attempts AS attempts,
    instant_text(d.next_at) COLLATE "C" AS next_at,
    instant_text(d.ended_at) COLLATE "C" AS ended_at,
    nullif(d.error, '') AS error,
    m.body AS body
FROM delivery d
JOIN message m ON m.ws = d.ws AND m.n = d.message
JOIN workspace w ON w.id = d.ws;

-- +goose Down
DROP VIEW IF EXISTS deliveries;
DROP VIEW IF EXISTS alerts;
DROP TABLE IF EXISTS cursor;
DROP TABLE IF EXISTS silence;
DROP TABLE IF EXISTS delivery;
DROP TABLE IF EXISTS message;
DROP TABLE IF EXISTS alert;
DROP TABLE IF EXISTS alert_place;
