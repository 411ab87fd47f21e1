-- The personal part of a row may be erased when its time has come; nothing else of a row ever changes. See src/audit/README.md.
DROP TRIGGER audit_is_append_only_update;
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit
WHEN NOT (
  NEW.payload = '' AND NEW.salt = '' AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.actor = OLD.actor
  AND NEW.action = OLD.action AND NEW.subject = OLD.subject AND NEW.approver IS OLD.approver
  AND NEW.payload_hash = OLD.payload_hash AND NEW.prev = OLD.prev AND NEW.hash = OLD.hash
)
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;

-- For the pages: who did it, and when.
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_at ON audit (at);
