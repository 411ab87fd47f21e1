-- What somebody at a device, or of the staff, would like to have opened or closed. Instants are ms since the epoch.
CREATE TABLE wishes (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('open', 'close')),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'passed-on', 'taken-up', 'refused')),
  -- Canonical hosts, a JSON array.
  hosts TEXT NOT NULL,
  reason TEXT NOT NULL,
  asked_by TEXT NOT NULL REFERENCES people (id),
  user_name TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  -- Of the form it came with: sent twice, it is asked once.
  form_key TEXT,
  answered_by TEXT REFERENCES people (id),
  answered_at INTEGER,
  -- What whoever asked is told.
  word TEXT NOT NULL DEFAULT '',
  unblock_id TEXT REFERENCES unblocks (id),
  CHECK ((state = 'waiting') = (answered_by IS NULL)),
  CHECK ((state = 'passed-on') = (unblock_id IS NOT NULL))
) STRICT;

CREATE INDEX wishes_open ON wishes (state, asked_at);
CREATE UNIQUE INDEX wishes_form ON wishes (asked_by, form_key);
