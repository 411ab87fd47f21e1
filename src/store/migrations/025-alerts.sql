-- What has to leave, a row for each recipient. Instants are ms since the epoch.
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL CHECK (channel IN ('mail', 'outbox', 'webhook')),
  recipient TEXT NOT NULL,
  -- What it tells of, such as `alert:01J…`.
  about TEXT NOT NULL,
  -- JSON: subject and text of a mail, or the body of a call.
  content TEXT NOT NULL,
  -- `sending`: claimed; a run that is killed leaves it so, and the next sends it again under the same id.
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
  tries INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  next_try_at INTEGER NOT NULL,
  sent_at INTEGER,
  problem TEXT,
  UNIQUE (about, channel, recipient)
) STRICT;

CREATE INDEX deliveries_waiting ON deliveries (channel, next_try_at) WHERE state IN ('waiting', 'sending');

-- What somebody has to be told of a concern. The concern itself stands in tables of its own.
CREATE TABLE alerts (
  -- Of what made it due.
  id TEXT PRIMARY KEY,
  concern_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- JSON of what it was decided by (alerts/model.ts).
  due TEXT NOT NULL,
  rule TEXT NOT NULL,
  next_step_at INTEGER,
  noticed_by TEXT REFERENCES people (id),
  noticed_at INTEGER
) STRICT;

CREATE INDEX alerts_at ON alerts (at);
CREATE INDEX alerts_concern ON alerts (concern_id);
CREATE INDEX alerts_next_step ON alerts (next_step_at) WHERE next_step_at IS NOT NULL;

CREATE TABLE alert_told (
  alert_id TEXT NOT NULL REFERENCES alerts (id),
  person_id TEXT NOT NULL REFERENCES people (id),
  step INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- What was sent is forgotten before that it was.
  delivery_id TEXT NOT NULL,
  PRIMARY KEY (alert_id, person_id)
) STRICT, WITHOUT ROWID;

-- Whether gateways are heard: when last, and whether their silence has been told.
CREATE TABLE gateway_news (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at INTEGER NOT NULL,
  silence_told INTEGER NOT NULL CHECK (silence_told IN (0, 1))
) STRICT;
