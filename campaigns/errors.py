"""Every refusal of this app."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict, Invalid, NotAllowed
from core.api.outputs import Currency, Moment, MoneyText, Output


class UnknownCategory(Invalid):
    code = "unknown_category"
    message = _("There is no such category; GET /api/campaigns/categories lists them.")


class CapBelowGoal(Invalid):
    code = "cap_below_goal"
    message = _("maxAmount may not be below goalAmount.")


class MinimumAboveGoal(Invalid):
    code = "minimum_above_goal"
    message = _("minInvestment may not be above goalAmount.")


class AmountsNeeded(Invalid):
    code = "amount_needed"
    message = _("A change of currency needs every amount again.")


class EndsBeforeStart(Invalid):
    code = "ends_before_start"
    message = _("endsAt must be after startsAt.")


class DeadlinePassed(Invalid):
    code = "deadline_passed"
    message = _("endsAt must lie in the future.")


class DeadlineTooFar(Invalid):
    """`days`: how many days ahead a deadline may lie."""

    code = "deadline_too_far"
    message = _("endsAt may lie at most %(days)s days ahead.")


class NotTheOwner(NotAllowed):
    code = "not_the_owner"
    message = _("Only the owner of the campaign may do this.")


class OwnCampaign(NotAllowed):
    code = "own_campaign"
    message = _("Not with your own campaign.")


class TermsFrozen(Conflict):
    """`fields` names those that cannot change any more."""

    code = "terms_frozen"
    message = _("The campaign is live: its goal, limits, currency, dates and return cannot change any more.")
    members = {"fields": list[str]}


class RulesFixed(Conflict):
    """`fields` names those that cannot change any more."""

    code = "rules_fixed"
    message = _("The rule set, country, time zone and fiscal year are fixed when the campaign is submitted.")
    members = {"fields": list[str]}


class ChangedSinceSeen(Conflict):
    code = "campaign_changed"
    message = _("The owner changed this campaign after you opened it. Read it again, then decide.")


class HasInvestments(Conflict):
    code = "campaign_has_investments"
    message = _("There is money in this campaign. Cancel it instead; that refunds everyone.")


class NotADraft(Conflict):
    code = "campaign_not_a_draft"
    message = _("Only a draft can be deleted or submitted; this campaign is %(status)s.")


class Missing(Output):
    """What a draft lacks: the member that mends it, and why it is asked for."""

    field: str
    because: str


class CampaignIncomplete(Conflict):
    """`missing` lists what is asked for before it is submitted or published."""

    code = "campaign_incomplete"
    message = _("The campaign is not complete. %(reasons)s")
    members = {"missing": list[Missing]}

    @classmethod
    def of(cls, items: "Sequence[tuple[str, str]]") -> Self:
        """:param items: field and reason of each"""
        return cls(
            missing=[{"field": field, "because": because} for field, because in items],
            reasons=" ".join(because for _field, because in items),
        )


class NotInReview(Conflict):
    code = "campaign_not_in_review"
    message = _("Only a campaign in review can be published or rejected; this one is %(status)s.")


class ReviewedDeadlinePassed(Conflict):
    code = "campaign_deadline_passed"
    message = _("The deadline of this campaign has passed; it needs a new one first.")


class NotLive(Conflict):
    code = "campaign_not_live"
    message = _("Only a campaign that is live and before its deadline can do this; this one is %(status)s.")


class NotEndedYet(Conflict):
    code = "campaign_not_ended"
    message = _("The deadline of this campaign has not passed yet.")


class NothingChanges(Invalid):
    code = "nothing_changes"
    message = _("The campaign has these terms already.")


class AmendmentUnderReview(Conflict):
    code = "amendment_under_review"
    message = _("An amendment of this campaign waits for its decision already.")


class AmendmentDecided(Conflict):
    code = "amendment_decided"
    message = _("This amendment is decided already; it is %(status)s.")


class CapBelowTaken(Conflict):
    """`taken` is what is raised, reserved and offered, in major units."""

    code = "cap_below_raised"
    message = _("%(taken)s are raised, reserved or offered already; maxAmount may not be below that.")
    members = {"taken": MoneyText, "currency": Currency}
    amounts = ("taken",)


class EndTooSoon(Conflict):
    """`earliest` is the first deadline that leaves investors the time to confirm."""

    code = "end_too_soon"
    message = _("endsAt may be %(earliest)s at the earliest: investors have to confirm the new terms before.")
    members = {"earliest": Moment}


class EarlyCloseNotProvided(Conflict):
    code = "early_close_not_provided"
    message = _("The rules of this campaign know no early close.")


class EarlyCloseUnderWay(Conflict):
    code = "early_close_under_way"
    message = _("This campaign has an earlier deadline already.")


class GoalNotReached(Conflict):
    code = "goal_not_reached"
    message = _("The campaign has not reached its goal in committed money.")


class EarlyCloseTooSoon(Conflict):
    """`earliest` is the first deadline that leaves everybody the time that the rules give."""

    code = "early_close_too_soon"
    message = _("The new deadline may be %(earliest)s at the earliest.")
    members = {"earliest": Moment}


class EarlyCloseNotEarlier(Conflict):
    code = "early_close_not_earlier"
    message = _("The new deadline must be before the present one.")


class CampaignClosed(Conflict):
    code = "campaign_closed"
    message = _("This campaign takes no investments any more.")


class CampaignNotOpen(Conflict):
    code = "campaign_not_open"
    message = _("This campaign takes no investments yet.")


class CurrencyMismatch(Conflict):
    code = "currency_mismatch"
    message = _("This campaign is in %(currency)s.")
    members = {"currency": Currency}


class BelowMinimum(Conflict):
    """`minimum` in major units, beside `currency`."""

    code = "below_minimum"
    message = _("The smallest investment in this campaign is %(minimum)s.")
    members = {"minimum": MoneyText, "currency": Currency}
    amounts = ("minimum",)


class OverCap(Conflict):
    """`available` in major units, beside `currency`; payments under way count as taken."""

    code = "over_cap"
    message = _("Only %(available)s can still be invested in this campaign.")
    members = {"available": MoneyText, "currency": Currency}
    amounts = ("available",)


class NotPublishedYet(Conflict):
    code = "campaign_not_published"
    message = _("Updates are for campaigns that went live.")


class TooManyUpdates(Conflict):
    code = "too_many_updates"
    message = _("A campaign has at most %(most)s updates.")


class AnnualReportIsPublic(Invalid):
    code = "annual_report_is_public"
    message = _("An annual report is for everybody: its audience is public.")


class PublishAtOutOfRange(Invalid):
    code = "publish_at_out_of_range"
    message = _("publishAt lies in the future, at most %(most)s days ahead.")


class UpdateAlreadyPublished(Conflict):
    code = "update_already_published"
    message = _("The update is published: its moment and its kind cannot change any more.")


class IssuerCapExceeded(Conflict):
    """`available` is what the owner's other campaigns leave of `limit`, in major units."""

    code = "issuer_cap_exceeded"
    message = _(
        "Under these rules an owner may raise %(limit)s in twelve months. Your other campaigns leave %(available)s: "
        "set maxAmount to at most that."
    )
    members = {"limit": MoneyText, "available": MoneyText, "currency": Currency}
    amounts = ("limit", "available")


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    message = _("A document can have at most %(most)s versions.")


class DocumentSuperseded(Conflict):
    """`document_id` and `version` are those of the newest one."""

    code = "document_superseded"
    message = _("There is a newer version of this document. Read and accept version %(version)s.")
    members = {"document_id": UUID, "version": int}


class UnknownKeyInformationField(Invalid):
    code = "unknown_key_information_field"
    message = _("The key investment information sheet has no such field; GET …/key-information lists them.")


class LettersNotPrintable(Invalid):
    code = "letters_not_printable"
    message = _("The font of the sheet does not have these letters: %(letters)s")


class KeyInformationTooLong(Conflict):
    code = "key_information_too_long"
    message = _("The key investment information sheet has more than %(most)s pages of A4. Shorten it.")


class CampaignUnderWay(Conflict):
    code = "campaign_under_way"
    message = _("A campaign of yours is in review or running. Cancel it, or wait until it is settled.")


class PaymentsUnderWay(Conflict):
    """The campaign cannot be decided before every payment under way is."""

    code = "payments_under_way"
    message = _("Payments are still under way.")


class TooManyFollowedCampaigns(Conflict):
    code = "too_many_followed_campaigns"
    message = _("At most %(most)s campaigns can be followed.")
