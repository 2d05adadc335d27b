-- Evidence: what the API said, and when. Rows of these tables are written once.
-- Instants are Unix milliseconds, UTC.

-- +goose Up

-- Settings of the store itself, such as the version of the rules by which
-- everything derived was derived.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY NOT NULL,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- The scope of one API key.
CREATE TABLE workspace (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One job that took snapshots. The counters move with each committed response.
CREATE TABLE run (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id  INTEGER NOT NULL REFERENCES workspace (id),
    scope         TEXT NOT NULL CHECK (scope IN ('all', 'named', 'import')),
    state         TEXT NOT NULL CHECK (state IN ('running', 'complete', 'incomplete', 'interrupted', 'failed')),
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    requested     INTEGER NOT NULL DEFAULT 0,
    changed       INTEGER NOT NULL DEFAULT 0,
    unchanged     INTEGER NOT NULL DEFAULT 0,
    gone          INTEGER NOT NULL DEFAULT 0,
    failed        INTEGER NOT NULL DEFAULT 0,
    requests      INTEGER NOT NULL DEFAULT 0,
    warnings      TEXT NOT NULL DEFAULT '[]' CHECK (json_type(warnings) = 'array'),
    held_ms       INTEGER NOT NULL DEFAULT 0, -- the longest by which the time of a response was raised (see response)
    skew_ms       INTEGER, -- by how much the clock was ahead of the server's, where it was most; NULL: no server told
    pid           INTEGER NOT NULL,
    rules_version INTEGER NOT NULL
) STRICT;

-- One understood answer of the API. Up to a hundred snapshots share it.
-- account_min and account_max bound the account ids it carries, so that the
-- snapshots of one account are found without a second order of that table.
CREATE TABLE response (
    id           INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    run_id       INTEGER NOT NULL REFERENCES run (id),
    source       TEXT NOT NULL CHECK (source IN ('list', 'detail', 'import')),
    sent_at      INTEGER NOT NULL, -- rounded down
    received_at  INTEGER NOT NULL, -- rounded up; never runs backwards within a workspace
    held_ms      INTEGER NOT NULL DEFAULT 0, -- by how much received_at was raised to keep that promise
    server_at    INTEGER, -- the answer's Date header
    account_min  INTEGER,
    account_max  INTEGER,
    CHECK (sent_at <= received_at)
) STRICT;
-- The bounds stand in the index too: looking for an account walks it alone.
CREATE INDEX response_by_time ON response (workspace_id, received_at, account_min, account_max);
CREATE INDEX response_by_run ON response (run_id);

CREATE TABLE account (
    id           INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    hash         TEXT NOT NULL CHECK (length(hash) = 32),
    first_seen   INTEGER NOT NULL, -- received_at of its first snapshot
    UNIQUE (workspace_id, hash)
) STRICT;

-- Icons, once each. body is the text of the JSON string.
CREATE TABLE icon (
    id     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32), -- SHA-256 of body
    body   TEXT NOT NULL
) STRICT;

-- An account object as one endpoint sent it from one response on. Volatile
-- values are null in it (see usage), a string under "icon" is "sha256:" and the
-- hex digest of the icon, and a secret is "[withheld]". NULL: answered 404.
CREATE TABLE document (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES account (id),
    source      TEXT NOT NULL CHECK (source IN ('list', 'detail', 'import')),
    response_id INTEGER NOT NULL REFERENCES response (id),
    body        TEXT
) STRICT;
CREATE INDEX document_by_account ON document (account_id, response_id);

-- What the API said of one account at one instant. The key is in the order of
-- arrival: appending in key order is several times as fast as any other. The
-- account is that of the document; checking it too would cost a lookup a row.
CREATE TABLE snapshot (
    response_id INTEGER NOT NULL REFERENCES response (id),
    account_id  INTEGER NOT NULL,
    document_id INTEGER NOT NULL REFERENCES document (id),
    PRIMARY KEY (response_id, account_id)
) STRICT, WITHOUT ROWID;

-- Volatile values, once for each snapshot that moves them. pointer is the
-- object that holds them (/params/user/NAME, body: its volatile members) or the
-- value itself (/resets_in).
CREATE TABLE usage (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    pointer     TEXT NOT NULL,
    response_id INTEGER NOT NULL REFERENCES response (id),
    body        TEXT NOT NULL,
    max         TEXT, -- JSON: the limit in force, where there is one
    PRIMARY KEY (account_id, pointer, response_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_response ON usage (response_id);

-- What could not be snapshotted, and why.
CREATE TABLE failure (
    id          INTEGER PRIMARY KEY,
    run_id      INTEGER NOT NULL REFERENCES run (id),
    account     TEXT, -- id; NULL where the bytes did not tell
    kind        TEXT NOT NULL CHECK (kind IN
        ('http', 'network', 'decode', 'not_found', 'auth', 'rate_limit', 'mismatch')),
    http_status INTEGER,
    message     TEXT NOT NULL,
    at          INTEGER NOT NULL
) STRICT;
CREATE INDEX failure_by_run ON failure (run_id);

-- +goose StatementBegin
CREATE TRIGGER response_is_kept BEFORE DELETE ON response BEGIN SELECT raise(ABORT, 'responses are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER response_is_fixed BEFORE UPDATE ON response BEGIN SELECT raise(ABORT, 'responses are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER account_is_kept BEFORE DELETE ON account BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER account_is_fixed BEFORE UPDATE ON account BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER icon_is_kept BEFORE DELETE ON icon BEGIN SELECT raise(ABORT, 'icons are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER icon_is_fixed BEFORE UPDATE ON icon BEGIN SELECT raise(ABORT, 'icons are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER document_is_kept BEFORE DELETE ON document BEGIN SELECT raise(ABORT, 'documents are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER document_is_fixed BEFORE UPDATE ON document BEGIN SELECT raise(ABORT, 'documents are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER snapshot_is_kept BEFORE DELETE ON snapshot BEGIN SELECT raise(ABORT, 'snapshots are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER snapshot_is_fixed BEFORE UPDATE ON snapshot BEGIN SELECT raise(ABORT, 'snapshots are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_is_kept BEFORE DELETE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_is_fixed BEFORE UPDATE ON usage BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER failure_is_kept BEFORE DELETE ON failure BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER failure_is_fixed BEFORE UPDATE ON failure BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER run_is_kept BEFORE DELETE ON run BEGIN SELECT raise(ABORT, 'runs are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER run_is_over BEFORE UPDATE ON run WHEN old.state <> 'running'
BEGIN SELECT raise(ABORT, 'a finished run is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE failure;
DROP TABLE usage;
DROP TABLE snapshot;
DROP TABLE document;
DROP TABLE icon;
DROP TABLE account;
DROP TABLE response;
DROP TABLE run;
DROP TABLE workspace;
DROP TABLE setting;
