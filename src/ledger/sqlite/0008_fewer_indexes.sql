-- An order is written twice and more, and every index with it. Listed by their state are orders that somebody has to look at; created ones
-- are nearly all, and open ones few. `orders_open` has all that is counted of open orders.
DROP INDEX orders_by_state;
DROP INDEX orders_open;
CREATE INDEX orders_not_created ON orders (state, received_at, id) WHERE settled_at IS NOT NULL AND state <> 'created';
CREATE INDEX orders_open ON orders (state, next_attempt_at, received_at, settled_at) WHERE settled_at IS NULL;
