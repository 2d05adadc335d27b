-- Snapshots, and what came with them, are written without looking up what they
-- refer to: for a snapshot that costs as much as its row, twice, and because such a
-- statement may fail in its middle, SQLite copies each page that it changes. Who
-- writes them has just written or read the rows they refer to, and verify looks for
-- each of those.

-- +goose Up

-- What is stored stays as it is: only the text of the tables changes, in the way of
-- https://sqlite.org/lang_altertable.html, section 7. Copying the rows would take
-- as long as writing them, and twice the space.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(replace(replace(sql, ' REFERENCES response (id)', ''), ' REFERENCES account (id)', ''), ' REFERENCES document (id)', '')
WHERE type = 'table' AND name IN ('snapshot', 'received');
PRAGMA writable_schema = RESET; -- and read it again

-- +goose Down
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(replace(sql,
    'response_id INTEGER NOT NULL', 'response_id INTEGER NOT NULL REFERENCES response (id)'),
    'document_id INTEGER NOT NULL', 'document_id INTEGER NOT NULL REFERENCES document (id)')
WHERE type = 'table' AND name = 'snapshot';
UPDATE sqlite_schema
SET sql = replace(replace(sql,
    'response_id INTEGER NOT NULL', 'response_id INTEGER NOT NULL REFERENCES response (id)'),
    'account_id  INTEGER NOT NULL', 'account_id  INTEGER NOT NULL REFERENCES account (id)')
WHERE type = 'table' AND name = 'received';
PRAGMA writable_schema = RESET;
