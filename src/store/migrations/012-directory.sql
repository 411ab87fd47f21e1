-- Who belongs to the school, as its rosters say; instants are ms since the epoch. A person who is not here has an account and no more.
CREATE TABLE directory (
  person_id TEXT PRIMARY KEY REFERENCES people (id),
  -- The system whose roster names the person, and its id for them.
  source TEXT NOT NULL,
  source_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('person', 'class')),
  given_name TEXT NOT NULL,
  family_name TEXT NOT NULL,
  -- JSON array of text.
  roles TEXT NOT NULL,
  -- R, 1 … 13; null: in no school year.
  year TEXT,
  -- Null: belongs to the school. People who have left are kept and cannot sign in.
  left_at INTEGER,
  UNIQUE (source, source_id)
) STRICT;

CREATE INDEX directory_left ON directory (left_at) WHERE left_at IS NOT NULL;

CREATE TABLE memberships (
  person_id TEXT NOT NULL REFERENCES directory (person_id),
  kind TEXT NOT NULL CHECK (kind IN ('classes', 'teaches', 'groups')),
  name TEXT NOT NULL,
  PRIMARY KEY (person_id, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_name ON memberships (kind, name);

-- Names of a source's classes, for rosters that hold changes only.
CREATE TABLE roster_classes (
  source TEXT NOT NULL,
  source_id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (source, source_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE suspensions (
  person_id TEXT PRIMARY KEY REFERENCES people (id),
  -- Null: until somebody lifts it.
  until INTEGER,
  suspended_by TEXT NOT NULL REFERENCES people (id),
  suspended_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A password that a log-in card carries, to be changed by its owner.
ALTER TABLE passwords ADD COLUMN temporary INTEGER NOT NULL DEFAULT 0 CHECK (temporary IN (0, 1));
