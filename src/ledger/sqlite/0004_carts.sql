-- The carts of orders, as they were received: a table of its own, so that a change of an order does not write its cart again.
-- Filled only with `ledger.keep_carts`. Whoever deletes an order deletes its cart.
CREATE TABLE order_carts (
    id TEXT NOT NULL PRIMARY KEY,
    cart TEXT NOT NULL
) STRICT;

CREATE TRIGGER order_carts_follow_orders AFTER DELETE ON orders BEGIN
    DELETE FROM order_carts WHERE id = OLD.id;
END;
