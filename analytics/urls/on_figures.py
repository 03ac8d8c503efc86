"""/figures: the page that opens from a signed link"""

from django.urls import path

from analytics import pages

urlpatterns = [
    path("figures", pages.owner_page),
    path("figures/<str:table>.csv", pages.owner_csv),
]
