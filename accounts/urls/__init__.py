"""/api/auth"""

from django.urls import path

from accounts.views import Own, Sessions, SignIn, SignUp

urlpatterns = [
    path("register", SignUp.as_view({"post": "register"})),
    path("verify-email", SignUp.as_view({"post": "verify_email"})),
    path("resend-verification", Own.as_view({"post": "resend_verification"})),
    path("login", SignIn.as_view({"post": "login"})),
    path("refresh", SignIn.as_view({"post": "refresh"})),
    path("me", Own.as_view({"get": "me"})),
    path("logout", Own.as_view({"post": "logout"})),
    path("logout-all", Own.as_view({"post": "logout_all"})),
    path("step-up", Own.as_view({"post": "step_up"})),
    path("sessions", Sessions.as_view({"get": "list"})),
    path("sessions/<uuid:session_id>", Sessions.as_view({"delete": "close"})),
]
