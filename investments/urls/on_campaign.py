"""/api/campaigns/<id>/invest and /investments"""

from django.urls import path

from investments.views import CampaignInvestments

urlpatterns = [
    path("/<uuid:campaign_id>/invest", CampaignInvestments.as_view({"post": "invest"})),
    path("/<uuid:campaign_id>/investments", CampaignInvestments.as_view({"get": "list"})),
]
