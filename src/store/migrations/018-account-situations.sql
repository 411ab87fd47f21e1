-- Accounts in use where they should not be: what is told of once while it goes on. Instants are ms since the epoch.
CREATE TABLE account_situations (
  what TEXT PRIMARY KEY,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
