"""Every refusal of this app; those about a campaign's limits and state are in `campaigns.errors`."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core.api.errors import Busy, Conflict, Invalid, NotAllowed, NotFound
from core.api.outputs import Currency, Moment, MoneyText, Output


class UnknownPaymentToken(Invalid):
    code = "unknown_payment_token"
    message = _("The payment provider does not know this token, or it is of another type.")


class PaymentMethodDeclined(Invalid):
    """`reason` is the provider's."""

    code = "payment_method_declined"
    message = _("The payment provider does not accept this payment method.")
    members = {"reason": str}


class ProviderUnavailable(Busy):
    code = "payment_provider_unavailable"
    message = _("The payment provider does not answer at the moment. Try again shortly.")


class SetupNotNeeded(NotFound):
    code = "setup_not_needed"
    message = _("This payment provider has no field of its own for the browser.")


class CardExpired(Invalid):
    code = "card_expired"
    message = _("This card has expired.")


class PaymentMethodNotFound(NotFound):
    code = "payment_method_not_found"
    message = _("You have no such payment method.")


class PaymentMethodExpired(Conflict):
    code = "payment_method_expired"
    message = _("This payment method has expired; add another one.")


class PaymentMethodSuspended(Conflict):
    code = "payment_method_suspended"
    message = _(
        "Nothing can be paid with this payment method: too many payments with it were declined. Our team looks at it "
        "and tells you what they decide. Use another payment method, or ask your bank why it declines."
    )


class PaymentsHeld(Conflict):
    code = "payments_held"
    message = _(
        "Your payments are on hold: too many of them were declined. Our team looks at it and tells you what they "
        "decide. What you have invested, and refunds of it, are not affected."
    )


class PaymentMethodInUse(Conflict):
    code = "payment_method_in_use"
    message = _("A payment with this method is still under way.")


class PaymentDeclined(Conflict):
    """`reason` is the provider's: `card_declined`, `authentication_failed`, ..."""

    code = "payment_declined"
    is_outcome = True
    message = _("The payment was declined: %(reason)s.")
    members = {"reason": str, "investment_id": UUID}


class FeeChanged(Conflict):
    """`total` is what would be charged, with the fees that hold for the campaign."""

    code = "fee_changed"
    message = _("%(total)s would be charged, not what you were shown.")
    members = {"total": str, "currency": str}


class TooManyOpenPayments(Conflict):
    """`most` payments of one person may be under way at once; nothing was begun."""

    code = "too_many_open_payments"
    message = _("%(most)s payments of yours are under way already. Finish or give up one of them first.")
    members = {"most": int}


class ConfirmationPending(Conflict):
    """`investment_id` waits for 3-D Secure in the same campaign; `withdraw` gives it up."""

    code = "confirmation_pending"
    message = _(
        "An investment of yours in this campaign waits for you to confirm its payment. Confirm it, or give it up by "
        "withdrawing it."
    )
    members = {"investment_id": UUID}


class InvestorsOnly(NotAllowed):
    code = "investors_only"
    message = _("Only the owner and the investors of this campaign see its investments.")


class WithdrawalTooLarge(Conflict):
    """`available` in major units, beside `currency`."""

    code = "withdrawal_too_large"
    message = _("Only %(available)s can be withdrawn right now.")
    members = {"available": MoneyText, "currency": Currency}
    amounts = ("available",)


class RemainderBelowMinimum(Conflict):
    """`largest_part` is the most that can be taken out in part (zero: nothing), `whole` takes out everything."""

    code = "remainder_below_minimum"
    message = _(
        "Less than the campaign's smallest investment of %(minimum)s would be left. Withdraw at most %(largest_part)s, "
        "or all of it: %(whole)s."
    )
    members = {"largest_part": MoneyText, "whole": MoneyText, "minimum": MoneyText, "currency": Currency}
    amounts = ("largest_part", "whole", "minimum")


