-- What gateways reported. An event may arrive twice; its id is stored in the transaction of its effect, so that it has one.
CREATE TABLE taken_events (
  id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Flagged requests. `at` is ISO 8601 UTC; `json` the record as the gateway wrote it.
CREATE TABLE flagged (
  id TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  type TEXT NOT NULL,
  client TEXT NOT NULL,
  user TEXT,
  level TEXT NOT NULL,
  target TEXT,
  host TEXT,
  verdict TEXT NOT NULL,
  category TEXT,
  reason TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;

CREATE INDEX flagged_at ON flagged (at);

-- Navigations a day (the school's day), counted once for each person, host and verdict within ten seconds.
CREATE TABLE flagged_counts (
  day TEXT NOT NULL,
  level TEXT NOT NULL,
  category TEXT NOT NULL,
  verdict TEXT NOT NULL,
  navigations INTEGER NOT NULL,
  PRIMARY KEY (day, level, category, verdict)
) STRICT, WITHOUT ROWID;

-- When each navigation that may still be going on began, ms since the epoch.
CREATE TABLE navigations (
  who TEXT NOT NULL,
  host TEXT NOT NULL,
  verdict TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  PRIMARY KEY (who, host, verdict, begun_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX navigations_begun ON navigations (begun_at);

-- Conditions that a person must look at. `gateway` is `console` for our own.
CREATE TABLE alarms (
  id TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  gateway TEXT NOT NULL,
  code TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE INDEX alarms_at ON alarms (at);

-- A worker was killed: records of this time may be missing.
CREATE TABLE history_gaps (
  id TEXT PRIMARY KEY,
  gateway TEXT NOT NULL,
  worker INTEGER NOT NULL,
  from_at TEXT NOT NULL,
  until_at TEXT NOT NULL
) STRICT;

-- What could not be understood: of a newer version, of no known type, or damaged. Kept as it came, for a newer Schoolgate.
CREATE TABLE parked_events (
  id TEXT PRIMARY KEY,
  arrived_at TEXT NOT NULL,
  why TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
