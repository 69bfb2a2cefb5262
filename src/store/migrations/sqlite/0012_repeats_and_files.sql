-- How often a message is still to be said again though the platform has it: an edit whose answer was lost may be carried out
-- late, over a newer one.
ALTER TABLE messages ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;

-- 1 while files are to follow the message, 2 once they may have; the message keeps them until then.
ALTER TABLE messages ADD COLUMN files INTEGER NOT NULL DEFAULT 0;
