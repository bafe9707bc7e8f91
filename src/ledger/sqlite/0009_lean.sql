-- Orders and bodies in a packed form, a third as long: see packed.rs. Where `packed` has a text, `record` or `body` is empty; a record
-- of an earlier version stays as it is until its order changes, its body for good.
ALTER TABLE orders ADD COLUMN packed BLOB;
ALTER TABLE order_bodies ADD COLUMN packed BLOB;

-- What was settled long ago was received before that, so the index by receipt finds it too.
DROP INDEX orders_by_settlement;
