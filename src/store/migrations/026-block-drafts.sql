-- What a wish to block became: a draft of the policy. Wishes that were taken up before have none.
ALTER TABLE wishes ADD COLUMN draft_id TEXT REFERENCES policy_drafts (id);
