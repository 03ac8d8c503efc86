from django.urls import path, re_path

from uploads.views import Files, media

urlpatterns = [
    re_path(r"^media/(?P<name>\d{4}/\d\d/\d\d/[0-9a-f]{32}\.(?:jpg|png|webp|mp4|webm))$", media, name="media"),
    path("files/<str:token>", Files.as_view({"get": "retrieve"}), name="private-file"),
]
