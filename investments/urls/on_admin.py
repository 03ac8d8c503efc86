"""/admin: from a campaign to its account in the books"""

from django.contrib import admin
from django.urls import path

from investments.person_admin import campaign_books

urlpatterns = [
    path("campaigns/campaign/<uuid:campaign_id>/books/", admin.site.admin_view(campaign_books), name="campaign-books"),
]
