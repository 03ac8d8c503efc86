"""/api/kyc"""

from django.urls import path

from kyc.views import Badges, Cases, Papers

urlpatterns = [
    path("initiate", Cases.as_view({"post": "initiate"})),
    path("documents", Papers.as_view({"post": "send"})),
    path("documents/<uuid:document_id>", Papers.as_view({"put": "judge"})),
    path("documents/<uuid:document_id>/file", Papers.as_view({"get": "file"})),
    path("status", Cases.as_view({"get": "status", "put": "decide"})),
    path("pending", Cases.as_view({"get": "pending"})),
    path("badges", Badges.as_view({"get": "list"})),
    path("badges/<str:badge>", Badges.as_view({"post": "give", "delete": "take"})),
]
