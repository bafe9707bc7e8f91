-- What others should hear, until it is delivered: one row a message and channel. Times are milliseconds since 1970 UTC.
-- `next_attempt_at` is 0 for a new message, which is due whatever a clock shows. Of one `subject`, a channel gets one message
-- after the other, in the order of `sequence`. `id` stays the same on repeats.
CREATE TABLE outbox (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    UNIQUE (channel, id)
) STRICT;

CREATE INDEX outbox_by_subject ON outbox (channel, subject, sequence);
CREATE INDEX outbox_due ON outbox (channel, next_attempt_at);

-- Failures that others were told of, and not yet of their end. `seen_at`: when it was last seen failing.
CREATE TABLE incidents (
    subject TEXT NOT NULL PRIMARY KEY,
    begun_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    payload TEXT NOT NULL
) STRICT;
