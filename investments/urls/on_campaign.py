"""/api/campaigns/<id>/invest, /investments, /waitlist, /settlement and /distributions"""

from django.urls import path

from investments.views import CampaignInvestments, Distributions, Settlements, WaitingLists

urlpatterns = [
    path("/<uuid:campaign_id>/invest", CampaignInvestments.as_view({"post": "invest"})),
    path("/<uuid:campaign_id>/invest/preview", CampaignInvestments.as_view({"get": "preview"})),
    path("/<uuid:campaign_id>/investments", CampaignInvestments.as_view({"get": "list"})),
    path("/<uuid:campaign_id>/waitlist", WaitingLists.as_view({"post": "join", "get": "retrieve", "delete": "leave"})),
    path("/<uuid:campaign_id>/waitlist/accept", WaitingLists.as_view({"post": "accept"})),
    path("/<uuid:campaign_id>/settlement", Settlements.as_view({"get": "retrieve"})),
    path("/<uuid:campaign_id>/distributions", Distributions.as_view({"get": "list", "post": "propose"})),
]
