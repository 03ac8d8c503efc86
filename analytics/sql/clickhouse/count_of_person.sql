-- How many rows of a person there are, copies included. Index: raw_event_by_user.
SELECT count() FROM raw_event WHERE user_id = {user:UUID}
