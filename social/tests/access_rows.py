"""Who gets what from /api/social, each a stranger to what is in the path."""

from vectragrow.tests.matrix import Row

HELLO = {"content": "Hello"}

ROWS = {
    "GET /api/social/posts": Row.of(user=200, query={"tag": "solar"}),
    "POST /api/social/posts": Row.of(unverified=403, user=400),
    "GET /api/social/posts/{post_id}": Row.of(user=404),
    "PUT /api/social/posts/{post_id}": Row.of(unverified=403, user=404, body=HELLO),
    "DELETE /api/social/posts/{post_id}": Row.of(unverified=403, user=404),
    "GET /api/social/posts/{post_id}/edits": Row.of(user=404),
    "POST /api/social/posts/{post_id}/like": Row.of(unverified=403, user=404),
    "DELETE /api/social/posts/{post_id}/like": Row.of(unverified=403, user=404),
    "GET /api/social/posts/{post_id}/reactions": Row.of(user=404),
    "POST /api/social/posts/{post_id}/reactions/{emoji}": Row.of(unverified=403, user=400),
    "DELETE /api/social/posts/{post_id}/reactions/{emoji}": Row.of(unverified=403, user=400),
    "GET /api/social/posts/{post_id}/comments": Row.of(user=404),
    "POST /api/social/posts/{post_id}/comments": Row.of(unverified=403, user=404, body=HELLO),
    "DELETE /api/social/posts/{post_id}/comments/{comment_id}": Row.of(unverified=403, user=404),
    "GET /api/social/posts/{post_id}/comments/{comment_id}/replies": Row.of(user=404),
    "POST /api/social/posts/{post_id}/comments/{comment_id}/replies": Row.of(unverified=403, user=404, body=HELLO),
    "POST /api/social/posts/{post_id}/comments/{comment_id}/like": Row.of(unverified=403, user=404),
    "DELETE /api/social/posts/{post_id}/comments/{comment_id}/like": Row.of(unverified=403, user=404),
    "GET /api/social/users/{user_id}/posts": Row.of(user=404),
    "GET /api/profile/posts": Row.of(user=200),
    "POST /api/profile/posts": Row.of(unverified=403, user=400),
}
