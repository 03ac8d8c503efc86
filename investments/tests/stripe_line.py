"""Stripe's stand-in in a process of its own, one for all tests of a run: they reach it as they would reach Stripe."""

from typing import Any

import requests

from core.testing import WAIT_LIMIT
from core.testing.processes import Program


class StripeLine:
    """Its faults and webhooks are chosen here (`investments.stripe_server`)."""

    def __init__(self) -> None:
        self._program = Program("-m", "investments.stripe_server")
        self._program.wait_for(lambda: self._program.output().startswith("http"))
        self.address = self._program.output().strip()
        self._session = requests.Session()

    def end(self) -> None:
        self._session.close()
        self._program.end()

    def tell(self, name: str, **asked: Any) -> Any:
        answer = self._session.post(f"{self.address}/stand-in/{name}", json=asked, timeout=WAIT_LIMIT)
        answer.raise_for_status()
        return answer.json()

    def break_next(self, call: str, fault: str, times: int = 1) -> None:
        self.tell("faults", call=call, fault=fault, times=times)

    def events(self) -> list[tuple[bytes, dict[str, str]]]:
        """All so far, the oldest first: body and headers."""
        return [(one["body"].encode(), {"Stripe-Signature": one["signature"]}) for one in self.tell("events")]

    def onboard(self, url: str, answer: str) -> None:
        """As a person on Stripe's page for bank accounts; `answer`: prove, enter or reject."""
        self._session.post(url, data={"answer": answer}, timeout=WAIT_LIMIT).raise_for_status()

    def answer_3ds(self, url: str, answer: str) -> None:
        """As the holder of the card on the bank's page; `answer`: approve or decline."""
        self._session.post(url, data={"answer": answer}, timeout=WAIT_LIMIT, allow_redirects=False)
