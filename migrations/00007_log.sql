-- The transparency log: each transaction that adds evidence adds one entry, and the
-- entries are the leaves of a Merkle tree. See package store/ledger for the texts,
-- the commitments and the hashes.

-- +goose Up

-- What a transaction added. The leaf of entry 1 is number 0.
CREATE TABLE entry (
    id     INTEGER PRIMARY KEY, -- from 1 on, without a gap
    text   TEXT NOT NULL,
    hashes BLOB NOT NULL CHECK (length(hashes) % 32 = 0) -- of the leaf, and of each subtree that it completes, going up
) STRICT;

-- What came with a snapshot beside its document, where that was something new: the
-- bytes were others than the last ones of the endpoint, or counters moved (usage).
CREATE TABLE received (
    response_id INTEGER NOT NULL REFERENCES response (id),
    account_id  INTEGER NOT NULL REFERENCES account (id),
    digest      BLOB CHECK (length(digest) = 32), -- SHA-256 of the object as received; NULL: not kept
    PRIMARY KEY (response_id, account_id)
) STRICT, WITHOUT ROWID;

-- Subtrees of the tree over the snapshots of a response whose snapshots were all
-- thinned out.
CREATE TABLE thinned (
    response_id INTEGER NOT NULL REFERENCES response (id),
    first       INTEGER NOT NULL, -- the number of its first snapshot in the response, from 0
    size        INTEGER NOT NULL CHECK (size > 0),
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (response_id, first)
) STRICT, WITHOUT ROWID;

-- The secrets that go into commitments; empty once what they hide was erased.
DROP TRIGGER account_is_fixed;
ALTER TABLE account ADD COLUMN salt BLOB NOT NULL DEFAULT x'';
UPDATE account SET salt = randomblob(32);
-- +goose StatementBegin
CREATE TRIGGER account_is_fixed BEFORE UPDATE ON account BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER failure_is_fixed;
ALTER TABLE failure ADD COLUMN salt BLOB NOT NULL DEFAULT x'';
UPDATE failure SET salt = randomblob(32);
-- +goose StatementBegin
CREATE TRIGGER failure_is_fixed BEFORE UPDATE ON failure BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd

-- The leaf of a snapshot that shows the endpoint's last document and nothing new.
ALTER TABLE head ADD COLUMN list_leaf BLOB;
ALTER TABLE head ADD COLUMN detail_leaf BLOB;

-- What came before there was a log: of the bytes only the last ones are known.
INSERT INTO received (response_id, account_id) SELECT DISTINCT response_id, account_id FROM usage;
INSERT INTO received (response_id, account_id, digest)
SELECT seen.list_response_id, h.account_id, h.list_digest
FROM head h JOIN seen ON seen.account_id = h.account_id
WHERE h.list_digest IS NOT NULL
ON CONFLICT DO UPDATE SET digest = excluded.digest;
INSERT INTO received (response_id, account_id, digest)
SELECT seen.detail_response_id, h.account_id, h.detail_digest
FROM head h JOIN seen ON seen.account_id = h.account_id
WHERE h.detail_digest IS NOT NULL
ON CONFLICT DO UPDATE SET digest = excluded.digest;
-- What is derived gets the numbers that deriving it again gives.
UPDATE setting SET value = 0 WHERE name = 'rules';

