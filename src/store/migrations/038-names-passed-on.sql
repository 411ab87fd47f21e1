-- User names that an import has given to somebody else: what gateways remember of whoever had them counts no more. `at`: ms since the epoch.
CREATE TABLE names_passed_on (
  user_key TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
