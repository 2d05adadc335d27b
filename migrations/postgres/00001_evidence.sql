-- Evidence: what the API said, and when. The tables are those of a store in SQLite
-- (migrations/sqlite/00001_evidence.sql says what their columns mean), and hold the same
-- values. One database, or one schema of it, holds one store of many workspaces.
--
-- What all files of this folder keep to, so that a store works on PostgreSQL, Citus,
-- CockroachDB and YugabyteDB alike, also when it is distributed by workspace:
--
--   - Every key begins with the workspace (ws), and the writer assigns all numbers:
--     nothing is counted across workspaces. (goose keeps a table of its own,
--     goose_db_version, whose numbers the server assigns.)
--   - No text of any length is in an index: an entry of an index has room for 2,700
--     bytes, and a name that the API sends may be longer. Such names are unique because
--     the one writer of a workspace looks them up before it numbers them.
--   - No trigger: SQLite's guards of append-only tables protect a file that any program
--     may open. Here rights do that: see the help on roles. SQLite's figures for its query
--     planner have no counterpart either: the server gathers its own.
--   - Each statement can be run again, and runs on its own (NO TRANSACTION): a migration
--     that was interrupted is repeated from its start. YugabyteDB cannot undo DDL.
--   - No name of a schema: the connection's search_path decides.
--   - All text is compared byte by byte (COLLATE "C"), as SQLite does and Go does.
--   - A text cannot hold U+0000. It is stored as U+0001 U+0001, and U+0001 as U+0001 U+0002:
--     nothing is lost, and the order of texts stays. (JSON has no such characters: it
--     escapes them.)
--   - Flags are 0 or 1, so that both engines give the same answers.
--   - Columns are ordered by their width, so that no row has gaps.

-- +goose NO TRANSACTION
-- +goose Up

