"""/api/profile/investments"""

from django.urls import path

from investments.views import OwnPortfolio

urlpatterns = [path("/investments", OwnPortfolio.as_view({"get": "list"}))]
