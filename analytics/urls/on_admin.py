"""/admin: what refreshes the dashboard"""

from django.contrib import admin
from django.urls import path

from analytics import pages

urlpatterns = [
    path("dashboard/", admin.site.admin_view(pages.dashboard_tiles), name="admin-dashboard"),
]
