-- What happened to or by people of the school, and what is done about it. Instants are ms since the epoch, days ISO 8601.
CREATE TABLE incidents (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('reported', 'open', 'closed', 'dismissed')),
  source TEXT NOT NULL CHECK (source IN ('concern', 'hand', 'report')),
  -- No reference: concerns have a time of their own to go.
  concern_id TEXT,
  theme TEXT NOT NULL,
  what TEXT NOT NULL,
  happened_at INTEGER,
  place TEXT NOT NULL,
  site TEXT,
  illegal TEXT NOT NULL CHECK (illegal IN ('unknown', 'yes', 'no')),
  about_staff INTEGER NOT NULL CHECK (about_staff IN (0, 1)),
  opened_at INTEGER NOT NULL,
  opened_by TEXT REFERENCES people (id),
  parents_informed INTEGER CHECK (parents_informed IN (0, 1)),
  parents_on TEXT,
  parents_note TEXT,
  outcome TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 1,
  -- Of the form it came with: sent twice, it is one incident.
  form_key TEXT UNIQUE,
  CHECK (state <> 'closed' OR outcome <> ''),
  CHECK ((parents_informed IS NULL) = (parents_note IS NULL)),
  CHECK ((source = 'concern') = (concern_id IS NOT NULL)),
  CHECK ((source = 'report') = (opened_by IS NULL))
) STRICT;

CREATE INDEX incidents_opened ON incidents (opened_at);

CREATE TABLE incident_reporters (
  incident_id TEXT PRIMARY KEY REFERENCES incidents (id),
  person_id TEXT REFERENCES people (id),
  address TEXT NOT NULL,
  unnamed INTEGER NOT NULL CHECK (unnamed IN (0, 1))
) STRICT;

CREATE TABLE incident_people (
  id TEXT PRIMARY KEY,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  -- Null: the school knows nobody of that name, such as a parent.
  person_id TEXT REFERENCES people (id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('pupil', 'staff', 'parent', 'other')),
  part TEXT NOT NULL CHECK (part IN ('victim', 'instigator', 'involved')),
  CHECK (kind NOT IN ('pupil', 'staff') OR person_id IS NOT NULL)
) STRICT;

CREATE INDEX incident_people_of ON incident_people (incident_id);
CREATE UNIQUE INDEX incident_people_once ON incident_people (incident_id, person_id);

CREATE TABLE incident_actions (
  id TEXT PRIMARY KEY,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  what TEXT NOT NULL,
  owner TEXT NOT NULL,
  due_on TEXT NOT NULL,
  done_at INTEGER,
  done_by TEXT REFERENCES people (id),
  form_key TEXT UNIQUE,
  CHECK ((done_at IS NULL) = (done_by IS NULL))
) STRICT;

CREATE INDEX incident_actions_of ON incident_actions (incident_id);

CREATE TABLE incident_steps (
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  step TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('done', 'not-needed')),
  PRIMARY KEY (incident_id, step)
) STRICT;

CREATE TABLE incident_acts (
  id TEXT PRIMARY KEY,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  at INTEGER NOT NULL,
  act TEXT NOT NULL,
  by TEXT REFERENCES people (id),
  note TEXT NOT NULL
) STRICT;

CREATE INDEX incident_acts_of ON incident_acts (incident_id);
