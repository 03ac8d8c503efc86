"""What Django's migrations cannot say."""

RAW_EVENTS = """
CREATE TABLE analytics_rawevent (
    id uuid NOT NULL,
    name varchar(60) NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    audience varchar(7) NOT NULL,
    is_known boolean NOT NULL,
    user_id uuid,
    visitor_id uuid,
    campaign_id uuid,
    subject_id uuid,
    page varchar(500) NOT NULL,
    source varchar(100) NOT NULL,
    medium varchar(50) NOT NULL,
    label varchar(100) NOT NULL,
    properties jsonb NOT NULL,
    CONSTRAINT raw_event_audience_is_known CHECK (audience IN ('person', 'visitor', 'team', 'bot')),
    CONSTRAINT raw_event_is_of_a_person_or_a_visitor CHECK (user_id IS NULL OR visitor_id IS NULL)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX raw_event_by_user ON analytics_rawevent (user_id, occurred_at) WHERE user_id IS NOT NULL;
CREATE INDEX raw_event_by_arrival ON analytics_rawevent USING brin (received_at);
"""
