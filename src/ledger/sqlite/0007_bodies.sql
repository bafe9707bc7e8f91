-- What is sent to 11VMS, apart from `orders.record`: it is written once, and its order changes three times and more.
-- `orders.body` is its place here; NULL in an older record, which has the body itself. Whoever deletes an order deletes its
-- body.
CREATE TABLE order_bodies (
    place INTEGER NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

ALTER TABLE orders ADD COLUMN body INTEGER;

CREATE TRIGGER order_bodies_follow_orders AFTER DELETE ON orders WHEN OLD.body IS NOT NULL BEGIN
    DELETE FROM order_bodies WHERE place = OLD.body;
END;

-- Open orders are those that are not settled. To compare a state with a list of three costs a table for each write.
DROP INDEX orders_open;
CREATE INDEX orders_open ON orders (state, next_attempt_at) WHERE settled_at IS NULL;
