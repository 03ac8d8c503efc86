"""/s: the page of a campaign for people who are not signed in"""

from django.urls import path

from campaigns import pages

urlpatterns = [
    path("campaign/<uuid:pk>", pages.campaign),
    path("campaign/<uuid:pk>/preview.png", pages.campaign_picture),
    path("campaign/<slug:slug>", pages.campaign),
]
