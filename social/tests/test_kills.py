"""
The web process is killed right before the commit of what a request does, and, when it is asked again, right after it:
asked once more, it was done once, counts are exact and nobody is notified twice. The requests run over the whole stack,
each in a process of its own, which one program forks.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from accounts.testing import sign_in
from core import clock
from core.models import Event
from core.testing import WAIT_LIMIT, Api, drain_outbox
from core.testing.processes import Program
from notifications.models import Notification
from social.models import Ad, Group, Membership, Story
from social.testing import make_channel, make_group, make_post, put_in_channel, put_in_group
from uploads.models import StorageUse, StoredFile
from uploads.testing import picture

KILLED = """
import json, os, signal
import vectragrow.urls  # before the forks: it takes longer than all of them
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from core import clock
from core.models import IdempotencyKey
from uploads.testing import picture

def ask(call, when):
    IdempotencyKey.objects.filter(status__isnull=True).update(locked_until=clock.now())  # the lease of the killed one
    commit = BaseDatabaseWrapper._commit
    def commit_and_die(connection):
        if when == "after":
            commit(connection)
        os.kill(os.getpid(), signal.SIGKILL)
    BaseDatabaseWrapper._commit = commit_and_die
    headers = {"Authorization": f"Bearer {call['token']}", "Idempotency-Key": call["key"]}
    if call["has_picture"]:
        body, kind = {**call["body"], "media": picture()}, {}
    else:
        body, kind = json.dumps(call["body"]), {"content_type": "application/json"}
    answer = getattr(Client(), call["method"])(call["path"], body, headers=headers, **kind)
    print("still alive:", call["name"], answer.status_code, answer.content[:300], flush=True)

for call in json.loads(os.environ["CALLS"]):
    for when in ("before", "after"):
        if not (child := os.fork()):
            ask(call, when)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(call["name"], "killed" if os.WIFSIGNALED(status) else "ended", when, flush=True)
