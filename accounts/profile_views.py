"""/api/profile: parse, one call, answer."""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import errors, selectors
from accounts.authentication import current_session
from accounts.models import Profile, ProfilePicture, User
from accounts.permissions import EmailVerified
from accounts.profile_serializers import (
    CoverInput,
    InvitedOutput,
    InviteInput,
    PhotoInput,
    ProfileInput,
    ProfileOutput,
    ShareOutput,
)
from accounts.services import invitations, profiles, sharing
from core import limits
from core.errors import Stale
from core.etags import if_match
from core.openapi import describe
from core.permissions import SignedIn
from core.requests import Request
from core.serializers import parse
from core.views import ApiViewSet
from uploads.errors import AnimatedImage, BrokenFile, FileTooLarge, TooManyPixels, UnsupportedFileType

BAD_PICTURE = (FileTooLarge, UnsupportedFileType, TooManyPixels, AnimatedImage, BrokenFile)


def _answer(user: User, profile: Profile) -> Response:
    return Response(selectors.own_profile(user, profile), headers={"ETag": profile.etag})


class OwnProfile(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("My profile", answer=ProfileOutput)
    def show(self, request: Request) -> Response:
        return _answer(request.user, selectors.profile_of(request.user))

    @describe(
        "Change my profile",
        request=ProfileInput,
        answer=ProfileOutput,
        errors=[Stale, errors.StepUpRequired],
        details="Any subset; empty text clears a field. `If-Match` guards what another device changed. A new phone "
        "number needs a recent step-up, starts unconfirmed, and is announced by mail.",
    )
    def edit(self, request: Request) -> Response:
        user, profile = profiles.edit_profile(
            session=current_session(request),
            expected=if_match(request),
            now=timezone.now(),
            **parse(ProfileInput, request, partial=True),
        )
        return _answer(user, profile)

    @describe(
        "Set my photo",
        request=PhotoInput,
        answer=ProfileOutput,
        errors=BAD_PICTURE,
        multipart=True,
        details="JPEG, PNG or WebP of at most 5 MB. Kept in three sizes, without metadata.",
    )
    def set_photo(self, request: Request) -> Response:
        return self._set(request, ProfilePicture.Kind.PHOTO, parse(PhotoInput, request)["photo"])

    @describe(
        "Set my cover",
        request=CoverInput,
        answer=ProfileOutput,
        errors=BAD_PICTURE,
        multipart=True,
        details="JPEG, PNG or WebP of at most 5 MB. Kept in three sizes, without metadata.",
    )
    def set_cover(self, request: Request) -> Response:
        return self._set(request, ProfilePicture.Kind.COVER, parse(CoverInput, request)["cover"])

    @describe("Remove my photo", answer=ProfileOutput)
    def remove_photo(self, request: Request) -> Response:
        return self._remove(request, ProfilePicture.Kind.PHOTO)

    @describe("Remove my cover", answer=ProfileOutput)
    def remove_cover(self, request: Request) -> Response:
        return self._remove(request, ProfilePicture.Kind.COVER)

    def _set(self, request: Request, kind: str, file: object) -> Response:
        return _answer(*profiles.set_picture(person=request.user, kind=kind, file=file, now=timezone.now()))

    def _remove(self, request: Request, kind: str) -> Response:
        return _answer(*profiles.remove_picture(person=request.user, kind=kind, now=timezone.now()))


class Sharing(ApiViewSet):
    """What reaches other people, so the address has to be verified (SECURITY-GOALS 32)."""

    permission_classes = [EmailVerified]

    @describe("The link to my public profile", answer=ShareOutput)
    def link(self, request: Request) -> Response:
        return Response({"link": sharing.share_link(person=request.user)})

    @describe("Replace the link to my public profile", answer=ShareOutput, details="The old link is a 404 at once.")
    def rotate(self, request: Request) -> Response:
        return Response({"link": sharing.rotate_link(person=request.user, now=timezone.now())})

    @describe(
        "Invite somebody by mail",
        request=InviteInput,
        answer=InvitedOutput,
        errors=[limits.RateLimited],
        details="At most 20 a day. The answer is the same for an address that has an account already; no mail goes "
        "there. The mail carries a token for `inviteToken` of the registration, good for 30 days.",
    )
    def invite(self, request: Request) -> Response:
        email = parse(InviteInput, request)["email"]
        standing = limits.hit(invitations.PER_PERSON, request.user.pk)
        invitation = invitations.invite(inviter=request.user, email=email, now=timezone.now())
        answer = {"message": _("Invitation sent"), "invitationId": invitation.pk}
        return Response(answer, headers=standing.headers)
