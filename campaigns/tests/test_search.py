"""Finding campaigns: words and their forms, scripts without spaces, parts of words, accents; at a bounded cost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from campaigns.services.drafts import edit_campaign
from campaigns.testing import make_campaign
from core.testing import Api

TEXTS = {
    "chinese": ("社區太陽能屋頂計畫", "為學校安裝兩百片面板。", "由村民共同擁有,共享收益。"),
    "japanese": ("屋根の太陽光発電", "カフェの屋上にパネル", "村のみんなで所有します。ガーデンも。"),
    "korean": ("마을태양광발전소", "학교 지붕에 패널을 답니다", "수익을 함께 나눕니다."),
    "thai": ("โครงการพลังงานแสงอาทิตย์ชุมชน", "หลังคาโรงเรียน", "เราแบ่งรายได้กัน"),
    "accents": ("Café Zürich", "Une façade rénovée", "Nous achetons une cafetière à Besançon."),
    "german": ("Solarstromanlage", "Gemeinsam für die Schule", "Photovoltaikmodule auf dem Schuldach."),
    "cyrillic": ("Солнечная крыша", "Для школы", "Панели принадлежат деревне."),
    "english": ("Wind in the village", "Our mills", "They turn all year; the 5G mast stays."),
}
FOUND = {
    "太陽能": {"chinese"}, "太陽": {"chinese", "japanese"}, "頂": {"chinese"}, "收益": {"chinese"},
    "太陽能 學校": {"chinese"},
    '"太陽能"': {"chinese"}, "太陽能 收益": {"chinese"}, "能太陽": set(), "太陽能 風": set(), "陽光発": {"japanese"},
    "ｶﾌｪ": {"japanese"}, "カフェ": {"japanese"}, "がーでん": set(), "태양광": {"korean"},
    "발전": {"korean"}, "지붕": {"korean"},
    "แสงอาทิตย์": {"thai"}, "รายได้": {"thai"}, "cafe": {"accents"}, "CAFÉ": {"accents"}, "zurich": {"accents"},
    "besancon": {"accents"}, "cafetiere": {"accents"}, "façad": {"accents"},
    "solar": {"german"}, "stromanl": {"german"},
    "photovoltaikmodule": {"german"}, "voltaik": set(), "крыш": {"cyrillic"}, "СОЛНЕЧНАЯ": {"cyrillic"},
    "деревне": {"cyrillic"}, "mill": {"english"}, "villages": {"english"}, "turning": {"english"}, "5g": {"english"},
    "wind mills": {"english"}, '"in the village"': {"english"}, "village -wind": set(),
    "mill or zürich": {"english", "accents"},
    "wind 太陽能": set(), "zz": set(), "\"' & | ! : * ( ) \\ % _": set(), "%": set(), "=wind": {"english"}, "…": set(),
}  # fmt: skip


@pytest.fixture
def campaigns(founder: User) -> dict[str, str]:
    made = {}
    for name, (title, summary, description) in TEXTS.items():
        made[make_campaign(founder, title=title, summary=summary, description=description).title] = name
    return made


def test_what_is_found_by_what(api: Api, stranger: User, campaigns: dict[str, str]) -> None:
    client = api.as_user(stranger)

    def found(q: Any) -> set[Any]:
        answer = client.get("/api/campaigns", {"q": q, "limit": 50, "withTotal": "true"})
        assert answer.status_code == 200, (q, answer.content)
        assert answer.json()["total"] == len(answer.json()["items"])
        return {campaigns[item["title"]] for item in answer.json()["items"]}

    assert {q: found(q) for q in FOUND} == FOUND


def test_search_respects_who_may_see_and_the_other_filters(
    api: Api, founder: User, stranger: User, campaigns: dict[str, str]
) -> None:
    make_campaign(founder, title="太陽能草稿", status="draft")

    def found(person: User, **query: Any) -> list[Any]:
        answer = api.as_user(person).get("/api/campaigns", {"q": "太陽能", **query})
        return [item["title"] for item in answer.json()["items"]]

    assert found(stranger) == ["社區太陽能屋頂計畫"]
    assert found(founder) == ["太陽能草稿", "社區太陽能屋頂計畫"]
    assert found(founder, status="draft") == ["太陽能草稿"]
    assert found(stranger, category="food") == []


def test_an_edited_campaign_is_found_by_its_new_words(founder: User) -> None:
    draft = make_campaign(founder, title="太陽能", status="draft")
    edit_campaign(owner=founder, campaign_id=draft.pk, now=timezone.now(), title="風力發電")
    assert [Campaign.objects.matching(q).count() for q in ("太陽", "風力")] == [0, 1]


def test_the_longest_words_there_are_can_be_kept_and_looked_for(api: Api, founder: User, stranger: User) -> None:
    make_campaign(founder, title="x" * 120, summary="字" * 300, description="語" * 10_000 + "y" * 10_000)
    client = api.as_user(stranger)
    for q in ("y" * 200, "語" * 200, "x" * 120, "字語", "a " * 100, "語 " * 100):
        assert client.get("/api/campaigns", {"q": q}).status_code == 200
    assert client.get("/api/campaigns", {"q": "語" * 200}).json()["items"]


def copy_of(campaign: Campaign, number: int) -> Campaign:
    text = f"{number} benches in the park of town {number * 7919}"
    return Campaign(
        owner=campaign.owner,
        category=campaign.category,
        title=text,
        slug=f"benches-{number}",
        summary=text,
        description=text * 20,
        currency="USD",
        goal_minor=100,
        ends_at=campaign.ends_at,
        updated_at=campaign.updated_at,
    )


@pytest.mark.parametrize("q", ["太陽能", "能", "solar", "solar roof"])
def test_the_index_is_asked_and_no_table_is_read_through(founder: User, q: str) -> None:
    one = make_campaign(founder)
    many = [copy_of(one, number) for number in range(2000)]
    Campaign.objects.bulk_create(many)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE campaigns_campaign, campaigns_campaignindex"
        )  # what the planner knows is what the test says, not an earlier one
    plan = Campaign.objects.order_by().only("pk").matching(q).explain()
    assert "campaign_words" in plan
    assert "Seq Scan" not in plan, plan


def test_staff_find_parts_of_words_too(founder: User, person: Callable[..., User]) -> None:
    from accounts.tests.test_suspension import staff_browser

    make_campaign(founder, title="社區太陽能屋頂計畫", status="in_review")
    page = staff_browser(person("ines", role="admin")).get("/admin/campaigns/campaign/?q=太陽能&queue=all")
    assert "社區太陽能屋頂計畫" in page.content.decode()
