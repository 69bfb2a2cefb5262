-- What was posted when its answer was lost, once something else is stated in its place; and when it was posted first. A platform
-- that keeps no key with a message knows it again by these.
ALTER TABLE messages ADD COLUMN tried TEXT;
ALTER TABLE messages ADD COLUMN tried_at INTEGER;
