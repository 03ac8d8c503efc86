"""How PostgreSQL answers a statement of `core.data.statements`, for tests of what a page reads."""

import json
from typing import Any

from django.db import connection

from core.data.statements import Statement


def generic_plan(statement: Statement, **values: Any) -> dict[str, Any]:
    """
    Run a statement by the plan that PostgreSQL keeps for all values, as it does from the sixth run on.

    :param values: as `Statement.rows` takes them
    :returns: the uppermost node, with what was really read
    """
    given = frozenset(name for name in statement.conditions if values.get(name) not in (None, False))
    text, names = statement.variant(given, values.get("limit"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE measured AS {text}")  # no values, so % needs no escape
        places = ", ".join(["%s"] * len(names))
        cursor.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE measured({places})", [values.get(name) for name in names]
        )
        (found,) = cursor.fetchone()
        cursor.execute("DEALLOCATE measured")
        cursor.execute("SET LOCAL plan_cache_mode = auto")
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def rows_read(node: dict[str, Any], *tables: str) -> float:
    """
    The most rows that a node of the plan has read or given, over all its rounds.

    :param tables: only of nodes that read one of these
    """
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows: float = own * node["Actual Loops"] if not tables or node.get("Relation Name") in tables else 0
    return max([rows, *(rows_read(child, *tables) for child in node.get("Plans", []))])
