-- What an authenticator app makes codes from. Instants are ms since the epoch.
CREATE TABLE second_factors (
  person_id TEXT PRIMARY KEY REFERENCES people (id),
  -- AES-256-GCM under keys/second-factor.key, base64.
  sealed_secret TEXT NOT NULL,
  -- Null: shown to its owner, who has not yet proved that their app has it.
  confirmed_at INTEGER,
  -- The last time step whose code was accepted: none at or before it is again.
  last_step INTEGER NOT NULL
) STRICT;

-- For whoever has lost the app: each good once.
CREATE TABLE recovery_codes (
  code_hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES people (id)
) STRICT;

-- Until when what needs the password again can be done in this session.
ALTER TABLE sessions ADD COLUMN confirmed_until INTEGER NOT NULL DEFAULT 0;
