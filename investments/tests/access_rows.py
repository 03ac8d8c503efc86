"""Who gets what from /api/investments and what is mounted beside it."""

from vectragrow.tests.matrix import Row

ROWS = {
    "GET /api/investments": Row.of(user=200),
    "GET /api/investments/returns": Row.of(user=200),
    "GET /api/investments/statement": Row.of(user=200, query={"year": "2026"}),
    "GET /api/investments/{investment_id}/receipt": Row.of(user=404),
    "GET /api/investments/{investment_id}": Row.of(user=404),
    "POST /api/investments/{investment_id}/reconfirm": Row.of(unverified=403, user=404),
    "POST /api/investments/{investment_id}/withdraw": Row.of(unverified=403, user=400),
    "GET /api/investments/payment-methods": Row.of(user=200),
    "POST /api/investments/payment-methods": Row.of(user=403, investor=400, staff=400),
    "POST /api/investments/payment-methods/setup": Row.of(user=403, investor=404, staff=404),
    "DELETE /api/investments/payment-methods/{method_id}": Row.of(user=404),
    "GET /api/investments/profile": Row.of(user=200),
    "PUT /api/investments/profile": Row.of(unverified=403, user=400),
    "GET /api/investments/limits": Row.of(user=200),
    "POST /api/investments/webhooks/{provider}": Row.of(anonymous=404, user=404),
    "POST /api/campaigns/{campaign_id}/invest": Row.of(user=403, investor=400, staff=400),
    "GET /api/campaigns/{campaign_id}/investments": Row.of(user=404),
    "POST /api/campaigns/{campaign_id}/waitlist": Row.of(user=403, investor=400, staff=400),
    "GET /api/campaigns/{campaign_id}/waitlist": Row.of(user=404),
    "DELETE /api/campaigns/{campaign_id}/waitlist": Row.of(unverified=403, user=404),
    "POST /api/campaigns/{campaign_id}/waitlist/accept": Row.of(user=403, investor=404, staff=404),
    "GET /api/campaigns/{campaign_id}/distributions": Row.of(user=404),
    "POST /api/campaigns/{campaign_id}/distributions": Row.of(user=403, investor=400, staff=400),
    "POST /api/sandbox/payments/{investment_id}/dispute": Row.of(user=400),
    "GET /api/profile/investments": Row.of(user=200),
}
