-- Evidence: what the API said, and when. Rows are written once: when what they say
-- begins to hold. Every key begins with the workspace (ws): the history of a workspace
-- stands alone, with numbers of its own. Instants are Unix milliseconds, UTC; the
-- instant of a response (at) is its key, for no two of a workspace have the same.
-- Sources are 1 (list), 2 (detail) and 3 (import); endpoints are 1 (list), 2 (detail) and
-- 3 (the list of the vendor's own command): that of an imported object goes by its shape.

-- +goose Up

-- The rows of goose_db_version are the same in every store, so that verify knows each
-- of them: the time of a migration, which no other row confirms, is not kept.
UPDATE goose_db_version SET tstamp = '1970-01-01 00:00:00';
-- +goose StatementBegin
CREATE TRIGGER migration_has_no_time AFTER INSERT ON goose_db_version
BEGIN UPDATE goose_db_version SET tstamp = '1970-01-01 00:00:00' WHERE id = new.id; END;
-- +goose StatementEnd

-- Settings of the store itself: the version of the rules by which it was derived.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY NOT NULL,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- The scope of one API key.
CREATE TABLE workspace (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One job that took snapshots. The counters move with each response.
CREATE TABLE run (
    ws          INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    scope       TEXT NOT NULL CHECK (scope IN ('all', 'named', 'import')),
    state       TEXT NOT NULL CHECK (state IN ('running', 'complete', 'incomplete', 'interrupted', 'failed')),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    first_at    INTEGER, -- of its first response; NULL: it has none
    last_at     INTEGER,
    requested   INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    gone        INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    warnings    TEXT NOT NULL, -- a JSON list
    held_ms     INTEGER NOT NULL, -- the longest by which the clock was behind the newest response
    skew_ms     INTEGER, -- by how much the clock was ahead of the server's, where it was most; NULL: no server told
    pid         INTEGER NOT NULL,
    rules       INTEGER NOT NULL, -- version
    PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_started ON run (strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch'));
CREATE INDEX run_finished ON run (strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch'));

-- One understood answer of the API. It stands for as many snapshots as it showed
-- accounts: those that table shown has on its slot.
CREATE TABLE response (
    ws        INTEGER NOT NULL,
    at        INTEGER NOT NULL, -- when it was received, rounded up
    run       INTEGER NOT NULL,
    source    INTEGER NOT NULL,
    slot      INTEGER NOT NULL, -- a page of the list (-1, -2, ...), or the account that was asked for
    sent_at   INTEGER NOT NULL, -- rounded down
    server_at INTEGER, -- the Date header
    held_ms   INTEGER NOT NULL, -- by how much at was raised
    shown     INTEGER NOT NULL, -- snapshots, those of absent accounts included
    changed   INTEGER NOT NULL, -- how many of them began a version
    absent    INTEGER NOT NULL, -- how many were answered with 404
    gone      INTEGER NOT NULL, -- how many of those newly
    news      INTEGER NOT NULL, -- of how many accounts it showed something new
    PRIMARY KEY (ws, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX response_slot ON response (ws, source, slot, at);
CREATE INDEX response_sent ON response (strftime('%Y-%m-%dT%H:%M:%fZ', sent_at / 1000.0, 'unixepoch'));
CREATE INDEX response_received ON response (strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'));
-- Versions and changes begin with a response that has news: a filter on their instants
-- searches this index, and then their keys.
CREATE INDEX response_news ON response (strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')) WHERE news > 0;

CREATE TABLE account (
    ws       INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    hash     TEXT NOT NULL CHECK (length(hash) = 32),
    first_at INTEGER NOT NULL, -- of the response that first showed it
    salt     BLOB NOT NULL, -- the secret in its commitments; empty once it was redacted
    PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_hash ON account (ws, hash);

-- Which accounts the responses of a slot showed, from the first to the last one.
CREATE TABLE shown (
    ws       INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    source   INTEGER NOT NULL,
    slot     INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL, -- 9223372036854775807: still
    endpoint INTEGER NOT NULL, -- by the shape of the object
    PRIMARY KEY (ws, account, source, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX shown_slot ON shown (ws, source, slot, last, first);
-- When an account was last seen, where it moves from page to page all the time.
CREATE INDEX shown_last ON shown (ws, account, last);

-- Names of members of account objects, and of members of members (sub, behind a
-- slash; empty for a member as a whole).
CREATE TABLE name (
    ws  INTEGER NOT NULL,
    id  INTEGER NOT NULL,
    top TEXT NOT NULL,
    sub TEXT NOT NULL,
    PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX name_text ON name (ws, top, sub);

-- Values that are long, once each.
CREATE TABLE value (
    ws     INTEGER NOT NULL,
    id     INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32), -- SHA-256 of body
    body   TEXT NOT NULL,
    PRIMARY KEY (ws, id)
) STRICT;
CREATE UNIQUE INDEX value_digest ON value (ws, digest);

-- What an endpoint says of a member of an account object from a response on: JSON, in
-- value or in the row of table value. Both are NULL when it no longer sends the
-- member. Volatile values are null (see usage), the icon is a reference, secrets are
-- "[withheld]". An object is {} and its members are facts of their own.
CREATE TABLE fact (
    ws       INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    name     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    value    TEXT,
    value_id INTEGER,
    PRIMARY KEY (ws, account, endpoint, name, at)
) STRICT, WITHOUT ROWID;

-- Icons, once each. body is the text of the JSON string.
CREATE TABLE icon (
    ws     INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32), -- SHA-256 of body
    body   TEXT NOT NULL,
    PRIMARY KEY (ws, digest)
) STRICT;

-- Volatile values, whenever they moved. name is that of the object that holds them
-- (params, /user/NAME; body: its volatile members) or of the value (resets_in).
CREATE TABLE usage (
    ws      INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    account INTEGER NOT NULL,
    name    INTEGER NOT NULL,
    body    TEXT NOT NULL,
    max     TEXT, -- JSON: the limit in force, where there is one
    PRIMARY KEY (ws, at, account, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_account ON usage (ws, account, name, at);

-- Times in which complete lists lacked an account.
CREATE TABLE absence (
    ws      INTEGER NOT NULL,
    account INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    ended   INTEGER, -- the response that showed it again; NULL: still
    PRIMARY KEY (ws, account, since)
) STRICT, WITHOUT ROWID;

-- What could not be snapshotted, and why.
CREATE TABLE failure (
    ws          INTEGER NOT NULL,
    run         INTEGER NOT NULL,
    n           INTEGER NOT NULL, -- in the run, from 1 on
    account     TEXT, -- id; NULL where the bytes did not tell
    kind        TEXT NOT NULL CHECK (kind IN ('http', 'network', 'decode', 'not_found', 'auth', 'rate_limit', 'mismatch')),
    http_status INTEGER,
    message     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    salt        BLOB NOT NULL, -- the secret in the commitment to the message; empty once that was redacted
    PRIMARY KEY (ws, run, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX failure_at ON failure (strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'));

-- The transparency log of a workspace: each transaction that adds evidence adds an
-- entry, and the entries are the leaves of a Merkle tree. See package store/ledger.
CREATE TABLE entry (
    ws     INTEGER NOT NULL,
    id     INTEGER NOT NULL, -- from 1 on
    text   TEXT, -- without its header; NULL: all responses that it names were pruned
    hashes BLOB NOT NULL, -- of the leaf, and of each subtree that it completes, going up
    PRIMARY KEY (ws, id)
) STRICT, WITHOUT ROWID;

-- What is left of what a redaction erased: commitments. what and at name what they
-- are of: 'account' (the username), 'document' and the endpoint, 'counters', 'failure'.
CREATE TABLE redacted (
    ws      INTEGER NOT NULL,
    account INTEGER NOT NULL,
    what    TEXT NOT NULL,
    part    INTEGER NOT NULL, -- the endpoint of a document, the run of a failure; else 0
    at      INTEGER NOT NULL, -- since when it held; the number of a failure
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (ws, account, what, part, at)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE redacted;
DROP TABLE entry;
DROP TABLE failure;
DROP TABLE absence;
DROP TABLE usage;
DROP TABLE icon;
DROP TABLE fact;
DROP TABLE value;
DROP TABLE name;
DROP TABLE shown;
DROP TABLE account;
DROP TABLE response;
DROP TABLE run;
DROP TABLE workspace;
DROP TABLE setting;
DROP TRIGGER migration_has_no_time;
