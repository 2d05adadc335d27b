-- Derived: what the rules made of the evidence, written beside it so that
-- reading changes costs what changed. All of it can be derived again.

-- +goose Up

-- A stretch of equal snapshots of one account.
CREATE TABLE version (
    id                        INTEGER PRIMARY KEY,
    account_id                INTEGER NOT NULL REFERENCES account (id),
    number                    INTEGER NOT NULL, -- 1 is the first
    response_id               INTEGER NOT NULL REFERENCES response (id), -- of its first snapshot
    document_id               INTEGER NOT NULL REFERENCES document (id), -- of its first snapshot
    valid_from                INTEGER NOT NULL, -- received_at of its first snapshot
    health                    TEXT NOT NULL, -- at its first snapshot
    status                    TEXT,
    status_code_info          TEXT,
    status_code_description   TEXT,
    username                  TEXT NOT NULL, -- a gone account keeps its last name and type
    type                      TEXT NOT NULL,
    last_synchronization_time TEXT,
    locked_until              INTEGER,
    squid_count               INTEGER NOT NULL,
    UNIQUE (account_id, number)
) STRICT;
CREATE INDEX version_by_time ON version (account_id, valid_from);

-- One difference between two neighbouring versions. old and new are JSON; NULL:
-- there was no such value.
CREATE TABLE change (
    id            INTEGER PRIMARY KEY,
    account_id    INTEGER NOT NULL REFERENCES account (id),
    version_id    INTEGER NOT NULL REFERENCES version (id), -- the newer one
    kind          TEXT NOT NULL,
    path          TEXT NOT NULL,
    old           TEXT,
    new           TEXT,
    health_before TEXT,
    health_after  TEXT,
    after         INTEGER, -- NULL: first sight
    before        INTEGER NOT NULL
) STRICT;
CREATE INDEX change_by_account ON change (account_id, before);
CREATE INDEX change_by_time ON change (before, account_id);

-- A step in which a status field or the health changed, the first sight
-- included (health_before is then NULL). Health can step within a version: a
-- lock that only resets_in tells of makes no version.
CREATE TABLE status_step (
    id            INTEGER PRIMARY KEY,
    account_id    INTEGER NOT NULL REFERENCES account (id),
    response_id   INTEGER NOT NULL REFERENCES response (id),
    status_before TEXT,
    status_after  TEXT,
    info_before   TEXT,
    info_after    TEXT,
    health_before TEXT,
    health_after  TEXT NOT NULL,
    after         INTEGER, -- NULL: first sight
    before        INTEGER NOT NULL
) STRICT;
CREATE INDEX status_step_by_account ON status_step (account_id, before);
CREATE INDEX status_step_by_time ON status_step (before, account_id);

CREATE TABLE squid (
    id           INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    hash         TEXT NOT NULL,
    UNIQUE (workspace_id, hash)
) STRICT;

-- The names a squid had, each from the response that first showed it.
CREATE TABLE squid_name (
    squid_id INTEGER NOT NULL REFERENCES squid (id),
    since    INTEGER NOT NULL, -- received_at
    name     TEXT NOT NULL,
    PRIMARY KEY (squid_id, since)
) STRICT, WITHOUT ROWID;

-- A squid using an account for a time.
CREATE TABLE assignment (
    id          INTEGER PRIMARY KEY,
    squid_id    INTEGER NOT NULL REFERENCES squid (id),
    account_id  INTEGER NOT NULL REFERENCES account (id),
    from_after  INTEGER, -- NULL: it was so when the account was first seen
    from_before INTEGER NOT NULL,
    to_after    INTEGER,
    to_before   INTEGER, -- NULL: still
    CHECK ((to_after IS NULL) = (to_before IS NULL))
) STRICT;
CREATE INDEX assignment_by_squid ON assignment (squid_id, from_before);
CREATE INDEX assignment_by_account ON assignment (account_id, from_before);
CREATE INDEX assignment_open ON assignment (account_id, squid_id) WHERE to_before IS NULL;

-- A time in which complete lists lacked the account.
CREATE TABLE absence (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    run_id     INTEGER NOT NULL REFERENCES run (id),
    since      INTEGER NOT NULL, -- received_at of the list's last page
    ended      INTEGER -- received_at of the list that had it again; NULL: still
) STRICT;
CREATE INDEX absence_by_account ON absence (account_id, since);

-- Where each account stands: what the next snapshot is compared with.
CREATE TABLE head (
    account_id         INTEGER PRIMARY KEY REFERENCES account (id),
    version_id         INTEGER NOT NULL REFERENCES version (id),
    status_step_id     INTEGER NOT NULL REFERENCES status_step (id),
    health             TEXT NOT NULL,
    health_after       INTEGER, -- the window in which it became that; NULL: first sight
    health_before      INTEGER NOT NULL,
    gone               INTEGER NOT NULL DEFAULT 0,
    locked_until       INTEGER, -- the lock that lasts; its end is a change
    absence_id         INTEGER REFERENCES absence (id), -- missing from lists since then
    list_digest        BLOB, -- SHA-256 of the object as received; NULL: not known
    list_document_id   INTEGER REFERENCES document (id),
    list_version_id    INTEGER REFERENCES version (id), -- the version that document last agreed with
    detail_digest      BLOB,
    detail_document_id INTEGER REFERENCES document (id),
    detail_version_id  INTEGER REFERENCES version (id),
    usage              TEXT NOT NULL DEFAULT '{}' -- pointer to body, the last of each
) STRICT;

-- When each endpoint last showed each account. Apart from head, because these
-- narrow rows are the only ones that move with every snapshot: the ids are those
-- of responses, and not looked up for that.
CREATE TABLE seen (
    account_id         INTEGER PRIMARY KEY REFERENCES account (id),
    list_response_id   INTEGER,
    detail_response_id INTEGER
) STRICT;

-- Versions, changes and steps are evidence's faithful shadow: they go only when
-- everything derived is derived again (the setting is there while that lasts).
-- +goose StatementBegin
CREATE TRIGGER version_is_kept BEFORE DELETE ON version WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'deriving')
BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER version_is_fixed BEFORE UPDATE ON version BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER change_is_kept BEFORE DELETE ON change WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'deriving')
BEGIN SELECT raise(ABORT, 'changes are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER change_is_fixed BEFORE UPDATE ON change BEGIN SELECT raise(ABORT, 'changes are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER status_step_is_kept BEFORE DELETE ON status_step WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'deriving')
BEGIN SELECT raise(ABORT, 'status steps are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER status_step_is_fixed BEFORE UPDATE ON status_step BEGIN SELECT raise(ABORT, 'status steps are append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE seen;
DROP TABLE head;
DROP TABLE absence;
DROP TABLE assignment;
DROP TABLE squid_name;
DROP TABLE squid;
DROP TABLE status_step;
DROP TABLE change;
DROP TABLE version;
