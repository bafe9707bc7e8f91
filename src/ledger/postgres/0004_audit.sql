-- Who did what to which order: one row for each time that somebody sent, replayed or settled it. Times are milliseconds since
-- 1970 UTC. The rows of an order are removed with it.
CREATE TABLE audit (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    order_id TEXT COLLATE "C" NOT NULL,
    cart_number TEXT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    client TEXT,
    address TEXT,
    request_id TEXT,
    detail TEXT
);

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_of_people ON audit (sequence) WHERE action IN ('replayed', 'resolved', 'cancelled');