-- +goose StatementBegin
CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_is_fixed BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER received_is_kept BEFORE DELETE ON received BEGIN SELECT raise(ABORT, 'what was received is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER received_is_fixed BEFORE UPDATE ON received BEGIN SELECT raise(ABORT, 'what was received is append-only'); END;
-- +goose StatementEnd

-- Snapshots go only while they are thinned out: the setting is there within that
-- transaction.
DROP TRIGGER snapshot_is_kept;
-- +goose StatementBegin
CREATE TRIGGER snapshot_is_kept BEFORE DELETE ON snapshot WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'pruning')
BEGIN SELECT raise(ABORT, 'snapshots are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER thinned_is_made BEFORE INSERT ON thinned WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'pruning')
BEGIN SELECT raise(ABORT, 'only prune thins snapshots out'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER thinned_is_kept BEFORE DELETE ON thinned WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'pruning')
BEGIN SELECT raise(ABORT, 'what was thinned out is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER thinned_is_fixed BEFORE UPDATE ON thinned BEGIN SELECT raise(ABORT, 'what was thinned out is append-only'); END;
-- +goose StatementEnd

-- What was erased of an account, and the commitments that the log has to it.
CREATE TABLE redacted (
    account_id INTEGER NOT NULL REFERENCES account (id),
    what       TEXT NOT NULL CHECK (what IN ('account', 'document', 'received', 'failure', 'icon')),
    id         INTEGER NOT NULL, -- of the account (for its name), document, response, failure or icon
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account_id, what, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX redacted_by_id ON redacted (what, id);

-- What is append-only gives way to a redaction: the setting is there within that
-- transaction.
DROP TRIGGER account_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER account_is_fixed BEFORE UPDATE ON account WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER icon_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER icon_is_fixed BEFORE UPDATE ON icon WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'icons are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER document_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER document_is_fixed BEFORE UPDATE ON document WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'documents are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER usage_is_kept;
-- +goose StatementBegin
CREATE TRIGGER usage_is_kept BEFORE DELETE ON usage WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER failure_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER failure_is_fixed BEFORE UPDATE ON failure WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER received_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER received_is_fixed BEFORE UPDATE ON received WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'what was received is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER version_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER version_is_fixed BEFORE UPDATE OF
    id, account_id, number, response_id, document_id, valid_from, health, status, status_code_info,
    status_code_description, username, type, last_synchronization_time, locked_until, squid_count ON version WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER change_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER change_is_fixed BEFORE UPDATE ON change WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'changes are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER status_step_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER status_step_is_fixed BEFORE UPDATE ON status_step WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'status steps are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER redacted_is_made BEFORE INSERT ON redacted WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'redacting')
BEGIN SELECT raise(ABORT, 'only redact erases'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER redacted_is_kept BEFORE DELETE ON redacted
BEGIN SELECT raise(ABORT, 'what was redacted is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER redacted_is_fixed BEFORE UPDATE ON redacted
BEGIN SELECT raise(ABORT, 'what was redacted is append-only'); END;
-- +goose StatementEnd

-- Which migrations were applied, and when, a second time: no entry tells.
-- +goose StatementBegin
CREATE TRIGGER migration_is_noted AFTER INSERT ON goose_db_version
BEGIN
    INSERT OR REPLACE INTO setting (name, value)
    SELECT 'migrations', group_concat(quote(id) || ' ' || quote(version_id) || ' ' || quote(is_applied) || ' ' || quote(tstamp), x'0a')
    FROM (SELECT id, version_id, is_applied, tstamp FROM goose_db_version ORDER BY id);
END;
-- +goose StatementEnd

-- See 00004_planner.sql.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('entry', NULL, '100000'),
    ('received', 'received', '500000 5 1'),
    ('thinned', 'thinned', '10000 5 1'),
    ('redacted', 'redacted', '1000 500 10 1'),
    ('redacted', 'redacted_by_id', '1000 200 1');

-- +goose Down
DROP TRIGGER migration_is_noted;
DELETE FROM setting WHERE name = 'migrations';
DELETE FROM sqlite_stat1 WHERE tbl IN ('entry', 'received', 'thinned', 'redacted');
DROP TRIGGER snapshot_is_kept;
-- +goose StatementBegin
CREATE TRIGGER snapshot_is_kept BEFORE DELETE ON snapshot BEGIN SELECT raise(ABORT, 'snapshots are append-only'); END;
-- +goose StatementEnd
DROP TABLE redacted;
DROP TRIGGER icon_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER icon_is_fixed BEFORE UPDATE ON icon
BEGIN SELECT raise(ABORT, 'icons are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER document_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER document_is_fixed BEFORE UPDATE ON document
BEGIN SELECT raise(ABORT, 'documents are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER usage_is_kept;
-- +goose StatementBegin
CREATE TRIGGER usage_is_kept BEFORE DELETE ON usage
BEGIN SELECT raise(ABORT, 'usage is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER version_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER version_is_fixed BEFORE UPDATE OF
    id, account_id, number, response_id, document_id, valid_from, health, status, status_code_info,
    status_code_description, username, type, last_synchronization_time, locked_until, squid_count ON version
BEGIN SELECT raise(ABORT, 'versions are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER change_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER change_is_fixed BEFORE UPDATE ON change
BEGIN SELECT raise(ABORT, 'changes are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER status_step_is_fixed;
-- +goose StatementBegin
CREATE TRIGGER status_step_is_fixed BEFORE UPDATE ON status_step
BEGIN SELECT raise(ABORT, 'status steps are append-only'); END;
-- +goose StatementEnd
ALTER TABLE head DROP COLUMN detail_leaf;
ALTER TABLE head DROP COLUMN list_leaf;
DROP TRIGGER failure_is_fixed;
ALTER TABLE failure DROP COLUMN salt;
-- +goose StatementBegin
CREATE TRIGGER failure_is_fixed BEFORE UPDATE ON failure BEGIN SELECT raise(ABORT, 'failures are append-only'); END;
-- +goose StatementEnd
DROP TRIGGER account_is_fixed;
ALTER TABLE account DROP COLUMN salt;
-- +goose StatementBegin
CREATE TRIGGER account_is_fixed BEFORE UPDATE ON account BEGIN SELECT raise(ABORT, 'accounts are append-only'); END;
-- +goose StatementEnd
DROP TABLE thinned;
DROP TABLE received;
DROP TABLE entry;
