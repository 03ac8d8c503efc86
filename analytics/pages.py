"""Pages with figures: the dashboard that renews itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.dashboard import dashboard
from core import clock
from core.api.methods import only


@only("GET")
def dashboard_tiles(request: HttpRequest) -> HttpResponse:
    """The dashboard alone, for the script that renews it."""
    return render(request, "admin/analytics/_dashboard.html", {"dashboard": dashboard(request.user, now=clock.now())})
