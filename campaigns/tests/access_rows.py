"""Who gets what from /api/campaigns. Creating needs a proven identity, so 400 is further than 403."""

from vectragrow.tests.matrix import Row

UPDATE = {"content": "The panels are here.", "audience": "public"}

ROWS = {
    "GET /api/campaigns": Row.of(user=200),
    "POST /api/campaigns": Row.of(user=403, investor=400, staff=400),
    "GET /api/campaigns/categories": Row.of(user=200),
    "GET /api/campaigns/{campaign_id}": Row.of(user=404),
    "PUT /api/campaigns/{campaign_id}": Row.of(unverified=403, user=404),
    "DELETE /api/campaigns/{campaign_id}": Row.of(unverified=403, user=404),
    "POST /api/campaigns/{campaign_id}/submit": Row.of(user=403, investor=404, staff=404),
    "POST /api/campaigns/{campaign_id}/cancel": Row.of(unverified=403, user=404),
    "POST /api/campaigns/{campaign_id}/close-early": Row.of(unverified=403, user=400),
    "GET /api/campaigns/{campaign_id}/amendments": Row.of(user=404),
    "POST /api/campaigns/{campaign_id}/amendments": Row.of(unverified=403, user=400),
    "POST /api/campaigns/{campaign_id}/follow": Row.of(unverified=403, user=404),
    "DELETE /api/campaigns/{campaign_id}/follow": Row.of(unverified=403, user=404),
    "GET /api/campaigns/{campaign_id}/updates": Row.of(user=404),
    "POST /api/campaigns/{campaign_id}/updates": Row.of(unverified=403, user=404, body=UPDATE),
    "PUT /api/campaigns/{campaign_id}/updates/{update_id}": Row.of(unverified=403, user=404, body=UPDATE),
    "DELETE /api/campaigns/{campaign_id}/updates/{update_id}": Row.of(unverified=403, user=404),
    "GET /api/campaigns/{campaign_id}/updates/{update_id}/history": Row.of(user=404),
    "GET /api/campaigns/{campaign_id}/documents": Row.of(user=404),
    "POST /api/campaigns/{campaign_id}/documents": Row.of(user=403, investor=400, staff=400),
    "POST /api/campaigns/{campaign_id}/documents/{document_id}/accept": Row.of(unverified=403, user=404),
    "GET /api/campaigns/{campaign_id}/key-information": Row.of(user=404),
    "PUT /api/campaigns/{campaign_id}/key-information": Row.of(unverified=403, user=400),
    "GET /api/profile/campaigns": Row.of(user=200),
}
