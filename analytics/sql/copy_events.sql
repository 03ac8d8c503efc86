-- Copies recorded events of the kinds that are counted, once; answers their ids. Index: the primary key, which is in the
-- order of time.
WITH counted AS (
    SELECT * FROM jsonb_to_recordset(:kinds::jsonb) AS c(kind text, person text, campaign text, subject text)
), recorded AS MATERIALIZED (
    SELECT
        e.id,
        e.kind AS name,
        e.created_at AS occurred_at,
        e.actor_label,
        CASE WHEN c.person = '' THEN e.actor_id ELSE (e.facts ->> c.person)::uuid END AS user_id,
        CASE
            WHEN c.campaign <> '' THEN (e.facts ->> c.campaign)::uuid
            WHEN e.subject_type = 'campaigns.campaign' THEN e.subject_id
        END AS campaign_id,
        CASE WHEN c.subject <> '' THEN (e.facts ->> c.subject)::uuid END AS subject_id
    FROM core_event e
    JOIN counted c ON c.kind = e.kind
    WHERE e.id >= :first::uuid AND e.id < :last::uuid
), fresh AS (
    INSERT INTO analytics_receivedid (id, received_at)
    SELECT id, :now::timestamptz FROM recorded ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO analytics_rawevent (
    id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id, subject_id,
    page, source, medium, label, properties
)
SELECT
    id, name, occurred_at, :now::timestamptz,
    CASE WHEN actor_label = ANY(:team::text[]) THEN 'team' ELSE 'person' END,
    true, user_id, NULL, campaign_id, subject_id, '', '', '', '', '{}'
FROM recorded
WHERE id IN (SELECT id FROM fresh)
RETURNING id
