"""The community in the admin: groups, channels and stories, review of ads, reports and appeals."""

from social.admin import ads, channels, groups, person_section, stories
from social.admin.moderation import AppealAdmin, CaseAdmin

__all__ = ["AppealAdmin", "CaseAdmin", "ads", "channels", "groups", "person_section", "stories"]
