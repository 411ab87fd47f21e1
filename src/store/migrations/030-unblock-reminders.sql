-- When those who could decide an unblock were reminded of it, ms since the epoch. What lay there before is not reminded of.
ALTER TABLE unblocks ADD COLUMN reminded_at INTEGER;
