from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict, Invalid, NotAllowed


class VerificationOpen(Conflict):
    code = "verification_open"
    message = _("You have an open verification already. Send its documents, or wait for the answer.")


class AlreadyVerified(Conflict):
    code = "already_verified"
    message = _("Your identity is verified already.")


class NoOpenVerification(Conflict):
    code = "no_open_verification"
    message = _("There is no verification that takes documents. Start one first.")


class InvalidDocumentNumber(Invalid):
    code = "invalid_document_number"
    message = _("A document number has 5 to 30 letters and digits.")


class InvalidDateOfBirth(Invalid):
    code = "invalid_date_of_birth"
    message = _("A date of birth is in the past, at most 120 years ago.")


class KindsDoNotMatch(Invalid):
    code = "kinds_do_not_match"
    message = _("Give one kind for each document, in the same order, each kind once.")


class OwnCase(NotAllowed):
    code = "own_case"
    message = _("Nobody decides on himself.")


class SecondReviewerRequired(NotAllowed):
    code = "second_reviewer_required"
    message = _("You proposed this. A second reviewer has to confirm it.")


class EvidenceChanged(Conflict):
    code = "evidence_changed"
    message = _("The evidence changed after the first reviewer saw it. Look at it again and propose anew.")


class DocumentsNotVerified(Conflict):
    code = "documents_not_verified"
    message = _("Every required document, and every other one sent, has to be verified first. Missing: %(kinds)s.")


class DecisionNotPossible(Conflict):
    code = "decision_not_possible"
    message = _("A case that is %(status)s cannot become %(wanted)s.")


class CaseClosed(Conflict):
    code = "case_closed"
    message = _("This case is closed. Reopen it by asking the person to resubmit.")


class DocumentReplaced(Conflict):
    code = "document_replaced"
    message = _("The person has sent a newer document of this kind.")


class BadgeFollowsVerification(Conflict):
    code = "badge_follows_verification"
    message = _("The identity badge follows the verification and cannot be given or taken by hand.")
