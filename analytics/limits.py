"""How wrong clocks may be and how late events may come; the stores look for events no further away."""

from datetime import timedelta

AHEAD = timedelta(minutes=5)
"""How far a client's clock may be wrong without being corrected."""
LATEST = timedelta(hours=72)
"""How late an event may come."""
