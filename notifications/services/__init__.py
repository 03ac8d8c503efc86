from notifications.services.direct import notify

__all__ = ["notify"]
