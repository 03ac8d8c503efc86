"""/api/analytics"""

from django.urls import path

from analytics.views import Figures, Tracking

urlpatterns = [
    path("user", Figures.as_view({"get": "user"})),
    path("campaign/<uuid:campaign_id>", Figures.as_view({"get": "campaign"})),
    path("campaign/<uuid:campaign_id>/export", Figures.as_view({"get": "export"})),
    path("campaign/<uuid:campaign_id>/page-link", Figures.as_view({"post": "page_link"})),
    path("engagement", Figures.as_view({"get": "engagement"})),
    path("retention", Figures.as_view({"get": "retention"})),
    path("funnel", Figures.as_view({"get": "funnel"})),
    path("track/page-view", Tracking.as_view({"post": "page_view"})),
    path("track/event", Tracking.as_view({"post": "event"})),
    path("track/campaign/<uuid:campaign_id>", Tracking.as_view({"post": "campaign"})),
    path("track/batch", Tracking.as_view({"post": "batch"})),
    path("track/public", Tracking.as_view({"post": "public"})),
]
