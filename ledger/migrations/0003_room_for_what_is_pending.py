"""Whatever becomes of what is pending, each balance of an account stays within its column."""

from django.db import migrations

ADD = """
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_has_room_for_what_is_pending
    CHECK (abs(posted::numeric) + pending_in + pending_out <= 9223372036854775807);
"""
DROP = "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_has_room_for_what_is_pending;"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_database_rules")]
    operations = [migrations.RunSQL(ADD, DROP)]
