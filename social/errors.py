"""Every refusal of this app."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Invalid, NotAllowed


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
