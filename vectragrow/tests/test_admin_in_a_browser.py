"""
Every page of the admin in a real browser, on a laptop and on a phone, light and dark: nothing overflows, and axe (WCAG
2.2 AA) finds nothing. The pages come from the admin's registry, so a new model is covered by being registered.
"""

import io
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.services import sharing, verification
from accounts.testing import PASSWORD, make_person, totp_code
from analytics.page_links import make_page_link
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import commits, drain_outbox
from core.testing.browser import WatchedPage, aside, enter_admin, needs_browser, open_page, violations
from notifications.mailbox import _content as mailbox_content
from notifications.messages import Category
from notifications.models import MailboxMessage, Recipient
from notifications.services import unsubscribing
from vectragrow.tests.admin_world import LONG, make_figures, make_world

pytestmark = [needs_browser, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]
SIZES = {"laptop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
SIDEWAYS = """() => {
    const wide = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= wide) return []
    return [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > wide + 1)
        .slice(0, 4).map((element) => element.outerHTML.slice(0, 120))
}"""
"""What is wider than the page; nothing may be scrolled sideways."""
HIDDEN_SIDEWAYS = """() => [...document.querySelectorAll(
        "#changelist .results, .inline-group, .module:not(#changelist), .card"
    )]
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.outerHTML.slice(0, 200))"""
"""Frames whose content is cut off, or scrolls sideways inside them."""


def admin_pages(staff: User) -> Iterator[str]:
    """
    The address of every kind of page, with a row of each model. The pages of a row's history and of deleting it have
    one template for all, so they are there once for each app.
    """
    request = RequestFactory().get("/admin/")
    request.user = staff
    yield reverse("admin:index")
    for label in sorted({model._meta.app_label for model in admin.site._registry}):
        yield reverse("admin:app_list", args=[label])
    with_history: set[str] = set()
    with_deletion: set[str] = set()
    for model, page in admin.site._registry.items():
        app, name = model._meta.app_label, f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = page.get_queryset(request).order_by("pk").first()
        assert row is not None, f"{staff.role} sees no {model.__name__}"
        has_tabs = any(getattr(entry, "parameter_name", "") == "queue" for entry in page.list_filter)
        yield reverse(f"{name}_changelist") + ("?queue=all" if has_tabs else "")
        yield reverse(f"{name}_change", args=[row.pk])
        if page.has_add_permission(request):
            yield reverse(f"{name}_add")
        if app not in with_history:
            with_history.add(app)
            yield reverse(f"{name}_history", args=[row.pk])
        if app not in with_deletion and page.has_delete_permission(request, row):
            with_deletion.add(app)
            yield reverse(f"{name}_delete", args=[row.pk])
    for campaign in Campaign.objects.filter(status="live"):
        yield reverse("campaign-figures", args=[campaign.pk])
    yield reverse("admin:campaigns_campaign_fees")
    yield "/admin/no/such/page/"


class Look:
    """A page of the browser, and what is wrong with the places it has been to."""

    def __init__(self, page: WatchedPage, site: str) -> None:
        self.page, self.site = page, site
        self.faults: list[str] = []

    def at(self, address: str) -> None:
        self.page.goto(self.site + address)
        if self.page.refused:
            self.faults.append(f"{address}: {self.page.refused}")
        self.here(address)
        self.page.refused.clear()  # axe's own styles

    def here(self, name: str) -> None:
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.evaluate("Promise.all(document.getAnimations().map((moving) => moving.finished))")
            for found in violations(self.page, RULES if scheme == "light" else CONTRAST):
                places = [
                    f"{node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
                    for node in found["nodes"][:3]
                ]
                self.faults.append(f"{name} ({scheme}): {found['id']}: {found['help']}\n    " + "\n    ".join(places))
        for question in (SIDEWAYS, HIDDEN_SIDEWAYS):
            if wide := self.page.evaluate(question):
                self.faults.append(f"{name}: too wide:\n    " + "\n    ".join(wide))


@pytest.fixture(params=SIZES)
def look(request: pytest.FixtureRequest, live_server: LiveServer) -> Iterator[Look]:
    with open_page(viewport=SIZES[request.param], is_mobile=request.param == "phone") as page:
        look = Look(page, live_server.url)
        yield look
    assert not look.faults, "\n".join(look.faults)


def test_every_page_of_the_admin(look: Look, live_server: LiveServer) -> None:
    ines, pages = aside(lambda: ((ines := make_world()), list(admin_pages(ines))))
    enter_admin(look.page, live_server, ines)
    for address in pages:
        look.at(address)


def test_signing_in_and_setting_up_a_second_factor(look: Look, settings: Settings) -> None:
    """The way of a new staff member, with the picture scanned as a phone does."""
    settings.ADMIN_TWO_FACTOR_REQUIRED = True
    settings.PUBLIC_URL, page = look.site, look.page
    olga = aside(lambda: make_person(first_name="Olga", role="reviewer"))

    def sign_in(code: str = "") -> None:
        page.goto(look.site + "/admin/")
        look.here("sign-in")
        page.get_by_label("E-mail").fill(olga.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Code of your").fill(code)
        with page.expect_navigation():
            page.get_by_role("button", name="Sign in", exact=True).click()

    sign_in()
    assert "Look into your mail" in page.inner_text("h1")
    look.here("mail on its way")
    page.goto(aside(lambda: mailed_link(olga)))
    look.here("password once more")
    for password in ("wrong password", PASSWORD):
        page.get_by_label("Password").fill(password)
        with page.expect_navigation():
            page.get_by_role("button", name="Continue").click()
        look.here(f"after {password}")
    address = zxingcpp.read_barcode(Image.open(io.BytesIO(page.locator(".qr").screenshot()))).text
    secret = parse_qs(urlsplit(address).query)["secret"][0]
    page.get_by_label("Code that the app shows").fill(totp_code(secret, timezone.now()))
    with page.expect_navigation():
        page.get_by_role("button", name="Switch it on").click()
    look.here("recovery codes")
    recovery_code = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("heading", name="Overview").wait_for()
    page.context.clear_cookies()
    sign_in()
    assert "This account has a second factor" in page.get_by_role("alert").inner_text()
    look.here("a code is needed")
    sign_in(recovery_code)
    page.get_by_role("heading", name="Overview").wait_for()


def mailed_link(person: User) -> str:
    with commits():
        drain_outbox()
    kept = MailboxMessage.objects.filter(to=person.email).latest("created_at")
    return re.search(r"http\S+/admin/second-factor/\?token=\S+", mailbox_content(kept)["text"]).group()


def test_the_public_pages_and_the_mailbox(look: Look, settings: Settings) -> None:
    settings.PUBLIC_URL = settings.FRONTEND_URL = look.site

    def world() -> list[str]:
        ada = make_person(first_name="Ada", verified=False)
        grace = make_person(first_name="Grace", identity=True, location="London", bio="Builds roofs. " * 9)
        verification.mail_link(user=ada, now=timezone.now())
        drain_outbox()
        mail = MailboxMessage.objects.latest("created_at")
        recipient = Recipient.objects.get(pk=ada.pk)
        shared = sharing.share_link(person=grace).removeprefix(look.site)
        token = re.search(r"token=(\S+)", mailbox_content(mail)["text"]).group(1)
        solar = make_campaign(grace, title=LONG, min_investment=None)
        make_figures(solar)
        figures = make_page_link(solar, now=timezone.now()).url.removeprefix(look.site)
        silent = unsubscribing.token_for(recipient, recipient.email_address, Category.CAMPAIGNS)
        return [
            *("/", "/signed-in?code=c", "/signed-in?error=account_exists", "/no/such/page", "/api/docs/errors"),
            *(f"/verify-email?token={token}", "/verify-email", "/reset-password?token=t", "/appeal?token=t", shared),
            *(figures, "/figures?token=t"),
            *("/mailbox/", f"/mailbox/{mail.pk}", unsubscribing.page_of(silent).removeprefix(look.site)),
        ]

    for address in aside(world):
        look.at(address)
