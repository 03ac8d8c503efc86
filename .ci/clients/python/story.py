"""The main story through the client of openapi-python-client."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import httpx
from vectragrow_client.api.auth import get_me, login, logout, register, step_up, verify_email
from vectragrow_client.api.campaigns import (
    create_campaign,
    get_campaign,
    list_campaigns,
    place_investment,
    submit_campaign,
    update_campaign,
)
from vectragrow_client.api.chat import (
    list_conversations,
    list_messages,
    mark_conversation_read,
    send_message,
    start_conversation,
)
from vectragrow_client.api.files import download_file
from vectragrow_client.api.investments import add_payment_method, get_investment, list_investments, withdraw_investment
from vectragrow_client.api.kyc import (
    decide_verification,
    get_verification_document_link,
    list_pending_verifications,
    review_verification_document,
    start_verification,
    upload_verification_documents,
)
from vectragrow_client.api.notifications import list_notifications
from vectragrow_client.api.profile import upload_profile_photo
from vectragrow_client.api.social import (
    add_comment,
    create_group,
    create_post,
    follow_user,
    get_feed,
    get_post,
    join_group,
    like_post,
    search,
)
from vectragrow_client.client import AuthenticatedClient, Client
from vectragrow_client.models import (
    CampaignCardPage,
    CampaignEdit,
    CampaignForm,
    CampaignOutput,
    CommentInput,
    CommentOutput,
    ConversationCardPage,
    ConversationInput,
    ConversationOutput,
    DecideInput,
    DetailsInput,
    DocumentsForm,
    DocumentsOutput,
    FeedEntryPage,
    GroupOutput,
    HitPage,
    InboxPage,
    InitiateInput,
    InvestInput,
    InvestmentCard,
    InvestmentCardPage,
    InvestmentOutput,
    JudgeInput,
    LinkOutput,
    LoginInput,
    MeOutput,
    Message,
    MessageForm,
    MessageInput,
    MessageOutput,
    MessageOutputPage,
    NewGroupInput,
    NextAction,
    PaymentMethodCard,
    PaymentMethodInput,
    PersonOutput,
    PhotoForm,
    PlaceInvestmentProblem409,
    PostForm,
    PostOutput,
    PostPageOutput,
    ProfileOutput,
    ReadInput,
    RegisterInput,
    ReviewDocumentOutput,
    ReviewOutput,
    ReviewOutputPage,
    StepUpInput,
    TokenInput,
    TokensOutput,
    VerificationOutput,
    WithdrawalOutput,
    WithdrawInput,
    WithdrawInvestmentProblem409,
)
from vectragrow_client.types import UNSET, File, Unset
from world import BASE, PASSWORD, WAIT_LIMIT, approve_payment, mailed_token, operator, picture, until

T = TypeVar("T")
ANONYMOUS = Client(base_url=BASE, timeout=httpx.Timeout(WAIT_LIMIT), raise_on_unexpected_status=True)


@dataclass(frozen=True)
class Person:
    client: AuthenticatedClient
    id: UUID
    email: str


def given(kind: type[T], answer: object) -> T:
    """The body of a success, which is of this class."""
    assert isinstance(answer, kind), answer
    return answer


def sign_up(first_name: str) -> Person:
    email = f"{first_name}.python@clients.example".lower()
    body = RegisterInput(email=email, password=PASSWORD, first_name=first_name, last_name="Python")
    given(TokensOutput, register.sync(client=ANONYMOUS, body=body))
    given(Message, verify_email.sync(client=ANONYMOUS, body=TokenInput(token=mailed_token(email))))
    return log_in(email)


def log_in(email: str) -> Person:
    tokens = given(TokensOutput, login.sync(client=ANONYMOUS, body=LoginInput(email=email, password=PASSWORD)))
    client = AuthenticatedClient(
        base_url=BASE, token=tokens.token, timeout=httpx.Timeout(WAIT_LIMIT), raise_on_unexpected_status=True
    )
    return Person(client, tokens.user.id, email)


def staff(first_name: str) -> Person:
    person = sign_up(first_name)
    operator("grant_role", person.email, "reviewer")
    return log_in(person.email)  # a new role ends the sessions of the old one


def send_papers(person: Person, number: str) -> UUID:
    asked = InitiateInput(document_type="passport", document_number=number, date_of_birth=date(1989, 3, 14))
    started = given(VerificationOutput, start_verification.sync(client=person.client, body=asked))
    form = DocumentsForm(documents=[picture("front"), picture("selfie")], kinds=["front", "selfie"])
    assert (
        len(given(DocumentsOutput, upload_verification_documents.sync(client=person.client, body=form)).documents) == 2
    )
    assert started.id
    return started.id


def review(verification: UUID, first: Person, second: Person) -> None:
    cursor: str | Unset = UNSET
    while True:
        page = given(ReviewOutputPage, list_pending_verifications.sync(client=first.client, limit=1, cursor=cursor))
        found = next((row for row in page.items if row.id == verification), None)
        for document in found.documents if found else []:
            link = given(LinkOutput, get_verification_document_link.sync(document.id, client=first.client))
            file = given(File, download_file.sync(link.url.rpartition("/")[2], client=first.client))
            assert file.payload.read(), "the paper opens"
            judged = JudgeInput(status="verified", notes="Clear picture.")
            given(
                ReviewDocumentOutput, review_verification_document.sync(document.id, client=first.client, body=judged)
            )
        if found:
            break
        assert page.next_cursor, "the case is in the queue"
        cursor = page.next_cursor
    decision = DecideInput(verification_id=verification, status="verified", notes="Face and passport match.")
    assert (
        given(ReviewOutput, decide_verification.sync(client=first.client, body=decision)).status
        == "awaiting_second_review"
    )
    assert given(ReviewOutput, decide_verification.sync(client=second.client, body=decision)).status == "verified"


def add_card(person: Person, number: str) -> UUID:
    details = DetailsInput(number=number, expiry_month=12, expiry_year=datetime.now(UTC).year + 3, cvv="123")
    body = PaymentMethodInput(type_="card", details=details)
    return given(PaymentMethodCard, add_payment_method.sync(client=person.client, body=body)).id


def publish(founder: Person) -> UUID:
    draft = given(
        CampaignOutput,
        create_campaign.sync(
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
        ),
    )
    assert len(draft.media) == 1
    answered = get_campaign.sync_detailed(draft.id, client=founder.client)
    edit = CampaignEdit(summary="Owned by those who live under them.")
    edited = update_campaign.sync(draft.id, client=founder.client, body=edit, if_match=answered.headers["ETag"])
    assert given(CampaignOutput, edited).summary.startswith("Owned")
    given(CampaignOutput, submit_campaign.sync(draft.id, client=founder.client))
    operator("publish_campaign", str(draft.id))
    return draft.id


def find_campaign(person: Person, campaign: UUID) -> None:
    cursor: str | Unset = UNSET
    while True:
        page = given(
            CampaignCardPage,
            list_campaigns.sync(client=person.client, limit=1, cursor=cursor, sort="newest", with_total=True),
        )
        assert page.limit == len(page.items) == 1 and page.total
        if page.items[0].id == campaign:
            return
        assert page.next_cursor, "the campaign is in the list"
        cursor = page.next_cursor


def invest(backer: Person, campaign: UUID, amount: str, method: UUID) -> UUID:
    body = InvestInput(amount=amount, payment_method_id=method)
    made = given(
        InvestmentCard, place_investment.sync(campaign, client=backer.client, body=body, idempotency_key=uuid4().hex)
    )
    if made.status == "requires_action":
        assert isinstance(made.next_action, NextAction), "3-D Secure has a page"
        approve_payment(made.next_action.url)
    until(
        "the commitment",
        lambda: (
            given(InvestmentOutput, get_investment.sync(made.id, client=backer.client)).status == "committed" or None
        ),
    )
    return made.id


def talk(sender: Person, receiver: Person) -> None:
    asked = ConversationInput(participants=[receiver.id], type_="direct")
    conversation = given(ConversationOutput, start_conversation.sync(client=sender.client, body=asked)).id
    client_id = uuid4()
    text = MessageInput(content="Thank you!", client_id=client_id)
    first = given(MessageOutput, send_message.sync(conversation, client=sender.client, body=text))
    assert (first.seq, first.client_id) == (1, client_id)
    shown = MessageForm(content="Our roof", media=[picture("cover")])
    assert len(given(MessageOutput, send_message.sync(conversation, client=sender.client, body=shown)).media) == 1
    page = given(MessageOutputPage, list_messages.sync(conversation, client=receiver.client, limit=1))
    assert page.has_more and page.items[0].seq == 2, "the newest message comes first"
    assert (
        given(
            ConversationOutput, mark_conversation_read.sync(conversation, client=receiver.client, body=ReadInput(seq=2))
        ).unread_count
        == 0
    )
    assert conversation in [
        card.id for card in given(ConversationCardPage, list_conversations.sync(client=receiver.client)).items
    ]


def meet(author: Person, reader: Person) -> None:
    given(PersonOutput, follow_user.sync(author.id, client=reader.client))
    form = PostForm(content="Seen from pythonic hill. #roofs", media=[picture("cover")], media_alt=["A roof"])
    post = given(PostOutput, create_post.sync(client=author.client, body=form))
    assert post.media[0].alt == "A roof" and post.share_url, "the post has its picture and its page"
    words = CommentInput(content="How high?")
    given(CommentOutput, add_comment.sync(post.id, client=reader.client, body=words))
    liked = given(PostOutput, like_post.sync(post.id, client=reader.client))
    assert (liked.liked_by_me, liked.like_count, liked.comment_count) == (True, 1, 1)
    (comment,) = given(PostPageOutput, get_post.sync(post.id, client=author.client)).comments.items
    assert comment.author and comment.author.id == reader.id, "the author reads the comment"

    asked = NewGroupInput(name="Hills of Python", visibility="public", join_policy="open")
    group = given(GroupOutput, create_group.sync(client=author.client, body=asked))
    joined = given(GroupOutput, join_group.sync(group.id, client=reader.client))
    assert (joined.my_status, joined.member_count) == ("member", 2)

    feed = given(FeedEntryPage, get_feed.sync(client=reader.client, limit=20))
    item = next(entry for entry in feed.items if entry.post and entry.post.id == post.id)
    assert (item.why.kind, item.why.id) == ("follow", author.id), "the feed says why"
    found = given(HitPage, search.sync(client=reader.client, q="pythonic", type_="posts"))
    assert post.id in [hit.post.id for hit in found.items if hit.post], "the search finds the post"


def withdraw(backer: Person, investment: UUID, method: UUID) -> None:
    given(Message, step_up.sync(client=backer.client, body=StepUpInput(password=PASSWORD)))
    body = WithdrawInput(amount="40.25", payment_method_id=method)
    withdrawal = given(WithdrawalOutput, withdraw_investment.sync(investment, client=backer.client, body=body))
    assert (withdrawal.amount, withdrawal.currency) == ("40.25", "USD")
    too_much = WithdrawInput(amount="100000", payment_method_id=method)
    refused = withdraw_investment.sync(investment, client=backer.client, body=too_much)
    assert isinstance(refused, WithdrawInvestmentProblem409) and refused.code == "withdrawal_too_large", refused


def tell() -> None:
    founder, backer = sign_up("Amara"), sign_up("Mei")
    first, second = staff("Ines"), staff("Tom")
    for person, number in ((founder, "PY1000001"), (backer, "PY1000002")):
        review(send_papers(person, number), first, second)
        assert given(MeOutput, get_me.sync(client=person.client)).kyc_verified
    photo = PhotoForm(photo=picture("selfie"))
    assert given(ProfileOutput, upload_profile_photo.sync(client=founder.client, body=photo)).profile_photo

    campaign = publish(founder)
    find_campaign(backer, campaign)
    card = add_card(backer, "4242424242424242")
    investment = invest(backer, campaign, "750.50", card)
    invest(backer, campaign, "200", add_card(backer, "4000000000003220"))
    mine = given(InvestmentCardPage, list_investments.sync(client=backer.client, limit=1))
    assert mine.has_more and mine.next_cursor, "two investments on two pages"
    declined = InvestInput(amount="100", payment_method_id=add_card(backer, "4000000000000002"))
    refused = place_investment.sync(campaign, client=backer.client, body=declined)
    assert isinstance(refused, PlaceInvestmentProblem409) and refused.code == "payment_declined", refused

    talk(founder, backer)
    meet(founder, backer)
    withdraw(backer, investment, card)
    assert given(InboxPage, list_notifications.sync(client=backer.client, limit=5)).items
    given(Message, logout.sync(client=backer.client))
    assert get_me.sync_detailed(client=backer.client).status_code == 401


tell()
print("python: the story holds")
