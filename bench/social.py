"""
The community: what its pages, a like, a search and a new post cost, beside `me` and beside Express with Sequelize.

What counts is processor time per call of the web process and its PostgreSQL backends together, measured as in
`bench.reads`; beside it the shared pages that PostgreSQL touches (EXPLAIN), which noise does not disturb. One post is
liked by 200 people at once on a server as in production; nothing may be lost. What has no address yet is left out.

    .venv/bin/python -m bench.social --posts 10000
    .venv/bin/python -m bench.social --posts 1000000     # compares with the run of 10,000
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from bench.community import EAGER_READER, HERMIT, STAR, Pages, community, pages, people
from bench.growth import costs
from bench.invest import web
from bench.platform import VIEWER
from bench.reads import Call, Candidate, ask, candidates, figures, load, measure_round, plain
from bench.server import RESULTS, free_port

PEER = "community"
SMALLEST = 10_000
CROWD = 200
CROWDS = 5
LIKED = 100
"""How many posts are liked; with `CROWD` people that makes 20,000 likes before one comes twice."""
QUERIES = ("solar roof", "baterry", "harv", "sunfield42", "#energy", "school -river")
SEARCHES = 200
KEPT = 600
"""Seconds for which a token is used; it is good for fifteen minutes."""


@dataclass(frozen=True)
class Operation:
    """Something that is measured."""

    name: str
    method: str
    paths: tuple[str, ...]
    """The requests take them in turn."""
    callers: tuple[str, ...] = (VIEWER,)
    """Mail addresses. All of them take the first path, then all the second, each beginning with another one."""
    body: str = ""
    aim: float = 0.0
    """How many times the processor time of `me` it may need; 0: as much as the figure tells."""
    has_peer: bool = False
    share: int = 1
    """One of so many requests of a round is sent: of what is limited per hour."""

    @property
    def is_there(self) -> bool:
        """Whether the platform has such an address."""
        from django.urls import Resolver404, resolve

        try:
            view = resolve(self.paths[0].partition("?")[0]).func
        except Resolver404:
            return False
        return self.method.lower() in getattr(view, "actions", {self.method.lower(): ""})

    def calls(self, first: int = 0) -> Callable[[int], Call]:
        """
        The request of a number.

        :param first: how many were sent before
        """
        tokens = [token_of(email) for email in self.callers]

        def call(number: int) -> Call:
            number += first
            turn, place = divmod(number, len(self.paths))
            return Call(self.method, self.paths[place], tokens[(turn + number) % len(tokens)], self.body)

        return call


def operations(found: Pages) -> list[Operation]:
    from social.models import Post

    post, crowd = f"/api/social/posts/{found.post}", tuple(person.email for person in people(CROWD))
    public = Post.objects.filter(author=found.author, visibility="public", group=None, deleted_at=None, hidden_at=None)
    likes = tuple(f"/api/social/posts/{key}/like" for key in public.order_by("pk").values_list("pk", flat=True)[:LIKED])
    writing = {"method": "POST", "paths": ("/api/social/posts",), "share": 5}
    body = json.dumps({"content": "The panels are on the roof of the school, and they work."})
    return [
        Operation("me", "GET", ("/api/auth/me",), has_peer=True),
        Operation("post with comments", "GET", (post,), aim=1.6, has_peer=True),
        Operation("comment page", "GET", (f"{post}/comments",), aim=1.6, has_peer=True),
        Operation("profile page", "GET", (f"/api/social/users/{found.author}/posts",), aim=1.6, has_peer=True),
        Operation("group page", "GET", (f"/api/social/groups/{found.group}/posts",), aim=1.6, has_peer=True),
        Operation("feed page", "GET", ("/api/social/feed",), aim=1.6, has_peer=True),
        Operation("feed page, 10,000 follows", "GET", ("/api/social/feed",), callers=(EAGER_READER,), aim=1.6),
        Operation("like", "POST", likes, callers=crowd, aim=2.5),
        Operation("unlike", "DELETE", likes, callers=crowd, aim=2.5),
        Operation("search", "GET", searched("posts"), callers=crowd),
        Operation("post, no followers", callers=(HERMIT,), body=body, **writing),  # type: ignore[arg-type]
        Operation("post, 100,000 followers", callers=(STAR,), body=body, **writing),  # type: ignore[arg-type]
    ]


def searched(kind: str) -> tuple[str, ...]:
    return tuple(f"/api/social/search?type={kind}&q={query.replace('#', '%23').replace(' ', '+')}" for query in QUERIES)


def token_of(email: str) -> str:
    """An access token, the same for ten minutes: a server checks the signature of each only once."""
    from accounts.models import User
    from accounts.testing import sign_in

    token, made_at = _tokens.get(email, ("", 0.0))
    if time.monotonic() - made_at > KEPT:
        token, made_at = sign_in(User.objects.get(email=email)), time.monotonic()
        _tokens[email] = token, made_at
    return token


_tokens: dict[str, tuple[str, float]] = {}


def forget_limits() -> None:
    """What this run's people did, as if it were an hour ago. The Redis is the measurement's own."""
    from core.redis import client

    client().flushdb()


def deliver() -> None:
    """
    What was written before this call waits for delivery no more, as with the worker, which is not there. Feeds are not
    given it: they stay as they were filled.
    """
    from core import clock
    from social.models import Post

    Post.objects.filter(delivered_at=None).update(delivered_at=clock.now())


def measure(asked: list[Operation], found: list[Candidate], rounds: int, requests: int) -> None:
    """
    Add the figures of all calls to the candidates that can answer. Every round has each call, so that whatever else the
    machine does meets all of them. The round before the first is to warm up.
    """
    for number in range(rounds + 1):
        sys.stdout.write(f"round {number} of {rounds}\n")
        sys.stdout.flush()
        for operation in asked:
            forget_limits()
            deliver()
            share = requests // operation.share
            call = operation.calls(number * share)
            for candidate in able(operation, found):
                if number:
                    measure_round(candidate, operation.name, call, share)
                else:
                    load(candidate.port, call, share)


def able(operation: Operation, found: list[Candidate]) -> list[Candidate]:
    """Those who can answer."""
    return [candidate for candidate in found if operation.has_peer or candidate.name == "ours"]


def differences(operation: Operation, found: list[Candidate]) -> list[str]:
    """Where the peers' answers are not ours, by the names of the members."""
    if not operation.has_peer:
        return []
    call = operation.calls()(0)
    ours, *others = (plain(json.loads(ask(HTTPConnection("127.0.0.1", one.port), call))) for one in found)
    return [place for theirs in others for place in _differing(ours, theirs, "")]


