"""Under /api/profile"""

from django.urls import path

from notifications.views import Preferences

urlpatterns = [path("/notifications", Preferences.as_view({"get": "show", "put": "change"}))]
