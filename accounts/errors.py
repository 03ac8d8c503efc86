"""Every refusal of the accounts app."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.api.errors import Busy, Conflict, Invalid, NotAllowed, NotFound, TooMany, Unauthenticated


class InvalidCredentials(Unauthenticated):
    code = "invalid_credentials"
    keeps_effects = True
    message = _("The e-mail address or the password is wrong.")


class TokenInvalid(Unauthenticated):
    code = "token_invalid"
    message = _("The access token is not valid, or its session has ended. Sign in again.")


class TokenExpired(Unauthenticated):
    code = "token_expired"
    may_be_a_guess = False
    message = _("The access token has expired. Refresh it.")


class RefreshTokenInvalid(Unauthenticated):
    code = "refresh_token_invalid"
    message = _("The refresh token is not valid, or its session has ended. Sign in again.")


class TokenReused(Unauthenticated):
    code = "token_reused"
    keeps_effects = True
    message = _("This refresh token was used before. The session was ended, since someone else may hold a copy.")


class AccountSuspended(NotAllowed):
    """Whoever has proved who they are gets a token for their appeal (`accounts.appeal_tokens`), and nothing else."""

    code = "account_suspended"
    keeps_effects = True
    message = _("This account is suspended.")
    members = {"appeal_token": str, "appeal_expires_in": int}


class EmailTaken(Conflict):
    code = "email_taken"
    keeps_effects = is_outcome = True
    message = _("There is an account with this e-mail address already.")


class EmailAlreadyVerified(Conflict):
    code = "email_already_verified"
    message = _("The e-mail address is verified already.")


class MailedTokenInvalid(Invalid):
    code = "token_invalid_or_expired"
    message = _("This link has been used, has expired, or was replaced by a newer one.")


class EmailNotVerified(NotAllowed):
    code = "email_not_verified"
    message = _("Verify your e-mail address first; the link is in your mail.")


class AccountFrozen(NotAllowed):
    code = "account_frozen"
    message = _("Moderators have paused what you publish, until %(until)s. You can read, and appeal.")
    members = {"until": datetime}


class KYCRequired(NotAllowed):
    code = "kyc_required"
    message = _("Prove your identity first (/api/kyc/initiate).")


class SlowDown(TooMany):
    """Somebody new did something too often (`accounts.brakes`)."""

    code = "slow_down"
    message = _("That is a lot for a new account. Wait a little; proving your identity lifts this limit.")


class TooManyLinks(Invalid):
    code = "too_many_links"
    message = _("A new account may write %(most)s links in one text. Proving your identity lifts this limit.")
    members = {"most": int}


class StepUpRequired(NotAllowed):
    code = "step_up_required"
    message = _("Confirm that it is you (/api/auth/step-up) and repeat the call within five minutes.")


class TwoFactorRequired(NotAllowed):
    code = "two_factor_required"
    message = _("This account has a second factor. Send its code instead of the password.")


class StaffFactorByMail(NotAllowed):
    """Where the admin requires a second factor, setting up the first one needs a mailed link beside the password."""

    code = "staff_factor_by_mail"
    message = _("Staff set up their first second factor at the admin's sign-in, which mails a link for it.")


class TwoFactorTokenInvalid(Unauthenticated):
    code = "two_factor_token_invalid"
    message = _("This login has expired or was finished already. Log in again.")


class TwoFactorOn(Conflict):
    code = "two_factor_already_enabled"
    message = _("A second factor is on already. Switch it off first.")


class TwoFactorOff(Conflict):
    code = "two_factor_not_enabled"
    message = _("This account has no second factor.")


class TwoFactorNotSetUp(Conflict):
    code = "two_factor_not_set_up"
    message = _("There is no authenticator app. Ask for a secret first (/api/profile/2fa/setup).")


class InvitationInvalid(Invalid):
    code = "invitation_invalid"
    message = _("This invitation was used already, has expired, or is not one of ours. You can register without it.")


class MoneyInFlight(Conflict):
    """Apps above give it too: payments, refunds, campaigns that hold money."""

    code = "money_in_flight"
    message = _("Money of yours is still on its way. The account can be deleted when that is settled.")


class NoPhoneNumber(Conflict):
    code = "no_phone_number"
    message = _("There is no phone number on your profile to send a code to.")


class PhoneAlreadyVerified(Conflict):
    code = "phone_already_verified"
    message = _("The phone number is confirmed already.")


class PhoneCodeInvalid(Invalid):
    code = "phone_code_invalid"
    keeps_effects = True
    message = _("This code is wrong, older than ten minutes, or was tried too often. Ask for a new one.")


class CodeInvalid(Invalid):
    code = "two_factor_code_invalid"
    keeps_effects = True
    message = _("This code is wrong or was used already.")


class SecondFactorLocked(TooMany):
    code = "two_factor_locked"
    message = _("Too many wrong codes. The second factor rests for a while.")


class PasskeyInvalid(Invalid):
    code = "passkey_invalid"
    keeps_effects = True
    message = _("This is not a passkey's answer to our question. Ask for new options and try again.")


class PasskeyRefused(Unauthenticated):
    code = "passkey_refused"
    keeps_effects = True
    message = _("This passkey does not sign in here. Try again, or sign in another way.")


class PasskeyTaken(Conflict):
    code = "passkey_already_registered"
    keeps_effects = True
    message = _("This passkey is registered already.")


class NoPasskey(Conflict):
    code = "no_passkey"
    message = _("This account has no passkey.")


class TooManyPasskeys(Conflict):
    code = "too_many_passkeys"
    keeps_effects = True
    message = _("An account has at most %(most)s passkeys. Remove one first.")


class SuspensionNotYours(NotAllowed):
    code = "suspension_not_yours"
    message = _("You may not suspend or reinstate this account.")


class NotSuspended(Conflict):
    code = "not_suspended"
    message = _("This account is not suspended.")


class ProviderNotConfigured(NotFound):
    code = "provider_not_configured"
    message = _("Signing in with this provider is not offered here.")


class ProviderUnavailable(Busy):
    code = "provider_unavailable"
    message = _("The provider cannot be reached at the moment. Try again, or sign in another way.")


class ProviderRefused(Invalid):
    code = "provider_refused"
    message = _("The provider did not accept this sign-in. Begin again.")


class RedirectNotAllowed(Invalid):
    code = "redirect_not_allowed"
    message = _("This is not a path of the front end that a sign-in may end at (OAUTH_RETURN_PATHS).")


class OAuthStateInvalid(Invalid):
    code = "oauth_state_invalid"
    message = _("This sign-in was not begun in this browser, or more than ten minutes ago. Begin again.")


class OAuthDenied(NotAllowed):
    code = "oauth_denied"
    message = _("The provider sent you back without a sign-in.")


class OAuthCodeInvalid(Unauthenticated):
    code = "oauth_code_invalid"
    message = _("This code has been used, has expired, or was never ours. Begin again.")


class IdTokenInvalid(Invalid):
    code = "id_token_invalid"
    message = _("This is not a fresh ID token of this provider for us.")


class ProviderEmailUnverified(NotAllowed):
    code = "provider_email_unverified"
    message = _("The provider has not verified your e-mail address. Register with a password instead.")


class AccountExists(Conflict):
    code = "account_exists"
    message = _("There is an account with this e-mail address. Log in to it, then link this provider in your profile.")


class IdentityTaken(Conflict):
    code = "identity_taken"
    message = _("This identity signs in to another account.")


class PlatformLinked(Conflict):
    code = "platform_already_linked"
    message = _("Another identity of this provider is linked already. Unlink it first.")


class OnlyWayIn(Conflict):
    code = "only_way_in"
    message = _("This is your only way to sign in. Set a password first (/api/auth/forgot-password).")


class NotWithYourself(Invalid):
    code = "not_with_yourself"
    message = _("This can be done with other people only.")


class UntilInThePast(Invalid):
    code = "until_in_the_past"
    message = _("A mute ends in the future.")


class TooManyRelations(Conflict):
    code = "too_many_relations"
    message = _("You may block %(most)s people, and mute as many. Remove one first.")
