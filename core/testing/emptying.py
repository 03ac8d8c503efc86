"""
Empty the database after a test with real commits.

Django's flush truncates every table, which makes hundreds of files anew, and then fills permissions and content types
again. This deletes from the tables that hold rows, and leaves alone what `migrate` filled and no test changes: each
test finds the database as `migrate` made it, whatever ran before.
"""

from django.db import connection, transaction

FROM_MIGRATE = ("auth_permission", "campaigns_category", "campaigns_reviewphrase", "django_content_type")


def empty_database() -> None:
    """Delete all rows, those included that triggers protect. The triggers are on again when it commits."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        asked = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables if table not in FROM_MIGRATE
        )
        cursor.execute(asked)
        filled = [table for (table,) in cursor.fetchall()]
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        guarded = {table for (table,) in cursor.fetchall()}.intersection(filled)
        steps = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in guarded]
        steps += ["SET CONSTRAINTS ALL DEFERRED"]
        steps += [f"DELETE FROM {table}" for table in filled]
        steps += ["SET CONSTRAINTS ALL IMMEDIATE"]
        steps += [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in guarded]
        for step in steps:
            cursor.execute(step)
