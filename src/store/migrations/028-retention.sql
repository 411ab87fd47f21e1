-- Files whose time has come, written down before the first of them goes: a console that is killed between goes on from here, and what
-- has gone is said once. Instants are ms since the epoch.
CREATE TABLE files_going (
  class TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Of what it held.
  began_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  -- The line of the list that the proof is the hash of.
  line TEXT NOT NULL,
  PRIMARY KEY (class, name)
) STRICT, WITHOUT ROWID;
