"""Where everything is mounted. A prefix says what a path is about; the app that owns the data answers it."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
