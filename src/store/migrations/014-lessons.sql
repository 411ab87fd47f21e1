-- Lesson lists that teachers gave: "only these sites, this hour". Lists are JSON arrays of text; instants are ms since the epoch.
CREATE TABLE lessons (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  -- Canonical hosts, names of classes and groups, canonical user names.
  sites TEXT NOT NULL,
  classes TEXT NOT NULL,
  pupils TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL CHECK (ends_at > starts_at),
  given_by TEXT NOT NULL REFERENCES people (id),
  given_at INTEGER NOT NULL,
  -- Ended before its time; what ends by itself needs no note.
  ended_by TEXT REFERENCES people (id),
  ended_at INTEGER
) STRICT;

CREATE INDEX lessons_ends ON lessons (ends_at);
