"""Where everything is mounted. A prefix says what a path is about; the app that owns the data answers it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/auth/", include("accounts.urls")),
    path("api/profile", include("campaigns.urls.on_profile")),
    path("api/campaigns", include("campaigns.urls")),
    path("", include("uploads.urls")),
]

handler400 = "core.problems.bad_request"
handler403 = "core.problems.forbidden"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"
