-- Agreements on using the web: the words of each version that was ever accepted, and who accepted which when. Nothing here is
-- removed, neither by people nor by a roster. Instants are ms since the epoch.
CREATE TABLE agreement_texts (
  version TEXT PRIMARY KEY,
  band TEXT NOT NULL,
  title TEXT NOT NULL,
  -- JSON array of paragraphs.
  text TEXT NOT NULL,
  accepted_by TEXT NOT NULL CHECK (accepted_by IN ('person', 'parent'))
) STRICT;

CREATE TABLE acceptances (
  id INTEGER PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES people (id),
  version TEXT NOT NULL REFERENCES agreement_texts (version),
  accepted_at INTEGER NOT NULL,
  -- The beginning of the next school year.
  until INTEGER NOT NULL,
  -- Who recorded a parent's consent; null: the person accepted it themself.
  recorded_by TEXT REFERENCES people (id),
  withdrawn_at INTEGER,
  withdrawn_by TEXT REFERENCES people (id),
  CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
) STRICT;

CREATE INDEX acceptances_person ON acceptances (person_id, until);
CREATE INDEX acceptances_at ON acceptances (accepted_at);
CREATE INDEX passwords_changed ON passwords (changed_at);

CREATE TRIGGER acceptances_are_kept BEFORE DELETE ON acceptances BEGIN SELECT RAISE(ABORT, 'what was accepted stays on record'); END;
CREATE TRIGGER agreement_texts_are_kept BEFORE DELETE ON agreement_texts BEGIN SELECT RAISE(ABORT, 'what was accepted stays on record'); END;
CREATE TRIGGER agreement_texts_stay BEFORE UPDATE ON agreement_texts BEGIN SELECT RAISE(ABORT, 'what was accepted stays on record'); END;
