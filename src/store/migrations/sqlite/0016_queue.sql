-- What ended with the process is told apart from what failed by itself: `attempts` counts the beginnings whose end nobody knows,
-- `failures` those that came to an end and failed.
ALTER TABLE inbox ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;

-- Where a trigger stands, so that a claim reads only what it may take:
-- 0 nowhere: it is worked on, or has ended; 1 it may be taken; 2 it may be taken from `not_before` on;
-- 3 behind an older one of its subject; 4 it may be taken while no other suspect is worked on.
ALTER TABLE inbox ADD COLUMN queue INTEGER NOT NULL DEFAULT 0;
CREATE INDEX inbox_ready ON inbox (lane, id) WHERE queue = 1;
CREATE INDEX inbox_suspect ON inbox (lane, id) WHERE queue = 4;
CREATE INDEX inbox_later ON inbox (not_before, id) WHERE queue = 2;

-- `served` is a lane's turn from now on: the lanes in which something may be taken, in the order of their turns.
DELETE FROM lanes;
CREATE UNIQUE INDEX lanes_turn ON lanes (served);
