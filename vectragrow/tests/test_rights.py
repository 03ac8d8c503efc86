"""One table says who may do what; nothing else compares roles."""

import re
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib import admin

from accounts.models import Role, User
from core import rights
from core.admin import StaffPage
from core.api.principals import Anonymous, Principal

ROLE_COMPARED = re.compile(r"""\.role\s*(==|!=|\bin\b|\bnot in\b)|Role\.(REVIEWER|MODERATOR|ADMIN)\b|\.role not in""")
MAY_NAME_ROLES = {
    "core/rights.py": "the table itself",
    "accounts/models/people.py": "declares the roles",
    "vectragrow/management/commands/ensure_install_admin.py": "makes the first admin",
    "accounts/services/administration.py": "grants a role that differs from the present one",
    "vectragrow/demo/story.py": "casts people",
    **dict.fromkeys(
        (
            "social/access.py",
            "social/group_rights.py",
            "social/services/channels.py",
            "social/services/memberships.py",
            "social/services/subscriptions.py",
            "social/services/succession.py",
        ),
        "roles in a group or a channel, which are data of theirs",
    ),
}


def test_roles_of_rights_exist() -> None:
    for right in rights.every_right():
        assert right.roles <= set(Role.values), right.name
        assert Role.USER not in right.roles, f"{right.name}: what everybody may do is no right"
        assert right.about.endswith("."), right.name


def test_every_page_of_the_admin_names_its_right() -> None:
    for model, page in admin.site._registry.items():
        assert isinstance(page, StaffPage) and page.right in rights.every_right(), model


def test_code_asks_rights_and_compares_no_roles() -> None:
    found = []
    for path in settings.BASE_DIR.glob("*/**/*.py"):
        name = path.relative_to(settings.BASE_DIR).as_posix()
        if "/tests/" in name or "/migrations/" in name or name.startswith((".", "var/", "bench/")):
            continue
        if name not in MAY_NAME_ROLES and ROLE_COMPARED.search(path.read_text()):
            found.append(name)
    assert not found, "declare a right in permissions.py and ask it"


def test_a_right_is_declared_once() -> None:
    taken = rights.every_right()[0]
    with pytest.raises(ValueError, match="twice"):
        rights.declare(taken.name, roles=["admin"], about="Again.")


def test_scopes_narrow_what_the_role_holds() -> None:
    scoped = rights.Right("things.read", frozenset({"admin"}), "", scope="things:read")
    unscoped = rights.Right("things.burn", frozenset({"admin"}), "")

    def actor(role: str, scopes: frozenset[str] | None) -> SimpleNamespace:
        return SimpleNamespace(role=role, scopes=scopes)

    assert scoped.held_by(actor("admin", None)) and unscoped.held_by(actor("admin", None))
    assert scoped.held_by(actor("admin", frozenset({"things:read"})))
    assert not scoped.held_by(actor("admin", frozenset({"other:read"})))
    assert not scoped.held_by(actor("user", frozenset({"things:read"}))), "a scope gives nothing the role lacks"
    for scopes in (frozenset(), frozenset({""}), frozenset({"things.burn"})):
        assert not unscoped.held_by(actor("admin", scopes)), "a right without a scope is for no key"
    assert not scoped.held_by(Anonymous())


def test_a_right_that_nobody_declared_is_held_by_nobody() -> None:
    boss = User(role=Role.ADMIN)
    assert boss.has_perm("kyc.review") and not boss.has_perm("kyc.view_verification")
    assert not User(role=Role.ADMIN, status="suspended").has_perm("kyc.review")


def test_a_principal_answers_for_person_and_credential() -> None:
    reviewer = User(role=Role.REVIEWER)
    principal = Principal(reviewer, SimpleNamespace(pk=1, is_recent_at=lambda now: False))
    held = {right.name for right in rights.every_right() if principal.holds(right)}
    assert held == {"admin.use", "people.read", "kyc.review", "kyc.award_badges"}
    assert principal.user is reviewer and principal.auth is principal
