-- Derived: what the rules make of the evidence, written beside it so that reading
-- changes costs what changed. All of it can be derived again, and never proves
-- anything.

-- +goose Up

-- A stretch of equal snapshots of one account.
CREATE TABLE version (
    ws                        INTEGER NOT NULL,
    account                   INTEGER NOT NULL,
    at                        INTEGER NOT NULL, -- of its first response
    until                     INTEGER, -- of the first response of the next one; NULL: current
    number                    INTEGER NOT NULL, -- 1 is the first
    endpoint                  INTEGER NOT NULL, -- that began it
    health                    TEXT NOT NULL, -- at its first snapshot
    status                    TEXT,
    status_code_info          TEXT,
    status_code_description   TEXT,
    username                  TEXT NOT NULL, -- a gone account keeps its last name and type
    type                      TEXT NOT NULL,
    last_synchronization_time TEXT,
    locked_until              INTEGER,
    squid_count               INTEGER NOT NULL,
    PRIMARY KEY (ws, account, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_at ON version (ws, at);
CREATE INDEX version_until ON version (strftime('%Y-%m-%dT%H:%M:%fZ', until / 1000.0, 'unixepoch'));
-- The current version of an account is found by its account, and by its name.
CREATE UNIQUE INDEX version_now ON version (ws, account) WHERE until IS NULL;
-- The names that accounts have now, for those who look for one by its name.
CREATE INDEX version_username ON version (ws, username COLLATE NOCASE, account) WHERE until IS NULL;

-- One difference between two neighbouring versions. old and new are JSON; NULL:
-- there was no such value.
CREATE TABLE change (
    ws            INTEGER NOT NULL,
    at            INTEGER NOT NULL, -- of the response that showed it: the end of its window
    account       INTEGER NOT NULL,
    n             INTEGER NOT NULL, -- among those of the account then, from 1 on
    kind          TEXT NOT NULL,
    path          TEXT NOT NULL,
    old           TEXT,
    new           TEXT,
    health_before TEXT,
    health_after  TEXT,
    after         INTEGER, -- NULL: first sight
    PRIMARY KEY (ws, at, account, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_after ON change (strftime('%Y-%m-%dT%H:%M:%fZ', after / 1000.0, 'unixepoch'));

-- A step in which a status field or the health changed, the first sight included
-- (health_before is then NULL). Health can step within a version: a lock that only
-- resets_in tells of makes no version.
CREATE TABLE status_step (
    ws            INTEGER NOT NULL,
    account       INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    status_before TEXT,
    status_after  TEXT,
    info_before   TEXT,
    info_after    TEXT,
    health_before TEXT,
    health_after  TEXT NOT NULL,
    after         INTEGER, -- NULL: first sight
    PRIMARY KEY (ws, account, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX status_step_at ON status_step (ws, at, account);
CREATE INDEX status_step_before ON status_step (strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'));
CREATE INDEX status_step_after ON status_step (strftime('%Y-%m-%dT%H:%M:%fZ', after / 1000.0, 'unixepoch'));

CREATE TABLE squid (
    ws   INTEGER NOT NULL,
    id   INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX squid_hash ON squid (ws, hash);

-- The names by which accounts call squids, each from the response that first showed
-- it.
CREATE TABLE squid_name (
    ws      INTEGER NOT NULL,
    squid   INTEGER NOT NULL,
    account INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    name    TEXT NOT NULL,
    PRIMARY KEY (ws, squid, account, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX squid_name_at ON squid_name (ws, squid, at);

-- A squid using an account for a time.
CREATE TABLE assignment (
    ws          INTEGER NOT NULL,
    squid       INTEGER NOT NULL,
    account     INTEGER NOT NULL,
    from_before INTEGER NOT NULL,
    from_after  INTEGER, -- NULL: it was so when the account was first seen
    to_after    INTEGER,
    to_before   INTEGER, -- NULL: still
    PRIMARY KEY (ws, squid, account, from_before),
    CHECK ((to_after IS NULL) = (to_before IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX assignment_account ON assignment (ws, account, from_before);
CREATE INDEX assignment_open ON assignment (ws, account, squid) WHERE to_before IS NULL;
CREATE INDEX assignment_from_before ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', from_before / 1000.0, 'unixepoch'));
CREATE INDEX assignment_from_after ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', from_after / 1000.0, 'unixepoch'));
CREATE INDEX assignment_to_before ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', to_before / 1000.0, 'unixepoch'));
CREATE INDEX assignment_to_after ON assignment (strftime('%Y-%m-%dT%H:%M:%fZ', to_after / 1000.0, 'unixepoch'));

-- Where each account stands: what its next snapshot is compared with.
CREATE TABLE state (
    ws            INTEGER NOT NULL,
    account       INTEGER NOT NULL,
    latest        INTEGER NOT NULL, -- the endpoint that spoke last
    gone          INTEGER NOT NULL,
    health        TEXT NOT NULL,
    health_after  INTEGER, -- the window in which it became that; NULL: first sight
    health_before INTEGER NOT NULL,
    locked_until  INTEGER, -- when it must be looked at again, although nothing may have changed
    absent_since  INTEGER, -- since when complete lists lack it
    known         TEXT, -- JSON: the latest word on every field; NULL: what the latest endpoint said
    outdated      INTEGER NOT NULL, -- the status in known is out of date: a later document had another status_code_info, and no status
    dropped       TEXT, -- JSON: fields that an endpoint no longer sends
    PRIMARY KEY (ws, account)
) STRICT, WITHOUT ROWID;

-- What each endpoint said of each account last.
CREATE TABLE said (
    ws          INTEGER NOT NULL,
    account     INTEGER NOT NULL,
    endpoint    INTEGER NOT NULL,
    digest      BLOB, -- SHA-256 of the object as it was received; NULL: not known
    leaf        BLOB NOT NULL, -- of a snapshot that shows it
    document_at INTEGER NOT NULL, -- since when it says that
    PRIMARY KEY (ws, account, endpoint)
) STRICT, WITHOUT ROWID;

-- The current documents, as facts make them.
CREATE TABLE body (
    ws       INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (ws, account, endpoint)
) STRICT;

-- Where the volatile values stand: the last row of usage of each.
CREATE TABLE counter (
    ws      INTEGER NOT NULL,
    account INTEGER NOT NULL,
    name    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    max     TEXT,
    PRIMARY KEY (ws, account, name)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE counter;
DROP TABLE body;
DROP TABLE said;
DROP TABLE state;
DROP TABLE assignment;
DROP TABLE squid_name;
DROP TABLE squid;
DROP TABLE status_step;
DROP TABLE change;
DROP TABLE version;
