"""The sandbox provider's own page."""

from django.urls import path

from investments.sandbox_page import three_d_secure

urlpatterns = [path("3ds/<str:token>", three_d_secure, name="sandbox-3ds")]
