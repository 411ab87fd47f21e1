-- Every policy that was ever in force, and changes on disk that wait for a second person. Instants are ms since the epoch.
CREATE TABLE policy_versions (
  serial INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  -- JSON of the compiled policy (policy/snapshot.ts).
  snapshot TEXT NOT NULL,
  published_at INTEGER NOT NULL,
  reason TEXT,
  -- Who proposed and who approved it; null: applied from the files on disk.
  author TEXT REFERENCES people (id),
  approver TEXT REFERENCES people (id),
  CHECK ((author IS NULL) = (approver IS NULL)),
  CHECK (author IS NULL OR author <> approver)
) STRICT;

CREATE TABLE policy_proposals (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('open', 'published', 'refused', 'superseded')),
  hash TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  -- Serial of the version that the change was described against.
  base_serial INTEGER NOT NULL REFERENCES policy_versions (serial),
  reason TEXT NOT NULL,
  proposed_by TEXT NOT NULL REFERENCES people (id),
  proposed_at INTEGER NOT NULL,
  decided_by TEXT REFERENCES people (id),
  decided_at INTEGER
) STRICT;

CREATE UNIQUE INDEX policy_proposals_one_open ON policy_proposals (state) WHERE state = 'open';
