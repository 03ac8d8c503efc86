"""Who gets what from /api/kyc."""

from uuid import UUID

from vectragrow.tests.matrix import Row

ABSENT = str(UUID("01900000-0000-7000-8000-000000000001"))

ROWS = {
    "POST /api/kyc/initiate": Row.of(unverified=403, user=400),
    "POST /api/kyc/documents": Row.of(unverified=403, user=400, multipart=True),
    "PUT /api/kyc/documents/{document_id}": Row.of(
        user=403, reviewer=404, moderator=403, admin=404, body={"status": "verified"}
    ),
    "GET /api/kyc/documents/{document_id}/file": Row.of(user=404),
    "GET /api/kyc/status": Row.of(user=200),
    "PUT /api/kyc/status": Row.of(
        user=403, reviewer=404, moderator=403, admin=404, body={"verificationId": ABSENT, "status": "rejected"}
    ),
    "GET /api/kyc/pending": Row.of(user=403, reviewer=200, moderator=403, admin=200),
    "GET /api/kyc/badges": Row.of(user=200),
    "POST /api/kyc/badges/{badge}": Row.of(user=403, staff=404, body={"userId": ABSENT}),
    "DELETE /api/kyc/badges/{badge}": Row.of(user=403, staff=404, body={"userId": ABSENT}),
}
