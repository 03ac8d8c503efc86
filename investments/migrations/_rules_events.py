"""
A provider's event stays as it came, but for its outcome: that changes once, when it is applied. Takes the place of the
trigger `provider_event_is_append_only` of `_rules`.
"""

EVENTS_ARE_KEPT = """
DROP TRIGGER provider_event_is_append_only ON investments_providerevent;
CREATE TRIGGER provider_event_is_append_only BEFORE DELETE ON investments_providerevent
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER provider_event_is_applied_once BEFORE UPDATE ON investments_providerevent
    FOR EACH ROW WHEN (
        OLD.outcome <> 'received' OR NEW.outcome = 'received'
        OR (NEW.id, NEW.created_at, NEW.provider, NEW.event_id, NEW.type, NEW.key, NEW.reported)
            IS DISTINCT FROM (OLD.id, OLD.created_at, OLD.provider, OLD.event_id, OLD.type, OLD.key, OLD.reported)
    )
    EXECUTE FUNCTION core_refuse_change();
"""
