"""Every refusal of this app."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict, Invalid, NotFound


class QuietHoursNeedTwoEnds(Invalid):
    code = "quiet_hours_need_two_ends"
    message = _("Quiet hours need a beginning and another time as their end; empty text for both switches them off.")


class UnsubscribeLinkNotValid(NotFound):
    code = "unsubscribe_link_not_valid"
    message = _("This link is not one of ours, or its account is gone.")


class SMSOff(Conflict):
    """No account that sends SMS is set up (TWILIO_*)."""

    code = "sms_off"
    message = _("Text messages are not sent here, so a phone number cannot be confirmed.")


class NumberNotServed(Conflict):
    code = "number_not_served"
    message = _("We send no text messages to numbers of this country.")
