-- Claims go on side by side, so the lanes' turns are counted without looking at the other lanes. Programs of the version before
-- go on with the highest turn and one: the distance keeps what both give out apart.
CREATE SEQUENCE lane_turns INCREMENT BY 1000;
SELECT setval('lane_turns', coalesce(max(served), 0) + 1000) FROM lanes;
