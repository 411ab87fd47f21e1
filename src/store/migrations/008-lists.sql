-- The content of each list in force as it was last written into the audit record; a list that is not here is not in force.
CREATE TABLE lists_in_force (
  id TEXT PRIMARY KEY,
  entries INTEGER NOT NULL,
  sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;
