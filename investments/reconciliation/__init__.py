"""Comparing our books with the statement of a payment provider (docs/reconciliation.md)."""

from investments.reconciliation.checks import Check
from investments.reconciliation.comparison import Finding, Result, providers_to_reconcile, reconcile

__all__ = ["Check", "Finding", "Result", "providers_to_reconcile", "reconcile"]
