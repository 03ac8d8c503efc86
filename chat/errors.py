"""Every refusal of the chat."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Invalid, NotFound


class PersonNotFound(NotFound):
    """Missing, erased, or not to be written to: the answer does not show which."""

    code = "person_not_found"
    message = _("One of these people is not here, or cannot be written to.")


class WrongParticipants(Invalid):
    code = "wrong_participants"
    message = _("A direct conversation has one other person; a group has 1 to %(most)s others.")


class EmptyMessage(Invalid):
    code = "empty_message"
    message = _("A message has text or a picture.")


class ReplyNotHere(Invalid):
    code = "reply_not_here"
    message = _("The message replied to is not in this conversation.")
