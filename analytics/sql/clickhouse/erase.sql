-- Rewrites the parts that hold events of a person, without them.
ALTER TABLE raw_event DELETE WHERE user_id = {user:UUID} SETTINGS mutations_sync = 1
