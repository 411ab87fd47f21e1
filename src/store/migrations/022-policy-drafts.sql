-- Policy changes as documents: drafts that people make or files on disk bring, and versions that can be gone back to.
-- Instants are ms since the epoch. What was proposed before is on disk still, and becomes a draft from there.
DROP TABLE policy_proposals;

CREATE TABLE policy_versions_new (
  serial INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  -- JSON of the compiled policy (policy/snapshot.ts).
  snapshot TEXT NOT NULL,
  -- JSON of the files it was compiled from, by path; null: published before they were kept.
  files TEXT,
  published_at INTEGER NOT NULL,
  -- files: applied on save. two-people: approved. alone: by its author, where that is enough. emergency: by its author, put to others
  -- for review. review: taken back in that review.
  way TEXT NOT NULL CHECK (way IN ('files', 'two-people', 'alone', 'emergency', 'review')),
  reason TEXT,
  author TEXT REFERENCES people (id),
  approver TEXT REFERENCES people (id),
  -- What came of the review of an emergency.
  review TEXT CHECK (review IN ('kept', 'reverted')),
  reviewed_by TEXT REFERENCES people (id),
  reviewed_at INTEGER,
  review_word TEXT,
  CHECK ((author IS NULL) = (way = 'files')),
  CHECK ((approver IS NOT NULL) = (way = 'two-people')),
  CHECK (approver IS NULL OR author <> approver),
  CHECK (review IS NULL OR way = 'emergency'),
  CHECK ((review IS NULL) = (reviewed_by IS NULL)),
  CHECK (reviewed_by IS NULL OR reviewed_by <> author)
) STRICT;

INSERT INTO policy_versions_new (serial, hash, snapshot, published_at, way, reason, author, approver)
  SELECT serial, hash, snapshot, published_at, CASE WHEN author IS NULL THEN 'files' ELSE 'two-people' END, reason, author, approver
  FROM policy_versions;
DROP TABLE policy_versions;
ALTER TABLE policy_versions_new RENAME TO policy_versions;

CREATE TABLE policy_drafts (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('open', 'proposed', 'published', 'refused', 'withdrawn', 'superseded')),
  -- JSON of all files as they would be, and as they were in the version it began from.
  files TEXT NOT NULL,
  base TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Null: the files on disk say so, and nobody stands for it yet.
  author TEXT REFERENCES people (id),
  -- Hash of the files on disk that it began from; null: it lives in the record alone. At revision 1 it stands for them.
  disk_hash TEXT,
  -- Counts each change of what it says, so that nobody saves over what they have not seen.
  revision INTEGER NOT NULL,
  begun_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  proposed_at INTEGER,
  decided_by TEXT REFERENCES people (id),
  decided_at INTEGER,
  -- What was said to its refusal or withdrawal.
  word TEXT,
  CHECK (author IS NOT NULL OR state IN ('open', 'refused', 'superseded'))
) STRICT;

CREATE INDEX policy_drafts_living ON policy_drafts (changed_at) WHERE state IN ('open', 'proposed');
CREATE INDEX policy_drafts_of_disk ON policy_drafts (disk_hash) WHERE disk_hash IS NOT NULL;

-- A version whose files are still to be written into the policy folder, and what stood there before; one row at most.
CREATE TABLE policy_unwritten (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  serial INTEGER NOT NULL REFERENCES policy_versions (serial),
  before TEXT NOT NULL
) STRICT;
