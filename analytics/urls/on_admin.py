"""/admin: pages with figures, and what renews the dashboard"""

from django.contrib import admin
from django.urls import path

from analytics import pages

open_page = admin.site.admin_view
urlpatterns = [
    path("dashboard/", open_page(pages.dashboard_tiles), name="admin-dashboard"),
    path("campaigns/campaign/<uuid:campaign_id>/figures/", open_page(pages.campaign), name="campaign-figures"),
    path("campaigns/campaign/<uuid:campaign_id>/figures/<str:table>.csv", open_page(pages.campaign_csv)),
]
