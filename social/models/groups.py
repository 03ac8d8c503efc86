"""Groups, and what each person is in them."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When

from core.models import Entity
from social.permissions import MODERATE


class GroupQuerySet(models.QuerySet["Group"]):
    def visible_to(self, viewer: Any) -> Self:
        """
        Those whose page a person may see: all but secret ones; secret ones for members and the invited. What is posted
        in them is another question (`PostQuerySet.visible_to`). Nobody who is banned sees a secret group.
        """
        if MODERATE.held_by(viewer):
            return self
        shown = self.filter(hidden_at__isnull=True)
        if viewer.pk is None:
            return shown.exclude(visibility=Group.Visibility.SECRET)
        inside = Membership.objects.filter(
            group=OuterRef("pk"), user=viewer.pk, status__in=[Membership.Status.MEMBER, Membership.Status.INVITED]
        )
        return shown.filter(~Q(visibility=Group.Visibility.SECRET) | Exists(inside))


class Group(Entity):
    """People who share posts among themselves, or with everybody if the group is public."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"
        """Everybody sees that it exists; members see what is in it."""
        SECRET = "secret"
        """Members and the invited see that it exists."""

    class JoinPolicy(models.TextChoices):
        OPEN = "open"
        REQUEST = "request"
        INVITE = "invite"

    lock_level: ClassVar = 75

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, null=True, editable=False)
    """
    The name as the eye sees it (`social.names.small_form`). Unique among groups that everybody can see; null for a
    secret one, whose name must not show that it exists.
    """
    capitals_key = models.CharField(max_length=200, null=True, editable=False)
    """The same in capitals (`social.names.capital_form`)."""
    description = models.TextField(max_length=5000, default="", blank=True)
    visibility = models.CharField(max_length=7, choices=Visibility)
    join_policy = models.CharField(max_length=7, choices=JoinPolicy)
    cover_image = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    profile_image = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    member_count = models.PositiveIntegerField(default=0)
    """How many `Membership` rows have the status `member`; changed under this row's lock."""
    hidden_at = models.DateTimeField(null=True, blank=True)
    """When moderation hid it."""

    objects: ClassVar[GroupQuerySet] = GroupQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        db_table = "social_group"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    visibility__in=["public", "private", "secret"], join_policy__in=["open", "request", "invite"]
                ),
                name="group_choices_are_known",
            ),
            models.CheckConstraint(
                condition=~Q(visibility="private", join_policy="open")
                & ~Q(visibility="secret", join_policy__in=["open", "request"]),
                name="group_that_is_not_public_is_not_open",
            ),
            models.CheckConstraint(
                condition=Q(visibility="secret", name_key__isnull=True, capitals_key__isnull=True)
                | (~Q(visibility="secret") & Q(name_key__isnull=False)),
                name="group_name_is_compared_unless_secret",
            ),
            models.UniqueConstraint(fields=["name_key"], name="group_name_looks_like_no_other"),
            models.UniqueConstraint(fields=["capitals_key"], name="group_capitals_look_like_no_others"),
        ]
        indexes = [models.Index(fields=["-member_count", "-id"], name="group_by_size")]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def members(self) -> Self:
        return self.filter(status=Membership.Status.MEMBER)

    def by_rank(self) -> Self:
        """Owners first, within a role the longest-standing first."""
        rank = Case(*(When(role=role, then=place) for place, role in enumerate(Membership.Role.values)))
        return self.order_by(rank, "pk")


class Membership(Entity):
    """
    What a person is in a group: one row each, a new one for each status, so that `created_at` and the order of ids tell
    since when. It goes when they leave; a ban stays.
    """

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MODERATOR = "moderator"
        MEMBER = "member"

    class Status(models.TextChoices):
        MEMBER = "member"
        REQUESTED = "requested"
        INVITED = "invited"
        BANNED = "banned"

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    role = models.CharField(max_length=9, choices=Role, default=Role.MEMBER)
    status = models.CharField(max_length=9, choices=Status)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """Who invited, admitted or banned them, or changed the role."""
    changed_at = models.DateTimeField()

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "user"], name="person_is_in_a_group_once"),
            models.CheckConstraint(
                condition=Q(status="member") | Q(role="member"), name="group_role_belongs_to_a_member"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "status", "-id"], name="membership_by_user"),
            models.Index(fields=["group", "status", "-id"], name="membership_by_group"),
            models.Index(fields=["group", "role", "id"], condition=~Q(role="member"), name="membership_of_staff"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.status} of {self.group_id}"


class GroupInvitation(Entity):
    """An invitation by mail to somebody without an account: whoever registers with it is in the group at once."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="mailed_invitations")
    invitation = models.OneToOneField("accounts.Invitation", on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.invitation_id} to {self.group_id}"
