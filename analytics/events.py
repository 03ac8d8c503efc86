"""What analytics records itself."""

from core.events import Kind, declare

declare(Kind("analytics.name_registered", facts={"name": str}))
