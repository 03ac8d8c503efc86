"""Who gets what from /api/analytics."""

from vectragrow.tests.matrix import Row

ROWS = {
    "GET /api/analytics/user": Row.of(user=200),
    "GET /api/analytics/campaign/{campaign_id}": Row.of(user=404),
    "GET /api/analytics/campaign/{campaign_id}/export": Row.of(user=404, query={"table": "days"}),
    "POST /api/analytics/campaign/{campaign_id}/page-link": Row.of(user=404),
    "GET /api/analytics/engagement": Row.of(user=200),
    "GET /api/analytics/retention": Row.of(user=200),
    "GET /api/analytics/funnel": Row.of(
        user=403, moderator=200, admin=200, query={"steps": "page_view,search", "windowSeconds": "60"}
    ),
    "POST /api/analytics/track/page-view": Row.of(user=200, body={"page": "/about"}),
    "POST /api/analytics/track/event": Row.of(user=200, body={"eventType": "search"}),
    "POST /api/analytics/track/campaign/{campaign_id}": Row.of(user=404, body={"interactionType": "view"}),
    "POST /api/analytics/track/batch": Row.of(user=200, body={"events": [{"eventType": "search"}]}),
    "POST /api/analytics/track/public": Row.of(anonymous=200, user=200, body={"eventType": "page_view", "page": "/"}),
}
