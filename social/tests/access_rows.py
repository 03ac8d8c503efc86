"""Who gets what from /api/social."""

from vectragrow.tests.matrix import Row

ROWS = {
    "POST /api/social/posts": Row.of(unverified=403, user=400),
    "GET /api/social/posts/{post_id}": Row.of(user=404),
    "DELETE /api/social/posts/{post_id}": Row.of(unverified=403, user=404),
    "GET /api/social/users/{user_id}/posts": Row.of(user=404),
    "GET /api/profile/posts": Row.of(user=200),
    "POST /api/profile/posts": Row.of(unverified=403, user=400),
}