-- The text of an instant: RFC 3339, UTC, with milliseconds. NULL for NULL, and for an
-- instant outside the years 1 to 9999. to_char depends on no setting with this pattern,
-- so that the result can be indexed. The half of a millisecond makes up for what a
-- double cannot hold of instants in the far future. (A function in SQL would take three
-- times as long: it cannot be inlined.)
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION instant_text(ms bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10 AS $$
BEGIN
    IF ms BETWEEN -62135596800000 AND 253402300799999 THEN
        RETURN to_char(timestamp '1970-01-01 00:00:00.0005' + make_interval(secs => ms / 1000.0::double precision),
            'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Settings of a workspace: 'rules' is the version of the rules by which it was derived.
CREATE TABLE IF NOT EXISTS setting (
    value bigint NOT NULL,
    ws    integer NOT NULL,
    name  text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, name)
);

-- The scope of one API key. It is the one table without a workspace in front of its
-- keys: its id is the workspace, and its name is unique in the store. It is small, read
-- by every view, and hardly ever written: on Citus it is a reference table, which each
-- node has whole, so that the name can be unique there too.
CREATE TABLE IF NOT EXISTS workspace (
    id   integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS workspace_name ON workspace (name);

-- One job that took snapshots. The counters move with each response.
CREATE TABLE IF NOT EXISTS run (
    id          bigint NOT NULL,
    started_at  bigint NOT NULL,
    finished_at bigint,
    first_at    bigint, -- of its first response; NULL: it has none
    last_at     bigint,
    requested   bigint NOT NULL,
    changed     bigint NOT NULL,
    unchanged   bigint NOT NULL,
    gone        bigint NOT NULL,
    failed      bigint NOT NULL,
    requests    bigint NOT NULL,
    held_ms     bigint NOT NULL, -- the longest by which the clock was behind the newest response
    skew_ms     bigint, -- by how much the clock was ahead of the server's, where it was most; NULL: no server told
    pid         bigint NOT NULL,
    rules       bigint NOT NULL, -- version
    ws          integer NOT NULL,
    scope       text COLLATE "C" NOT NULL CHECK (scope IN ('all', 'named', 'import')),
    state       text COLLATE "C" NOT NULL CHECK (state IN ('running', 'complete', 'incomplete', 'interrupted', 'failed')),
    warnings    text COLLATE "C" NOT NULL, -- a JSON list
    PRIMARY KEY (ws, id)
);
CREATE INDEX IF NOT EXISTS run_started ON run (instant_text(started_at) COLLATE "C");
CREATE INDEX IF NOT EXISTS run_finished ON run (instant_text(finished_at) COLLATE "C");

-- One understood answer of the API. It stands for as many snapshots as it showed
-- accounts: those that table shown has on its slot.
CREATE TABLE IF NOT EXISTS response (
    at        bigint NOT NULL, -- when it was received, rounded up
    run       bigint NOT NULL,
    slot      bigint NOT NULL, -- a page of the list (-1, -2, ...), or the account that was asked for
    sent_at   bigint NOT NULL, -- rounded down
    server_at bigint, -- the Date header
    held_ms   bigint NOT NULL, -- by how much at was raised
    ws        integer NOT NULL,
    shown     integer NOT NULL, -- snapshots, those of absent accounts included
    changed   integer NOT NULL, -- how many of them began a version
    absent    integer NOT NULL, -- how many were answered with 404
    gone      integer NOT NULL, -- how many of those newly
    news      integer NOT NULL, -- of how many accounts it showed something new
    source    smallint NOT NULL,
    PRIMARY KEY (ws, at)
);
CREATE INDEX IF NOT EXISTS response_slot ON response (ws, source, slot, at);
-- There is none on sent_at: it would take half a byte for each snapshot that there is, and
-- reading all responses for the few who ask for it is fast.
CREATE INDEX IF NOT EXISTS response_received ON response (instant_text(at) COLLATE "C");
-- Versions and changes begin with a response that has news: a filter on their instants
-- searches this index, and then their keys.
CREATE INDEX IF NOT EXISTS response_news ON response (instant_text(at) COLLATE "C") WHERE news > 0;

CREATE TABLE IF NOT EXISTS account (
    id       bigint NOT NULL,
    first_at bigint NOT NULL, -- of the response that first showed it
    ws       integer NOT NULL,
    hash     text COLLATE "C" NOT NULL CHECK (length(hash) = 32),
    salt     bytea NOT NULL, -- the secret in its commitments; empty once it was redacted
    PRIMARY KEY (ws, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS account_hash ON account (ws, hash);

-- Which accounts the responses of a slot showed, from the first to the last one.
CREATE TABLE IF NOT EXISTS shown (
    account  bigint NOT NULL,
    slot     bigint NOT NULL,
    first    bigint NOT NULL,
    last     bigint NOT NULL, -- 9223372036854775807: still
    ws       integer NOT NULL,
    source   smallint NOT NULL,
    endpoint smallint NOT NULL, -- by the shape of the object
    PRIMARY KEY (ws, account, source, first)
);
CREATE INDEX IF NOT EXISTS shown_slot ON shown (ws, source, slot, last, first);
-- When an account was last seen, where it moves from page to page all the time.
CREATE INDEX IF NOT EXISTS shown_last ON shown (ws, account, last);

-- Names of members of account objects, and of members of members (sub, behind a
-- slash; empty for a member as a whole).
CREATE TABLE IF NOT EXISTS name (
    id  bigint NOT NULL,
    ws  integer NOT NULL,
    top text COLLATE "C" NOT NULL,
    sub text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, id)
);

-- Values that are long, once each.
CREATE TABLE IF NOT EXISTS value (
    id     bigint NOT NULL,
    ws     integer NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32), -- SHA-256 of body
    body   text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS value_digest ON value (ws, digest);

-- What an endpoint says of a member of an account object from a response on: JSON, in
-- value or in the row of table value. Both are NULL when it no longer sends the
-- member.
CREATE TABLE IF NOT EXISTS fact (
    account  bigint NOT NULL,
    name     bigint NOT NULL,
    at       bigint NOT NULL,
    value_id bigint,
    ws       integer NOT NULL,
    endpoint smallint NOT NULL,
    value    text COLLATE "C",
    PRIMARY KEY (ws, account, endpoint, name, at)
);

-- Icons, once each. body is the text of the JSON string.
CREATE TABLE IF NOT EXISTS icon (
    ws     integer NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32), -- SHA-256 of body
    body   text COLLATE "C" NOT NULL,
    PRIMARY KEY (ws, digest)
);

-- Volatile values, whenever they moved.
CREATE TABLE IF NOT EXISTS usage (
    at      bigint NOT NULL,
    account bigint NOT NULL,
    name    bigint NOT NULL,
    ws      integer NOT NULL,
    body    text COLLATE "C" NOT NULL,
    max     text COLLATE "C", -- JSON: the limit in force, where there is one
    PRIMARY KEY (ws, at, account, name)
);
CREATE INDEX IF NOT EXISTS usage_account ON usage (ws, account, name, at);

-- Times in which complete lists lacked an account.
CREATE TABLE IF NOT EXISTS absence (
    account bigint NOT NULL,
    since   bigint NOT NULL,
    run     bigint NOT NULL,
    ended   bigint, -- the response that showed it again; NULL: still
    ws      integer NOT NULL,
    PRIMARY KEY (ws, account, since)
);

-- What could not be snapshotted, and why.
CREATE TABLE IF NOT EXISTS failure (
    run         bigint NOT NULL,
    n           bigint NOT NULL, -- in the run, from 1 on
    at          bigint NOT NULL,
    http_status bigint,
    ws          integer NOT NULL,
    account     text COLLATE "C", -- id; NULL where the bytes did not tell
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('http', 'network', 'decode', 'not_found', 'auth', 'rate_limit', 'mismatch')),
    message     text COLLATE "C" NOT NULL,
    salt        bytea NOT NULL, -- the secret in the commitment to the message; empty once that was redacted
    PRIMARY KEY (ws, run, n)
);
CREATE INDEX IF NOT EXISTS failure_at ON failure (instant_text(at) COLLATE "C");

-- The transparency log of a workspace: each transaction that adds evidence adds an
-- entry, and the entries are the leaves of a Merkle tree.
CREATE TABLE IF NOT EXISTS entry (
    id     bigint NOT NULL, -- from 1 on
    ws     integer NOT NULL,
    text   text COLLATE "C", -- without its header; NULL: all responses that it names were pruned
    hashes bytea NOT NULL, -- of the leaf, and of each subtree that it completes, going up
    PRIMARY KEY (ws, id)
);

-- What is left of what a redaction erased: commitments.
CREATE TABLE IF NOT EXISTS redacted (
    account bigint NOT NULL,
    part    bigint NOT NULL, -- the endpoint of a document, the run of a failure; else 0
    at      bigint NOT NULL, -- since when it held; the number of a failure
    ws      integer NOT NULL,
    what    text COLLATE "C" NOT NULL,
    hash    bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (ws, account, what, part, at)
);

-- +goose Down
DROP TABLE IF EXISTS redacted;
DROP TABLE IF EXISTS entry;
DROP TABLE IF EXISTS failure;
DROP TABLE IF EXISTS absence;
DROP TABLE IF EXISTS usage;
DROP TABLE IF EXISTS icon;
DROP TABLE IF EXISTS fact;
DROP TABLE IF EXISTS value;
DROP TABLE IF EXISTS name;
DROP TABLE IF EXISTS shown;
DROP TABLE IF EXISTS account;
DROP TABLE IF EXISTS response;
DROP TABLE IF EXISTS run;
DROP TABLE IF EXISTS workspace;
DROP TABLE IF EXISTS setting;
DROP FUNCTION IF EXISTS instant_text(bigint);
