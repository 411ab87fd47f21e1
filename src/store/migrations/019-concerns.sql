-- What somebody did about one theme, as far as a proxy sees it: one row for each host (or search) in five minutes, however often it
-- was asked for. Instants are ms since the epoch, by the gateway's clock where that can be believed.
CREATE TABLE sightings (
  id TEXT PRIMARY KEY,
  -- Canonical user name, or the client address where nobody is known.
  subject TEXT NOT NULL,
  theme TEXT NOT NULL,
  -- Empty for listed illegal material, which is never named.
  host TEXT NOT NULL,
  -- What was searched for; empty: no search.
  term TEXT NOT NULL,
  -- `first_at` in whole five minutes.
  slot INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('allow', 'block')),
  level TEXT NOT NULL,
  -- JSON of what else the rules and the pages need.
  json TEXT NOT NULL,
  UNIQUE (subject, theme, host, term, slot)
) STRICT;

CREATE INDEX sightings_of ON sightings (subject, theme, first_at);

-- What an adult has to look at: one for each subject and theme while it is open; what comes later is added to it.
CREATE TABLE concerns (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('person', 'class', 'device')),
  -- Of the account that was signed in; null for a class's account, a device, and a name that is nobody's.
  person_id TEXT,
  level TEXT NOT NULL,
  theme TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('danger', 'caution', 'advisory')),
  state TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'not-a-concern', 'closed')),
  -- By the console's clock.
  opened_at INTEGER NOT NULL,
  -- Of its evidence.
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;

-- Two that are undecided would hide each other's evidence.
CREATE UNIQUE INDEX concerns_undecided ON concerns (subject, theme) WHERE state IN ('open', 'acknowledged');
CREATE INDEX concerns_person ON concerns (person_id);

CREATE TABLE concern_evidence (
  sighting_id TEXT PRIMARY KEY REFERENCES sightings (id),
  concern_id TEXT NOT NULL REFERENCES concerns (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX concern_evidence_of ON concern_evidence (concern_id);

-- Which rules made it, with the policy they stood in.
CREATE TABLE concern_rules (
  concern_id TEXT NOT NULL REFERENCES concerns (id),
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  points REAL NOT NULL,
  -- The rule in plain English, as it was then.
  text TEXT NOT NULL,
  -- Content hash of the policy.
  policy TEXT NOT NULL,
  PRIMARY KEY (concern_id, rule)
) STRICT, WITHOUT ROWID;

-- What was done about it, oldest first. `by` is a person's id; null: the rules.
CREATE TABLE concern_acts (
  id TEXT PRIMARY KEY,
  concern_id TEXT NOT NULL REFERENCES concerns (id),
  at INTEGER NOT NULL,
  act TEXT NOT NULL CHECK (act IN ('opened', 'raised', 'again', 'acknowledged', 'not-a-concern', 'closed')),
  by TEXT,
  note TEXT NOT NULL
) STRICT;

CREATE INDEX concern_acts_of ON concern_acts (concern_id, id);

-- Alerts that are due: a row is written with what made it due, and whoever sends alerts reads them in the order of their ids.
CREATE TABLE concern_alerts (
  id TEXT PRIMARY KEY,
  concern_id TEXT NOT NULL REFERENCES concerns (id),
  at INTEGER NOT NULL,
  why TEXT NOT NULL CHECK (why IN ('opened', 'raised', 'again')),
  -- Of the concern then.
  severity TEXT NOT NULL
) STRICT;
