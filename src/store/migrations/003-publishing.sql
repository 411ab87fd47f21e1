-- What gateways must be sent. A row is written in the transaction of the change that calls for it and marked once it has left.
CREATE TABLE snapshot_serials (
  kind TEXT PRIMARY KEY,
  serial INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
  kind TEXT NOT NULL,
  serial INTEGER NOT NULL,
  -- ISO 8601 UTC.
  at TEXT NOT NULL,
  sent_at TEXT,
  PRIMARY KEY (kind, serial)
) STRICT;

CREATE INDEX outbox_waiting ON outbox (kind, serial) WHERE sent_at IS NULL;
