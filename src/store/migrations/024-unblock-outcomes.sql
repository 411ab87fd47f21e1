-- What came of an unblock: how it was used, counted from the history once it is over, and what its teacher says of it.
ALTER TABLE unblocks ADD COLUMN people_count INTEGER;
ALTER TABLE unblocks ADD COLUMN visit_count INTEGER;
ALTER TABLE unblocks ADD COLUMN flag_count INTEGER CHECK ((people_count IS NULL) = (flag_count IS NULL));
ALTER TABLE unblocks ADD COLUMN remark TEXT NOT NULL DEFAULT '';
