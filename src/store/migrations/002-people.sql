-- Who may sign in to the console. Instants are ms since the epoch.
CREATE TABLE people (
  id TEXT PRIMARY KEY,
  user_name TEXT NOT NULL,
  -- The one spelling for comparing (identity/user-name.ts).
  user_key TEXT NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE person_roles (
  person_id TEXT NOT NULL REFERENCES people (id),
  role TEXT NOT NULL,
  PRIMARY KEY (person_id, role)
) STRICT;

CREATE TABLE passwords (
  person_id TEXT PRIMARY KEY REFERENCES people (id),
  -- argon2id in PHC string form.
  hash TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

-- Single-use links for the first account of a role. Only the hash of the token is kept.
CREATE TABLE first_links (
  token_hash TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES people (id),
  opened_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  address TEXT NOT NULL
) STRICT;

-- Failed sign-ins in a row, by what was tried: `name:<user key>` or `address:<address>`.
CREATE TABLE sign_in_failures (
  tried TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;
