"""Who gets what from /api/notifications and the switches in the profile."""

from vectragrow.tests.matrix import Row

ROWS = {
    "GET /api/notifications": Row.of(user=200),
    "PUT /api/notifications/read-all": Row.of(user=200),
    "PUT /api/notifications/{notification_id}/read": Row.of(user=404),
    "POST /api/notifications/unsubscribe/{token}": Row.of(anonymous=404, user=404),
    "GET /api/notifications/unsubscribe/{token}": Row.of(anonymous=302, user=302),
    "GET /api/profile/notifications": Row.of(user=200),
    "PUT /api/profile/notifications": Row.of(user=200, body={"sms": True}),
}
