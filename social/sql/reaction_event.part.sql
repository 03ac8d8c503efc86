-- The rows of the event, unless somebody reacts to their own post: `changed` is the reaction that came or went.
event AS (
    INSERT INTO core_event
    SELECT r.* FROM changed JOIN target ON target.author_id <> :viewer::uuid
     CROSS JOIN LATERAL jsonb_populate_record(NULL::core_event, jsonb_set(
        :event::jsonb, '{facts,author_id}', to_jsonb(target.author_id))) r
), follow_up AS (
    INSERT INTO core_outboxevent
    SELECT r.* FROM changed JOIN target ON target.author_id <> :viewer::uuid
     CROSS JOIN jsonb_populate_record(NULL::core_outboxevent, :follow_up::jsonb) r
),