"""


@dataclass
class Call:
    """A request, and what has to be there when it was done once."""

    name: str
    path: str
    token: str
    done: Callable[[], bool]
    body: dict[str, Any] = field(default_factory=dict)
    method: str = "post"
    has_picture: bool = False
    notices: tuple[User, str] | None = None
    """Whoever is notified once, and by what."""
    key: str = field(default_factory=lambda: uuid4().hex)

    def as_json(self) -> dict[str, Any]:
        sent = ("name", "path", "token", "body", "method", "has_picture", "key")
        return {name: getattr(self, name) for name in sent}

    def repeat(self, api: Api) -> Any:
        me = api.with_token(self.token)
        if self.has_picture:
            return me.upload(self.path, {**self.body, "media": picture()}, idempotency_key=self.key)
        return getattr(me, self.method)(self.path, self.body, idempotency_key=self.key)


def happened(kind: str, **about: Any) -> int:
    return Event.objects.filter(kind=kind, **about).count()


def everything(person: Callable[..., User]) -> list[Call]:
    owner = person("owner")

    def group(*members: User, **fields: Any) -> Group:
        made = make_group(owner, f"Group {uuid4().hex}", **fields)
        for member in members:
            put_in_group(made, member)
        return made

    def by(name: str) -> tuple[User, str]:
        made = person(name)
        return made, sign_in(made)

    def is_once(kind: str, thing: Any, **about: Any) -> Callable[[], bool]:
        return lambda: happened(kind, subject_id=thing.pk, **about) == 1

    def status_is(status: str | None, where: Group, who: User, kind: str) -> Callable[[], bool]:
        def holds() -> bool:
            found = Membership.objects.filter(group=where, user=who).values_list("status", flat=True).first()
            return found == status and happened(kind, subject_id=where.pk, facts__user_id=str(who.pk)) == 1

        return holds

    owner_token = sign_in(owner)
    post = make_post(owner)
    _, liking = by("liker")
    speaker, speaking = by("speaker")
    joiner, joining = by("joiner")
    asker, asking = by("asker")
    leaver, leaving = by("leaver")
    guest, _ = by("guest")
    accepter, accepting = by("accepter")
    pest, _ = by("pest")
    heir, _ = by("heir")
    editor, _ = by("editor")
    teller, telling = by("teller")
    seller, selling = by("seller")
    open_group, private = group(leaver, pest, heir), group(visibility="private")
    secret, hidden = group(visibility="secret"), group(visibility="secret")
    put_in_group(hidden, accepter, status=Membership.Status.INVITED)
    channel = make_channel(owner, f"Channel {uuid4().hex}")
    put_in_channel(channel, editor, "editor")
    groups, now = "/api/social/groups", clock.now()
    ad = {
        "title": "Roofs",
        "targetUrl": "https://example.com/roofs",
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(days=1)).isoformat(),
    }
    return [
        Call("like", f"/api/social/posts/{post.pk}/like", liking, is_once("post.liked", post)),
        Call(
            "comment",
            f"/api/social/posts/{post.pk}/comments",
            speaking,
            lambda: happened("comment.added", actor_id=speaker.pk) == 1,
            {"content": "Well done."},
            notices=(owner, "post_commented"),
        ),
        Call(
            "join",
            f"{groups}/{open_group.pk}/join",
            joining,
            status_is("member", open_group, joiner, "group.joined"),
        ),
        Call(
            "ask to join",
            f"{groups}/{private.pk}/join",
            asking,
            status_is("requested", private, asker, "group.join_requested"),
            notices=(owner, "group_join_requested"),
        ),
        Call("leave", f"{groups}/{open_group.pk}/leave", leaving, status_is(None, open_group, leaver, "group.left")),
        Call(
            "invite",
            f"{groups}/{secret.pk}/invitations",
            owner_token,
            status_is("invited", secret, guest, "group.invited"),
            {"userId": str(guest.pk)},
            notices=(guest, "group_invited"),
        ),
        Call("accept", f"{groups}/{hidden.pk}/join", accepting, status_is("member", hidden, accepter, "group.joined")),
        Call(
            "ban",
            f"{groups}/{open_group.pk}/bans/{pest.pk}",
            owner_token,
            status_is("banned", open_group, pest, "group.banned"),
        ),
        Call(
            "hand over a group",
            f"{groups}/{open_group.pk}/members/{heir.pk}/role",
            owner_token,
            is_once("group.role_changed", open_group, facts__user_id=str(heir.pk)),
            {"role": "owner"},
            method="put",
            notices=(heir, "group_role_changed"),
        ),
        Call(
            "hand over a channel",
            f"/api/social/channels/{channel.pk}/owner",
            owner_token,
            is_once("channel.passed_on", channel),
            {"userId": str(editor.pk)},
            method="put",
            notices=(editor, "channel_passed_on"),
        ),
        Call(
            "story",
            "/api/profile/stories",
            telling,
            lambda: Story.objects.filter(author=teller).count() == 1 and files_are_counted(teller),
            has_picture=True,
        ),
        Call(
            "ad",
            "/api/profile/ads",
            selling,
            lambda: Ad.objects.filter(advertiser=seller).count() == 1 and files_are_counted(seller),
            ad,
            has_picture=True,
        ),
    ]


def files_are_counted(person: User) -> bool:
    """A person has one file, and it is what counts in their quota."""
    sizes = list(StoredFile.objects.filter(owner_id=person.pk).values_list("size", flat=True))
    return len(sizes) == 1 and sizes[0] == StorageUse.objects.get(owner_id=person.pk).used


@pytest.mark.django_db(transaction=True)
def test_what_killed_requests_ask_for_is_done_once(api: Api, person: Callable[..., User]) -> None:
    calls = everything(person)
    drain_outbox()
    program = Program(
        "manage.py",
        "shell",
        "-v0",
        "-c",
        KILLED,
        DJANGO_SETTINGS_MODULE="vectragrow.settings.test",
        DATABASE_URL="postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict),
        CALLS=json.dumps([call.as_json() for call in calls]),
    )
    try:
        assert program.process.wait(WAIT_LIMIT) == 0, program.output()
        killed = [line for line in program.output().splitlines() if " killed " in line]
        expected = [f"{call.name} killed {when}" for call in calls for when in ("before", "after")]
        assert killed == expected, program.output()
    finally:
        program.end()
    assert not [call.name for call in calls if not call.done()]
    answers = {call.name: call.repeat(api).status_code for call in calls}
    assert not {name: status for name, status in answers.items() if status not in (200, 201)}
    assert not [call.name for call in calls if not call.done()]
    drain_outbox()
    for call in calls:
        if call.notices:
            recipient, kind = call.notices
            assert Notification.objects.filter(user_id=recipient.pk, kind=kind).count() == 1, call.name
    call_command("social_verify", stdout=StringIO())
