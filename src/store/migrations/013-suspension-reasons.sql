-- Why somebody was suspended, for whoever decides about lifting it.
ALTER TABLE suspensions ADD COLUMN reason TEXT;
