-- Classes of data of which nothing is deleted for now, because a court or an inquiry may ask for it. `placed_at`: ms since the epoch.
CREATE TABLE retention_holds (
  class TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  placed_by TEXT NOT NULL REFERENCES people (id),
  placed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
