"""Under /api/profile"""

from django.urls import path

from accounts.views import LoginHistory, SecondFactor

urlpatterns = [
    path("/2fa", SecondFactor.as_view({"delete": "switch_off"})),
    path("/2fa/setup", SecondFactor.as_view({"post": "set_up"})),
    path("/2fa/verify", SecondFactor.as_view({"post": "verify"})),
    path("/2fa/recovery-codes", SecondFactor.as_view({"post": "replace_recovery_codes"})),
    path("/login-history", LoginHistory.as_view({"get": "list"})),
]
