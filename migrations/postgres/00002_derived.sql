-- Derived: what the rules make of the evidence, written beside it so that reading
-- changes costs what changed. All of it can be derived again, and never proves
-- anything. The tables are those of migrations/sqlite/00002_derived.sql.

-- +goose NO TRANSACTION
-- +goose Up

-- A stretch of equal snapshots of one account.
CREATE TABLE IF NOT EXISTS version (
    account                   bigint NOT NULL,
    at                        bigint NOT NULL, -- of its first response
    until                     bigint, -- of the first response of the next one; NULL: current
    number                    bigint NOT NULL, -- 1 is the first
    locked_until              bigint,
    squid_count               bigint NOT NULL,
    ws                        integer NOT NULL,
    endpoint                  smallint NOT NULL, -- that began it
    health                    text COLLATE "C" NOT NULL, -- at its first snapshot
    status                    text COLLATE "C",
    status_code_info          text COLLATE "C",
    status_code_description   text COLLATE "C",
    username                  text COLLATE "C" NOT NULL, -- a gone account keeps its last name and type
    type                      text COLLATE "C" NOT NULL,
    last_synchronization_time text COLLATE "C",
    PRIMARY KEY (ws, account, at)
);
CREATE INDEX IF NOT EXISTS version_at ON version (ws, at);
CREATE INDEX IF NOT EXISTS version_until ON version (instant_text(until) COLLATE "C");
-- The current version of an account is found by its account. (Those who look for one by
-- its name read these rows: a name may be too long for an index.)
CREATE UNIQUE INDEX IF NOT EXISTS version_now ON version (ws, account) WHERE until IS NULL;

-- One difference between two neighbouring versions. old and new are JSON; NULL:
-- there was no such value.
CREATE TABLE IF NOT EXISTS change (
    at            bigint NOT NULL, -- of the response that showed it: the end of its window
    account       bigint NOT NULL,
    n             bigint NOT NULL, -- among those of the account then, from 1 on
    after         bigint, -- NULL: first sight
    ws            integer NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    path          text COLLATE "C" NOT NULL,
    old           text COLLATE "C",
    new           text COLLATE "C",
    health_before text COLLATE "C",
    health_after  text COLLATE "C",
    PRIMARY KEY (ws, at, account, n)
);
CREATE INDEX IF NOT EXISTS change_after ON change (instant_text(after) COLLATE "C");

-- A step in which a status field or the health changed, the first sight included
-- (health_before is then NULL).
CREATE TABLE IF NOT EXISTS status_step (
    account       bigint NOT NULL,
    at            bigint NOT NULL,
    after         bigint, -- NULL: first sight
    ws            integer NOT NULL,
    status_before text COLLATE "C",
    status_after  text COLLATE "C",
    info_before   text COLLATE "C",
    info_after    text COLLATE "C",
    health_before text COLLATE "C",
    health_after  text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, account, at)
);
CREATE INDEX IF NOT EXISTS status_step_at ON status_step (ws, at, account);
CREATE INDEX IF NOT EXISTS status_step_before ON status_step (instant_text(at) COLLATE "C");
CREATE INDEX IF NOT EXISTS status_step_after ON status_step (instant_text(after) COLLATE "C");

CREATE TABLE IF NOT EXISTS squid (
    id   bigint NOT NULL,
    ws   integer NOT NULL,
    hash text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, id)
);

-- The names by which accounts call squids, each from the response that first showed
-- it.
CREATE TABLE IF NOT EXISTS squid_name (
    squid   bigint NOT NULL,
    account bigint NOT NULL,
    at      bigint NOT NULL,
    ws      integer NOT NULL,
    name    text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, squid, account, at)
);
CREATE INDEX IF NOT EXISTS squid_name_at ON squid_name (ws, squid, at);

-- A squid using an account for a time.
CREATE TABLE IF NOT EXISTS assignment (
    squid       bigint NOT NULL,
    account     bigint NOT NULL,
    from_before bigint NOT NULL,
    from_after  bigint, -- NULL: it was so when the account was first seen
    to_after    bigint,
    to_before   bigint, -- NULL: still
    ws          integer NOT NULL,
    PRIMARY KEY (ws, squid, account, from_before),
    CHECK ((to_after IS NULL) = (to_before IS NULL))
);
CREATE INDEX IF NOT EXISTS assignment_account ON assignment (ws, account, from_before);
CREATE INDEX IF NOT EXISTS assignment_open ON assignment (ws, account, squid) WHERE to_before IS NULL;
CREATE INDEX IF NOT EXISTS assignment_from_before ON assignment (instant_text(from_before) COLLATE "C");
CREATE INDEX IF NOT EXISTS assignment_from_after ON assignment (instant_text(from_after) COLLATE "C");
CREATE INDEX IF NOT EXISTS assignment_to_before ON assignment (instant_text(to_before) COLLATE "C");
CREATE INDEX IF NOT EXISTS assignment_to_after ON assignment (instant_text(to_after) COLLATE "C");

-- Where each account stands: what its next snapshot is compared with.
CREATE TABLE IF NOT EXISTS state (
    account       bigint NOT NULL,
    health_after  bigint, -- the window in which it became that; NULL: first sight
    health_before bigint NOT NULL,
    locked_until  bigint, -- when it must be looked at again, although nothing may have changed
    absent_since  bigint, -- since when complete lists lack it
    ws            integer NOT NULL,
    latest        smallint NOT NULL, -- the endpoint that spoke last
    gone          smallint NOT NULL,
    outdated      smallint NOT NULL, -- the status in known is out of date: a later document had another status_code_info, and no status
    health        text COLLATE "C" NOT NULL,
    known         text COLLATE "C", -- JSON: the latest word on every field; NULL: what the latest endpoint said
    dropped       text COLLATE "C", -- JSON: fields that an endpoint no longer sends
    PRIMARY KEY (ws, account)
);

-- What each endpoint said of each account last.
CREATE TABLE IF NOT EXISTS said (
    account     bigint NOT NULL,
    document_at bigint NOT NULL, -- since when it says that
    ws          integer NOT NULL,
    endpoint    smallint NOT NULL,
    digest      bytea, -- SHA-256 of the object as it was received; NULL: not known
    leaf        bytea NOT NULL, -- of a snapshot that shows it
    PRIMARY KEY (ws, account, endpoint)
);

-- The current documents, as facts make them.
CREATE TABLE IF NOT EXISTS body (
    account  bigint NOT NULL,
    ws       integer NOT NULL,
    endpoint smallint NOT NULL,
    body     text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, account, endpoint)
);

-- Where the volatile values stand: the last row of usage of each.
CREATE TABLE IF NOT EXISTS counter (
    account bigint NOT NULL,
    name    bigint NOT NULL,
    at      bigint NOT NULL,
    ws      integer NOT NULL,
    body    text COLLATE "C" NOT NULL,
    max     text COLLATE "C",
    PRIMARY KEY (ws, account, name)
);

-- +goose Down
DROP TABLE IF EXISTS counter;
DROP TABLE IF EXISTS body;
DROP TABLE IF EXISTS said;
DROP TABLE IF EXISTS state;
DROP TABLE IF EXISTS assignment;
DROP TABLE IF EXISTS squid_name;
DROP TABLE IF EXISTS squid;
DROP TABLE IF EXISTS status_step;
DROP TABLE IF EXISTS change;
DROP TABLE IF EXISTS version;
