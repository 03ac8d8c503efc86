"""
Facts this app tells, after the commit that made them. A signal is a nudge; the rows are the truth.

    user_registered      user, invited_by     the new User; the User whose invitation it came with, or None
"""

from django.dispatch import Signal

user_registered = Signal()
