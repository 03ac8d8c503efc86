"""What signing in and refreshing answer."""

from typing import Annotated, Self

from msgspec import Meta

from accounts.outputs.people import SignedInUser
from accounts.services.login import Challenge
from accounts.services.sessions import Tokens
from accounts.services.two_factor import Method
from core.api.outputs import Output

ExpiresIn = Annotated[int, Meta(ge=0, description="Seconds until the token expires.")]


class RefreshOutput(Output):
    token: str
    refresh_token: str
    expires_in: ExpiresIn

    @classmethod
    def of(cls, tokens: Tokens) -> Self:
        return cls(token=tokens.token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in)


class TokensOutput(Output):
    token: str
    refresh_token: str
    expires_in: ExpiresIn
    user: SignedInUser

    @classmethod
    def of(cls, tokens: Tokens) -> Self:
        return cls(
            token=tokens.token,
            refresh_token=tokens.refresh_token,
            expires_in=tokens.expires_in,
            user=SignedInUser.of(tokens.session.user),
        )


class ChallengeOutput(Output):
    """The first step was right; `POST /api/auth/login/2fa` with the token and a proof ends the login."""

    two_factor_required: Annotated[bool, Meta(description="Always true.")]
    two_factor_token: str
    methods: list[Method]
    expires_in: ExpiresIn

    @classmethod
    def of(cls, challenge: Challenge) -> Self:
        return cls(
            two_factor_required=True,
            two_factor_token=challenge.token,
            methods=challenge.methods,
            expires_in=challenge.expires_in,
        )


def login_output(outcome: Tokens | Challenge) -> TokensOutput | ChallengeOutput:
    return TokensOutput.of(outcome) if isinstance(outcome, Tokens) else ChallengeOutput.of(outcome)
