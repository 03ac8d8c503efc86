"""What headers say of a device and its use, in our own words, since the sender controls them."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

_PROGRAMS = {
    "Edg": "Edge",
    "EdgA": "Edge",
    "EdgiOS": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "okhttp": "App",
    "Dart": "App",
    "CFNetwork": "App",
    "curl": "curl",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "okhttp": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}
"""What stands in the header, in the order in which it decides: browsers name their ancestors too."""


def sent_by(headers: Mapping[str, str]) -> str:
    """What a request's `User-Agent` header says, on one line and not for ever: fit to be kept."""
    return "".join(sign for sign in headers.get("User-Agent", "")[:200] if sign.isprintable())


def is_unattended(headers: Mapping[str, str]) -> bool:
    """Whether a page sent the request by itself while nobody used it, as its script says."""
    return headers.get("X-Unattended") == "1"


def recognise(user_agent: str) -> tuple[str, str]:
    """Program and system, each empty when it is not in our tables."""
    program = next((name for mark, name in _PROGRAMS.items() if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    return program, system


def device_name(user_agent: str) -> str:
    """`Firefox on Linux`: safe in a mail, which readers trust."""
    program, system = recognise(user_agent)
    if program and system:
        return _("%(program)s on %(system)s") % {"program": program, "system": system}
    return program or system or _("an unknown device")
