"""Facts told upwards, after the commit."""

from django.dispatch import Signal

identity_verified = Signal()
"""`user_id`: this person is proven from now on."""

identity_lost = Signal()
"""`user_id`: no longer. Whoever lets proven people do something stops doing so."""
