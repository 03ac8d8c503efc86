"""The chapter of the story in which people follow, post, argue, advertise and are moderated."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vectragrow.demo import pictures
from vectragrow.demo.client import Client, DemoFailed, command
from vectragrow.demo.people import Person

STEPS = 11


@dataclass
class Community:
    """Plays on the people of a story and one of its campaigns; `say`, `base` and `chapter` are the story's."""

    base: str
    say: Any
    people: dict[str, Person]
    campaign: dict[str, Any]
    chapter: str

    def play(self) -> None:
        self.people_follow()
        self.a_founder_posts()
        group = self.a_group_argues()
        self.a_channel_opens()
        self.an_ad_is_reviewed()
        self.a_moderator_decides(group)
        self.a_story_ends()
        self.feeds_say_why()

    def people_follow(self) -> None:
        amara, jonas, mei, rafael, noor, yara = self._people("Amara", "Jonas", "Mei", "Rafael", "Noor", "Yara")
        pairs = [(one, amara) for one in (jonas, mei, rafael, noor, yara)]
        pairs += [(mei, rafael), (rafael, mei), (noor, mei), (noor, rafael), (noor, jonas), (mei, jonas)]
        for one, other in pairs:
            one.app.post(f"/api/social/users/{other.app.id}/follow")
        profile = mei.app.get(f"/api/social/users/{amara.app.id}")
        self.say(f"People follow Amara and each other; she has {profile['followersCount']} followers")

    def a_founder_posts(self) -> None:
        amara, mei, rafael, noor = self._people("Amara", "Mei", "Rafael", "Noor")
        fields: list[tuple[str, Any]] = [
            ("content", "The first panels are on the roof of the school. #solar #valley"),
            ("campaignId", self.campaign["id"]),
            ("media", ("roof.jpg", pictures.cover("Solar roofs for the valley", 4), "image/jpeg")),
            ("mediaAlt", "Blue panels on a red roof"),
        ]
        post = amara.app.upload("/api/social/posts", fields)
        for person in (mei, rafael, noor):
            person.app.post(f"/api/social/posts/{post['id']}/like")
        noor.app.post(f"/api/social/posts/{post['id']}/reactions/%F0%9F%8E%89")
        comments = f"/api/social/posts/{post['id']}/comments"
        asked = mei.app.post(comments, {"content": "How much did they make in the first week?"})
        amara.app.post(f"{comments}/{asked['id']}/replies", {"content": f"<@{mei.app.id}> 412 kWh, and it rained."})
        self._post(rafael, "I went to see it. It hums, and it shines. #solar")
        self._post(mei, "What the sun pays me back goes into cake. #valley")
        seen = rafael.app.get(f"/api/social/posts/{post['id']}")
        status, kind, page = Client(self.base).fetch(seen["shareUrl"])
        if status != 200 or not kind.startswith("text/html") or b"first panels" not in page:
            raise DemoFailed(f"the page of the post answered {status}")
        self.say(
            f"Amara posts about her campaign, marked as its {seen['authorRole']}: "
            f"{seen['likeCount']} likes, {seen['commentCount']} comments, and a page for everybody"
        )

    def a_group_argues(self) -> dict[str, Any]:
        mei, rafael, noor, yara = self._people("Mei", "Rafael", "Noor", "Yara")
        group: dict[str, Any] = noor.app.post(
            "/api/social/groups",
            {"name": f"Roofs of the valley {self.chapter}", "visibility": "private", "joinPolicy": "request"},
            expect=201,
        )
        for person in (mei, rafael, yara):
            person.app.post(f"/api/social/groups/{group['id']}/join")
            noor.app.post(f"/api/social/groups/{group['id']}/requests/{person.app.id}", {"decision": "approve"})
        for person, words in (
            (rafael, "Batteries first, I say. Panels without storage are half a thing."),
            (mei, "And who pays for them? The school has no money left."),
            (noor, "The council does, if we ask before March."),
            (rafael, "Then somebody should write the letter. Noor?"),
        ):
            self._post(person, words, groupId=group["id"])
        self.say("Noor founds a private group, admits three, and they argue about batteries where nobody else reads")
        return group

    def a_channel_opens(self) -> None:
        jonas, mei, noor = self._people("Jonas", "Mei", "Noor")
        name = f"Bread by bike {self.chapter}"
        channel = jonas.app.post("/api/social/channels", {"name": name}, expect=201)["id"]
        for person in (mei, noor):
            person.app.post(f"/api/social/channels/{channel}/subscribe")
        for words in ("The oven has arrived.", "We bake on Saturday, from six o'clock.", "Where we deliver: #valley"):
            post = self._post(jonas, words, channelId=channel)
        shown = jonas.app.post(f"/api/social/channels/{channel}/posts/{post['id']}/pin")
        self.say(
            f"Jonas opens a channel with {shown['subscriberCount']} subscribers, himself among them, "
            f"and pins {len(shown['pinnedPosts'])} of three posts"
        )

    def an_ad_is_reviewed(self) -> None:
        jonas, sofia = self._people("Jonas", "Sofia")
        begins = datetime.now(UTC)
        fields: list[tuple[str, Any]] = [
            ("title", "Rolls at your door"),
            ("body", "By bike, before seven."),
            ("targetUrl", "https://example.com/rolls"),
            ("startsAt", begins.isoformat()),
            ("endsAt", (begins + timedelta(days=30)).isoformat()),
            ("media", ("rolls.jpg", pictures.cover("Rolls at your door", 6), "image/jpeg")),
        ]
        ad = jonas.app.upload("/api/profile/ads", fields)
        if ad["status"] != "pending_review":
            raise DemoFailed(f"an ad that nobody has reviewed is {ad['status']}")
        command("approve_ad", ad["id"], "--by", sofia.email)
        self.say("Jonas submits an ad; Sofia reviews it, and only then it is shown")

    def a_moderator_decides(self, group: dict[str, Any]) -> None:
        mei, rafael, noor, yara, sofia = self._people("Mei", "Rafael", "Noor", "Yara", "Sofia")
        bad = self._post(yara, "Earn 40 % a week! Write to me.", groupId=group["id"])
        for person in (mei, rafael):
            report = {"targetType": "post", "targetId": bad["id"], "reason": "fraud"}
            person.app.post("/api/social/reports", report, expect=201)
        rival = self._post(yara, "Amara's panels are stolen, as everybody knows.")
        report = {"targetType": "post", "targetId": rival["id"], "reason": "abuse", "details": "She is my neighbour."}
        noor.app.post("/api/social/reports", report, expect=201)
        words = "Nobody can promise that. Please do not write it again."
        command(*("decide_case", bad["id"], "warn", "--hide", "--rule", "fraud", "--words", words, "--by", sofia.email))
        left = len(noor.app.pages(f"/api/social/groups/{group['id']}/posts"))
        self.say(f"Two report a fraud; Sofia warns Yara and hides it ({left} posts are left to the group)")
        sanctions = yara.app.pages("/api/social/sanctions")
        sanction = next(one for one in sanctions if one["action"] == "warn")
        yara.app.post(f"/api/social/sanctions/{sanction['id']}/appeal", {"text": "It was a joke."}, expect=201)
        refused = yara.app.post(f"/api/social/sanctions/{sanction['id']}/appeal", {"text": "Really."}, expect=409)
        self.say(f"Yara appeals, once ({refused['code']}): left for a moderator who is not Sofia, beside a report")

    def a_story_ends(self) -> None:
        mei, rafael, noor = self._people("Mei", "Rafael", "Noor")
        story = mei.app.upload("/api/profile/stories", [("media", ("sun.jpg", pictures.cover("Sun", 5), "image/jpeg"))])
        noor.app.post(f"/api/social/stories/{story['id']}/view")
        views = mei.app.get("/api/profile/stories")["items"][0]["viewsCount"]
        ends = datetime.fromisoformat(story["expiresAt"])
        at = (ends + timedelta(seconds=1)).isoformat()
        command("run_job", "social.delete_stories", "--at", at, "--only", story["id"])
        if story["id"] in str(noor.app.pages("/api/social/stories")):
            raise DemoFailed("a story is still there after its day")
        self.say(f"Mei shows a story, seen by {views}; at this time tomorrow it is gone for all, with its picture")
        media = ("rain.jpg", pictures.cover("Rain", 7), "image/jpeg")
        rafael.app.upload("/api/profile/stories", [("caption", "It rains."), ("media", media)])
        ends = datetime.fromisoformat(rafael.app.get("/api/profile/stories")["items"][0]["expiresAt"])
        self.say(f"Rafael's story stays for you to see, until {ends:%H:%M} UTC tomorrow")

    def feeds_say_why(self) -> None:
        (noor,) = self._people("Noor")
        items = noor.app.get("/api/social/feed", limit=20)["items"]
        reasons = sorted({item["why"]["kind"] for item in items})
        if "ad" not in reasons:
            raise DemoFailed(f"no ad among {len(items)} items of the feed")
        self.say(f"Noor's feed has {len(items)} items and says why: {', '.join(reasons)}")
        found = noor.app.get("/api/social/search", q="panels", type="posts")["items"]
        if not found:
            raise DemoFailed("the search finds no post")
        self.say(f"She looks for “panels”: {len(found)} posts, those in her private group among them")

    def _people(self, *names: str) -> list[Person]:
        return [self.people[name] for name in names]

    def _post(self, person: Person, content: str, **fields: str) -> dict[str, Any]:
        made: dict[str, Any] = person.app.post("/api/social/posts", {"content": content, **fields}, expect=201)
        return made
