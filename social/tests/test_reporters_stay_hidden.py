"""Nobody learns who reported: not the person, not others, not the audit log, not an export, not a mail."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.api.rendering import to_json
from core.models import Event
from core.privacy.declarations import every_declaration
from core.privacy.erasure import erase_person
from core.testing import Api, drain_outbox
from notifications.models import MailboxMessage, Notification
from social.models import Decision, Report
from social.services.appeals import appeal, judge_appeal
from social.services.decisions import undo
from social.testing import act, case_about, make_comment, make_post

NAME = "Rumpelstiltskin"


@pytest.fixture
def reporter(person: Any) -> User:
    made: User = person(NAME, identity=True, created_at=clock.now() - timedelta(days=90))
    return made


def exported(person: User) -> str:
    """Everything that the export of a person holds."""
    said = []
    for declaration in every_declaration():
        if callable(declaration.export):
            said.append(to_json(list(declaration.export(person.pk))).decode())
        elif isinstance(declaration.export, (list, tuple)):
            rows = declaration.model._default_manager.filter(**{str(declaration.person): person.pk})
            said.append(to_json(list(rows.values(*declaration.export))).decode())
    return "\n".join(said)


def test_nobody_learns_who_reported(
    api: Api, author: User, stranger: User, moderator: User, reporter: User, person: Any, settings: Any
) -> None:
    settings.MODERATION_HOLD_AFTER = 1
    colleague, now = person("colleague", role="moderator"), clock.now()
    post = make_post(author, "Double your money")
    comment = make_comment(author, post)
    body = {"targetType": "post", "targetId": str(post.pk), "reason": "fraud", "details": "Told by the straw-spinner."}
    assert api.as_user(reporter).post("/api/social/reports", body).status_code == 201
    frozen = act(moderator, Report.objects.get().case, "freeze", days=7, words="Please stop.")
    hidden = act(moderator, case_about(comment, reporter, "comment"), "hide")
    judged = appeal(person=author, decision_id=frozen.pk, text="Why?", now=now)
    judge_appeal(moderator=colleague, appeal_id=judged.pk, overturn=True, answer="Sorry.", now=now)
    undo(moderator=moderator, decision_id=hidden.pk, now=now)
    drain_outbox()

    outputs = [exported(author), exported(stranger)]
    for who in (author, stranger):
        caller = api.as_user(who)
        for path in (
            "/api/social/sanctions",
            f"/api/social/posts/{post.pk}",
            f"/api/social/posts/{post.pk}/comments",
            f"/api/social/users/{author.pk}/posts",
            "/api/notifications",
        ):
            outputs.append(caller.get(path).content.decode())
    assert Notification.objects.filter(user_id=author.pk).count() >= 4
    outputs += [json.dumps([entry.title, entry.body, entry.data], default=str) for entry in Notification.objects.all()]
    mails = MailboxMessage.objects.exclude(to=reporter.email)
    from notifications.mailbox import _content

    assert mails.count() >= 4
    outputs += [mail.subject + json.dumps(_content(mail), default=str) for mail in mails]
    about = Event.objects.filter(kind__startswith="moderation.")
    assert about.count() >= 5
    outputs += [f"{event.actor_id} {event.subject_id} {event.facts}" for event in about]
    for output in outputs:
        for clue in (NAME, str(reporter.pk), reporter.email, "straw-spinner"):
            assert clue not in output, output
    assert "straw-spinner" in exported(reporter)
    assert not Event.objects.filter(actor_id=reporter.pk, subject_id__in=[post.pk, comment.pk]).exists()


def test_an_export_has_the_decisions_without_notes(author: User, stranger: User, moderator: User) -> None:
    act(moderator, case_about(make_post(author), stranger), "warn", words="Be kind.", note="Known troll.")
    said = exported(author)
    assert "Be kind." in said and "Known troll." not in said


def test_erasing_keeps_the_record_without_words(author: User, stranger: User, moderator: User) -> None:

    case = case_about(make_post(author, "My words"), stranger, details="My details")
    warned = act(moderator, case, "warn", words="Be kind.", note="Third time.")
    appeal(person=author, decision_id=warned.pk, text="My appeal", now=clock.now())
    for person in (author, stranger):
        erase_person(person_id=person.pk, now=clock.now())
    case.refresh_from_db()
    kept = Decision.objects.get()
    assert (kept.action, kept.words, kept.note, kept.appeal.text, case.versions) == ("warn", "", "", "", [])
    assert case.reports.get().details == ""


def test_closed_cases_are_kept_for_two_years(author: User, stranger: User, moderator: User) -> None:
    from social.models import Case
    from social.privacy import CASES_KEPT, delete_old_cases

    old, recent = clock.now() - CASES_KEPT - timedelta(days=1), clock.now()
    for closed in (old, recent):
        case = Case.objects.create(target_type="post", target_id=author.pk, person=author, closed_at=closed)
        Decision.objects.create(case=case, action="dismiss", decided_by=moderator, created_at=closed)
    case_about(make_post(author), stranger)
    assert delete_old_cases(now=clock.now()) == 1
    assert Case.objects.count() == 2
