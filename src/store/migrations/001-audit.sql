-- Every change to what the school decided, chained. See src/audit/README.md.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  approver TEXT,
  -- JSON {before, after, reason, address}: the part that may hold personal data. The chain covers its salted hash only,
  -- so that it can be erased when its time has come and the chain still verifies.
  payload TEXT NOT NULL,
  salt TEXT NOT NULL,
  payload_hash TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;

CREATE INDEX audit_subject ON audit (subject, seq);

-- The end of the chain, authenticated with a key that is not in this file.
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  mac TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never removed'); END;
