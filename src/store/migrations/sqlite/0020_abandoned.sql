-- What nobody read: how a thread stands is known from its investigations and its group, and alarms find their threads by the
-- keys of groups.
DROP INDEX threads_alarm;
ALTER TABLE threads DROP COLUMN state;
ALTER TABLE threads DROP COLUMN alarm_key;
ALTER TABLE threads DROP COLUMN alarm_state;
ALTER TABLE threads DROP COLUMN alarm_at;
