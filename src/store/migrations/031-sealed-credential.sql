-- The headteacher's credential in the safe: one at most. Instants are ms since the epoch.
CREATE TABLE sealed_credential (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- What is printed is kept nowhere.
  code_hash TEXT NOT NULL,
  made_by TEXT NOT NULL REFERENCES people (id),
  made_at INTEGER NOT NULL,
  -- Not null: used, and good no more; another has to be made.
  used_at INTEGER
) STRICT;

-- What everybody with an account, or one of them, is told on their home page.
CREATE TABLE announcements (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  -- Null: everybody.
  person_id TEXT REFERENCES people (id)
) STRICT;

CREATE INDEX announcements_at ON announcements (at);
