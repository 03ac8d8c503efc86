"""The main story through the client of openapi-python-client."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import httpx
from vectragrow_client.api.auth import (
    own_logout,
    own_me,
    own_step_up,
    sign_in_login,
    sign_up_register,
    sign_up_verify_email,
)
from vectragrow_client.api.campaigns import (
    campaign_investments_invest,
    campaigns_create,
    campaigns_edit,
    campaigns_list,
    campaigns_retrieve,
    campaigns_submit,
)
from vectragrow_client.api.chat import (
    conversations_begin,
    conversations_list,
    conversations_read,
    messages_list,
    messages_send,
)
from vectragrow_client.api.files import files_retrieve
from vectragrow_client.api.investments import (
    investments_list,
    investments_retrieve,
    investments_withdraw,
    payment_methods_create,
)
from vectragrow_client.api.kyc import (
    cases_decide,
    cases_initiate,
    cases_pending,
    papers_file,
    papers_judge,
    papers_send,
)
from vectragrow_client.api.notifications import inbox_list
from vectragrow_client.api.profile import own_profile_set_photo
from vectragrow_client.client import AuthenticatedClient, Client
from vectragrow_client.models.campaign_edit import CampaignEdit
from vectragrow_client.models.campaign_form import CampaignForm
from vectragrow_client.models.conversation_input import ConversationInput
from vectragrow_client.models.decide_input import DecideInput
from vectragrow_client.models.details_input import DetailsInput
from vectragrow_client.models.documents_form import DocumentsForm
from vectragrow_client.models.initiate_input import InitiateInput
from vectragrow_client.models.invest_input import InvestInput
from vectragrow_client.models.judge_input import JudgeInput
from vectragrow_client.models.login_input import LoginInput
from vectragrow_client.models.message_form import MessageForm
from vectragrow_client.models.message_input import MessageInput
from vectragrow_client.models.next_action import NextAction
from vectragrow_client.models.payment_method_input import PaymentMethodInput
from vectragrow_client.models.photo_form import PhotoForm
from vectragrow_client.models.problem import Problem
from vectragrow_client.models.read_input import ReadInput
from vectragrow_client.models.register_input import RegisterInput
from vectragrow_client.models.step_up_input import StepUpInput
from vectragrow_client.models.token_input import TokenInput
from vectragrow_client.models.tokens_output import TokensOutput
from vectragrow_client.models.withdraw_input import WithdrawInput
from vectragrow_client.types import UNSET, Unset
from world import BASE, PASSWORD, PATIENCE, approve_payment, mailed_token, operator, picture, until

T = TypeVar("T")
NOBODY = Client(base_url=BASE, timeout=httpx.Timeout(PATIENCE), raise_on_unexpected_status=True)


@dataclass(frozen=True)
class Person:
    client: AuthenticatedClient
    id: UUID
    email: str


def given(answer: T | Problem | None) -> T:
    """The body of a success."""
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


def sign_up(first_name: str) -> Person:
    email = f"{first_name}.python@clients.example".lower()
    body = RegisterInput(email=email, password=PASSWORD, first_name=first_name, last_name="Python")
    given(sign_up_register.sync(client=NOBODY, body=body))
    given(sign_up_verify_email.sync(client=NOBODY, body=TokenInput(token=mailed_token(email))))
    return log_in(email)


def log_in(email: str) -> Person:
    tokens = given(sign_in_login.sync(client=NOBODY, body=LoginInput(email=email, password=PASSWORD)))
    assert isinstance(tokens, TokensOutput), "a second factor was asked for"
    client = AuthenticatedClient(
        base_url=BASE, token=tokens.token, timeout=httpx.Timeout(PATIENCE), raise_on_unexpected_status=True
    )
    return Person(client, tokens.user.id, email)


def staff(first_name: str) -> Person:
    person = sign_up(first_name)
    operator("grant_role", person.email, "reviewer")
    return log_in(person.email)  # a new role ends the sessions of the old one


def send_papers(person: Person, number: str) -> UUID:
    asked = InitiateInput(document_type="passport", document_number=number, date_of_birth=date(1989, 3, 14))
    started = given(cases_initiate.sync(client=person.client, body=asked))
    form = DocumentsForm(documents=[picture("front"), picture("selfie")], kinds=["front", "selfie"])
    assert len(given(papers_send.sync(client=person.client, body=form)).documents) == 2
    assert started.id
    return started.id


def review(verification: UUID, first: Person, second: Person) -> None:
    cursor: str | Unset = UNSET
    while True:
        page = given(cases_pending.sync(client=first.client, limit=1, cursor=cursor))
        found = next((row for row in page.items if row.id == verification), None)
        for document in found.documents if found else []:
            link = given(papers_file.sync(document.id, client=first.client))
            file = given(files_retrieve.sync(link.url.rpartition("/")[2], client=first.client))
            assert file.payload.read(), "the paper opens"
            judged = JudgeInput(status="verified", notes="Clear picture.")
            given(papers_judge.sync(document.id, client=first.client, body=judged))
        if found:
            break
        assert page.next_cursor, "the case is in the queue"
        cursor = page.next_cursor
    decision = DecideInput(verification_id=verification, status="verified", notes="Face and passport match.")
    assert given(cases_decide.sync(client=first.client, body=decision)).status == "awaiting_second_review"
    assert given(cases_decide.sync(client=second.client, body=decision)).status == "verified"


def add_card(person: Person, number: str) -> UUID:
    details = DetailsInput(number=number, expiry_month=12, expiry_year=datetime.now(UTC).year + 3, cvv="123")
    body = PaymentMethodInput(type_="card", details=details)
    return given(payment_methods_create.sync(client=person.client, body=body)).id


def publish(founder: Person) -> UUID:
    draft = given(
        campaigns_create.sync(
            client=founder.client,
            body=CampaignForm(
                title="Solar roofs, by Python",
                summary="Built by neighbours, owned by neighbours.",
                description="What we make, what it costs, who we are, and what could go wrong.",
                category="energy",
                goal_amount="5000",
                min_investment="50",
                currency="USD",
                ends_at=datetime.now(UTC) + timedelta(days=30),
                media=[picture("cover")],
            ),
        )
    )
    assert len(draft.media) == 1
    answered = campaigns_retrieve.sync_detailed(draft.id, client=founder.client)
    edit = CampaignEdit(summary="Owned by those who live under them.")
    edited = campaigns_edit.sync(draft.id, client=founder.client, body=edit, if_match=answered.headers["ETag"])
    assert given(edited).summary.startswith("Owned")
    given(campaigns_submit.sync(draft.id, client=founder.client))
    operator("publish_campaign", str(draft.id))
    return draft.id


def find_campaign(person: Person, campaign: UUID) -> None:
    cursor: str | Unset = UNSET
    while True:
        page = given(campaigns_list.sync(client=person.client, limit=1, cursor=cursor, sort="newest", with_total=True))
        assert page.limit == len(page.items) == 1 and page.total
        if page.items[0].id == campaign:
            return
        assert page.next_cursor, "the campaign is in the list"
        cursor = page.next_cursor


def invest(backer: Person, campaign: UUID, amount: str, method: UUID) -> UUID:
    body = InvestInput(amount=amount, payment_method_id=method)
    made = given(
        campaign_investments_invest.sync(campaign, client=backer.client, body=body, idempotency_key=uuid4().hex)
    )
    if made.status == "requires_action":
        assert isinstance(made.next_action, NextAction), "3-D Secure has a page"
        approve_payment(made.next_action.url)
    until(
        "the commitment",
        lambda: given(investments_retrieve.sync(made.id, client=backer.client)).status == "committed" or None,
    )
    return made.id


def talk(sender: Person, receiver: Person) -> None:
    asked = ConversationInput(participants=[receiver.id], type_="direct")
    conversation = given(conversations_begin.sync(client=sender.client, body=asked)).id
    client_id = uuid4()
    text = MessageInput(content="Thank you!", client_id=client_id)
    first = given(messages_send.sync(conversation, client=sender.client, body=text))
    assert (first.seq, first.client_id) == (1, client_id)
    shown = MessageForm(content="Our roof", media=[picture("cover")])
    assert len(given(messages_send.sync(conversation, client=sender.client, body=shown)).media) == 1
    page = given(messages_list.sync(conversation, client=receiver.client, limit=1))
    assert page.has_more and page.items[0].seq == 2, "the newest message comes first"
    assert given(conversations_read.sync(conversation, client=receiver.client, body=ReadInput(seq=2))).unread_count == 0
    assert conversation in [card.id for card in given(conversations_list.sync(client=receiver.client)).items]


def withdraw(backer: Person, investment: UUID, method: UUID) -> None:
    given(own_step_up.sync(client=backer.client, body=StepUpInput(password=PASSWORD)))
    body = WithdrawInput(amount="40.25", payment_method_id=method)
    withdrawal = given(investments_withdraw.sync(investment, client=backer.client, body=body))
    assert (withdrawal.amount, withdrawal.currency) == ("40.25", "USD")
    too_much = WithdrawInput(amount="100000", payment_method_id=method)
    refused = investments_withdraw.sync(investment, client=backer.client, body=too_much)
    assert isinstance(refused, Problem) and refused.code == "withdrawal_too_large", refused


def tell() -> None:
    founder, backer = sign_up("Amara"), sign_up("Mei")
    first, second = staff("Ines"), staff("Tom")
    for person, number in ((founder, "PY1000001"), (backer, "PY1000002")):
        review(send_papers(person, number), first, second)
        assert given(own_me.sync(client=person.client)).kyc_verified
    photo = PhotoForm(photo=picture("selfie"))
    assert given(own_profile_set_photo.sync(client=founder.client, body=photo)).profile_photo

    campaign = publish(founder)
    find_campaign(backer, campaign)
    card = add_card(backer, "4242424242424242")
    investment = invest(backer, campaign, "750.50", card)
    invest(backer, campaign, "200", add_card(backer, "4000000000003220"))
    mine = given(investments_list.sync(client=backer.client, limit=1))
    assert mine.has_more and mine.next_cursor, "two investments on two pages"
    declined = InvestInput(amount="100", payment_method_id=add_card(backer, "4000000000000002"))
    refused = campaign_investments_invest.sync(campaign, client=backer.client, body=declined)
    assert isinstance(refused, Problem) and refused.code == "payment_declined", refused

    talk(founder, backer)
    withdraw(backer, investment, card)
    assert given(inbox_list.sync(client=backer.client, limit=5)).items
    given(own_logout.sync(client=backer.client))
    assert own_me.sync_detailed(client=backer.client).status_code == 401


tell()
print("python: the story holds")
