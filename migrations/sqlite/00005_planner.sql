-- What the query planner should know of the shape of a grown store. Without these
-- figures it takes every table for small and every column for selective, the workspace
-- too, and starts from the wrong end. They are given rather than gathered, so that a
-- store has the same plans from its first day on; ANALYZE may replace them.
-- (https://sqlite.org/fileformat2.html#stat1tab)
--
-- There are two workspaces, and a million rows of all that grows with the accounts or
-- with time, of what a response shows a hundred times as many: then it is never worth while
-- to read all accounts for a filter on an instant. The figures behind these two are
-- those of a usual store: how many rows share the first columns of an index.

-- +goose Up
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('workspace', 'sqlite_autoindex_workspace_1', '2 1'),
    ('run', 'run_started', '2000 1'),
    ('run', 'run_finished', '2000 1'),
    ('run', 'run', '2000 1000 1'),
    ('response', 'response_received', '1000000 1'),
    ('response', 'response_sent', '1000000 1'),
    ('response', 'response_news', '1000000 1'),
    ('response', 'response_slot', '1000000 500000 250000 1000 1'),
    ('response', 'response', '1000000 500000 1'),
    ('account', 'account_hash', '1000000 500000 1'),
    ('account', 'account', '1000000 500000 1'),
    ('shown', 'shown_slot', '100000000 50000000 250000 500 100 1'),
    ('shown', 'shown_last', '100000000 50000000 5 1'),
    ('shown', 'shown', '100000000 50000000 5 3 1'),
    ('name', 'name_text', '200 100 10 1'),
    ('name', 'name', '200 100 1'),
    ('value', 'value_digest', '1000000 500000 1'),
    ('value', 'sqlite_autoindex_value_1', '1000000 500000 1'),
    ('fact', 'fact', '100000000 50000000 100 50 3 1'),
    ('icon', 'sqlite_autoindex_icon_1', '10 5 1'),
    ('usage', 'usage_account', '100000000 50000000 100 25 1'),
    ('usage', 'usage', '100000000 50000000 30 3 1'),
    ('absence', 'absence', '1000000 500000 2 1'),
    ('failure', 'failure_at', '2000 1'),
    ('failure', 'failure', '2000 1000 4 1'),
    ('entry', 'entry', '1000000 500000 1'),
    ('redacted', 'redacted', '1000 500 100 50 10 1'),
    ('version', 'version_at', '1000000 500000 2'),
    ('version', 'version_until', '1000000 2'),
    ('version', 'version_now', '1000000 500000 1'),
    ('version', 'version_username', '1000000 500000 1 1'),
    ('version', 'version', '1000000 500000 10 1'),
    ('change', 'change_after', '1000000 2'),
    ('change', 'change', '1000000 500000 4 2 1'),
    ('status_step', 'status_step_at', '1000000 500000 2 1'),
    ('status_step', 'status_step_before', '1000000 2'),
    ('status_step', 'status_step_after', '1000000 2'),
    ('status_step', 'status_step', '1000000 500000 5 1'),
    ('squid', 'squid_hash', '1000000 500000 1'),
    ('squid', 'squid', '1000000 500000 1'),
    ('squid_name', 'squid_name_at', '1000000 500000 150 2'),
    ('squid_name', 'squid_name', '1000000 500000 150 1 1'),
    ('assignment', 'assignment_account', '1000000 500000 3 2'),
    ('assignment', 'assignment_open', '1000000 500000 2 1'),
    ('assignment', 'assignment_from_before', '1000000 3'),
    ('assignment', 'assignment_from_after', '1000000 3'),
    ('assignment', 'assignment_to_before', '1000000 3'),
    ('assignment', 'assignment_to_after', '1000000 3'),
    ('assignment', 'assignment', '1000000 500000 150 2 1'),
    ('state', 'state', '1000000 500000 1'),
    ('said', 'said', '1000000 500000 2 1'),
    ('body', 'sqlite_autoindex_body_1', '1000000 500000 2 1'),
    ('counter', 'counter', '1000000 500000 3 1');

-- +goose Down
DELETE FROM sqlite_stat1;
