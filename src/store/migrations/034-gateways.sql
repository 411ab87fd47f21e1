-- How each gateway last said it is.
CREATE TABLE gateways (
  gateway TEXT PRIMARY KEY,
  workers INTEGER NOT NULL,
  up INTEGER NOT NULL,
  serial INTEGER NOT NULL,
  -- By the gateway's clock, ISO 8601 UTC, and when the console heard of it, ms.
  at TEXT NOT NULL,
  heard_at INTEGER NOT NULL
) STRICT;
