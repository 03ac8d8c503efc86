"""/api/profile/stories and /api/social/stories: parse, one call, answer."""

from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.permissions import MayPublish
from core import clock
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part, paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from social import errors
from social.access import access_own_story
from social.inputs.stories import StoryInput
from social.models import Story
from social.outputs.stories import StoriesOfAuthor, StoryOutput, ViewerOutput
from social.selectors import stories as selectors
from social.services import stories
from uploads.errors import BAD_VIDEO


class OwnStories(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"create": [MayPublish]}

    @operation("listMyStories", returns=Page[StoryOutput])
    def list(self, request: Request) -> Page[StoryOutput]:
        """My stories of the last 24 hours, newest first"""
        now, part = clock.now(), asked_part(request, keys=("id",))
        return part.page_of(
            selectors.own_story_rows(request.user, now, **part.parameters),
            lambda row: StoryOutput.of_row(row, request.user.pk, now),
            whole=lambda: Story.objects.live_at(now).filter(author=request.user),
        )

    def _draft(self, request: Request) -> Story:
        return stories.draft_story(author=request.user, now=clock.now(), **parse(StoryInput, request))

    @operation("createStory", StoryInput, returns=StoryOutput, status=201, takes_video=True, errors=BAD_VIDEO)
    @prepared(_draft)
    def create(self, request: Request, prepared: Story) -> Response:
        """
        Publish a story

        My followers see it for 24 hours. At most 100 a day.
        """
        now = clock.now()
        story = stories.publish_story(prepared, now=now)
        return Response(selectors.story_page(request.user, story.pk, now), 201)


class Stories(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listStories", returns=Page[StoriesOfAuthor])
    def list(self, request: Request) -> Page[StoriesOfAuthor]:
        """
        The stories of people I follow

        By author, those with the newest story first. People whom I mute are left out.
        """
        now, part = clock.now(), asked_part(request, keys=("id",))
        rows = selectors.author_rows(request.user, now, **part.parameters)
        together = partial(selectors.stories_of_authors, viewer=request.user, now=now)
        return part.page_of(rows, together=together, whole=lambda: selectors.authors(request.user, now))

    @operation("viewStory", returns=StoryOutput)
    def view(self, request: Request, story_id: UUID) -> StoryOutput:
        """
        Say that I have seen a story

        Counted once. Its author sees that it was me; of my own stories nothing is counted.
        """
        now = clock.now()
        stories.view_story(viewer=request.user, story_id=story_id, now=now)
        return selectors.story_page(request.user, story_id, now)

    @operation("listStoryViewers", returns=Page[ViewerOutput], errors=[errors.NotTheAuthor])
    def viewers(self, request: Request, story_id: UUID) -> Page[ViewerOutput]:
        """Who has seen my story, the newest view first"""
        story = access_own_story(request.user, story_id, clock.now())
        return paginate(request, selectors.viewers_of(story), ViewerOutput.of, order=("-id",))

    @operation("deleteStory", returns=Message, errors=[errors.NotTheAuthor])
    def remove(self, request: Request, story_id: UUID) -> Message:
        """Delete a story"""
        stories.delete_story(person=request.user, story_id=story_id, now=clock.now())
        return Message(message=_("Story deleted successfully"))
