"""Who gets what from /api/auth, and from the accounts' part of /api/profile."""

from vectragrow.tests.matrix import Row

ROWS = {
    "POST /api/auth/register": Row.of(anonymous=400, user=400),
    "POST /api/auth/verify-email": Row.of(anonymous=400, user=400, body={"token": "not-ours"}),
    "POST /api/auth/resend-verification": Row.of(unverified=200, user=409),
    "POST /api/auth/login": Row.of(anonymous=400, user=400),
    "POST /api/auth/login/2fa": Row.of(anonymous=401, user=401, body={"twoFactorToken": "not-ours", "code": "123456"}),
    "POST /api/auth/forgot-password": Row.of(anonymous=400, user=400),
    "POST /api/auth/reset-password": Row.of(
        anonymous=400, user=400, body={"token": "not-ours", "password": "a fine long phrase"}
    ),
    "POST /api/auth/change-password": Row.of(user=400),
    "POST /api/auth/refresh": Row.of(anonymous=401, user=401, body={"refreshToken": "not-ours"}),
    "GET /api/auth/me": Row.of(user=200),
    "POST /api/auth/logout": Row.of(user=200),
    "POST /api/auth/logout-all": Row.of(user=200),
    "POST /api/auth/step-up": Row.of(user=400),
    "GET /api/auth/sessions": Row.of(user=200),
    "DELETE /api/auth/sessions/{session_id}": Row.of(user=404),
    "POST /api/profile/2fa/setup": Row.of(user=200),
    "POST /api/profile/2fa/verify": Row.of(user=409, body={"code": "123456"}),
    "POST /api/profile/2fa/recovery-codes": Row.of(user=409),
    "DELETE /api/profile/2fa": Row.of(user=409),
    "GET /api/profile/login-history": Row.of(user=200),
    "GET /api/profile": Row.of(user=200),
    "PUT /api/profile": Row.of(user=200, body={"bio": "Builds roofs."}),
    "POST /api/profile/photo": Row.of(user=400, multipart=True),
    "DELETE /api/profile/photo": Row.of(user=200),
    "POST /api/profile/cover": Row.of(user=400, multipart=True),
    "DELETE /api/profile/cover": Row.of(user=200),
    "DELETE /api/profile": Row.of(user=202),
    "POST /api/profile/export": Row.of(user=202),
    "GET /api/profile/export/{export_id}": Row.of(user=404),
    "POST /api/profile/phone/send-code": Row.of(user=409),
    "POST /api/profile/phone/confirm": Row.of(user=409, body={"code": "123456"}),
    "GET /api/profile/share": Row.of(unverified=403, user=200),
    "POST /api/profile/share/rotate": Row.of(unverified=403, user=200),
    "POST /api/profile/invite": Row.of(unverified=403, user=200, body={"email": "friend@example.com"}),
}