class WholePaymentOnly(Conflict):
    """A payment that waits for 3-D Secure is given up as a whole: `amount`."""

    code = "whole_payment_only"
    message = _("This payment is not made yet and can only be given up as a whole: %(amount)s.")
    members = {"amount": MoneyText, "currency": Currency}
    amounts = ("amount",)


class CancelWindowClosed(Conflict):
    code = "cancel_window_closed"
    message = _("This investment could be taken back until %(until)s.")
    members = {"until": Moment}


class CancellationsOpen(Conflict):
    """The campaign cannot be decided before the last reflection period of its commitments has ended."""

    code = "cancellations_open"
    message = _("Some commitments can still be taken back.")


class RoomAvailable(Conflict):
    """`available` in major units, beside `currency`: so much can be invested at once."""

    code = "room_available"
    message = _("There is no need to wait: %(available)s can be invested in this campaign.")
    members = {"available": MoneyText, "currency": Currency}
    amounts = ("available",)


class AlreadyWaiting(Conflict):
    code = "already_waiting"
    message = _("You are in the waiting list of this campaign already.")


class NotWaiting(NotFound):
    code = "not_waiting"
    message = _("You are not in the waiting list of this campaign.")


class NoOffer(Conflict):
    code = "no_offer"
    message = _("There is no free place for you yet.")


class OfferExpired(Conflict):
    code = "offer_expired"
    message = _("This offer has run out. You can join the waiting list again.")


class ReconfirmationsOpen(Conflict):
    """The campaign cannot be decided before everybody has answered to its new terms or is refunded."""

    code = "reconfirmations_open"
    message = _("Investors have still to confirm the new terms.")


class NothingToReconfirm(Conflict):
    code = "nothing_to_reconfirm"
    message = _("There are no new terms to confirm for this investment.")


class ReconfirmationOver(Conflict):
    code = "reconfirmation_over"
    message = _("The new terms could be confirmed until %(until)s. Your money goes back to you.")
    members = {"until": Moment}


class TermsChanged(Conflict):
    """`terms_version` is the present one."""

    code = "terms_changed"
    message = _("The terms have changed again; read them before you confirm.")
    members = {"terms_version": int}


class RefundToOriginalOnly(Conflict):
    code = "refund_to_original_only"
    message = _("A commitment is refunded to the payment method that paid it.")


class PayoutDeclined(Conflict):
    """`reason` is the provider's; the money is available again."""

    code = "payout_declined"
    is_outcome = True
    message = _("The payment provider refused to pay out: %(reason)s. Choose another payment method.")
    members = {"reason": str, "payout_id": UUID}


# --- Disputes -------------------------------------------------------------------------------------------------------


class PaymentDisputed(Conflict):
    code = "payment_disputed"
    message = _("The bank is asked to take this payment back. Nothing of it moves until that dispute has ended.")


class ChargeNotDisputable(Conflict):
    """Of the sandbox."""

    code = "charge_not_disputable"
    message = _("Nothing of this payment was taken, or all of it is disputed already.")


class DisputeNotOpen(Conflict):
    """Of the sandbox."""

    code = "dispute_not_open"
    message = _("There is no dispute about this payment yet. Open one first.")


class DisputeClosed(Conflict):
    """Of the sandbox."""

    code = "dispute_closed"
    message = _("This dispute is %(outcome)s already.")
    members = {"outcome": str}


# --- Distributions --------------------------------------------------------------------------------------------------


class NothingToDistributeTo(Conflict):
    code = "campaign_not_settled"
    message = _("Distributions go to the investors of a campaign that was funded and whose money is settled.")


class DistributionUnderWay(Conflict):
    code = "distribution_under_way"
    message = _("The payment of another distribution of this campaign is not done yet. Confirm it first.")


