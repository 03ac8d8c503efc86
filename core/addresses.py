"""Network addresses: parsing the forms in which servers and proxies write them, and which proxies are trusted."""

import ipaddress
import re
from functools import cache

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BRACKETS = re.compile(r"\[([^\]]*)\](?::\d{1,5})?", re.ASCII)
_WITH_PORT = re.compile(r"([0-9.]+):\d{1,5}", re.ASCII)


def parse_address(text: str) -> Address | None:
    """
    The address in `203.0.113.9`, `203.0.113.9:51234`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`; None for
    anything else, such as `unknown` or `_hidden` (RFC 7239 §6).

    The zone of a link-local address (`%eth0`) means something on one machine only and is dropped. An IPv4 address in
    IPv6 form, as a server that listens on both shows it, is the IPv4 address.
    """
    text = text.strip()
    if form := _BRACKETS.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = form[1]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def forwarded_address(peer: str, forwarded_for: str) -> str | None:
    """
    The client's address: the peer, or what trusted proxies (TRUSTED_PROXIES) say of it.

    X-Forwarded-For is read from the right; the first address that is not a trusted proxy is the client.

    :param forwarded_for: the header's value, all its lines joined with commas
    """
    address = parse_address(peer)
    if address is None or not is_trusted(address):
        return str(address) if address else None
    for hop in reversed([part for part in forwarded_for.split(",") if part.strip()]):
        named = parse_address(hop)
        if named is None:
            break
        address = named
        if not is_trusted(named):
            break
    return str(address)


def is_trusted(address: Address) -> bool:
    """Whether it is one of our proxies."""
    return any(address in network for network in _proxies(tuple(settings.TRUSTED_PROXIES)))


def counted_as(text: str) -> str:
    """The key that limits count by: an IPv6 address counts as its /64, which one customer has; all else as it is."""
    if ":" not in text:
        return text
    try:
        return str(ipaddress.IPv6Network((text, 64), strict=False))
    except ValueError:
        return text


@cache
def _proxies(networks: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(network) for network in networks]
