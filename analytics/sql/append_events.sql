-- Writes events as raw events, those with an id of their own once; answers the ids of those that were written.
WITH incoming AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:events::jsonb) AS e(
        id uuid, name text, occurred_at timestamptz, received_at timestamptz, audience text, has_own_id boolean,
        is_known boolean, user_id uuid, visitor_id uuid, campaign_id uuid, subject_id uuid,
        page text, source text, medium text, label text, properties jsonb
    )
), fresh AS (
    INSERT INTO analytics_receivedid (id, received_at)
    SELECT id, received_at FROM incoming WHERE has_own_id ORDER BY id  -- in one order, so that two batches never wait for each other
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO analytics_rawevent (
    id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id, subject_id,
    page, source, medium, label, properties
)
SELECT
    id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id, subject_id,
    page, source, medium, label, properties
FROM incoming
WHERE NOT has_own_id OR id IN (SELECT id FROM fresh)
RETURNING id
