"""Ids in requests: text in the form we give them, everywhere; in a path anything else is a 404."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.fields import UUIDField

from accounts.models import User
from core.api.serializers import IdField
from core.data.ids import uuid7
from core.testing import Api
from core.tests.test_times import inputs

ID = "01900000-0000-7000-8000-00000000000a"
OTHER_FORMS: list[Any] = [
    1, 2**100, True, 1.5, [ID], {"hex": ID}, [], {}, "", "x", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}",
    f" {ID}", f"{ID}\n", ID[:-1], ID + "0", "０" + ID[1:], ID.replace("0", "g"),
]  # fmt: skip


def test_an_id_is_text_in_the_form_we_give_it() -> None:
    assert str(IdField().run_validation(ID)) == str(IdField().run_validation(ID.upper())) == ID


@pytest.mark.parametrize("data", OTHER_FORMS, ids=repr)
def test_other_forms_of_an_id_are_refused(data: Any) -> None:
    with pytest.raises(ValidationError):
        IdField().run_validation(data)


def test_every_id_of_a_request_is_read_here(api: Api) -> None:
    api.get("/api/schema")  # so that every view is imported
    fields = [
        (f"{one.__name__}.{name}", getattr(field, "child", field))
        for one in inputs()
        for name, field in one().fields.items()
    ]
    assert [name for name, field in fields if isinstance(field, UUIDField) and not isinstance(field, IdField)] == []
    assert sum(isinstance(field, IdField) for _, field in fields) >= 12


def calls() -> dict[str, tuple[str, str, dict[str, Any], str]]:
    """Method, path, body without the id, and the member that is one."""
    there = f"/api/campaigns/{uuid7()}"
    return {
        "invest": ("post", f"{there}/invest", {"amount": "10"}, "paymentMethodId"),
        "withdraw": ("post", f"/api/investments/{uuid7()}/withdraw", {"amount": "10"}, "paymentMethodId"),
        "message": ("post", f"/api/chat/conversations/{uuid7()}/messages", {"content": "x"}, "clientId"),
        "reply": ("post", f"/api/chat/conversations/{uuid7()}/messages", {"content": "x"}, "replyToId"),
        "decide": ("put", "/api/kyc/status", {"status": "rejected"}, "verificationId"),
        "decide on a person": ("put", "/api/kyc/status", {"status": "rejected"}, "userId"),
        "read": ("put", "/api/notifications/read-all", {}, "upToId"),
        "badge": ("post", "/api/kyc/badges/founder", {}, "userId"),
    }


@pytest.mark.parametrize("name", calls())
@pytest.mark.parametrize("data", [7, [ID], {"hex": ID}, ID.replace("-", "")], ids=repr)
def test_an_id_of_another_kind_is_named(api: Api, person: Callable[..., User], name: str, data: Any) -> None:
    method, path, body, member = calls()[name]
    reviewer = person("reviewer", role="reviewer", identity=True)
    refused = getattr(api.as_user(reviewer), method)(path, {**body, member: data})
    assert refused.status_code == 400, refused.content
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [(member, "invalid")]


@pytest.mark.parametrize("data", [[7], [[ID]], [{"hex": ID}], ID], ids=repr)
def test_participants_are_ids(api: Api, person: Callable[..., User], data: Any) -> None:
    refused = api.as_user(person("ada")).post("/api/chat/conversations", {"type": "direct", "participants": data})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"].startswith("participants")


def test_a_malformed_id_in_a_path_is_not_there(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("ada"))
    for bad in ("7", "x", ID.replace("-", ""), f"urn:uuid:{ID}"):
        assert me.get(f"/api/campaigns/{bad}").status_code == 404
