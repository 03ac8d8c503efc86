"""Founding, reading, changing and deleting groups."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Profile, User
from core.testing import Api
from social.models import Group, Membership, Post
from social.testing import make_group, make_post, put_in_group
from uploads.models import StoredFile
from uploads.testing import picture

GROUPS = "/api/social/groups"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def url(group: Any, *more: Any) -> str:
    return "/".join([GROUPS, str(group.pk if isinstance(group, Group) else group), *map(str, more)])


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("owner")


def test_a_group_is_founded_and_read(api: Api, owner: User, stranger: User) -> None:
    body = {"name": "Solar roofs", "description": "For\nroofs.", "visibility": "public", "joinPolicy": "open"}
    made = api.as_user(owner).post(GROUPS, body)
    assert made.status_code == 201
    group = made.json()
    assert {name: group[name] for name in body} == body
    assert (group["memberCount"], group["myRole"], group["myStatus"]) == (1, "owner", "member")
    assert (group["coverImage"], group["profileImage"]) == (None, None)
    read = api.as_user(stranger).get(url(group["id"])).json()
    assert (read["name"], read["myRole"], read["myStatus"]) == ("Solar roofs", None, None)


@pytest.mark.parametrize(("visibility", "policy"), [("private", "open"), ("secret", "open"), ("secret", "request")])
def test_pairs_that_are_forbidden(api: Api, owner: User, visibility: str, policy: str) -> None:
    refused = api.as_user(owner).post(GROUPS, {"name": "Roofs", "visibility": visibility, "joinPolicy": policy})
    assert (refused.status_code, refused.json()["code"]) == (400, "policy_not_with_visibility")
    assert not Group.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "blank"),
        ({"name": "x" * 101}, "max_length"),
        ({"name": "a\x07b"}, "not_one_line"),
        ({"name": "\u200b\u200b"}, "shows_nothing"),
        ({"name": "two\nlines"}, "not_one_line"),
        ({"description": "x" * 5001}, "max_length"),
        ({"visibility": "hidden"}, "invalid_choice"),
        ({"joinPolicy": None}, "null"),
    ],
)
def test_bad_groups_are_refused(api: Api, owner: User, changes: dict[str, Any], code: str) -> None:
    body = {"name": "Roofs", "visibility": "public", "joinPolicy": "open", **changes}
    refused = api.as_user(owner).post(GROUPS, body)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == code
    assert not Group.objects.exists()


def test_pictures(api: Api, owner: User, stranger: User) -> None:
    me = api.as_user(owner)
    body = {"name": "Roofs", "visibility": "public", "joinPolicy": "open", "coverImage": picture()}
    public = me.upload(GROUPS, body).json()
    assert "/files/" not in public["coverImage"]
    assert public["profileImage"] is None
    body = {"name": "Attic", "visibility": "private", "joinPolicy": "invite", "profileImage": picture()}
    private = me.upload(GROUPS, body).json()
    link = "/files/" + private["profileImage"].partition("/files/")[2]
    assert me.get(link).status_code == 200
    changed = me.upload(url(private["id"]), {"profileImage": picture()}, method="put").json()
    assert changed["name"] == "Attic"
    assert me.get(link).status_code == 404, "the picture before is deleted"
    assert StoredFile.objects.filter(purpose="group", deleted_at=None).count() == 2


def test_a_file_that_is_no_picture_founds_nothing(api: Api, owner: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    bad = SimpleUploadedFile("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")
    body = {"name": "Roofs", "visibility": "public", "joinPolicy": "open", "coverImage": picture(), "profileImage": bad}
    refused = api.as_user(owner).upload(GROUPS, body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (415, "profileImage")
    assert not Group.objects.exists()
    assert not StoredFile.objects.exists()


# --- Names ------------------------------------------------------------------------------------------------------------


def test_a_name_like_another_is_taken(api: Api, owner: User, stranger: User) -> None:
    make_group(owner, "Solar Roofs")
    other = make_group(stranger, "Windmills", visibility="private")
    me = api.as_user(stranger)
    for name in ("solar roofs", "Sоlаr Rооfs", "Ｓｏｌａｒ Ｒｏｏｆｓ", "SolarRoofs", "Sólar Roofs"):
        for visibility, policy in (("public", "open"), ("private", "request")):
            refused = me.post(GROUPS, {"name": name, "visibility": visibility, "joinPolicy": policy})
            assert (refused.status_code, refused.json()["code"]) == (409, "name_taken"), name
        assert me.put(url(other), {"name": name}).json()["code"] == "name_taken"
    assert me.put(url(other), {"name": "WINDMILLS"}).json()["name"] == "WINDMILLS", "its own name is no other"


def test_a_secret_name_neither_blocks_nor_shows(api: Api, owner: User, stranger: User) -> None:
    make_group(owner, "Solar Roofs", visibility="secret")
    make_group(owner, "Windmills")
    me = api.as_user(stranger)
    body = {"name": "Solar Roofs", "visibility": "public", "joinPolicy": "open"}
    assert me.post(GROUPS, body).status_code == 201
    secret = {"name": "Windmills", "visibility": "secret", "joinPolicy": "invite"}
    assert me.post(GROUPS, secret).status_code == 201


def test_a_deleted_group_frees_its_name(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner, "Solar Roofs")
    assert api.as_user(owner).delete(url(group)).status_code == 200
    body = {"name": "Solar Roofs", "visibility": "public", "joinPolicy": "open"}
    assert api.as_user(stranger).post(GROUPS, body).status_code == 201


# --- Who sees it ------------------------------------------------------------------------------------------------------


def test_a_secret_group_is_not_there_for_others(api: Api, owner: User, stranger: User) -> None:
    group = make_group(owner, visibility="secret")
    them = api.as_user(stranger)
    calls = {
        "get": ["", "members", "posts", "requests", "bans"],
        "post": ["join", "leave"],
    }
    for method, paths in calls.items():
        for path in paths:
            there = getattr(them, method)(url(group, path).rstrip("/"))
            nowhere = getattr(them, method)(url(NOBODY, path).rstrip("/"))
            assert there.status_code == nowhere.status_code == 404, path
            assert {**there.json(), "requestId": ""} == {**nowhere.json(), "requestId": ""}, path
            assert there.headers.keys() == nowhere.headers.keys()
    assert them.post(url(group, "invitations"), {"userId": str(stranger.pk)}).status_code == 404
    assert them.get(GROUPS).json()["items"] == []
    assert them.get(f"{GROUPS}?withTotal=true").json()["total"] == 0


def test_the_banned_and_the_requested_do_not_see_a_secret_group(
    api: Api, owner: User, person: Callable[..., User]
) -> None:
    group = make_group(owner, visibility="secret")
    for status, expected in {"member": 200, "invited": 200, "banned": 404, "requested": 404}.items():
        other = person(status)
        put_in_group(group, other, status=status)
        assert api.as_user(other).get(url(group)).status_code == expected, status


def test_what_is_in_a_private_group_is_for_members(
    api: Api, owner: User, stranger: User, person: Callable[..., User]
) -> None:
    group = make_group(owner, visibility="private")
    make_post(owner, group_id=group.pk)
    member, asking = person("member"), person("asking")
    put_in_group(group, member)
    put_in_group(group, asking, status="requested")
    assert [len(api.as_user(one).get(url(group, "posts")).json()["items"]) for one in (member, asking, stranger)] == [
        1,
        0,
        0,
    ]
    for outsider in (asking, stranger):
        refused = api.as_user(outsider).get(url(group, "members"))
        assert (refused.status_code, refused.json()["code"]) == (403, "members_only")
    assert len(api.as_user(member).get(url(group, "members")).json()["items"]) == 2


def test_platform_moderators_see_everything_and_are_nowhere_a_member(api: Api, owner: User, moderator: User) -> None:
    group = make_group(owner, visibility="secret")
    post = make_post(owner, group_id=group.pk)
    them = api.as_user(moderator)
    assert them.get(url(group)).json()["myStatus"] is None
    assert [item["id"] for item in them.get(url(group, "posts")).json()["items"]] == [str(post.pk)]
    assert len(them.get(url(group, "members")).json()["items"]) == 1
    for path in ("requests", "bans"):
        assert them.get(url(group, path)).json()["items"] == []
    assert them.post(url(group, "join")).json()["code"] == "invitation_required", "nobody joins silently"
    assert them.put(url(group), {"name": "x"}).json()["code"] == "group_role_required"
    assert them.post(url(group, "bans", owner.pk)).json()["code"] == "group_role_required"
    assert api.as_user(moderator).get(GROUPS).json()["items"][0]["memberCount"] == 1


def test_a_hidden_group_is_gone_for_all_but_moderators(api: Api, owner: User, moderator: User) -> None:
    group = make_group(owner)
    Group.objects.filter(pk=group.pk).update(hidden_at=group.created_at)
    assert api.as_user(owner).get(url(group)).status_code == 404
    assert api.as_user(moderator).get(url(group)).status_code == 200


# --- Changing and deleting --------------------------------------------------------------------------------------------


def test_who_changes_a_group(api: Api, owner: User, person: Callable[..., User]) -> None:
    group = make_group(owner, visibility="private")
    for role, status in {"admin": 200, "moderator": 403, "member": 403}.items():
        somebody = person(role)
        put_in_group(group, somebody, role)
        assert api.as_user(somebody).put(url(group), {"description": role}).status_code == status, role
    changed = api.as_user(owner).put(url(group), {"joinPolicy": "invite"}).json()
    assert (changed["joinPolicy"], changed["description"]) == ("invite", "admin")
    refused = api.as_user(owner).put(url(group), {"joinPolicy": "open"})
    assert refused.json()["code"] == "policy_not_with_visibility"
    stays = api.as_user(owner).put(url(group), {"visibility": "public"})
    assert stays.json()["visibility"] == "private"
    assert api.as_user(owner).put(url(group), {"description": ""}).json()["description"] == ""


def test_a_group_is_deleted_when_nobody_else_is_in_it(
    api: Api, owner: User, stranger: User, person: Callable[..., User]
) -> None:
    group = make_group(owner)
    put_in_group(group, stranger)
    make_post(stranger, group_id=group.pk)
    kept = make_post(stranger)
    body = {"name": "x", "visibility": "public", "joinPolicy": "open"}
    assert api.as_user(stranger).delete(url(group)).json()["code"] == "group_role_required"
    refused = api.as_user(owner).delete(url(group))
    assert (refused.status_code, refused.json()["code"]) == (409, "group_not_empty")
    assert api.as_user(stranger).post(url(group, "leave")).json()["myStatus"] is None
    put_in_group(group, person("asks"), status="requested")
    assert api.as_user(owner).delete(url(group)).status_code == 200
    assert not Group.objects.exists()
    assert not Membership.objects.exists()
    assert list(Post.objects.all()) == [kept]
    assert Profile.objects.get(pk=stranger.pk).posts_count == 1
    assert api.as_user(owner).post(GROUPS, body).status_code == 201


def test_founding_is_limited(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("founder", identity=True))
    body = {"visibility": "public", "joinPolicy": "open"}
    names = ["ab", "cd", "ef", "gh", "jk", "no", "pq", "rs", "tu", "wx"]
    statuses = [me.post(GROUPS, {**body, "name": a + b}).status_code for a in names[:3] for b in names[:7]]
    assert statuses == [201] * 20 + [429]
