-- What an alert tells of, as the record of acts calls it: `concern:01J…`, or `incident:01J…` of what was reported at the front desk.
ALTER TABLE alerts RENAME COLUMN concern_id TO about;
UPDATE alerts SET about = 'concern:' || about;
