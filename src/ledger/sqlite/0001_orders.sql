-- One row an order. `record` is the whole order as JSON; the columns beside it are those that are searched.
-- Times are milliseconds since 1970 UTC. `cart_number` stands without leading zeros.
CREATE TABLE orders (
    id TEXT NOT NULL PRIMARY KEY,
    cart_number TEXT NOT NULL,
    state TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    settled_at INTEGER,
    next_attempt_at INTEGER,
    record TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE INDEX orders_by_receipt ON orders (received_at, id);
CREATE INDEX orders_by_state ON orders (state, received_at, id);
CREATE INDEX orders_by_cart_number ON orders (cart_number);
CREATE INDEX orders_by_settlement ON orders (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX orders_open ON orders (state, next_attempt_at) WHERE state IN ('accepted', 'forwarding', 'retrying');
