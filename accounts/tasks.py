"""Outbox handlers of the accounts app."""
