"""The audience charts: what a made database counts, in figures, charts and a table; absent without one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import audiences
import pytest
from browsing import CONTRAST, SIZES, Service, expect, screenshot
from made_tracks import Visit, play

from phiz.audience import Counter, open_store
from phiz.audience.report import Line, report
from phiz.audience.totals import DWELL_NAMES, Totals

DAYS = 40
TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("counted") / "audience.db"
    audiences.make(path, int(time.time()) // 86400 * 86400, days=DAYS, busy=80)
    return path


@pytest.fixture(scope="module")
def counting(database: Path) -> Iterator[Service]:
    running = Service("--audience", str(database))
    yield running
    running.end()


def lines(database: Path, period: str, days: int) -> list[Line]:
    """The report of the newest days."""
    with open_store(database, create=False) as store:
        rows, settings = store.rows(), store.settings
    newest = settings.calendar.start(max(key.start for key in rows), "day")
    chosen = {key: totals for key, totals in rows.items() if key.start >= newest - (days - 1) * 86400}
    return report(chosen, period, settings.k, settings.calendar)


def total(found: list[Line]) -> Totals:
    return sum((line.totals for line in found if line.totals), Totals())


def choose(page: Any, period: str) -> None:
    page.locator(f"[name=per][value={period}]").focus()
    page.keyboard.press("Space")


def check(page: Any, database: Path, period: str, days: int) -> None:
    """The figures, charts and table are those of the report of so many days."""
    found = lines(database, period, days)
    groups = lines(database, "day", days)
    sums = total(groups)
    expect(page.locator("#figure-people")).to_have_text(str(sums.people))
    expect(page.locator("#figure-mean")).to_have_text(f"{sums.presence / sums.people / 1000:.1f} s")
    expect(page.locator("#figure-facing")).to_have_text(f"{round(100 * sums.attention / sums.presence)}%")
    expect(page.locator("#audience-rows tr")).to_have_count(len(found))
    spans = {(line.start, line.end) for line in found}
    expect(page.locator("#chart-time rect")).to_have_count(len(spans))
    dwell = page.locator("#chart-dwell text.value").all_text_contents()
    assert dwell == [str(people) for people in sums.dwell]
    women = total([line for line in groups if (line.age, line.gender) == ("20-39", "female")]).people
    label = page.locator("#chart-groups svg").get_attribute("aria-label")
    assert f"20-39: female {women}, male " in label


def test_charts_by_day_hour_and_minute(
    open_page: Callable[..., Any], counting: Service, database: Path
) -> None:
    page = open_page(counting.url)
    check(page, database, "day", 31)
    expect(page.locator("#audience-dates")).to_have_text(re.compile(r"^\d+ \w+ \d{4} – \d+ \w+ \d{4}$"))
    choose(page, "hour")
    check(page, database, "hour", 1)
    # The highest bar is that of the hour with most people, and they are as high as they are many.
    heights = [float(bar.get_attribute("height")) for bar in page.locator("#chart-time rect.bar").all()]
    titles = page.locator("#chart-time rect.bar title").all_text_contents()
    people = [int(title.rsplit(": ")[1]) for title in titles]
    assert len(people) > 5
    scale = max(heights) / max(people)
    assert heights == pytest.approx([scale * count for count in people], abs=0.1)
    choose(page, "minute")
    check(page, database, "minute", 1)
    expect(page.locator("#chart-time-spread")).to_be_visible()


def test_earlier_and_later(open_page: Callable[..., Any], counting: Service) -> None:
    page = open_page(counting.url)
    dates, later = page.locator("#audience-dates"), page.locator("#later")
    expect(later).to_have_attribute("aria-disabled", "true")
    newest = dates.text_content()
    page.locator("#earlier").click()
    # The other nine days: there is nothing before them.
    expect(page.locator("#chart-time rect")).to_have_count(DAYS - 31)
    expect(page.locator("#earlier")).to_have_attribute("aria-disabled", "true")
    assert dates.text_content() != newest
    later.click()
    expect(dates).to_have_text(newest)
    later.press("Enter")  # does nothing, and keeps the focus where it is
    expect(later).to_be_focused()
    expect(dates).to_have_text(newest)


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_looks(
    open_page: Callable[..., Any], counting: Service, database: Path, size: str, scheme: str
) -> None:
    locale = "ko-KR" if scheme == "dark" else "en-GB"
    page = open_page(counting.url, viewport=SIZES[size], color_scheme=scheme, locale=locale)
    page.locator("#audience summary").click()
    for period, days in (("day", 31), ("minute", 1), ("hour", 1)):
        choose(page, period)
        expect(page.locator("#audience-rows tr")).to_have_count(len(lines(database, period, days)))
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
        contrasts = page.evaluate(CONTRAST)
        assert len(contrasts) > 80
        assert contrasts[0][0] >= 4.5, contrasts[:3]
        screenshot(page, f"audience-{size}-{scheme}-{period}")
    # Texts of a chart stay inside its card.
    for chart in page.locator("#charts figure").all():
        card = chart.bounding_box()
        for text in chart.locator("text").all():
            box = text.bounding_box()
            assert card["x"] <= box["x"]
            assert box["x"] + box["width"] <= card["x"] + card["width"]
    if locale == "ko-KR":
        expect(page.get_by_role("heading", name="관객")).to_be_visible()
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", name="Audience")).to_be_visible()
        expect(page.locator("#figure-mean")).to_have_text(re.compile(r"^\d+\.\d s$"))


def test_what_a_screen_reader_hears(open_page: Callable[..., Any], counting: Service) -> None:
    page = open_page(counting.url)
    expect(page.get_by_role("region", name="Audience")).to_be_visible()
    charts = page.locator("#charts").get_by_role("img")
    expect(charts).to_have_count(4)
    names = [chart.get_attribute("aria-label") for chart in charts.all()]
    assert re.match(r"People over time; most of them: \d+ \w+, \d+", names[0])
    assert names[2].startswith(f"{DWELL_NAMES[0]}: ")
    assert re.match(r"all: \d+%, ", names[3])
    choose(page, "hour")
    expect(page.locator("#live")).to_have_text(re.compile(r"^\d+ \w+ \d{4}: People \d+$"))
    page.locator("#audience summary").click()
    expect(page.get_by_role("table")).to_contain_text("Mean time in view")


def test_without_a_database_nothing_of_it_is_there(open_page: Callable[..., Any], service: Service) -> None:
    page = open_page(ready=False, url="about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response("**/v1/models"):
        page.goto(service.url)
    expect(page.locator("#pick")).to_be_visible()
    expect(page.locator("#audience")).to_be_hidden()
    assert not any("audience?" in address for address in asked)


def test_with_a_token_the_charts_come_once_it_is_given(
    open_page: Callable[..., Any], own_service: Callable[..., Service], database: Path
) -> None:
    running = own_service("--audience", str(database), PHIZ_TOKEN=TOKEN)
    page = open_page(running.url)
    expect(page.locator("#audience")).to_be_hidden()
    page.get_by_text("On the server").click()
    page.get_by_label("Access token of the server").fill(TOKEN)
    page.get_by_role("button", name="Use it").click()
    check(page, database, "day", 31)


def test_a_service_that_goes_away_is_said(
    open_page: Callable[..., Any], own_service: Callable[..., Service], database: Path
) -> None:
    running = own_service("--audience", str(database))
    page = open_page(running.url)
    expect(page.locator("#chart-time rect")).to_have_count(31)
    running.end()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    expect(page.locator("#chart-time rect")).to_have_count(31)  # what was shown stays


def test_the_contents_of_a_screen_are_a_table_with_cautions(
    open_page: Callable[..., Any], own_service: Callable[..., Service], tmp_path: Path
) -> None:
    path = tmp_path / "shop.db"
    start = int(time.time()) // 86400 * 86400 - 86400 + 36000  # yesterday at ten
    ten = datetime.fromtimestamp(start, timezone.utc)
    visits = [Visit(30 * n, 30 * n + 20, facing=float(n % 10 == 0)) for n in range(80)]
    with open_store(path, zone="UTC") as store, Counter(store, began=start, shown=store.shown) as counter:
        for minute in range(40):
            on = ten + timedelta(minutes=minute)
            store.on_shown(f"{minute % 2}.mp4", on, on + timedelta(minutes=1))
        play(counter, visits, range(0, 2401))
    page = open_page(own_service("--audience", str(path)).url)
    page.locator("#contents summary").click()
    rows = page.locator("#content-rows tr")
    expect(rows).to_have_count(4)
    # Four people face it for 20 s each, of forty who come in the 1200 s that it is on.
    texts = rows.nth(0).locator("th, td").all_text_contents()
    assert texts[:8] == ["0.mp4", "", "all", "all", "1200 s", "40", "80 s", "0.07"]
    assert texts[9] == "too few"
    expect(page.locator("#content-note")).to_contain_text("too small to compare")
    expect(page.locator("#content-note")).to_contain_text("Nothing was shown at random")
