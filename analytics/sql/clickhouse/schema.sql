-- The raw events, one partition for each UTC day. An event that came twice is one row: the merge keeps the latest, and
-- reading with FINAL does so before the merge. An insert is answered once it is on the disk: then PostgreSQL deletes its rows.
CREATE TABLE IF NOT EXISTS raw_event (
    id UUID,
    name LowCardinality(String),
    occurred_at DateTime64(6, 'UTC'),
    received_at DateTime64(6, 'UTC'),
    audience LowCardinality(String),
    is_known Bool,
    user_id Nullable(UUID),
    visitor_id Nullable(UUID),
    campaign_id Nullable(UUID),
    subject_id Nullable(UUID),
    page String,
    source LowCardinality(String),
    medium LowCardinality(String),
    label LowCardinality(String),
    properties String,
    shipped_at DateTime64(6, 'UTC'),
    INDEX raw_event_by_user user_id TYPE bloom_filter GRANULARITY 1,
    INDEX raw_event_by_arrival shipped_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(shipped_at)
PARTITION BY toYYYYMMDD(occurred_at)
ORDER BY (occurred_at, id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
