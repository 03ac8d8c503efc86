"""
Where the sandbox provider asks the card holder to confirm a payment: its stand-in for a bank's 3-D Secure page.

The page belongs to the provider. The person's answer reaches us as a signed event, through the same webhook as any
provider's.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from core import clock
from core.api.methods import only
from core.money import Money
from investments.models import SandboxCharge
from investments.providers.sandbox import SandboxGateway, event_about
from investments.services.provider_events import receive_event


@never_cache
@csrf_protect
@only("GET", "POST")
def three_d_secure(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the question, or the answer once given; POST `answer=approve|decline` answers it, once."""
    provider = SandboxGateway()
    charge = provider.waiting_for_action(token)
    if provider.name != settings.PAYMENTS_PROVIDER or charge is None:
        raise Http404
    if request.method == "POST":
        charge = provider.finish_action(token, approved=request.POST.get("answer") == "approve", now=clock.now())
        body, headers = event_about(charge, now=clock.now())
        receive_event(provider=provider.name, body=body, headers=headers, now=clock.now())
        return HttpResponseRedirect(request.path)
    page = {
        "charge": charge,
        "amount": Money(charge.amount_minor, charge.currency),
        "is_waiting": charge.state == SandboxCharge.State.REQUIRES_ACTION,
        "is_approved": charge.state == SandboxCharge.State.CAPTURED,
        "front_end": settings.FRONTEND_URL,
    }
    return render(request, "sandbox/three_d_secure.html", page)
