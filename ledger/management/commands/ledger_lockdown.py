from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

RIGHTS = {
    "ledger_account": "SELECT, INSERT, UPDATE (posted, pending_in, pending_out)",
    "ledger_transaction": "SELECT, INSERT",
    "ledger_entry": "SELECT, INSERT",
    "ledger_seal": "SELECT, INSERT",
    "ledger_sealed_day": "SELECT, INSERT",
}
"""The triggers move balances with the rights of whoever books, and locking an account takes the same right."""


class Command(BaseCommand):
    help = "Leave the application's database role only the rights that booking needs. Run it as the tables' owner."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("role", help="the role that the application connects as; not the owner of the tables")

    @transaction.atomic
    def handle(self, *args: Any, role: str, **options: Any) -> None:
        name = connection.ops.quote_name(role)
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {role}. Create it first: CREATE ROLE {name} LOGIN.")
            for table, rights in RIGHTS.items():
                cursor.execute(f"REVOKE ALL ON {table} FROM {name}")
                cursor.execute(f"GRANT {rights} ON {table} TO {name}")
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' AND ("
                " pg_has_role(%s, relowner, 'MEMBER') OR has_table_privilege(%s, oid, 'UPDATE, DELETE, TRUNCATE'))",
                [list(RIGHTS), role, role],
            )
            if still := [row[0] for row in cursor.fetchall()]:
                raise CommandError(
                    f"{role} could still change {', '.join(sorted(still))}: it is a superuser, the owner, or a member"
                    " of a role that may. Let another role own the tables and run the migrations."
                )
        self.stdout.write(f"{role} may read and add to the books, and nothing else.")
