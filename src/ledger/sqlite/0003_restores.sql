-- The last restore of this file. `restored_from`: its time, which no order of the file bore before it, so that it is a mark
-- of this restore alone. `accepted_at`: when a start took the file with it. `restored_at` is the setting that was taken
-- last. An earlier program went by the later one of `copied_at` and `restored_at`.
ALTER TABLE ledger_file ADD COLUMN restored_from INTEGER;
ALTER TABLE ledger_file ADD COLUMN accepted_at INTEGER;

UPDATE ledger_file SET restored_from = max(coalesce(copied_at, restored_at), coalesce(restored_at, copied_at))
WHERE state <> 'backup';
