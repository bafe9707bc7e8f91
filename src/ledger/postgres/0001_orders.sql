-- One row an order. `record` is the whole order as JSON; the columns beside it are those that are searched.
-- Times are milliseconds since 1970 UTC, but for leases, which count on the database's own clock.
-- `cart_number` stands without leading zeros. `writer` is the replica that wrote the row last; until `lease_until`
-- the order, if it is open, belongs to it.
CREATE TABLE orders (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    cart_number TEXT NOT NULL,
    state TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    settled_at BIGINT,
    next_attempt_at BIGINT,
    record TEXT NOT NULL,
    revision BIGINT NOT NULL,
    writer TEXT NOT NULL,
    lease_until TIMESTAMPTZ
);

CREATE INDEX orders_by_receipt ON orders (received_at, id);
CREATE INDEX orders_by_state ON orders (state, received_at, id);
CREATE INDEX orders_by_cart_number ON orders (cart_number);
CREATE INDEX orders_by_settlement ON orders (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX orders_open ON orders (received_at, id) WHERE state IN ('accepted', 'forwarding', 'retrying');
CREATE INDEX orders_retrying ON orders (next_attempt_at) WHERE state = 'retrying';
