"""
The pages that are shared in a real browser: on a laptop and on a phone, light and dark, with scripts turned off, on
paper, with the words that people write. Axe (WCAG 2.2 AA) finds nothing, and nothing is too wide.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.testing import make_person
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import drain_outbox
from core.testing.browser import WatchedPage, aside, needs_browser, open_page, violations
from social.models import Channel, ChannelPin, Group, Post, PostCounts
from social.testing import make_post
from uploads.testing import picture

pytestmark = [needs_browser, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]
SIZES = {"laptop": {"width": 1440, "height": 900}, "phone": {"width": 375, "height": 740}}
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
MISSING = "[...document.images].filter((one) => one.loading != 'lazy' && !one.naturalWidth).map((one) => one.src)"
LONG_WORD = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
ARABIC = "وصلت الألواح الشمسية إلى سطح المدرسة اليوم.\n\nشكرا لكم جميعا!"
HEBREW = "לוחות סולאריים על גג בית הספר"


def make_world() -> dict[str, str]:
    """A thing of every kind with hard words. Returns the paths of their pages by name."""
    ada = make_person(first_name="Ada", identity=True)
    wide = make_person(first_name="Wilhelmine", last_name="Featherstonehaugh-Llanfairpwllgwyngyll" * 2)
    amal = make_person(first_name="أمل", last_name="حداد")
    campaign = make_campaign(
        ada, title="W" * 120, summary="x" * 300, description="The roof faces south.\n\n" + LONG_WORD, media=[picture()]
    )
    Campaign.objects.filter(pk=campaign.pk).update(raised_minor=42_050, investor_count=7)
    plain = make_campaign(ada, title=f"{HEBREW} 2026", summary=ARABIC.split("\n")[0])
    group = Group.objects.create(
        name=LONG_WORD[:100], name_key="g", visibility="public", join_policy="open", description=ARABIC, member_count=41
    )
    closed = Group.objects.create(
        name="Roof owners", name_key="c", visibility="private", join_policy="request", description="Ask to join."
    )
    channel = Channel.objects.create(name="Roof news", name_key="n", owner=amal, description="Every Friday. " * 40)
    link = "https://example.com/" + "a-long-path/" * 20
    words = f'Look at {link} <b>now</b> <script>alert(1)</script> "& more" 🎉👩‍👩‍👧‍👦\n\n{LONG_WORD}\n\n{ARABIC}'
    photos = make_post(
        ada,
        words,
        campaign_id=campaign.pk,
        media=[picture(), picture(size=(300, 1400), seed=1), picture(size=(40, 40), seed=2)],
        media_alt=["Two hundred panels on a roof"],
    )
    posts = {
        "post": photos,
        "long post": make_post(wide, "The panels are on the roof and the village is glad about it. " * 80),
        "arabic post": make_post(amal, ARABIC),
        "marks": make_post(ada, "e" + "\u0301" * 4000),
    }
    for number in range(12):
        put_post(amal if number % 2 else wide, group=group, content=f"{number}. {ARABIC if number % 2 else words}")
        put_post(amal, channel=channel, content=f"News {number}. " * 60)
    ChannelPin.objects.create(channel=channel, post=put_post(amal, channel=channel, content="Read first."), place=1)
    drain_outbox()
    paths = {name: f"/s/post/{post.pk}" for name, post in posts.items()}
    return paths | {
        "campaign": f"/s/campaign/{campaign.slug}",
        "hebrew campaign": f"/s/campaign/{plain.pk}",
        "group": f"/s/group/{group.pk}",
        "private group": f"/s/group/{closed.pk}",
        "channel": f"/s/channel/{channel.pk}",
    }


def put_post(author: User, **fields: Any) -> Post:
    post = Post.objects.create(author=author, **fields)
    PostCounts.objects.create(post=post, like_count=1, comment_count=2)
    return post


@pytest.fixture(autouse=True)
def media_from_the_server(settings: Settings, live_server: LiveServer) -> None:
    settings.PUBLIC_URL = live_server.url
    options = {"base_url": f"{live_server.url}/media/"}
    store = {"BACKEND": "django.core.files.storage.InMemoryStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": store}


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest) -> Iterator[WatchedPage]:
    phone = request.param == "phone"
    with open_page(viewport=SIZES[request.param], is_mobile=phone) as page:
        yield page


def test_every_page(live_server: LiveServer, page: WatchedPage) -> None:
    faults = []
    for name, path in aside(make_world).items():
        opened = page.goto(f"{live_server.url}{path}")
        assert opened and opened.status == 200
        if page.refused:
            faults.append(f"{name}: {page.refused}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            faults += [
                f"{name} ({scheme}): {one['id']}: {[node['html'] for node in one['nodes'][:3]]}"
                for one in violations(page, RULES)
            ]
        page.refused.clear()  # axe's own styles
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            faults.append(f"{name}: too wide")
        broken = (
            "[...document.images].filter((one) => one.loading != 'lazy' && !one.naturalWidth).map((one) => one.src)"
        )
        if missing := page.evaluate(broken):
            faults.append(f"{name}: pictures are missing: {missing}")
    assert not faults, "\n".join(faults)


def test_words_run_in_the_direction_of_their_script(live_server: LiveServer, page: WatchedPage) -> None:
    paths = aside(make_world)
    page.goto(f"{live_server.url}{paths['arabic post']}")
    right_to_left = "(element) => getComputedStyle(element).direction == 'rtl'"
    assert all(paragraph.evaluate(right_to_left) for paragraph in page.locator(".words p").all())
    assert page.locator("h1 bdi").evaluate(right_to_left)
    page.goto(f"{live_server.url}{paths['hebrew campaign']}")
    assert page.get_by_role("heading", level=1).evaluate(right_to_left)
    assert not page.locator("dl").evaluate(right_to_left)


def test_paper_has_the_words_and_the_address(live_server: LiveServer, page: WatchedPage) -> None:
    address = f"{live_server.url}{aside(make_world)['post']}"
    page.goto(address)
    assert not page.get_by_text(address).is_visible()
    page.emulate_media(media="print")
    assert page.get_by_text(address).is_visible() and page.get_by_text("Look at").is_visible()
    assert not page.get_by_role("contentinfo").is_visible()
