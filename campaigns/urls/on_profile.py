"""/api/profile/campaigns"""

from django.urls import path

from campaigns.views import OwnCampaigns

urlpatterns = [path("/campaigns", OwnCampaigns.as_view({"get": "list"}))]
