"""The community in the admin: groups and channels, review of ads, reports and appeals."""

from social.admin import ads, channels, groups
from social.admin.moderation import AppealAdmin, CaseAdmin

__all__ = ["AppealAdmin", "CaseAdmin", "ads", "channels", "groups"]
