"""Where everything is mounted. A prefix says what a path is about; the app that owns the data answers it."""

from django.contrib import admin
from django.urls import include, path, re_path

from vectragrow import pages

urlpatterns = [
    path("", pages.home),
    path("healthz", pages.alive),
    path("readyz", pages.ready),
    path("verify-email", pages.confirm_email),
    path("reset-password", pages.reset_password),
    path("unsubscribe", pages.unsubscribe),
    re_path(r"^p/(?P<token>[A-Za-z0-9_-]{22})$", pages.shared_profile),
    path("signed-in", pages.signed_in),
    re_path(r"^(?P<place>admin|mailbox)$", pages.with_slash),
    path("mailbox", include("notifications.urls.on_mailbox")),
    path("admin/", admin.site.urls),
    path("api/schema", pages.api_schema),
    path("api/asyncapi", pages.api_asyncapi),
    path("api/docs", pages.api_docs),
    path("api/docs/errors", pages.api_errors),
    path("api/auth/", include("accounts.urls")),
    path("api/chat/", include("chat.urls")),
    path("api/profile", include("accounts.urls.on_profile")),
    path("api/profile", include("campaigns.urls.on_profile")),
    path("api/profile", include("notifications.urls.on_profile")),
    path("api/profile", include("investments.urls.on_profile")),
    path("api/campaigns", include("campaigns.urls")),
    path("api/campaigns", include("investments.urls.on_campaign")),
    path("api/notifications", include("notifications.urls")),
    path("api/kyc/", include("kyc.urls")),
    path("api/investments", include("investments.urls")),
    path("sandbox/", include("investments.urls.sandbox")),
    path("", include("uploads.urls")),
]

handler400 = "core.problems.bad_request"
handler403 = "core.problems.forbidden"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"
