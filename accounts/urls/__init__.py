"""/api/auth"""

from django.urls import path

from accounts.views.people import Passwords, SignUp
from accounts.views.providers import Exchange, Google, LinkedIn
from accounts.views.sessions import Sessions
from accounts.views.sign_in import Own, SignIn

urlpatterns = [
    path("register", SignUp.as_view({"post": "register"})),
    path("verify-email", SignUp.as_view({"post": "verify_email"})),
    path("resend-verification", Own.as_view({"post": "resend_verification"})),
    path("login", SignIn.as_view({"post": "login"})),
    path("login/2fa", SignIn.as_view({"post": "second_step"})),
    path("login/2fa/passkey", SignIn.as_view({"post": "second_step_passkey"})),
    path("passkey", SignIn.as_view({"post": "passkey"})),
    path("passkey/options", SignIn.as_view({"post": "passkey_options"})),
    path("google", Google.as_view({"get": "begin"})),
    path("google/callback", Google.as_view({"get": "finish"})),
    path("linkedin", LinkedIn.as_view({"get": "begin"})),
    path("linkedin/callback", LinkedIn.as_view({"get": "finish"})),
    path("oauth/exchange", Exchange.as_view({"post": "exchange"})),
    path("refresh", SignIn.as_view({"post": "refresh"})),
    path("me", Own.as_view({"get": "me"})),
    path("logout", Own.as_view({"post": "logout"})),
    path("logout-all", Own.as_view({"post": "logout_all"})),
    path("step-up", Own.as_view({"post": "step_up"})),
    path("step-up/passkey", Own.as_view({"post": "step_up_passkey"})),
    path("forgot-password", Passwords.as_view({"post": "forgot"})),
    path("reset-password", Passwords.as_view({"post": "reset"})),
    path("change-password", Passwords.as_view({"post": "change"})),
    path("sessions", Sessions.as_view({"get": "list"})),
    path("sessions/<uuid:session_id>", Sessions.as_view({"delete": "close"})),
]
