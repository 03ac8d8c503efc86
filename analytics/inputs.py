"""What clients send about what happens in them."""

from typing import Any

from rest_framework.fields import CharField, ChoiceField, DictField, IntegerField, JSONField, ListField

from analytics.event_types import INTERACTIONS
from analytics.services.intake import MAX_ADDRESS, MAX_EVENTS, MAX_PROPERTIES, MAX_PROPERTY_BYTES
from analytics.stores.funnels import Order
from analytics.tables import TABLES
from analytics.units import Unit
from core.api.serializers import DayField, IdField, MomentField, Serializer

PROPERTIES = f"At most {MAX_PROPERTIES} keys and {MAX_PROPERTY_BYTES} bytes; no personal data."


class PageViewInput(Serializer):
    page = CharField(
        max_length=MAX_ADDRESS,
        help_text="The address or path. Of its query only `utm_…` and `via` are read.",
    )
    referrer = CharField(max_length=MAX_ADDRESS, required=False, help_text="Only its host is kept.")


class EventInput(Serializer):
    event_type = CharField(max_length=60)
    event_data = DictField(child=JSONField(allow_null=True), required=False, help_text=PROPERTIES)


class InteractionInput(Serializer):
    interaction_type = CharField(
        max_length=50, help_text=f"Registered: {', '.join(f'`{kind}`' for kind in INTERACTIONS)}."
    )
    interaction_data = DictField(child=JSONField(allow_null=True), required=False, help_text=PROPERTIES)


class ClientEventInput(Serializer):
    """One event of a batch."""

    event_type = CharField(max_length=60, help_text="Such as `page_view`, `campaign_view`, `search`.")
    event_id = IdField(required=False, help_text="Made by the client; an event that comes again is counted once.")
    at = MomentField(required=False, help_text="When it happened, by the client's clock; at most 72 hours ago.")
    event_data = DictField(child=JSONField(allow_null=True), required=False, help_text=PROPERTIES)
    campaign_id = IdField(required=False, help_text="Needed for `campaign_…`.")
    subject_id = IdField(required=False, help_text="The person, post or group that it is about.")
    page = CharField(max_length=MAX_ADDRESS, required=False)
    referrer = CharField(max_length=MAX_ADDRESS, required=False)


class _EventsField(ListField):
    """Events as they came: `services.intake` checks each by itself, so that a bad one does not refuse the others."""

    child = ClientEventInput()

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        if not self.allow_empty and not data:
            self.fail("empty")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return data


class BatchInput(Serializer):
    events = _EventsField(max_length=MAX_EVENTS, allow_empty=False)
    sent_at = MomentField(
        required=False, help_text="The client's clock when it sends, by which a wrong one is corrected."
    )


class PublicEventInput(Serializer):
    event_type = ChoiceField(choices=["page_view", *(type_.name for type_ in INTERACTIONS.values())])
    campaign_id = IdField(required=False, help_text="Needed for `campaign_…`.")
    page = CharField(max_length=MAX_ADDRESS, required=False)
    referrer = CharField(max_length=MAX_ADDRESS, required=False)


class PeriodQuery(Serializer):
    """A time of days (UTC), both included; the last 30 days without it."""

    vars()["from"] = DayField(required=False, source="since")
    to = DayField(required=False, source="until")


MAX_WINDOW = 90 * 24 * 60 * 60
"""Seconds."""


class FunnelQuery(PeriodQuery):
    steps = CharField(
        max_length=600, help_text="Names of events in their order, with commas between: `page_view,campaign_view`."
    )
    window_seconds = IntegerField(
        min_value=1, max_value=MAX_WINDOW, help_text="How long after the first step the last one may follow."
    )
    order = ChoiceField(
        choices=[each.value for each in Order],
        default=Order.ORDERED.value,
        help_text="`ordered`: others may lie in between; `strict`: none of the same person may; `any`: in any order.",
    )
    campaign_id = IdField(required=False, help_text="Only events about this campaign.")


class RetentionQuery(PeriodQuery):
    by = ChoiceField(choices=[each.value for each in Unit], default=Unit.WEEK.value)


class ExportQuery(PeriodQuery):
    table = ChoiceField(choices=sorted(TABLES), help_text="The days, or the sources.")
