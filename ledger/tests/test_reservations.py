from typing import Any

import pytest

from core.money import Money
from ledger.errors import InsufficientFunds, PostingKeyReused, ReservationResolved
from ledger.models import LedgerAccount, Posting
from ledger.selectors import balance
from ledger.services.postings import post, reverse
from ledger.services.reservations import post_reserved, reserve, void_reserved
from ledger.tests.conftest import NOW, moving, usd

NOTHING = Money(0, "USD")


@pytest.fixture
def reservation(escrow_of_100: LedgerAccount, owner: LedgerAccount) -> Posting:
    return reserve(key="r", reference="payout:1", **moving(usd("60"), source=escrow_of_100, target=owner))


def test_reserved_money_is_gone_for_others_and_not_yet_there(
    reservation: Posting, escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    source, target = balance(escrow_of_100), balance(owner)
    assert (source.posted, source.pending_out, source.available) == (usd("100"), usd("60"), usd("40"))
    assert (target.posted, target.pending_in, target.available) == (NOTHING, usd("60"), NOTHING)
    assert list(Posting.objects.open_reservations()) == [reservation]

    for book in (post, reserve):
        with pytest.raises(InsufficientFunds) as refused:
            book(key="more", **moving(usd("40.01"), source=escrow_of_100, target=owner))
        assert refused.value.facts["available"] == usd("40")
    with pytest.raises(InsufficientFunds):
        post(key="early", **moving(usd("0.01"), source=owner, target=escrow_of_100))


def test_post_reserved_books_it_once(reservation: Posting, escrow_of_100: LedgerAccount, owner: LedgerAccount) -> None:
    posting = post_reserved(reservation, now=NOW)
    assert post_reserved(reservation, now=NOW) == posting
    assert (posting.resolves, posting.reference, posting.kind) == (reservation, "payout:1", reservation.kind)
    source, target = balance(escrow_of_100), balance(owner)
    assert (source.posted, source.pending_out) == (usd("40"), NOTHING)
    assert (target.posted, target.pending_in) == (usd("60"), NOTHING)
    assert not Posting.objects.open_reservations().exists()


def test_void_reserved_gives_it_back_once(
    reservation: Posting, escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    voiding = void_reserved(reservation, now=NOW)
    assert void_reserved(reservation, now=NOW) == voiding
    assert voiding.entries.count() == 0
    assert balance(escrow_of_100).available == usd("100")
    assert balance(owner).pending_in == NOTHING
    assert not Posting.objects.open_reservations().exists()


@pytest.mark.parametrize(
    ("first", "second", "state"), [(post_reserved, void_reserved, "posted"), (void_reserved, post_reserved, "voided")]
)
def test_a_reservation_resolves_one_way_only(
    reservation: Posting, escrow_of_100: LedgerAccount, first: Any, second: Any, state: str
) -> None:
    first(reservation, now=NOW)
    before = balance(escrow_of_100)
    with pytest.raises(ReservationResolved) as refused:
        second(reservation, now=NOW)
    assert refused.value.facts == {"state": state}
    assert balance(escrow_of_100) == before


def test_reserving_again_under_its_key_returns_it_even_when_resolved(
    reservation: Posting, escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    call = moving(usd("60"), source=escrow_of_100, target=owner) | {"reference": "payout:1"}
    assert reserve(key="r", **call) == reservation
    void_reserved(reservation, now=NOW)
    assert reserve(key="r", **call) == reservation
    assert balance(escrow_of_100).available == usd("100")
    with pytest.raises(PostingKeyReused):
        reserve(key="r", **moving(usd("1"), source=escrow_of_100, target=owner))


def test_what_was_reserved_and_posted_can_be_reversed(
    reservation: Posting, escrow_of_100: LedgerAccount, owner: LedgerAccount
) -> None:
    reverse(post_reserved(reservation, now=NOW), kind="payout.returned", now=NOW)
    assert balance(escrow_of_100).available == usd("100")
    assert balance(owner).posted == NOTHING


def test_only_the_right_phase_can_be_resolved_or_reversed(reservation: Posting, escrow_of_100: LedgerAccount) -> None:
    posted = Posting.objects.get(key="capture:1")
    with pytest.raises(ValueError, match="only a reservation"):
        post_reserved(posted, now=NOW)
    with pytest.raises(ValueError, match="only a reservation"):
        void_reserved(posted, now=NOW)
    with pytest.raises(ValueError, match="only posted money"):
        reverse(reservation, kind="x", now=NOW)
    with pytest.raises(ValueError, match="only posted money"):
        reverse(void_reserved(reservation, now=NOW), kind="x", now=NOW)
