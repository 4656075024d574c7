"""The site in a real browser: no error of the console, no other host, no sideways scroll, a search that finds."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.site.browser import Tab, browsing, chromium
from tests.site.conftest import required
from tests.site.messages import GAP, messages
from tests.site.test_site import QUESTIONS
from tests.site.troubleshooting import topic_of

_TOPICS = ("credentials", "history", "model-name", "stream", "thinking")
_PASTED = (max((each.text for each in messages() if topic_of(each) == topic), key=len) for topic in _TOPICS)
SEARCHES = {
    "RateLimitError": "reference/errors/",
    **{text.replace(GAP, " "): "troubleshooting/" for text in _PASTED},
    **{words: url for words, (url, _) in QUESTIONS.items()},
}
DRAWN = ("explanation/architecture/", "explanation/thought-signatures/", "how-to/several-locations/")
_FIRST_RESULTS = 5
_WIDTH_OF_A_PHONE = 390
_OVERFLOW = """(() => {
    const wide = document.documentElement.scrollWidth;
    if (wide <= innerWidth) return "";
    const out = [...document.querySelectorAll("article *")].find(each =>
        each.getBoundingClientRect().right > innerWidth + 1 && !each.closest("table, pre, .highlight"));
    return `${wide} px: ${out ? out.outerHTML.slice(0, 200) : "?"}`;
})()"""
_RESULTS = "[...document.querySelectorAll('.md-search-result__item > a')].map(each => each.href)"


@pytest.fixture(autouse=True)
def _browser() -> None:
    if chromium() is None:
        required("Chromium is not installed: apt-get install chromium")


def browse(visit: Callable[[Tab], Awaitable[Any]]) -> Any:
    """What a visit gives."""

    async def run() -> Any:
        async with browsing() as tab:
            return await visit(tab)

    return asyncio.run(run())


def test_every_page_on_a_phone(site, address):
    """No error of the console, no request to another host, nothing that makes the page scroll sideways."""

    async def visit(tab: Tab) -> tuple[dict[str, str], list[str], set[str]]:
        await tab.size(_WIDTH_OF_A_PHONE, 800)
        wide = {}
        for url in site.pages:
            if url != "404.html":
                await tab.open(f"{address}{url}")
                wide[url] = await tab.run(_OVERFLOW)
        return {url: what for url, what in wide.items() if what}, tab.complaints, tab.hosts

    wide, complaints, hosts = browse(visit)
    assert complaints == []
    assert hosts == {urlsplit(address).netloc}
    assert wide == {}


@pytest.mark.parametrize(("words", "page"), SEARCHES.items(), ids=SEARCHES)
def test_the_search_finds(words, page, address):
    async def visit(tab: Tab) -> tuple[list[str], list[str], set[str]]:
        await tab.size(1280, 900)
        await tab.open(address)
        await tab.run("document.querySelector('[data-md-component=search-query]').focus()")
        await tab.call("Input.insertText", text=words)
        await tab.wait_for(f"{_RESULTS}.length")
        await asyncio.sleep(0.5)
        return await tab.run(_RESULTS), tab.complaints, tab.hosts

    results, complaints, hosts = browse(visit)
    pages = list(dict.fromkeys(re.sub(r"[?#].*", "", each).removeprefix(address) for each in results))
    assert page in pages[:_FIRST_RESULTS], pages
    assert (complaints, hosts) == ([], {urlsplit(address).netloc})


_LOOK = """(() => {
    const shown = [...document.querySelectorAll("article img")].filter(each => each.offsetWidth > 0);
    return {
        scheme: document.body.dataset.mdColorScheme,
        ground: getComputedStyle(document.body).backgroundColor,
        images: shown.map(each => each.getAttribute("src")),
        drawn: shown.every(each => each.complete && each.naturalWidth > 0),
    };
})()"""


@pytest.mark.parametrize("page", DRAWN)
def test_diagrams_and_ground_are_light_or_dark_as_the_reader_prefers(page, address):
    async def visit(tab: Tab) -> list[Any]:
        await tab.size(1280, 900)
        looks = []
        for scheme in ("light", "dark"):
            await tab.prefer(scheme)
            await tab.open(f"{address}{page}")
            looks.append(await tab.run(_LOOK))
        return looks

    light, dark = browse(visit)
    assert (light["scheme"], dark["scheme"]) == ("default", "slate")
    assert light["ground"] != dark["ground"]
    assert [each for each in light["images"] if "-light.svg" in each]
    assert [each for each in dark["images"] if "-dark.svg" in each]
    assert len(light["images"]) == len(dark["images"])
    assert light["drawn"]
    assert dark["drawn"]
