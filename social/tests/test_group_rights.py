"""The table of roles, as it is documented."""

from pathlib import Path

from django.conf import settings

from social.group_rights import RIGHTS, Action, Role, outranks, roles_with

FROM_THE_TOP = ["owner", "admin", "moderator", "member"]


def test_the_page_shows_the_table() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "groups.md").read_text()
    shown = page.partition("<!-- roles -->\n")[2].partition("<!-- end of roles -->")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown]
    marks = {action: ["✓" if role in RIGHTS[action] else "" for role in FROM_THE_TOP] for action in Action}
    assert cells == [[action.value, *marks[action]] for action in Action]


def test_a_higher_role_may_whatever_a_lower_one_may() -> None:
    assert RIGHTS.keys() == set(Action)
    for action in Action:
        assert roles_with(action) == FROM_THE_TOP[: len(RIGHTS[action])]
    pairs = {(one, other) for one in FROM_THE_TOP for other in FROM_THE_TOP if outranks(one, other)}
    assert pairs == {(one, other) for n, one in enumerate(FROM_THE_TOP) for other in FROM_THE_TOP[n + 1 :]}
    assert set(FROM_THE_TOP) == set(Role.values)
