-- Sites opened for a topic, for a time. Lists are JSON arrays of text; instants are ms since the epoch.
CREATE TABLE unblocks (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'refused', 'withdrawn', 'revoked', 'expired')),
  topic TEXT NOT NULL,
  reason TEXT NOT NULL,
  hosts TEXT NOT NULL,
  categories TEXT NOT NULL,
  levels TEXT NOT NULL,
  ranges TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL CHECK (ends_at > starts_at),
  requested_by TEXT NOT NULL REFERENCES people (id),
  requested_at INTEGER NOT NULL,
  decided_by TEXT REFERENCES people (id),
  decided_at INTEGER,
  ended_by TEXT REFERENCES people (id),
  ended_at INTEGER,
  -- Never approved by whoever asked, whatever the code above this table says.
  CHECK (state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> requested_by))
) STRICT;

CREATE INDEX unblocks_open ON unblocks (state, ends_at);
