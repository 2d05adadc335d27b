-- A grown store: two workspaces of 1,000 accounts each, on 10 pages of the list, 800 runs
-- an hour apart from 2026-01-05 on. In each run three accounts change.
INSERT INTO workspace (id, name) VALUES (1, 'first'), (2, 'second');

INSERT INTO response (at, run, slot, sent_at, server_at, held_ms, ws, shown, changed, absent, gone, news, source)
SELECT 1767592800000 + r * 3600000 + p * 431, r, -p, 1767592800000 + r * 3600000 + p * 431 - 179, NULL, 0, ws, 100,
    CASE WHEN r = 1 THEN 100 WHEN p = 1 + r % 10 THEN 3 ELSE 0 END, 0, 0, CASE WHEN r = 1 THEN 100 WHEN p = 1 + r % 10 THEN 3 ELSE 0 END, 1
FROM generate_series(1::bigint, 800) r, generate_series(1::bigint, 10) p, generate_series(1, 2) ws
ORDER BY 1, ws;

INSERT INTO run (id, started_at, finished_at, first_at, last_at, requested, changed, unchanged, gone, failed, requests, held_ms, skew_ms, pid, rules,
    ws, scope, state, warnings)
SELECT run, min(sent_at), max(at) + 5, min(at), max(at), 1000, 3, 997, 0, 0, 10, 0, NULL, 1, 1, ws, 'all', 'complete', '[]'
FROM response GROUP BY ws, run;

INSERT INTO account (id, first_at, ws, hash, salt)
SELECT a, 1767592800000, ws, md5(a || ' ' || ws), '' FROM generate_series(1, 1000) a, generate_series(1, 2) ws;

INSERT INTO shown (account, slot, first, last, ws, source, endpoint)
SELECT id, -1 - (id - 1) / 100, 1767592800000, 9223372036854775807, ws, 1, 1 FROM account;

INSERT INTO version (account, at, until, number, squid_count, ws, endpoint, health, status, username, type)
SELECT account, at, lead(at) OVER same, row_number() OVER same, 1, ws, 1, CASE WHEN row_number() OVER same % 2 = 1 THEN 'healthy' ELSE 'expired' END,
    '200', 'user ' || account, 'x-sync'
FROM (
    SELECT r.ws, a.id AS account, r.at FROM response r JOIN account a ON a.ws = r.ws AND -r.slot = 1 + (a.id - 1) / 100 WHERE r.run = 1
    UNION
    SELECT r.ws, (-r.slot - 1) * 100 + 1 + (r.run * 7 + k * 31) % 100, r.at FROM response r, generate_series(0, 2) k WHERE r.news > 0 AND r.run > 1
) v
WINDOW same AS (PARTITION BY ws, account ORDER BY at);

INSERT INTO change (at, account, n, after, ws, kind, path, old, new)
SELECT at, account, 1, CASE WHEN number > 1 THEN at - 3600000 END, ws, CASE WHEN number > 1 THEN 'status' ELSE 'appeared' END, '/status', '"200"', '"401"'
FROM version;

INSERT INTO status_step (account, at, after, ws, health_before, health_after)
SELECT account, at, CASE WHEN number > 1 THEN at - 3600000 END, ws, lag(health) OVER (PARTITION BY ws, account ORDER BY at), health
FROM version;

INSERT INTO name (id, ws, top, sub) VALUES (1, 1, 'params', '/user/likes'), (1, 2, 'params', '/user/likes'), (2, 1, 'id', ''), (2, 2, 'id', '');

INSERT INTO fact (account, name, at, ws, endpoint, value)
SELECT account, 2, at, ws, 1, '"' || account || '"' FROM version WHERE number = 1;

INSERT INTO value (id, ws, digest, body)
SELECT id, ws, sha256(hash::bytea), '"' || hash || '"' FROM account;

INSERT INTO body (account, ws, endpoint, body)
SELECT id, ws, 1, '{"id":"1","params":{"user":{"likes":{"value":null,"max":9}}}}' FROM account;

INSERT INTO usage (at, account, name, ws, body, max)
SELECT at, account, 1, ws, '{"value":' || number || '}', '9' FROM version;

INSERT INTO counter (account, name, at, ws, body, max)
SELECT account, 1, at, ws, '{"value":' || number || '}', '9' FROM version WHERE until IS NULL;

INSERT INTO state (account, health_before, ws, latest, gone, outdated, health)
SELECT account, at, ws, 1, 0, 0, health FROM version WHERE until IS NULL;

INSERT INTO squid (id, ws, hash)
SELECT s, ws, 'squid ' || s FROM generate_series(1, 200) s, generate_series(1, 2) ws;

INSERT INTO squid_name (squid, account, at, ws, name)
SELECT id, id, 1767596400431, ws, 'Squid ' || id FROM squid;

-- Each account was used by one squid until it changed first, and then by another one.
INSERT INTO assignment (squid, account, from_before, from_after, to_after, to_before, ws)
SELECT 1 + (account + number) % 200, account, at, CASE WHEN number > 1 THEN at - 3600000 END, until - 3600000, until, ws FROM version;

INSERT INTO failure (run, n, at, ws, kind, message, salt)
SELECT run, 1, min(at), ws, 'http', 'it said 500', '' FROM response GROUP BY ws, run;

ANALYZE;
