-- The carts of orders, as they were received: a table of its own, so that a change of an order does not write its cart again.
-- Filled only with `ledger.keep_carts`. Whoever deletes an order deletes its cart.
CREATE TABLE order_carts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    cart TEXT NOT NULL
);
