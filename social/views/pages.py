"""The pages at /s/post, /s/group and /s/channel, and the pictures of their previews (docs/share-pages.md)."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, ngettext

from accounts.models import Status
from core import clock
from core.previews import Preview
from core.share_pages import Head, Picture, drawn_picture, preview_picture, public, share_page, share_url
from social.models import Channel, Group
from social.outputs.posts import PostOutput
from social.selectors.pages import public_channel, public_group, public_post
from social.words import excerpt, plain_words, role_label
from uploads.models import StoredFile
from uploads.selectors import media_origins, media_url

DESCRIPTION = 200
"""Characters of a description that networks show."""
DRAWN = 120
"""Characters that are drawn into a picture."""


@public
def post(request: HttpRequest, post_id: UUID) -> HttpResponse:
    shown = public_post(post_id, clock.now())
    return share_page(request, "share/post.html", _head_of_post(shown), media_from=media_origins(), post=shown)


@public
def post_picture(request: HttpRequest, post_id: UUID) -> HttpResponse:
    return drawn_picture(_preview_of_post(public_post(post_id, clock.now())))


@public
def group(request: HttpRequest, group_id: UUID) -> HttpResponse:
    page = public_group(group_id, clock.now())
    facts = {"group": page.group, "posts": page.posts, **_pictures_of(page.group)}
    return share_page(request, "share/group.html", _head_of_group(page.group), media_from=media_origins(), **facts)


@public
def group_picture(request: HttpRequest, group_id: UUID) -> HttpResponse:
    return drawn_picture(_preview_of_group(public_group(group_id, clock.now()).group))


@public
def channel(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    page = public_channel(channel_id, clock.now())
    facts = {
        "channel": page.channel,
        "owner": _owner_name(page.channel),
        "pinned": page.pinned,
        "posts": page.posts,
        **_pictures_of(page.channel),
    }
    head = _head_of_channel(page.channel)
    return share_page(request, "share/channel.html", head, media_from=media_origins(), **facts)


@public
def channel_picture(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    return drawn_picture(_preview_of_channel(public_channel(channel_id, clock.now()).channel))


def _head_of_post(post: PostOutput) -> Head:
    role = role_label(post)
    who = f"{post.author.name} ({role})" if role else post.author.name
    title = _("%(name)s on VECTRAGrow") % {"name": who}
    link = share_url("post", post.id)
    words = excerpt(plain_words(post), DESCRIPTION) or _("A post with pictures.")
    return Head(title, words, link, _picture_of_post(post, link, title), kind="article")


def _picture_of_post(post: PostOutput, link: str, title: str) -> Picture:
    for media in post.media:
        if media.kind == "image":
            return Picture(media.url, media.alt or title, media.type, media.width, media.height)
        if media.poster:
            return Picture(media.poster, media.alt or title, "image/webp", media.width, media.height)
    return preview_picture(link, _preview_of_post(post), title)


def _preview_of_post(post: PostOutput) -> Preview:
    role, words = role_label(post), excerpt(plain_words(post), DRAWN)
    if not words:
        return Preview(post.author.name, role)
    return Preview(words, f"{post.author.name} · {role}" if role else post.author.name)


def _head_of_group(group: Group) -> Head:
    title = _("%(name)s on VECTRAGrow") % {"name": group.name}
    link = share_url("group", group.pk)
    picture = _own_picture(group.cover_image, title) or _own_picture(group.profile_image, title)
    picture = picture or preview_picture(link, _preview_of_group(group), title)
    return Head(title, _about(group.description) or _kind_of(group), link, picture)


def _preview_of_group(group: Group) -> Preview:
    members = ngettext("%(count)s member", "%(count)s members", group.member_count) % {"count": group.member_count}
    return Preview(group.name, f"{_kind_of(group)} · {members}")


def _kind_of(group: Group) -> str:
    return _("Public group") if group.visibility == Group.Visibility.PUBLIC else _("Private group")


def _head_of_channel(channel: Channel) -> Head:
    title = _("%(name)s on VECTRAGrow") % {"name": channel.name}
    link = share_url("channel", channel.pk)
    own = (_own_picture(file, title) for file in (channel.banner, channel.cover_image, channel.profile_image))
    picture = next(filter(None, own), None) or preview_picture(link, _preview_of_channel(channel), title)
    return Head(title, _about(channel.description) or _("A channel on VECTRAGrow."), link, picture)


def _preview_of_channel(channel: Channel) -> Preview:
    count = channel.subscriber_count
    subscribers = ngettext("%(count)s subscriber", "%(count)s subscribers", count) % {"count": count}
    return Preview(channel.name, f"{_('Channel')} · {subscribers}")


def _owner_name(channel: Channel) -> str:
    return channel.owner.name if channel.owner.status == Status.ACTIVE else ""


def _about(description: str) -> str:
    return excerpt(" ".join(description.split()), DESCRIPTION)


def _own_picture(file: StoredFile | None, alt: str) -> Picture | None:
    url = _lasting_url(file)
    return Picture(url, file.alt or alt, file.content_type, file.width, file.height) if file and url else None


def _lasting_url(file: StoredFile | None) -> str:
    """Where everybody may get a picture; empty for one that is not for everybody."""
    return "" if file is None or file.is_private or file.is_sealed else media_url(file.storage_name)


def _pictures_of(place: Group | Channel) -> dict[str, str]:
    """The addresses `cover` and `face` of a group or channel, empty for none."""
    banner = place.banner if isinstance(place, Channel) else None
    return {"cover": _lasting_url(banner or place.cover_image), "face": _lasting_url(place.profile_image)}
