"""What a draft still lacks before it can be submitted, for its owner to read and for `transitions` to insist on."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from campaigns.models import EDITABLE, Campaign, KeyInformation
from campaigns.rules import Rules, RuleSet, rule_set, version_on


class MissingItem(NamedTuple):
    field: str
    """The camelCase member of `PUT /api/campaigns/:id` that mends it."""
    because: str
    """A sentence for the owner."""


Question = Callable[[Campaign, RuleSet, datetime], Iterator[MissingItem]]


def missing_items(campaign: Campaign, now: datetime) -> list[MissingItem]:
    """What is asked for before the campaign can be submitted at `now`, or published if it is in review."""
    rules = rules_at(campaign, now)
    return [item for question in QUESTIONS for item in question(campaign, rules, now)]


def opens_at(campaign: Campaign, now: datetime) -> datetime:
    """When it would open if it were published at `now`."""
    return max(campaign.starts_at or now, now)


def last_day_to_open(campaign: Campaign, rules: RuleSet) -> datetime | None:
    """The latest start that keeps it open as long as its rules ask; None without such a rule."""
    return rules["open_at_least"].before(campaign.ends_at, campaign.place) if "open_at_least" in rules else None


def rules_at(campaign: Campaign, now: datetime) -> RuleSet:
    """Those that a submission at `now` would fix, or has fixed."""
    if campaign.status in EDITABLE:
        return rule_set(campaign.rules, version_on(campaign.rules, now.date()))
    return campaign.rule_set


def _deadline(campaign: Campaign, rules: RuleSet, now: datetime) -> Iterator[MissingItem]:
    if campaign.ends_at <= now:
        yield MissingItem("endsAt", _("The deadline has passed; choose one in the future."))


def _country(campaign: Campaign, rules: RuleSet, now: datetime) -> Iterator[MissingItem]:
    if rules.name != Rules.NONE and not campaign.country:
        yield MissingItem("country", _("Name the country of your business."))
    elif "domestic_issuer" in rules and campaign.country != rules.country:
        yield MissingItem("country", rules["domestic_issuer"].text)


def _currency(campaign: Campaign, rules: RuleSet, now: datetime) -> Iterator[MissingItem]:
    if rules.currency and campaign.currency != rules.currency:
        facts = {"rules": rules.title, "currency": rules.currency}
        yield MissingItem("currency", _("Under %(rules)s a campaign is in %(currency)s.") % facts)


def _time_open(campaign: Campaign, rules: RuleSet, now: datetime) -> Iterator[MissingItem]:
    latest = last_day_to_open(campaign, rules)
    if latest is not None and campaign.ends_at > now and opens_at(campaign, now) > latest:
        because = _("The deadline must be at least %(days)d days after the start, or after today without one.")
        yield MissingItem("endsAt", because % {"days": rules["open_at_least"].value})


def _key_information(campaign: Campaign, rules: RuleSet, now: datetime) -> Iterator[MissingItem]:
    if "key_information" not in rules:
        return
    written = KeyInformation.objects.select_related("campaign").filter(campaign=campaign).first()
    if written is None:
        yield MissingItem("keyInformation", _("Write the key investment information sheet."))
        return
    for part, id in written.sheet().missing():
        because = _("The key investment information sheet lacks in part %(part)s: %(label)s.")
        yield MissingItem(f"keyInformation.texts.{id}", because % {"part": part.id, "label": part.fields[id]})


QUESTIONS: list[Question] = [_deadline, _country, _currency, _time_open, _key_information]
"""Each looks at one thing. They read no clock, and no row that the campaign does not lead to."""
