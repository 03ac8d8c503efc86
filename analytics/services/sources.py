"""Where a visit comes from, by the address of its page and its referrer. Only the host of a referrer is kept."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, parse_qs, urlsplit

from django.conf import settings

_SEARCH = ("google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "startpage", "qwant", "naver")
_SOCIAL = {
    "facebook.com": "facebook",
    "instagram.com": "instagram",
    "t.co": "x",
    "x.com": "x",
    "twitter.com": "x",
    "linkedin.com": "linkedin",
    "lnkd.in": "linkedin",
    "reddit.com": "reddit",
    "youtube.com": "youtube",
    "tiktok.com": "tiktok",
    "pinterest.com": "pinterest",
    "wa.me": "whatsapp",
    "t.me": "telegram",
    "news.ycombinator.com": "hackernews",
}
_SHARED = ("/s/", "/p/")
"""How the paths of share pages begin."""
_UNSEEN = str.maketrans("", "", "".join(map(chr, (*range(32), 127))))


@dataclass(frozen=True, slots=True)
class Visit:
    """A page without its query, and what the query and the referrer say of where the visitor came from."""

    page: str
    source: str
    medium: str
    label: str


@lru_cache(4096)
def read_visit(page: str, referrer: str) -> Visit:
    """
    :param page: an address or a path, perhaps with `utm_source`, `utm_medium`, `utm_campaign` or `via=invite|share`
    :param referrer: the address of the page before; one of ours is no source
    """
    address, query = _split(page), {}
    if address.query:
        query = {name: values[0].translate(_UNSEEN).strip() for name, values in parse_qs(address.query[:2000]).items()}
    source, medium = _source(address.path, query, referrer)
    return Visit(
        page=(address.path or "/")[:500] if page else "",
        source=source.lower()[:100],
        medium=medium.lower()[:50],
        label=query.get("utm_campaign", "")[:100],
    )


def _source(path: str, query: dict[str, str], referrer: str) -> tuple[str, str]:
    if named := query.get("utm_source"):
        return named, query.get("utm_medium", "") or "campaign"
    if (via := query.get("via")) in ("invite", "share"):
        return via, "link"
    if path.startswith(_SHARED):
        return "share", "link"
    host = (_split(referrer).hostname or "").removeprefix("www.")
    if not host or host in _own_hosts():
        return "", ""
    if any(part in _SEARCH for part in host.split(".")[:-1]):
        return next(part for part in host.split(".") if part in _SEARCH), "search"
    for domain, network in _SOCIAL.items():
        if host == domain or host.endswith(f".{domain}"):
            return network, "social"
    return host, "referral"


def _split(address: str) -> SplitResult:
    try:
        split = urlsplit(address.strip()[:4000])
        _ = split.hostname
    except ValueError:  # such as "http://[" : an address that is none says nothing
        return urlsplit("")
    return split


def _own_hosts() -> set[str]:
    ours = (settings.PUBLIC_URL, settings.FRONTEND_URL)
    return {(urlsplit(address).hostname or "").removeprefix("www.") for address in ours}
