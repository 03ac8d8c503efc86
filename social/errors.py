"""Every refusal of this app."""

from django.utils.translation import gettext_lazy as _

from core.api.errors import Conflict, Invalid, NotAllowed


class NotTheAuthor(NotAllowed):
    code = "not_the_author"
    message = _("Only its author may do this.")


class EmptyPost(Invalid):
    code = "empty_post"
    message = _("Write something, or add a picture.")


class GroupOrChannel(Invalid):
    code = "group_or_channel"
    message = _("A post goes to a group or to a channel, not to both.")


class AudienceOfGroup(Invalid):
    code = "audience_of_group"
    message = _("The group decides who reads its posts; leave visibility out.")


class AudienceOfChannel(Invalid):
    code = "audience_of_channel"
    message = _("A post in a channel is public or for its subscribers (followers).")


class UnknownGroup(Invalid):
    code = "unknown_group"
    message = _("There is no such group that you are a member of.")


class UnknownChannel(Invalid):
    code = "unknown_channel"
    message = _("There is no such channel that you write in.")


class UnknownCampaign(Invalid):
    code = "unknown_campaign"
    message = _("There is no such campaign that is public.")


class OneVideoOrPictures(Invalid):
    code = "one_video_or_pictures"
    message = _("A post has either pictures or one video.")


class NotAnEmoji(Invalid):
    code = "not_an_emoji"
    message = _("React with exactly one emoji.")

    def __init__(self, *, field: str = "emoji") -> None:
        super().__init__(field=field)


class TooManyReactions(Conflict):
    """`most` counts the emoji of one person under one post, without 👍."""

    code = "too_many_reactions"
    message = _("You have reacted with %(most)s different emoji already. Take one back first.")
    members = {"most": int}


class TooManyMentions(Invalid):
    code = "too_many_mentions"
    message = _("Mention at most %(most)s people.")
    members = {"most": int}


class TooManyTags(Invalid):
    code = "too_many_tags"
    message = _("Use at most %(most)s different hashtags.")
    members = {"most": int}


class NotATag(Invalid):
    code = "not_a_tag"
    message = _("A hashtag has letters, digits and underscores only, and at least one letter.")


class CommentDeleted(Conflict):
    """Deleted, or hidden by moderators."""

    code = "comment_deleted"
    message = _("This comment was deleted.")


class NameTaken(Conflict):
    code = "name_taken"
    message = _("There is one with this name already, or with one that looks like it.")


class PolicyNotWithVisibility(Invalid):
    code = "policy_not_with_visibility"
    message = _("A private group cannot be open, and a secret one admits by invitation only.")


class BannedFromGroup(NotAllowed):
    code = "banned_from_group"
    message = _("You are banned from this group.")


class InvitationRequired(NotAllowed):
    code = "invitation_required"
    message = _("This group admits by invitation only.")


class MembersOnly(NotAllowed):
    code = "members_only"
    message = _("Only members of the group see this.")


class GroupRoleRequired(NotAllowed):
    code = "group_role_required"
    message = _("In this group, only these roles may do this: %(roles)s.")


class NotBelowYou(NotAllowed):
    code = "not_below_you"
    message = _("This is only for people whose role in the group is below yours.")


class RoleAboveYours(NotAllowed):
    code = "role_above_yours"
    message = _("Nobody gives a role above their own.")


class LastOwner(Conflict):
    code = "last_owner"
    message = _("You are the last owner. Make somebody else an owner first, or delete the group.")


class GroupNotEmpty(Conflict):
    code = "group_not_empty"
    message = _("Other people are in this group.")


class UserOrEmail(Invalid):
    code = "user_or_email"
    message = _("Give either userId or email.")


class ChannelRoleRequired(NotAllowed):
    code = "channel_role_required"
    message = _("In this channel, only these roles may do this: %(roles)s.")


class OwnerStays(Conflict):
    code = "owner_stays"
    message = _("The owner of a channel cannot leave it. Give it to an editor first.")


class NotASubscriber(Conflict):
    code = "not_a_subscriber"
    message = _("Only a subscriber can become an editor.")


class NotAnEditor(Conflict):
    code = "not_an_editor"
    message = _("Only an editor can become the owner.")


class TooManyPins(Conflict):
    code = "too_many_pins"
    message = _("A channel has at most %(most)s pinned posts.")


class TooManyFollows(Conflict):
    code = "too_many_follows"
    message = _("At most %(most)s can be followed.")


class NothingToLookFor(Invalid):
    code = "nothing_to_look_for"
    message = _("Type at least one word to look for.")


class AdEndsBeforeStart(Invalid):
    code = "ad_ends_before_start"
    message = _("An ad ends after it starts.")


class AdIsOver(Invalid):
    code = "ad_is_over"
    message = _("The end of an ad is in the future, at most a year from now.")


class AdNotRunning(Conflict):
    code = "ad_not_running"
    message = _("Only an approved ad can be paused, and only a paused one resumed.")


class AdNotWaiting(Conflict):
    code = "ad_not_waiting"
    message = _("This ad does not wait for review, or has been changed since you opened it.")


class OwnAd(NotAllowed):
    code = "own_ad"
    message = _("Nobody reviews their own ad.")


class InvalidClickToken(Invalid):
    code = "invalid_click_token"
    message = _("This is no click on an ad that was shown within the last day.")


class OwnThing(Invalid):
    code = "own_thing"
    message = _("This is your own. You can edit or delete it.")


class CaseAboutYou(NotAllowed):
    code = "case_about_you"
    message = _("This case is about you or about something of yours. Another moderator decides it.")


class CaseClaimed(Conflict):
    code = "case_claimed"
    message = _("%(name)s is working on this case. Take it over if that was agreed.")


class CaseChanged(Conflict):
    code = "case_changed"
    message = _("The case has changed since you opened it: %(what)s. Look again, then decide.")


class CaseDecided(Conflict):
    code = "case_decided"
    message = _("This case was decided already.")


class ActionNotPossible(Conflict):
    code = "action_not_possible"
    message = _("This cannot be done with what was reported.")


class AlreadyUndone(Conflict):
    code = "already_undone"
    message = _("This decision was undone already.")


class NotAppealable(Conflict):
    code = "not_appealable"
    message = _("This decision was undone, or more than thirty days have passed.")


class AlreadyAppealed(Conflict):
    code = "already_appealed"
    message = _("You have appealed against this decision already.")


class OwnDecision(NotAllowed):
    code = "own_decision"
    message = _("You took this decision. Another moderator judges the appeal.")


class AppealJudged(Conflict):
    code = "appeal_judged"
    message = _("This appeal was judged already.")
