"""The table of events only grows: the database itself refuses to change or delete its rows."""

from django.db import migrations

REFUSE = """
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON core_event
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0003_events")]
    operations = [migrations.RunSQL(REFUSE, "DROP TRIGGER event_is_append_only ON core_event")]
