"""`make where` finds the handler of a call, however its ids are written."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command


def where(call: str) -> str:
    out = StringIO()
    call_command("where", call, stdout=out)
    return out.getvalue().strip()


def line_of(file: str, start: str) -> str:
    """As a reader would find it."""
    lines = (settings.BASE_DIR / file).read_text().splitlines()
    return f"{file}:{next(number for number, line in enumerate(lines, 1) if line.strip().startswith(start))}"


INVEST = line_of("investments/views.py", "def invest(")


@pytest.mark.parametrize(
    "path",
    [
        "/api/campaigns/.../invest",
        "/api/campaigns/:id/invest",
        "/api/campaigns/{campaignId}/invest/",
        "/api/campaigns/<uuid:campaign_id>/invest?x=1",
        "/api/campaigns/018f3c6e-8a54-7cc2-9d3e-6a5b4c3d2e1f/invest",
        "api/campaigns/…/invest",
    ],
)
def test_ids_may_be_written_in_any_way(path: str) -> None:
    assert where(f"POST {path}") == INVEST


def test_a_path_that_is_written_out_wins_over_a_parameter() -> None:
    assert where("GET /api/campaigns/categories") == line_of("campaigns/views.py", "def categories(")


def test_without_a_method_every_one_is_named() -> None:
    found = where("/api/campaigns/...").splitlines()
    assert {line.split()[1] for line in found} >= {"GET", "PUT"}


def test_plain_views_are_found() -> None:
    assert where("GET /readyz") == line_of("vectragrow/pages.py", "def ready(")


@pytest.mark.parametrize("call", ["POST /api/campaigns/.../invset", "DELETE /api/auth/login", ""])
def test_nothing_is_said_to_answer_what_nothing_answers(call: str) -> None:
    with pytest.raises(CommandError, match="Nothing answers"):
        where(call)


def test_a_near_miss_is_answered_with_what_is_near() -> None:
    with pytest.raises(CommandError, match="/api/auth/login"):
        where("POST /api/accounts/login")
