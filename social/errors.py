"""Every refusal of this app."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict, Invalid, NotAllowed


class NotTheAuthor(NotAllowed):
    code = "not_the_author"
    message = _("Only its author may do this.")


class EmptyPost(Invalid):
    code = "empty_post"
    message = _("Write something, or add a picture.")


class GroupOrChannel(Invalid):
    code = "group_or_channel"
    message = _("A post goes to a group or to a channel, not to both.")


class AudienceOfGroup(Invalid):
    code = "audience_of_group"
    message = _("The group decides who reads its posts; leave visibility out.")


class AudienceOfChannel(Invalid):
    code = "audience_of_channel"
    message = _("A post in a channel is public or for its subscribers (followers).")


class UnknownGroup(Invalid):
    code = "unknown_group"
    message = _("There is no such group that you are a member of.")


class UnknownChannel(Invalid):
    code = "unknown_channel"
    message = _("There is no such channel that you write in.")


class UnknownCampaign(Invalid):
    code = "unknown_campaign"
    message = _("There is no such campaign that is public.")


class OneVideoOrPictures(Invalid):
    code = "one_video_or_pictures"
    message = _("A post has either pictures or one video.")


class NotAnEmoji(Invalid):
    code = "not_an_emoji"
    message = _("React with exactly one emoji.")

    def __init__(self, *, field: str = "emoji") -> None:
        super().__init__(field=field)


class TooManyReactions(Conflict):
    """`most` counts the emoji of one person under one post, without 👍."""

    code = "too_many_reactions"
    message = _("You have reacted with %(most)s different emoji already. Take one back first.")
    members = {"most": int}


class TooManyMentions(Invalid):
    code = "too_many_mentions"
    message = _("Mention at most %(most)s people.")
    members = {"most": int}


class TooManyTags(Invalid):
    code = "too_many_tags"
    message = _("Use at most %(most)s different hashtags.")
    members = {"most": int}


class NotATag(Invalid):
    code = "not_a_tag"
    message = _("A hashtag has letters, digits and underscores only, and at least one letter.")


class CommentDeleted(Conflict):
    """Deleted, or hidden by moderators."""

    code = "comment_deleted"
    message = _("This comment was deleted.")
