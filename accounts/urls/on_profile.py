"""/api/profile"""

from django.urls import path

from accounts.views.leaving import Exports
from accounts.views.passkeys import Passkeys
from accounts.views.profile import OwnProfile, Phone, Sharing
from accounts.views.providers import Identities
from accounts.views.second_factor import SecondFactor
from accounts.views.sessions import LoginHistory

urlpatterns = [
    path("", OwnProfile.as_view({"get": "show", "put": "edit", "delete": "leave"})),
    path("/photo", OwnProfile.as_view({"post": "set_photo", "delete": "remove_photo"})),
    path("/cover", OwnProfile.as_view({"post": "set_cover", "delete": "remove_cover"})),
    path("/phone/send-code", Phone.as_view({"post": "send_code"})),
    path("/phone/confirm", Phone.as_view({"post": "confirm"})),
    path("/share", Sharing.as_view({"get": "link"})),
    path("/share/rotate", Sharing.as_view({"post": "rotate"})),
    path("/invite", Sharing.as_view({"post": "invite"})),
    path("/export", Exports.as_view({"post": "export"})),
    path("/export/<uuid:export_id>", Exports.as_view({"get": "show_export"})),
    path("/2fa", SecondFactor.as_view({"delete": "switch_off"})),
    path("/2fa/totp", SecondFactor.as_view({"delete": "remove_app"})),
    path("/2fa/setup", SecondFactor.as_view({"post": "set_up"})),
    path("/2fa/verify", SecondFactor.as_view({"post": "verify"})),
    path("/2fa/recovery-codes", SecondFactor.as_view({"post": "replace_recovery_codes"})),
    path("/passkeys", Passkeys.as_view({"get": "list", "post": "register"})),
    path("/passkeys/options", Passkeys.as_view({"post": "ask"})),
    path("/passkeys/<uuid:passkey_id>", Passkeys.as_view({"put": "rename", "delete": "remove"})),
    path("/social", Identities.as_view({"get": "list"})),
    path("/social/link", Identities.as_view({"post": "link"})),
    path("/social/<str:platform>", Identities.as_view({"delete": "unlink"})),
    path("/login-history", LoginHistory.as_view({"get": "list"})),
]