def _differing(ours: Any, theirs: Any, place: str) -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = sorted(ours.keys() | theirs.keys())
        return [one for name in names for one in _differing(ours.get(name), theirs.get(name), f"{place}.{name}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [one for number, pair in pairs for one in _differing(*pair, f"{place}[{number}]")]
    return [] if ours == theirs else [f"{place[1:]}: {ours!r:.80} and {theirs!r:.80}"]


def plan_costs(operation: Operation) -> dict[str, float]:
    """What PostgreSQL does for a page: shared pages and milliseconds of all statements, the session's included."""
    from django.test import Client

    call = operation.calls()(0)
    headers = {"authorization": f"Bearer {call.bearer}", "host": "localhost"}

    def read() -> None:
        answer = Client(headers=headers).get(call.path)
        if answer.status_code != 200:
            raise SystemExit(f"{call.path} answered {answer.status_code}: {answer.content.decode()[:500]}")

    touched, took = costs(read)
    return {"pages": touched, "explain_ms": round(took, 3)}


def search_latencies(ours: Candidate) -> dict[str, float]:
    """95 of 100 searches take at most so many milliseconds, by what is looked for; one client, one after the other."""
    callers = tuple(person.email for person in people(CROWD))
    found = {}
    for kind in ("people", "posts", "groups", "channels", "campaigns"):
        forget_limits()
        call = Operation(kind, "GET", searched(kind), callers=callers).calls()
        taken = load(ours.port, call, SEARCHES, clients=1)
        found[kind] = round(statistics.quantiles(taken, n=20)[18] * 1000, 2)
    return found


# --- One post, liked by many at once --------------------------------------------------------------------------------


def crowds() -> dict[str, Any]:
    """
    `CROWD` people like one post at the same moment, again and again for other posts, on two web processes.

    :raises SystemExit: a like was lost, or counted twice
    """
    from accounts.models import User
    from core import clock
    from social.models import PostCounts, Reaction
    from social.services.posts import draft_post, publish_post

    author, tokens = User.objects.get(email=HERMIT), [token_of(person.email) for person in people(CROWD)]
    taken: list[float] = []
    answers: list[int] = []
    port = free_port()
    with web(port, workers=2, threads=4):
        for _ in range(CROWDS):
            now = clock.now()
            post = publish_post(draft_post(author=author, content="Everybody likes this.", now=now), now=now)
            forget_limits()
            crowd(port, f"/api/social/posts/{post.pk}/like", tokens, taken, answers)
            counted = PostCounts.objects.get(post=post).like_count
            kept = Reaction.objects.filter(post=post).count()
            liked = answers[-CROWD:].count(200)
            if not counted == kept == liked:
                raise SystemExit(f"{liked} likes were answered, {kept} are kept, {counted} are counted")
    return {
        "likes": len(answers),
        "refused": len(answers) - answers.count(200),
        "server_errors": sum(status >= 500 for status in answers),
        "p50_ms": round(statistics.median(taken) * 1000, 1),
        "p99_ms": round(statistics.quantiles(taken, n=100)[98] * 1000, 1),
    }


def crowd(port: int, path: str, tokens: list[str], taken: list[float], answers: list[int]) -> None:
    """Each token's person posts to a path at the same moment. Appends seconds and status of each."""
    together = threading.Barrier(len(tokens))

    def like(bearer: str) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        together.wait()
        started = time.perf_counter()
        connection.request("POST", path, headers={"Authorization": f"Bearer {bearer}"})
        response = connection.getresponse()
        response.read()
        taken.append(time.perf_counter() - started)
        answers.append(response.status)

    threads = [threading.Thread(target=like, args=(bearer,)) for bearer in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- What is said ---------------------------------------------------------------------------------------------------


def report(results: dict[str, Any], smallest: dict[str, Any]) -> None:
    """Ours beside `me` and its aim, beside the peer, and beside the run with the fewest posts."""
    say, costs_of = sys.stdout.write, results["calls"]
    me = costs_of["me"]["ours"]["cpu_ms"] if "me" in costs_of else 0.0
    heads = ("÷ me", "aim", "÷ Sequelize", f"÷ {SMALLEST:,}", "pages", f"÷ {SMALLEST:,}", "p99 ms")
    say(f"{'processor ms':<28}{'ours':>14}{'Sequelize':>14}" + "".join(f"{head:>13}" for head in heads) + "\n")
    for name, by_candidate in costs_of.items():
        ours, peer = by_candidate["ours"], by_candidate.get(PEER)
        before = smallest.get("calls", {}).get(name, {})
        plans, plans_before = results["plans"].get(name), smallest.get("plans", {}).get(name)
        cells = [
            ours["cpu_ms"] / me if me else None,
            results["aims"].get(name),
            ours["cpu_ms"] / peer["cpu_ms"] if peer else None,
            ours["cpu_ms"] / before["ours"]["cpu_ms"] if before else None,
            plans["pages"] if plans else None,
            plans["pages"] / plans_before["pages"] if plans and plans_before else None,
            ours["p99_ms"],
        ]
        say(f"{name:<28}{_sum(ours):>14}{_sum(peer):>14}")
        say("".join(f"{cell:>13.2f}" if cell else f"{'–':>13}" for cell in cells) + "\n")
    for name in ("crowd", "search_p95_ms"):
        if name in results:
            say(f"{name}: " + ", ".join(f"{key} {value}" for key, value in results[name].items()) + "\n")


def _sum(figures_of: dict[str, float] | None) -> str:
    return f"{figures_of['web_ms']:.2f} + {figures_of['postgres_ms']:.2f}" if figures_of else "–"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--posts", type=int, default=SMALLEST, help="10,000 or more, in whole ten thousands")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--requests", type=int, default=400, help="of each round")
    options.add_argument("--only", default="", help="names of calls, with semicolons between; `me` comes with them")
    options.add_argument("--ours-only", action="store_true", help="leave the peer out")
    options.add_argument("--verify", action="store_true", help="run social_verify at the end")
    given = options.parse_args()
    if given.posts < SMALLEST or given.posts % SMALLEST:
        options.error("--posts is a multiple of 10,000")
    only = {name.strip() for name in given.only.split(";") if name.strip()}
    results: dict[str, Any] = {"posts": given.posts, "calls": {}, "plans": {}, "aims": {}, "differences": {}}
    with community(given.posts) as platform:
        asked = [one for one in operations(pages()) if not only or one.name in only | {"me"}]
        there = [one for one in asked if one.is_there]
        for operation in asked:
            if operation not in there:
                sys.stdout.write(
                    f"{operation.name}: left out, there is no {operation.method} {operation.paths[0]} yet\n"
                )
        results["aims"] = {one.name: one.aim for one in there if one.aim}
        with candidates(platform, () if given.ours_only else (PEER,)) as found:
            for operation in there:
                if differing := differences(operation, found):
                    sys.stdout.write(
                        f"{operation.name}: the peer answers differently\n  " + "\n  ".join(differing[:8]) + "\n"
                    )
                    results["differences"][operation.name] = differing
            measure(there, found, given.rounds, given.requests)
            for operation in there:
                results["calls"][operation.name] = {
                    candidate.name: figures(candidate, operation.name) for candidate in able(operation, found)
                }
                if operation.method == "GET":
                    results["plans"][operation.name] = plan_costs(operation)
            if any(one.name == "search" for one in there):
                results["search_p95_ms"] = search_latencies(found[0])
        if any(one.name == "like" for one in there):
            results["crowd"] = crowds()
        if given.verify:
            from django.core.management import call_command

            call_command("social_verify")
    known = RESULTS / f"social-{SMALLEST}.json"
    report(results, json.loads(known.read_text()) if known.exists() and given.posts > SMALLEST else {})
    if not only:
        (RESULTS / f"social-{given.posts}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
