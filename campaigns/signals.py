"""
Facts this app tells, after the commit that made them. A signal is a nudge; the rows are the truth.

    campaign_published   campaign_id, owner_id
    campaign_closed      campaign_id, owner_id, outcome     "funded", "failed" or "cancelled"
    backer_joined        campaign_id, backer_id             their first money in it
    backer_left          campaign_id, backer_id             their last money out of it
"""

from django.dispatch import Signal

campaign_published = Signal()
campaign_closed = Signal()
backer_joined = Signal()
backer_left = Signal()
