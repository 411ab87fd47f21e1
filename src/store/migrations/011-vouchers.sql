-- Guests: a member of staff answers for each. A guest is a row of `people` without a password, whose user key begins with `guest:`.
-- Instants are ms since the epoch.
CREATE TABLE vouchers (
  person_id TEXT PRIMARY KEY REFERENCES people (id),
  -- The code is shown once and kept nowhere.
  code_hash TEXT NOT NULL UNIQUE,
  purpose TEXT NOT NULL,
  sponsor_id TEXT NOT NULL REFERENCES people (id),
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  withdrawn_at INTEGER
) STRICT;
