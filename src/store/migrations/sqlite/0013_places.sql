-- The thread of others in which one is held, because it was asked for there: nothing of it is told elsewhere.
ALTER TABLE threads ADD COLUMN held_in TEXT;
CREATE INDEX threads_held ON threads (platform, workspace, channel, held_in) WHERE held_in IS NOT NULL;

-- 1 while the platform does not let us in: it is tried again when that changes, and after a while.
ALTER TABLE messages ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
