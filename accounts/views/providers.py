"""Signing in and linking with Google and LinkedIn."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from accounts import errors
from accounts.inputs.providers import LinkInput, OAuthCodeInput
from accounts.models import ExternalIdentity, Platform
from accounts.outputs.providers import IdentitiesOutput, IdentityOutput
from accounts.outputs.sign_in import ChallengeOutput, TokensOutput, login_output
from accounts.permissions import EmailVerified, TwoFactorRecent
from accounts.services import identities, provider_sign_in
from accounts.views.callers import device_of
from core import clock, context
from core.api import limits
from core.api.errors import NotFound
from core.api.idempotency import multi_phase
from core.api.operations import operation
from core.api.outputs import Message
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet

_QUERY = [
    OpenApiParameter(name, OpenApiTypes.STR, description=text)
    for name, text in (
        ("code", "From the provider."),
        ("state", "As it was sent to the provider."),
        ("error", "From the provider, in place of `code`."),
    )
]


class _Provider(ApiViewSet):
    """For browsers, which follow a link here."""

    permission_classes = [Open]
    platform: str

    @operation(
        "signInWith{view}",
        status=302,
        parameters=[
            OpenApiParameter(
                "redirect",
                OpenApiTypes.STR,
                description="A path of the front end to go back to; those that it has registered.",
            )
        ],
        errors=[
            errors.ProviderNotConfigured,
            errors.ProviderUnavailable,
            errors.RedirectNotAllowed,
            limits.RateLimited,
        ],
    )
    def begin(self, request: Request) -> HttpResponse:
        """
        Sign in with {view}

        Sends the browser to the provider.
        """
        limits.hit(identities.STARTS_PER_ADDRESS, context.client_address.get())
        redirect = request.query_params.get("redirect", "")
        return provider_sign_in.begin(request._request, platform=self.platform, redirect=redirect, now=clock.now())

    @operation(
        "finishSignInWith{view}",
        status=302,
        parameters=_QUERY,
        errors=[errors.ProviderNotConfigured, limits.RateLimited],
    )
    def finish(self, request: Request) -> HttpResponse:
        """
        Back from {view}

        Sends the browser on to the front end with `code`, good once for 60 seconds, or with `error`.
        """
        limits.hit(identities.RETURNS_PER_ADDRESS, context.client_address.get())
        return provider_sign_in.finish(request._request, platform=self.platform, now=clock.now())


class Google(_Provider):
    platform = Platform.GOOGLE.value


class LinkedIn(_Provider):
    platform = Platform.LINKEDIN.value


class Exchange(ApiViewSet):
    permission_classes = [Open]

    @operation(
        "exchangeOAuthCode",
        OAuthCodeInput,
        returns=TokensOutput | ChallengeOutput,
        errors=[errors.OAuthCodeInvalid, errors.AccountSuspended, limits.RateLimited],
    )
    def exchange(self, request: Request) -> TokensOutput | ChallengeOutput:
        """
        Log in with the code of a provider's sign-in

        The second factor is asked for as at `POST /api/auth/login`.
        """
        limits.hit(identities.STARTS_PER_ADDRESS, context.client_address.get())  # a body that is refused counts, too
        data = parse(OAuthCodeInput, request)
        return login_output(identities.exchange(**data, device=device_of(request), now=clock.now()))


class Identities(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"link": [EmailVerified], "unlink": [TwoFactorRecent]}

    @operation("listLinkedProviders", returns=IdentitiesOutput)
    def list(self, request: Request) -> IdentitiesOutput:
        """What I can sign in with"""
        linked = ExternalIdentity.objects.filter(user=request.user).order_by("platform")
        return IdentitiesOutput(
            password=request.user.has_usable_password(), items=[IdentityOutput.of(identity) for identity in linked]
        )

    @operation(
        "linkProvider",
        LinkInput,
        returns=IdentityOutput,
        errors=[
            errors.IdTokenInvalid,
            errors.IdentityTaken,
            errors.PlatformLinked,
            errors.ProviderNotConfigured,
            errors.ProviderUnavailable,
        ],
    )
    @multi_phase
    def link(self, request: Request, data: dict[str, Any]) -> IdentityOutput:
        """
        Link a provider

        `token` is an ID token of the provider for our client, at most ten minutes old.
        """
        return IdentityOutput.of(identities.link(user=request.user, **data, now=clock.now()))

    @operation("unlinkProvider", returns=Message, errors=[NotFound, errors.OnlyWayIn])
    def unlink(self, request: Request, platform: str) -> Message:
        """Unlink a provider"""
        identities.unlink(user=request.user, platform=platform, now=clock.now())
        return Message(message=_("Unlinked"))
