-- Who is signed in at which address of the network. A row goes when the session ends; that it was there is in the audit.
-- Instants are ms since the epoch.
CREATE TABLE device_sessions (
  -- Canonical: one person at a time at an address.
  address TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES people (id),
  since INTEGER NOT NULL,
  -- When a gateway last heard from the device.
  seen_at INTEGER NOT NULL,
  -- Its end in any case.
  until INTEGER NOT NULL
) STRICT;