class DistributionDeclined(Conflict):
    """`reason` is the provider's: `card_declined`, `authentication_failed`, ..."""

    code = "distribution_declined"
    is_outcome = True
    message = _("The payment was declined: %(reason)s. Propose the distribution again with another payment method.")
    members = {"reason": str, "distribution_id": UUID}


class HolderDecides(NotAllowed):
    code = "holder_decides"
    message = _("You have invested in this campaign. Someone else decides on its distributions.")


class DistributionDecided(Conflict):
    code = "distribution_decided"
    message = _("This distribution is %(status)s already.")
    members = {"status": str}


class DistributionNotPaidIn(Conflict):
    code = "distribution_not_paid_in"
    message = _("Its owner has not paid it in yet.")


class DistributionChanged(Conflict):
    code = "distribution_changed"
    message = _("This distribution or its holders changed after you opened it. Read it again, then decide.")


# --- Risk cases ------------------------------------------------------------------------------------------------------


class OwnRiskCase(NotAllowed):
    code = "own_risk_case"
    message = _("This case is about payments of yours. Someone else decides on it.")


class RiskCaseChanged(Conflict):
    code = "risk_case_changed"
    message = _("This case is %(status)s by now. Read it again, then decide.")
    members = {"status": str}


# --- Statements -----------------------------------------------------------------------------------------------------


class YearNotBegun(Invalid):
    code = "year_not_begun"
    message = _("This year has not begun yet (UTC).")


class StatementTooLong(Conflict):
    """More than `most` movements in the year; `format=csv` and `json` take more than `pdf`."""

    code = "statement_too_long"
    message = _("There are more than %(most)s movements in this year. CSV and JSON take more than PDF.")
    members = {"most": int}


# --- Paying owners, and decisions of two people --------------------------------------------------------------------


class NoPayoutTarget(NotFound):
    code = "no_payout_target"
    message = _("You have not chosen where your money goes.")


class PayoutTargetNotABankAccount(Invalid):
    code = "payout_target_not_a_bank_account"
    message = _("Money is paid out to a bank account. Add one to your payment methods first.")


class NoSettlement(NotFound):
    code = "no_settlement"
    message = _("Nothing of this campaign was released to its owner.")


class PayoutsNotSupported(Conflict):
    code = "payouts_not_supported"
    message = _("The payment provider cannot pay out to this payment method. Add a bank account.")


class SettlementNotWaiting(Conflict):
    """`status` is what it is now."""

    code = "settlement_not_waiting"
    message = _("This settlement does not wait for an approval; it is %(status)s.")
    members = {"status": str}


class EvidenceChanged(Conflict):
    code = "settlement_changed"
    message = _("Something has changed since you looked. Read it again and decide then.")


class OwnMoney(NotAllowed):
    code = "own_money"
    message = _("Somebody else decides on your own money.")


class NotWaitingForApproval(Conflict):
    """`status` is what it is now."""

    code = "not_waiting_for_approval"
    message = _("This does not wait for an approval; it is %(status)s.")
    members = {"status": str}


class StaffRefundTooLarge(Conflict):
    """Amount in major units."""

    code = "staff_refund_too_large"
    message = _("Only %(available)s of this investment can be refunded now.")
    members = {"available": MoneyText, "currency": Currency}
    amounts = ("available",)


class StaffRefundOpen(Conflict):
    code = "staff_refund_open"
    message = _("A refund of this investment waits for its decision already.")


class CorrectionOpen(Conflict):
    code = "correction_open"
    message = _("A correction of this transaction waits for its decision already.")


class NotCorrectable(Conflict):
    code = "posting_not_correctable"
    message = _("Only a posted transaction that was not reversed can be corrected.")


class CorrectionUnbalanced(Invalid):
    code = "correction_unbalanced"
    message = _("The lines need two accounts that exist, each once, and add up to zero in each currency.")


class ProposerDecides(NotAllowed):
    code = "proposer_decides"
    message = _("You have proposed this. Somebody else decides on it.")


