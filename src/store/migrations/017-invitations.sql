-- Links that make an account, or give roles to somebody who has one, each good once. Instants are ms since the epoch.
CREATE TABLE invitations (
  -- The token is shown once and kept nowhere.
  token_hash TEXT PRIMARY KEY,
  -- JSON array.
  roles TEXT NOT NULL,
  -- When the roles end that it gives; null: when somebody takes them away.
  roles_end_at INTEGER,
  full_name TEXT NOT NULL,
  -- Somebody who is in the record already; null: somebody new.
  person_id TEXT REFERENCES people (id),
  -- Null: one of the two first links, made at a start.
  invited_by TEXT REFERENCES people (id),
  expires_at INTEGER NOT NULL
) STRICT;

INSERT INTO invitations (token_hash, roles, full_name, expires_at)
  SELECT token_hash, json_array(role), '', expires_at FROM first_links;
DROP TABLE first_links;

-- Null: until somebody takes it away. A role that has ended counts no more from that instant.
ALTER TABLE person_roles ADD COLUMN ends_at INTEGER;
