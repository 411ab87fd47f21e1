-- The key pair to which targets of illegal hits are sealed. Its private half is kept only wrapped, once for each pair of holders.
CREATE TABLE evidence_key (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Base64, 32 bytes of X25519.
  public_key TEXT NOT NULL,
  made_at TEXT NOT NULL
) STRICT;

CREATE TABLE evidence_holders (
  person_id TEXT PRIMARY KEY REFERENCES people (id),
  -- Base64: what the holder's evidence password is stretched with.
  salt TEXT NOT NULL
) STRICT;

CREATE TABLE evidence_wraps (
  first TEXT NOT NULL REFERENCES evidence_holders (person_id),
  second TEXT NOT NULL REFERENCES evidence_holders (person_id),
  wrapped TEXT NOT NULL,
  PRIMARY KEY (first, second),
  CHECK (first < second)
) STRICT;

-- Attempts to open that failed or are under way; ms since the epoch.
CREATE TABLE evidence_attempts (
  person_id TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- Removals of enforced illegal lists that wait for a second person.
CREATE TABLE list_removals (
  list_id TEXT PRIMARY KEY,
  requested_by TEXT NOT NULL,
  requested_at TEXT NOT NULL
) STRICT;
