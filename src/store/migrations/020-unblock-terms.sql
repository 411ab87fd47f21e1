-- What an unblock may say besides. Lists are JSON arrays of text; instants are ms since the epoch.
ALTER TABLE unblocks ADD COLUMN subject TEXT NOT NULL DEFAULT '';
-- Names of classes and groups, canonical user names, names of the calendar's slots (none: all day).
ALTER TABLE unblocks ADD COLUMN classes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE unblocks ADD COLUMN pupils TEXT NOT NULL DEFAULT '[]';
ALTER TABLE unblocks ADD COLUMN during TEXT NOT NULL DEFAULT '[]';
ALTER TABLE unblocks ADD COLUMN passes_person_block INTEGER NOT NULL DEFAULT 0;
-- Why the safeguarding lead must agree as well: ids of high-risk categories; none: they need not for that.
ALTER TABLE unblocks ADD COLUMN risks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE unblocks ADD COLUMN agreed_by TEXT REFERENCES people (id);
-- Never approved without the safeguarding lead where one is needed, nor by one person in two roles.
ALTER TABLE unblocks ADD COLUMN agreed_at INTEGER CHECK (
  state <> 'approved'
  OR (risks = '[]' AND passes_person_block = 0)
  OR (agreed_by IS NOT NULL AND agreed_by NOT IN (requested_by, decided_by))
);
-- Of the form it came with: sent twice, it is asked for once.
ALTER TABLE unblocks ADD COLUMN form_key TEXT;
CREATE UNIQUE INDEX unblocks_form ON unblocks (requested_by, form_key);
