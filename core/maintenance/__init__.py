"""Maintenance: the retention job, and new tries for parked events and items."""
