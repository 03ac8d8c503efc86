"""Why an event is refused. In a batch each event has its own; the others are kept."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Busy, Invalid, NotFound


class EventRefused(Invalid):
    """The base: what is wrong with one event."""

    code = "event_refused"


class MalformedEvent(EventRefused):
    code = "malformed_event"
    message = _("This event is not well-formed: %(reason)s.")


class MalformedEventName(EventRefused):
    code = "malformed_event_name"
    message = _("A name begins with a letter and has at most 60 lower-case letters, digits, dots and underscores.")


class TooManyProperties(EventRefused):
    code = "too_many_properties"
    message = _("An event has at most %(most)s properties, nested ones counted.")


class PropertiesTooLarge(EventRefused):
    code = "properties_too_large"
    message = _("The properties of an event have at most %(most)s bytes as JSON.")


class PropertyTypeDiffers(EventRefused):
    code = "property_type_differs"
    message = _("The property %(name)s of this event is a %(expected)s.")


class PersonalData(EventRefused):
    code = "personal_data"
    message = _("%(name)s looks like %(kind)s. Events do not hold personal data; the person comes from the session.")


class EventInTheFuture(EventRefused):
    code = "event_in_the_future"
    message = _(
        "The event is more than 5 minutes ahead of our clock. Send `sentAt`, by which a wrong clock is corrected."
    )


class EventTooOld(EventRefused):
    code = "event_too_old"
    message = _("Events are taken for 72 hours.")


class NoSuchCampaign(EventRefused):
    code = "no_such_campaign"
    message = _("There is no such campaign, or it is not yours to see.")


class CampaignNeeded(EventRefused):
    code = "campaign_needed"
    message = _("An interaction with a campaign names it in `campaignId`.")


class PeriodReversed(Invalid):
    code = "period_reversed"
    message = _("`from` is not after `to`.")


class PeriodTooLong(Invalid):
    code = "period_too_long"
    message = _("A period has at most %(most)s days.")


class StepsInvalid(Invalid):
    code = "steps_invalid"
    message = _("A funnel has 2 to %(most)s steps, each a different name of an event.")


class EventNameUnknown(Invalid):
    code = "event_name_unknown"
    message = _("No events of the name %(name)s are counted.")


class PageLinkNotValid(NotFound):
    code = "page_link_not_valid"
    message = _("This link to figures has ended or is not one of ours. Ask for a new one.")


class EventsUnavailable(Busy):
    code = "events_unavailable"
    message = _("The events could not be read in time. Ask for fewer days, or again in a moment.")
