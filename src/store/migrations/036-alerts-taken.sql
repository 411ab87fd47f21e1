-- Whether an alert that became due has been taken to those who tell people. Their order cannot say it: after a restart with the clock set
-- back ids may be lower than those of before.
ALTER TABLE concern_alerts ADD COLUMN taken INTEGER NOT NULL DEFAULT 0 CHECK (taken IN (0, 1));
UPDATE concern_alerts SET taken = 1 WHERE id IN (SELECT id FROM alerts);
CREATE INDEX concern_alerts_to_take ON concern_alerts (id) WHERE taken = 0;
