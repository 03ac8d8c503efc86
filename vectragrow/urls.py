"""Where everything is mounted. A prefix says what a path is about; the app that owns the data answers it."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from vectragrow import pages

api: list[URLPattern | URLResolver] = [
    path("schema", pages.api_schema),
    path("asyncapi", pages.api_asyncapi),
    path("docs", pages.api_docs),
    path("docs/errors", pages.api_errors),
    path("auth/", include("accounts.urls")),
    path("chat/", include("chat.urls")),
    path("profile", include("accounts.urls.on_profile")),
    path("profile", include("campaigns.urls.on_profile")),
    path("profile", include("notifications.urls.on_profile")),
    path("profile", include("investments.urls.on_profile")),
    path("profile", include("social.urls.on_profile")),
    path("social", include("accounts.urls.on_social")),
    path("social", include("social.urls")),
    path("campaigns", include("campaigns.urls")),
    path("campaigns", include("investments.urls.on_campaign")),
    path("notifications", include("notifications.urls")),
    path("kyc/", include("kyc.urls")),
    path("investments", include("investments.urls")),
    path("sandbox/", include("investments.urls.on_sandbox")),
    path("analytics/", include("analytics.urls")),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include(api)),  # first, since nearly every request goes there
    path("", pages.home),
    path("healthz", pages.alive),
    path("readyz", pages.ready),
    path("verify-email", pages.confirm_email),
    path("reset-password", pages.reset_password),
    path("unsubscribe", pages.unsubscribe),
    path("appeal", pages.appeal),
    re_path(r"^p/(?P<token>[A-Za-z0-9_-]{22})$", pages.shared_profile),
    path("s/", include("campaigns.urls.on_share")),
    path("s/", include("social.urls.on_share")),
    path("", include("analytics.urls.on_figures")),
    path("signed-in", pages.signed_in),
    re_path(r"^(?P<place>admin|mailbox)$", pages.with_slash),
    path("mailbox", include("notifications.urls.on_mailbox")),
    path("admin/", include("analytics.urls.on_admin")),
    path("admin/", include("investments.urls.on_admin")),
    path("admin/", admin.site.urls),
    path("sandbox/", include("investments.urls.sandbox")),
    path("", include("uploads.urls")),
]

handler400 = "core.api.problems.bad_request"
handler403 = "core.api.problems.forbidden"
handler404 = "core.api.problems.not_found"
handler500 = "core.api.problems.server_error"
