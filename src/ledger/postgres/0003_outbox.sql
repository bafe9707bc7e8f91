-- What others should hear, until it is delivered: one row a message and channel. Times are milliseconds since 1970 UTC, but
-- for claims, which count on the database's own clock. `next_attempt_at` is 0 for a new message, which is due whatever a
-- clock shows. Of one `subject`, a channel gets one message after the other, in the order of `sequence`. `id` stays the same
-- on repeats. Until `claimed_until` one replica delivers the message.
CREATE TABLE outbox (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL,
    claimed_until TIMESTAMPTZ,
    UNIQUE (channel, id)
);

CREATE INDEX outbox_by_subject ON outbox (channel, subject, sequence);
CREATE INDEX outbox_due ON outbox (channel, next_attempt_at);

-- Failures that others were told of, and not yet of their end. `seen_at`: when a replica last saw it failing.
CREATE TABLE incidents (
    subject TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    payload TEXT NOT NULL
);
