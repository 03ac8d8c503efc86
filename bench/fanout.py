"""
Chat fan-out: SOCKETS people in one conversation, RATE messages a second, each committed and then delivered to all.

The figure is processor time of the socket server per delivery; sending, the insert's Python side and the push included.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import connect

from bench.server import cpu_seconds, free_port, keep, memory_mb, serving

SOCKETS = 100
RATE = 100
WARM_UP, SECONDS = 3, 20


def scene() -> tuple[str, list[str]]:
    """The conversation's id and a token of each member."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    import django

    django.setup()
    from django.utils import timezone

    from accounts.testing import make_person, sign_in
    from chat.services.conversations import begin_group

    people = [make_person(first_name="Fan", email=f"fan-{uuid4().hex}@example.com") for _ in range(SOCKETS)]
    ids = [one.pk for one in people[1:]]
    group = begin_group(starter=people[0], participants=ids, title="fan-out", now=timezone.now())
    return str(group.conversation_id), [sign_in(one) for one in people]


async def load(port: int, conversation: str, tokens: list[str], pid: int) -> dict[str, Any]:
    taken: list[float] = []
    delivered = 0

    async def listen(socket: Any) -> None:
        nonlocal delivered
        async for text in socket:
            if text.startswith('{"type":"chat.message"'):
                delivered += 1
                sent_at = float(text.partition('"content":"')[2].partition('"')[0])
                taken.append(time.perf_counter() - sent_at)

    sockets = []
    for token in tokens:
        protocols: Any = ["vectragrow.v1", f"bearer.{token}"]
        sockets.append(await connect(f"ws://127.0.0.1:{port}/ws/", subprotocols=protocols, compression=None))
    listeners = [asyncio.create_task(listen(socket)) for socket in sockets]

    async def say(seconds: float) -> int:
        """Everybody in turn, at a steady rate, until all is delivered."""
        nonlocal delivered
        delivered = 0
        started, sent = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - started) < seconds:
            while sent < elapsed * RATE:
                frame = {"type": "chat.send", "conversationId": conversation, "clientId": str(uuid4())}
                await sockets[sent % SOCKETS].send(json.dumps({**frame, "content": f"{time.perf_counter()}"}))
                sent += 1
            await asyncio.sleep(0.5 / RATE)
        deadline = time.perf_counter() + 30
        while delivered < sent * SOCKETS and time.perf_counter() < deadline:
            await asyncio.sleep(0.1)
        return sent

    await say(WARM_UP)
    taken.clear()
    before = cpu_seconds(pid)
    sent = await say(SECONDS)
    cpu = cpu_seconds(pid) - before
    for task in listeners:
        task.cancel()
    for socket in sockets:
        await socket.close()
    taken.sort()
    return {
        "sockets": SOCKETS,
        "messages_per_second": RATE,
        "microseconds_per_delivery": round(cpu / delivered * 1e6, 1),
        "delivered_percent": round(100 * delivered / (sent * SOCKETS), 2),
        "p50_ms": round(statistics.median(taken) * 1000, 1),
        "p99_ms": round(taken[int(len(taken) * 0.99)] * 1000, 1),
        "memory_mb": memory_mb(pid),
    }


def main() -> None:
    conversation, tokens = scene()
    port = free_port()
    words = ["uvicorn", "vectragrow.asgi:application", "--port", str(port), "--lifespan", "off"]
    words += ["--ws-per-message-deflate", "false", "--log-level", "warning"]
    with serving(*words, port=port) as server:
        figures = asyncio.run(load(port, conversation, tokens, server.pid))
    keep("fanout", figures)


if __name__ == "__main__":
    sys.exit(main())
