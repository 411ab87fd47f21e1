-- Checks that the filter does what it should: by itself for each level, and by people. Instants are ms since the epoch.
CREATE TABLE checks (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('self', 'human')),
  at INTEGER NOT NULL,
  -- Who checked, or who had it checked; null: the timetable.
  by TEXT REFERENCES people (id),
  -- Null: it is about all levels.
  level TEXT,
  device TEXT NOT NULL,
  place TEXT NOT NULL,
  tested TEXT NOT NULL,
  result TEXT NOT NULL CHECK (result IN ('passed', 'failed', 'not-tried')),
  action TEXT NOT NULL,
  -- Of a self-test: every sample and what became of it, a JSON array.
  samples TEXT NOT NULL DEFAULT '[]',
  -- Of the form it came with: sent twice, it is one check.
  form_key TEXT UNIQUE,
  CHECK (kind = 'self' OR by IS NOT NULL)
) STRICT;

CREATE INDEX checks_newest ON checks (kind, at);
