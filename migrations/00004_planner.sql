-- What the query planner should know of the shape of a grown store: a few
-- workspaces, thousands of accounts, hundreds of snapshots each. Without these
-- figures it takes every table for small and starts from the wrong end. They are
-- given rather than gathered, so that a store has the same plans from its first
-- day on; ANALYZE may replace them. (https://sqlite.org/fileformat2.html#stat1tab)

-- +goose Up
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('workspace', 'sqlite_autoindex_workspace_1', '2 1'),
    ('account', 'sqlite_autoindex_account_1', '10000 5000 1'),
    ('run', NULL, '2000'),
    ('response', 'response_by_time', '100000 50000 1 1 1'),
    ('response', 'response_by_run', '100000 100'),
    ('snapshot', 'snapshot', '10000000 100 1'),
    ('document', 'document_by_account', '100000 10 1'),
    ('usage', 'usage', '1000000 100 25 1'),
    ('usage', 'usage_by_response', '1000000 10'),
    ('failure', 'failure_by_run', '2000 4'),
    ('icon', 'sqlite_autoindex_icon_1', '10 1'),
    ('version', 'sqlite_autoindex_version_1', '100000 10 1'),
    ('version', 'version_by_time', '100000 10 1'),
    ('change', 'change_by_account', '200000 20 2'),
    ('change', 'change_by_time', '200000 100 2'),
    ('status_step', 'status_step_by_account', '50000 5 1'),
    ('status_step', 'status_step_by_time', '50000 50 1'),
    ('squid', 'sqlite_autoindex_squid_1', '200 100 1'),
    ('squid_name', 'squid_name', '300 2 1'),
    ('assignment', 'assignment_by_squid', '30000 150 2'),
    ('assignment', 'assignment_by_account', '30000 3 2'),
    ('assignment', 'assignment_open', '15000 2 1'),
    ('absence', 'absence_by_account', '1000 2 1'),
    ('head', NULL, '10000'),
    ('seen', NULL, '10000');

-- +goose Down
DELETE FROM sqlite_stat1;
