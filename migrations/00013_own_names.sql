-- What an account's own document calls its squids: other accounts may name them
-- otherwise at the same time. The names in squid_name are those seen last.

-- +goose Up

ALTER TABLE assignment ADD COLUMN name TEXT NOT NULL DEFAULT ''; -- of the squid, as the account says now, or said last

-- Names that an assignment had before, each up to the response that no longer showed it.
CREATE TABLE assignment_name (
    account_id    INTEGER NOT NULL REFERENCES account (id),
    assignment_id INTEGER NOT NULL REFERENCES assignment (id),
    until         INTEGER NOT NULL, -- received_at
    name          TEXT NOT NULL,
    PRIMARY KEY (assignment_id, until)
) STRICT, WITHOUT ROWID;

-- See 00004_planner.sql.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('assignment_name', 'assignment_name', '1000 2 1');

-- +goose Down
DELETE FROM sqlite_stat1 WHERE tbl = 'assignment_name';
DROP TABLE assignment_name;
ALTER TABLE assignment DROP COLUMN name;
