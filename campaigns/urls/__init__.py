"""/api/campaigns"""

from django.urls import path

from campaigns.views import Amendments, Campaigns, Documents, KeyInformationSheet, Updates

urlpatterns = [
    path("", Campaigns.as_view({"get": "list", "post": "create"})),
    path("/categories", Campaigns.as_view({"get": "categories"})),
    path("/<uuid:campaign_id>", Campaigns.as_view({"get": "retrieve", "put": "edit", "delete": "remove"})),
    path("/<uuid:campaign_id>/submit", Campaigns.as_view({"post": "submit"})),
    path("/<uuid:campaign_id>/cancel", Campaigns.as_view({"post": "cancel"})),
    path("/<uuid:campaign_id>/close-early", Campaigns.as_view({"post": "close_early"})),
    path("/<uuid:campaign_id>/amendments", Amendments.as_view({"get": "list", "post": "create"})),
    path("/<uuid:campaign_id>/follow", Campaigns.as_view({"post": "follow", "delete": "unfollow"})),
    path("/<uuid:campaign_id>/updates", Updates.as_view({"get": "list", "post": "create"})),
    path("/<uuid:campaign_id>/updates/<uuid:update_id>", Updates.as_view({"put": "edit", "delete": "remove"})),
    path("/<uuid:campaign_id>/updates/<uuid:update_id>/history", Updates.as_view({"get": "history"})),
    path("/<uuid:campaign_id>/documents", Documents.as_view({"get": "list", "post": "create"})),
    path("/<uuid:campaign_id>/documents/<uuid:document_id>/accept", Documents.as_view({"post": "accept"})),
    path("/<uuid:campaign_id>/key-information", KeyInformationSheet.as_view({"get": "retrieve", "put": "write"})),
]
