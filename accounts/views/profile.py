"""The profile, its pictures, phone number, link and invitations."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import errors, selectors
from accounts.authentication import current_session
from accounts.inputs.profile import CoverInput, InviteInput, PhoneCodeInput, PhotoInput, ProfileInput
from accounts.models import Profile, ProfilePicture, User
from accounts.outputs.leaving import LeavingOutput
from accounts.outputs.profile import InvitedOutput, ProfileOutput, ShareOutput
from accounts.permissions import EmailVerified, TwoFactorRecent
from accounts.services import invitations, leaving, phone, profiles, sharing
from core import clock, context
from core.api import limits
from core.api.errors import Stale
from core.api.etags import if_match
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Message
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from core.privacy.declarations import blocking_refusals
from notifications.errors import NumberNotServed, SMSOff
from uploads.errors import BAD_FILE
from uploads.models import StoredFile


def _answer(user: User, profile: Profile) -> Response:
    return Response(ProfileOutput.of_profile(user, profile), headers={"ETag": profile.etag})


class OwnProfile(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"leave": [TwoFactorRecent]}

    @operation("getProfile", returns=ProfileOutput, etag=True)
    def show(self, request: Request) -> Response:
        """My profile"""
        return _answer(request.user, selectors.profile_of(request.user))

    @operation(
        "updateProfile",
        ProfileInput,
        returns=ProfileOutput,
        partial=True,
        etag=True,
        errors=[Stale, errors.StepUpRequired],
    )
    def edit(self, request: Request, data: dict[str, Any]) -> Response:
        """
        Change my profile

        Any subset; empty text clears a field. `If-Match` guards what another device changed. A new phone number needs a
        recent step-up, starts unconfirmed, and is announced by mail.
        """
        user, profile = profiles.edit_profile(
            session=current_session(request),
            expected=if_match(request),
            now=clock.now(),
            **data,
        )
        return _answer(user, profile)

    @operation("deleteAccount", returns=LeavingOutput, status=202, errors_from=blocking_refusals)
    def leave(self, request: Request) -> LeavingOutput:
        """
        Delete my account

        Every device is signed out at once. Signing in within 30 days keeps the account; then it is erased. Refused
        while money is on its way or a campaign of the person is under way.
        """
        due_at = leaving.leave(person=request.user, now=clock.now())
        message = _("Your account will be deleted. Sign in before that day to keep it.")
        return LeavingOutput(message=message, deletion_due_at=due_at)

    def _store(self, request: Request, kind: str, file: "UploadedFile[bytes]") -> list[StoredFile]:
        return profiles.store_picture(person=request.user, kind=kind, file=file, now=clock.now())

    def _store_photo(self, request: Request) -> list[StoredFile]:
        return self._store(request, ProfilePicture.Kind.PHOTO, parse(PhotoInput, request)["photo"])

    def _store_cover(self, request: Request) -> list[StoredFile]:
        return self._store(request, ProfilePicture.Kind.COVER, parse(CoverInput, request)["cover"])

    @operation(
        "uploadProfilePhoto",
        PhotoInput,
        returns=ProfileOutput,
        etag=True,
        errors=BAD_FILE,
        multipart=True,
    )
    @prepared(_store_photo)
    def set_photo(self, request: Request, prepared: list[StoredFile]) -> Response:
        """
        Set my photo

        JPEG, PNG or WebP of at most 5 MB. Kept in three sizes, without metadata.
        """
        return self._set(request, ProfilePicture.Kind.PHOTO, prepared)

    @operation(
        "uploadProfileCover",
        CoverInput,
        returns=ProfileOutput,
        etag=True,
        errors=BAD_FILE,
        multipart=True,
    )
    @prepared(_store_cover)
    def set_cover(self, request: Request, prepared: list[StoredFile]) -> Response:
        """
        Set my cover

        JPEG, PNG or WebP of at most 5 MB. Kept in three sizes, without metadata.
        """
        return self._set(request, ProfilePicture.Kind.COVER, prepared)

    @operation("removeProfilePhoto", returns=ProfileOutput, etag=True)
    def remove_photo(self, request: Request) -> Response:
        """Remove my photo"""
        return self._remove(request, ProfilePicture.Kind.PHOTO)

    @operation("removeProfileCover", returns=ProfileOutput, etag=True)
    def remove_cover(self, request: Request) -> Response:
        """Remove my cover"""
        return self._remove(request, ProfilePicture.Kind.COVER)

    def _set(self, request: Request, kind: str, stored: list[StoredFile]) -> Response:
        return _answer(*profiles.set_picture(person=request.user, kind=kind, stored=stored, now=clock.now()))

    def _remove(self, request: Request, kind: str) -> Response:
        return _answer(*profiles.remove_picture(person=request.user, kind=kind, now=clock.now()))


class Sharing(ApiViewSet):
    """What reaches other people, so the address has to be verified (SECURITY-GOALS 32)."""

    permission_classes = [EmailVerified]

    @operation("getShareLink", returns=ShareOutput)
    def link(self, request: Request) -> ShareOutput:
        """The link to my public profile"""
        return ShareOutput(link=sharing.share_link(person=request.user))

    @operation("rotateShareLink", returns=ShareOutput)
    def rotate(self, request: Request) -> ShareOutput:
        """
        Replace the link to my public profile

        The old link is a 404 at once.
        """
        return ShareOutput(link=sharing.rotate_link(person=request.user, now=clock.now()))

    @operation("sendInvitation", InviteInput, returns=InvitedOutput, errors=[limits.RateLimited])
    def invite(self, request: Request, data: dict[str, Any]) -> Response:
        """
        Invite somebody by mail

        At most 20 a day. The answer is the same for an address that has an account already; no mail goes there. The
        mail carries a token for `inviteToken` of the registration, good for 30 days.
        """
        limit = limits.hit(invitations.PER_PERSON, request.user.pk)
        invitation = invitations.invite(inviter=request.user, **data, now=clock.now())
        answer = InvitedOutput(message=_("Invitation sent"), invitation_id=invitation.pk)
        return Response(answer, headers=limit.headers)


class Phone(ApiViewSet):
    permission_classes = [SignedIn]

    @operation(
        "sendPhoneCode",
        returns=Message,
        errors=[errors.NoPhoneNumber, errors.PhoneAlreadyVerified, SMSOff, NumberNotServed, limits.RateLimited],
    )
    def send_code(self, request: Request) -> Response:
        """
        Send a code to my phone number

        Six digits, good for ten minutes and five tries; a new code replaces the one before. At most five SMS an hour to
        one number and twenty from one address.
        """
        limit = phone.send_code(person=request.user, address=context.client_address.get(), now=clock.now())
        return Response(Message(message=_("Code sent")), headers=limit.headers)

    @operation(
        "confirmPhone",
        PhoneCodeInput,
        returns=ProfileOutput,
        etag=True,
        errors=[errors.NoPhoneNumber, errors.PhoneAlreadyVerified, errors.PhoneCodeInvalid],
    )
    def confirm(self, request: Request, data: dict[str, Any]) -> Response:
        """Confirm my phone number"""
        user = phone.confirm(person=request.user, **data, now=clock.now())
        return _answer(user, selectors.profile_of(user))
