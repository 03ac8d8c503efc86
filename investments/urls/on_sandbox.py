"""/api/sandbox/payments: what a payer and a bank would do. Nothing is here where real money is moved."""

from django.urls import path

from investments.views import SandboxPayments

urlpatterns = [path("payments/<uuid:investment_id>/dispute", SandboxPayments.as_view({"post": "dispute"}))]
