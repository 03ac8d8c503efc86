"""/s: pages for people who are not signed in"""

from django.urls import path

from social.views import pages

urlpatterns = [
    path("post/<uuid:post_id>", pages.post),
    path("post/<uuid:post_id>/preview.png", pages.post_picture),
    path("group/<uuid:group_id>", pages.group),
    path("group/<uuid:group_id>/preview.png", pages.group_picture),
    path("channel/<uuid:channel_id>", pages.channel),
    path("channel/<uuid:channel_id>/preview.png", pages.channel_picture),
]
