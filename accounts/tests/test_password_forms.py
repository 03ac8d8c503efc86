"""One password, however a keyboard writes it: NFKC before judging, hashing and checking (ADR 9)."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from accounts.passwords import matches
from core.testing import Api

COMPOSED = "caf\u00e9 \u00c5ngstr\u00f6m 12"
FORMS = {
    "decomposed": unicodedata.normalize("NFD", COMPOSED),
    "the sign of \u00c5ngstr\u00f6m": COMPOSED.replace("\u00c5", "\u212b"),
    "full width": COMPOSED.replace("12", "１２"),
    "a space that does not break": COMPOSED.replace(" ", "\u00a0"),
}
OTHERS = {
    "another case": COMPOSED.upper(),
    "cut": COMPOSED[:-1],
    "without accents": "cafe Angstrom 12",
    "spaced": f" {COMPOSED}",
}
BODY = {"email": "ada@example.com", "firstName": "Ada"}


@pytest.fixture
def ada(api: Api) -> User:
    assert api.post("/api/auth/register", {**BODY, "password": COMPOSED}).status_code == 201
    return User.objects.get()


def log_in(api: Api, password: str) -> Any:
    return api.post("/api/auth/login", {"email": "ada@example.com", "password": password})


@pytest.mark.parametrize("form", FORMS)
def test_login_and_step_up_take_every_form(api: Api, ada: User, form: str) -> None:
    signed_in = log_in(api, FORMS[form])
    assert signed_in.status_code == 200
    me = api.with_token(signed_in.json()["token"])
    assert me.post("/api/auth/step-up", {"password": FORMS[form]}).status_code == 200


@pytest.mark.parametrize("other", OTHERS)
def test_another_password_is_another(api: Api, ada: User, other: str) -> None:
    assert log_in(api, OTHERS[other]).status_code == 401


@pytest.mark.parametrize("form", FORMS)
def test_what_was_set_in_any_form_is_entered_in_the_usual_one(api: Api, form: str) -> None:
    assert api.post("/api/auth/register", {**BODY, "password": FORMS[form]}).status_code == 201
    assert log_in(api, COMPOSED).status_code == 200


def test_change_and_reset(
    api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]], token_in: Callable[[str], str]
) -> None:
    me = api.as_user(ada)
    changed = {"currentPassword": FORMS["decomposed"], "newPassword": "ﬁne " + FORMS["full width"]}
    assert me.post("/api/auth/change-password", changed).status_code == 200
    assert log_in(api, "fine " + COMPOSED).status_code == 200
    api.post("/api/auth/forgot-password", {"email": ada.email})
    reset = {"token": token_in(mails(ada)[-1][1]), "password": "reset " + FORMS["decomposed"]}
    assert api.post("/api/auth/reset-password", reset).status_code == 200
    assert log_in(api, "reset " + COMPOSED).status_code == 200


def test_the_page_that_resets(
    api: Api, ada: User, mails: Callable[[User], list[tuple[str, str]]], token_in: Callable[[str], str]
) -> None:
    api.post("/api/auth/forgot-password", {"email": ada.email})
    form = {"token": token_in(mails(ada)[-1][1]), "password": "page " + FORMS["decomposed"]}
    assert Client().post("/reset-password", form).status_code == 200
    assert log_in(api, "page " + COMPOSED).status_code == 200


def test_the_admin(api: Api, ada: User) -> None:
    User.objects.update(role="admin")
    entered = Client().post("/admin/login/", {"username": ada.email, "password": FORMS["decomposed"], "code": ""})
    assert entered.status_code == 302


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_model_itself(form: str) -> None:
    user = User()
    user.set_password(form)
    assert user.check_password(COMPOSED) and matches(COMPOSED, user) and matches(form, user)
    user.set_password(None)
    assert not user.has_usable_password() and not user.check_password("None")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        (unicodedata.normalize("NFD", "\u00e9" * 9), "password_too_short"),
        ("\ufdfa" * 20, "password_too_long"),
        ("ｐａｓｓｗｏｒｄ１２３", "password_too_common"),
        ("ｖｅｃｔｒａｇｒｏｗ１２", "password_too_guessable"),
    ],
)
def test_it_is_judged_as_it_is_kept(api: Api, password: str, code: str) -> None:
    refused = api.post("/api/auth/register", {**BODY, "password": password})
    assert code in {row["code"] for row in refused.json()["errors"]}
    with pytest.raises(ValidationError):
        validate_password(password)


def test_an_accent_is_no_character_of_its_own(api: Api) -> None:
    made = api.post("/api/auth/register", {**BODY, "password": unicodedata.normalize("NFD", "\u00e9\u00e8" * 64)})
    assert made.status_code == 201, made.content
