-- Reports as they were made: of each kind and period one.
CREATE TABLE reports (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('weekly', 'digest', 'governors')),
  title TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  -- JSON: the report, or what a digest is laid out from for each reader.
  body TEXT NOT NULL
) STRICT;
CREATE INDEX reports_by_end ON reports (kind, until_at);
