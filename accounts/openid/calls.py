"""
Calls of a provider, allauth's and ours alike: to its own hosts only, no redirects, bounded in time and size, and none
while its circuit breaker is open (SECURITY-GOALS 42, 59).
"""

import io
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from accounts.errors import ProviderRefused, ProviderUnavailable
from accounts.providers import Registration
from core.jobs.circuit_breaker import Breaker
from core.jobs.outbox import NotYet

logger = logging.getLogger("vectragrow.openid")

TIMEOUT = (3, 5)
"""Seconds to connect, and to wait for the next bytes."""
WHOLE_CALL = 10.0
MAX_BYTES = 256 * 1024
READ_AGAIN = urllib3.Retry(1, redirect=0, backoff_factor=0.1, backoff_jitter=0.2)
"""Reading twice changes nothing; a code is spent by its first use, so sending that is never repeated."""
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

_called: ContextVar[tuple[Registration, datetime]] = ContextVar("openid_call")


class _Fault(Exception):
    """A fault of the provider: no answer, a 5xx, too much data, or not what the standard says."""


@contextmanager
def calling(registration: Registration, now: datetime) -> Iterator[None]:
    """Wraps allauth, whose hooks get neither the provider that they serve nor the current time."""
    token = _called.set((registration, now))
    try:
        yield
    finally:
        _called.reset(token)


def session() -> "Calls":
    """For the provider that `calling` names."""
    return Calls(_called.get()[0])


def moment() -> datetime:
    """The clock that `calling` was given."""
    return _called.get()[1]


class Calls(requests.Session):
    """Every answer is a JSON object with status 200; all else raises."""

    def __init__(self, registration: Registration) -> None:
        super().__init__()
        self.registration = registration
        self.trust_env = False  # neither proxies nor passwords (.netrc) of the machine
        self.headers.update({"Accept": "application/json", "User-Agent": "VECTRAGrow"})

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """
        :raises ProviderRefused: a 4xx to a form
        :raises ProviderUnavailable: no answer, a fault, or the circuit is open
        """
        platform = self.registration.platform
        self._check_address(url)
        try:
            with _breaker(self.registration).guard():
                answer = self._send(method, url, *args, **options)
        except NotYet as pause:
            raise ProviderUnavailable(retry_after=pause.after or timedelta(seconds=1)) from None
        except _Fault as fault:
            logger.warning("provider call failed", extra={"provider": platform, "because": str(fault)})
            raise ProviderUnavailable() from None
        if answer.status_code != 200:
            logger.warning("provider refused", extra={"provider": platform, "status": answer.status_code})
            raise ProviderRefused() if method == "POST" else ProviderUnavailable()
        return answer

    def _check_address(self, url: str) -> None:
        parts = urlsplit(url)
        plain = parts.scheme == "http" and parts.hostname in LOOPBACK
        if parts.netloc not in self.registration.hosts or not (parts.scheme == "https" or plain):
            logger.error("address refused", extra={"provider": self.registration.platform, "host": parts.netloc})
            raise ProviderUnavailable()

    def _send(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
        deadline = time.monotonic() + WHOLE_CALL
        options |= {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=READ_AGAIN if method == "GET" else 0))
        try:
            answer = super().request(method, url, *args, **options)
            content = _read(answer, deadline)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # those of requests are OSErrors
            raise _Fault(type(error).__name__) from error
        status = answer.status_code
        if status >= 500 or status == 429 or 300 <= status < 400:
            raise _Fault(f"status {status}")
        if status == 200:
            _check_object(content)
            answer.headers["Content-Type"] = "application/json"  # whatever it was called
        answer.raw = io.BytesIO(content)
        return answer


def _read(answer: requests.Response, deadline: float) -> bytes:
    content = b""
    try:
        for chunk in answer.raw.stream(16 * 1024, decode_content=True):
            content += chunk
            if len(content) > MAX_BYTES or time.monotonic() > deadline:
                raise _Fault("too large or too slow")
    finally:
        answer.raw.close()
    return content


def _check_object(content: bytes) -> None:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _Fault("not JSON") from error
    if not isinstance(document, dict):
        raise _Fault("not an object")


@cache
def _breaker(registration: Registration) -> Breaker:
    return Breaker(registration.platform, is_fault=lambda error: isinstance(error, _Fault))


def forget() -> None:
    """Forget every provider's faults."""
    _breaker.cache_clear()
