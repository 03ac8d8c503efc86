"""The rights over what `core` itself keeps (core.rights)."""

from core import rights

READ_AUDIT = rights.declare("audit.read", roles=["admin"], about="Read the audit log.", scope="audit:read")
OPERATE_OUTBOX = rights.declare(
    "outbox.operate", roles=["admin"], about="Read the outbox and have parked events tried again."
)
