"""/mailbox/: what was kept instead of sent, for people and for demo scripts; only where MAILBOX_ENABLED."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin

from core.api.methods import only
from core.api.rendering import to_json, utc_text
from core.crypto.sealing import unseal
from notifications.models import MailboxMessage
from notifications.senders.mailbox import PURPOSE

SHOWN = 100
View = Callable[..., HttpResponseBase]


def development_only(view: View) -> View:
    """A 404 where it is not enabled: mails show people's tokens."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not settings.MAILBOX_ENABLED:
            raise Http404
        return view(request, **kwargs)

    return only("GET")(never_cache(guarded))


@development_only
def mailbox(request: HttpRequest) -> HttpResponse:
    to = request.GET.get("to", "").strip()
    found = list(_newest(to)[: SHOWN + 1])
    rows = [(kept, kept.subject or _content(kept)["text"]) for kept in found[:SHOWN]]
    page = {"rows": rows, "has_more": len(found) > SHOWN, "to": to, **_PAGE}
    return render(request, "mailbox/list.html", page)


@development_only
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # django-csp types views without arguments only
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    kept = get_object_or_404(MailboxMessage, pk=message_id)
    content = _content(kept)
    page = {"message": kept, "text": content["text"], "has_html": bool(content["html"]), **_PAGE}
    return render(request, "mailbox/message.html", page)


@development_only
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]
    {
        # The frame around it is sandboxed: no script, no form, links open in a new tab. Mails style themselves inline.
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
def message_html(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The HTML of a mail, alone."""
    html = _content(get_object_or_404(MailboxMessage, pk=message_id))["html"]
    if not html:
        raise Http404
    return HttpResponse(html.replace("<a href=", '<a target="_blank" rel="noopener" href='))


@development_only
def messages(request: HttpRequest) -> HttpResponse:
    """`{"items": [{id, channel, to, subject, text, html, headers, createdAt}]}`, newest first; `?to=` an address."""
    items = [
        {
            "id": kept.pk,
            "channel": kept.channel,
            "to": kept.to,
            "subject": kept.subject,
            **_content(kept),
            "createdAt": utc_text(kept.created_at),
        }
        for kept in _newest(request.GET.get("to", "").strip())[:SHOWN]
    ]
    return HttpResponse(to_json({"items": items}), content_type="application/json")


_PAGE = {"here": "mailbox", "has_mailbox": True}


def _newest(to: str) -> QuerySet[MailboxMessage]:
    kept = MailboxMessage.objects.order_by("-created_at", "-id")
    return kept.filter(to=to) if to else kept


def _content(kept: MailboxMessage) -> dict[str, Any]:
    content: dict[str, Any] = unseal(kept.content, purpose=PURPOSE)
    return content