class AlreadyApproved(Conflict):
    code = "already_approved"
    message = _("You have approved this already. Somebody else has to approve it as well.")


# --- Providers ------------------------------------------------------------------------------------------------------


class UnknownProvider(NotFound):
    code = "unknown_provider"
    message = _("There is no such payment provider here.")


class InvalidSignature(Invalid):
    code = "invalid_signature"
    message = _("The signature is missing, wrong or too old.")


class UnreadableEvent(Invalid):
    code = "unreadable_event"
    message = _("This event has a valid signature and no content that can be read.")


# --- What a person may invest (docs/eligibility.md) -------------------------------------------------------------------


class NamedText(Output):
    """A text to acknowledge or to consent to, in the words that count now."""

    id: str
    version: str
    sha256: str
    text: str


class NamedDocument(Output):
    id: UUID
    kind: str
    version: int


class ProfileCurrencyNotSupported(Invalid):
    code = "profile_currency_not_supported"
    message = _("Figures are declared in a currency of a rule set: %(currencies)s.")


class AnswersIncomplete(Invalid):
    code = "answers_incomplete"
    message = _("The knowledge test is answered as a whole: one of the options for each of its questions.")


class UnknownAcknowledgement(Invalid):
    code = "unknown_acknowledgement"
    message = _("There is no such text to acknowledge; GET /api/investments/profile lists them.")


class AcknowledgementSuperseded(Conflict):
    """`version` is the one to acknowledge now."""

    code = "acknowledgement_superseded"
    message = _("These words are not the present ones. Read and acknowledge version %(version)s.")
    members = {"version": str}


class InvestorProfileRequired(NotAllowed):
    code = "investor_profile_required"
    message = _("Declare your annual income and net worth in %(currency)s first: PUT /api/investments/profile.")
    members = {"currency": Currency}


class ProfileCurrencyMismatch(Conflict):
    """`currency` is the one that the rule set counts in."""

    code = "profile_currency_mismatch"
    message = _("Your figures are declared in another currency; this campaign's rules count in %(currency)s.")
    members = {"currency": Currency}


class InvestorLimitExceeded(Conflict):
    """Amounts in major units; `window_starts_at` is the beginning of the twelve months that count."""

    code = "investor_limit_exceeded"
    message = _(
        "You may invest %(limit)s in twelve months under these rules, of which %(used)s is used. "
        "You can still invest %(remaining)s."
    )
    members = {
        "limit": MoneyText,
        "used": MoneyText,
        "remaining": MoneyText,
        "currency": Currency,
        "window_starts_at": Moment,
    }
    amounts = ("limit", "used", "remaining")


class AcknowledgementRequired(NotAllowed):
    """`acknowledgements` are those that are missing."""

    code = "acknowledgement_required"
    message = _("Read and acknowledge these texts first: PUT /api/investments/profile.")
    members = {"acknowledgements": list[NamedText]}


class KnowledgeTestRequired(NotAllowed):
    code = "knowledge_test_required"
    message = _("Take the entry knowledge test first: PUT /api/investments/profile. It counts for two years.")


class LossSimulationRequired(NotAllowed):
    code = "loss_simulation_required"
    message = _(
        "Your loss simulation is more than a year old. Declare your figures again: PUT /api/investments/profile."
    )


class WarningConsentRequired(NotAllowed):
    """Send the id and version of `warning` in `acceptedWarnings`; it is given above the amount `above`."""

    code = "warning_consent_required"
    message = _("This investment is above %(above)s. Read the warning, and consent to it if you want to go on.")
    members = {"above": MoneyText, "currency": Currency, "warning": NamedText}
    amounts = ("above",)


class ConsentRequired(NotAllowed):
    """`documents` are those to read and accept, in their newest versions."""

    code = "consent_required"
    message = _("Read and accept the documents of this campaign first.")
    members = {"documents": list[NamedDocument]}
