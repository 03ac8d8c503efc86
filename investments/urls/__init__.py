"""/api/investments"""

from django.urls import path

from investments.views import Investments, InvestorProfile, PaymentMethods, PayoutTargets, Webhooks

urlpatterns = [
    path("", Investments.as_view({"get": "list"})),
    path("/payment-methods", PaymentMethods.as_view({"get": "list", "post": "create"})),
    path("/payment-methods/setup", PaymentMethods.as_view({"post": "set_up"})),
    path("/payment-methods/<uuid:method_id>", PaymentMethods.as_view({"delete": "remove"})),
    path("/payout-target", PayoutTargets.as_view({"get": "retrieve", "put": "choose", "delete": "remove"})),
    path("/returns", Investments.as_view({"get": "list_returns"})),
    path("/statement", Investments.as_view({"get": "get_statement"})),
    path("/profile", InvestorProfile.as_view({"get": "retrieve", "put": "save"})),
    path("/limits", InvestorProfile.as_view({"get": "list_limits"})),
    path("/webhooks/<slug:provider>", Webhooks.as_view({"post": "receive"})),
    path("/<uuid:investment_id>", Investments.as_view({"get": "retrieve"})),
    path("/<uuid:investment_id>/reconfirm", Investments.as_view({"post": "reconfirm"})),
    path("/<uuid:investment_id>/receipt", Investments.as_view({"get": "get_receipt"})),
    path("/<uuid:investment_id>/withdraw", Investments.as_view({"post": "withdraw"})),
]
