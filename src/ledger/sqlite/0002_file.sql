-- One row: what has to be known of the file itself. Times are milliseconds since 1970 UTC.
-- `state`: `open` from the start of a service to its clean end, else `closed`; `backup` in a copy that no service has
-- opened yet. `copied_at`: when a backup was made, in the backup alone. `restored_at`: the setting that accepted the loss
-- of changes. `checks` is written to see whether the file can be written.
CREATE TABLE ledger_file (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'backup')),
    copied_at INTEGER,
    restored_at INTEGER,
    checks INTEGER NOT NULL
) STRICT;

INSERT INTO ledger_file VALUES (1, 'closed', NULL, NULL, 0);
