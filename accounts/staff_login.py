"""Signing in to the admin: the same limits as the API, and the second factor where it is set up or demanded."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import browser_sessions, staff_enrolment
from accounts.browser_sessions import PROVEN
from accounts.errors import CodeInvalid, InvalidCredentials, PasskeyRefused, TwoFactorRequired
from accounts.inputs.passkeys import KeyInput
from accounts.models import User, normalise_email
from accounts.services import history, login, staff_factors, two_factor
from core import clock, context, events
from core.api.errors import MalformedBody, Refusal
from core.api.parsing import parse_json
from core.devices import sent_by

NOT_SHOWN = {"account", "auth", "django_celery_beat", "socialaccount"}
MAX_PASSKEY_CHARACTERS = 16_000
_NEEDS_CODE = _(
    "This account has a second factor. Type your password again, and the code of the app or a recovery code."
)
_MAILED = _("Staff need a second factor here. A link to set it up is on its way to your address.")
_NEEDS_PASSKEY = _("This account has a second factor. Use your passkey, or type a recovery code.")


class StaffLoginForm(AuthenticationForm):
    """E-mail, password and, where there is one, the code of the authenticator app or a recovery code; or a passkey."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    """Bounded as everywhere, so that nobody has us hash a megabyte."""
    code = forms.CharField(
        label=_("Code of your authenticator app, or a recovery code"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )
    passkey = forms.CharField(required=False, widget=forms.HiddenInput)
    """A passkey's answer to `POST /api/auth/passkey/options`, as JSON; the page's script puts it here."""

    request: HttpRequest
    has_mailed = False
    """The password was right and no factor is there yet: the link that sets one up is on its way."""
    needed = ""
    """What has to come beside a right password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.data.get("passkey"):
            self.fields["username"].required = self.fields["password"].required = False

    @property
    def passkey_site(self) -> str:
        """The domain whose pages may ask for passkeys."""
        return settings.PASSKEY_RP_ID

    def clean(self) -> dict[str, Any]:
        data, device, now = self.cleaned_data, sent_by(self.request.headers), clock.now()
        if self.errors:
            return data
        try:
            prove = self._by_passkey if data.get("passkey") else self._by_password
            user = prove(data, device, now)
        except TwoFactorRequired as refusal:
            self.add_error("code", ValidationError(self.needed, code=refusal.code))
            return data
        except Refusal as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from None
        self.user_cache = user
        events.record("admin.signed_in", user, actor=user, now=now)
        return data

    def _by_passkey(self, data: dict[str, Any], device: str, now: datetime) -> User:
        given = KeyInput(data=_read_json(data["passkey"]))
        if not given.is_valid():
            raise PasskeyRefused()
        user = login.verify_passkey(
            credential=given.validated_data,
            method="admin",
            address=context.client_address.get(),
            device=device,
            now=now,
        )
        _check_staff(user)
        self.request.session[PROVEN] = str(user.pk)
        return user

    def _by_password(self, data: dict[str, Any], device: str, now: datetime) -> User:
        email = normalise_email(data.get("username", ""))
        try:
            user = login.verify_password(
                email=email,
                password=data.get("password", ""),
                address=context.client_address.get(),
                device=device,
                now=now,
            )
            _check_staff(user)
            self._check_second_factor(user, data.get("code", ""), now)
        except (InvalidCredentials, CodeInvalid, TwoFactorRequired) as refusal:
            known = User.objects.filter(email=email).first()
            history.note_failure(user=known, device=device, method="admin", reason=refusal.code, now=now)
            raise
        return user

    def _check_second_factor(self, user: User, code: str, now: datetime) -> None:
        """:raises TwoFactorRequired: there is one, and no code; or none, and the link to set it up was mailed"""
        if user.two_factor_enabled:
            if not code:
                self.needed = str(_NEEDS_CODE if two_factor.has_app(user) else _NEEDS_PASSKEY)
                raise TwoFactorRequired()
            two_factor.check_code(user=user, code=code, now=now)
            self.request.session[PROVEN] = str(user.pk)
        elif settings.ADMIN_TWO_FACTOR_REQUIRED:
            staff_factors.mail_link(user=user, now=now)
            self.has_mailed, self.needed = True, str(_MAILED)
            raise TwoFactorRequired()


def _check_staff(user: User) -> None:
    """:raises ValidationError: the account is not of staff"""
    if not user.is_active or not user.is_staff:
        raise ValidationError(_("This account has no access to the admin."), code="role_required")


def _read_json(text: str) -> Any:
    """:raises PasskeyRefused: it is none, or longer than any answer"""
    if len(text) > MAX_PASSKEY_CHARACTERS:
        raise PasskeyRefused()
    try:
        return parse_json(text.encode())
    except MalformedBody:
        raise PasskeyRefused() from None


class StaffSite(AdminSite):
    """The admin. Staff only; with the second factor proven in this browser session where one is set up or demanded."""

    site_header = "VECTRAGrow"
    site_title = "VECTRAGrow admin"
    index_title = _("Overview")
    login_form = StaffLoginForm

    def register(self, model_or_iterable: Any, *args: Any, **kwargs: Any) -> None:
        """Not what we do not use (groups) and what is not edited by hand (the schedule, which settings own)."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        shown = [model for model in models if model._meta.app_label not in NOT_SHOWN]
        super().register(shown, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        """Without Django's page to change a password: that ends sessions and is mailed, so it goes through the API."""
        entries = super().get_urls()
        kept = [entry for entry in entries if not (getattr(entry, "name", None) or "").startswith("password_")]
        return [path("second-factor/", self.second_factor, name="second_factor"), *kept]

    @method_decorator(sensitive_post_parameters())
    @method_decorator(never_cache)
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Where the link leads that the sign-in mails to staff without a second factor."""
        return staff_enrolment.second_factor(self, request)

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return False
        if not browser_sessions.is_live(request, clock.now()):
            return False
        if user.two_factor_enabled or settings.ADMIN_TWO_FACTOR_REQUIRED:
            return request.session.get(PROVEN) == str(user.pk)
        return True
