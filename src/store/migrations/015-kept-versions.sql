-- What gateways were told at earlier times, for checks of the past. Instants are ms since the epoch. Policies are kept already.
CREATE TABLE directory_versions (
  serial INTEGER PRIMARY KEY,
  -- When it left for the gateways.
  at INTEGER NOT NULL,
  -- JSON of everybody who belonged to the school (identity/directory-snapshot.ts), as zstd.
  snapshot BLOB NOT NULL
) STRICT;

-- Suspensions and sign-ins that are over stand in the audit alone.
CREATE INDEX audit_action ON audit (action, at);
