-- The right to write a workspace: one row for each, held by one process at a time. A
-- writer takes it with a new token, the highest so far, and begins each of its
-- transactions by renewing it under that token: where the row no longer has the token,
-- another writer has taken over, and the transaction stores nothing. The instants are those of the
-- server's clock; they only decide who may try to take it.

-- +goose NO TRANSACTION
-- +goose Up

CREATE TABLE IF NOT EXISTS lease (
    token   bigint NOT NULL,
    pid     bigint NOT NULL,
    since   timestamptz NOT NULL, -- when it was taken
    renewed timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    ws      integer NOT NULL,
    host    text COLLATE "C" NOT NULL, -- of its holder; '': it is free
    machine text COLLATE "C" NOT NULL, -- within which pid means something; '': not known
    step    text COLLATE "C" NOT NULL, -- of the last transaction: tells after a broken connection whether that was committed
    PRIMARY KEY (ws)
);

-- +goose Down
DROP TABLE IF EXISTS lease;
