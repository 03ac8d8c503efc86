"""/api/profile/posts"""

from django.urls import path

from social.views.posts import OwnPosts

urlpatterns = [path("/posts", OwnPosts.as_view({"get": "list", "post": "create"}))]
