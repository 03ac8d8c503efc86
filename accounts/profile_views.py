"""/api/profile: parse, one call, answer."""

from django.utils import timezone
from rest_framework.response import Response

from accounts import errors, selectors
from accounts.authentication import current_session
from accounts.models import Profile, ProfilePicture, User
from accounts.profile_serializers import CoverInput, PhotoInput, ProfileInput, ProfileOutput
from accounts.services import profiles
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
