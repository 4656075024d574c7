"""The built site as pages with their links, anchors and loaded files."""

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
_LOADED_LINKS = ("stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest", "dns-prefetch", "preconnect")


@dataclass(slots=True)
class Page:
    """One HTML file.

    Attributes:
        links: `href` of each link, with the part of the page that it is in: `tabs`, `sidebar`, `content` or none.
        anchors: Every id.
        loaded: What the page loads: scripts, styles, images.
        text: The content's words.
    """

    links: list[tuple[str, str]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    loaded: list[str] = field(default_factory=list)
    text: str = ""


_PARTS = {"md-tabs": "tabs", "md-sidebar--primary": "sidebar", "md-content": "content"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        part = next((part for name, part in _PARTS.items() if name in classes), self._part)
        self.page.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.page.links.append((values["href"], part))
        if tag in _LOADED and _LOADED[tag] in values:
            self.page.loaded.append(values[_LOADED[tag]])
        if tag == "link" and set(values.get("rel", "").split()) & set(_LOADED_LINKS):
            self.page.loaded.append(values.get("href", ""))
        self.page.loaded += re.findall(r"url\(['\"]?([^'\")]+)", values.get("style", ""))
        if tag not in _VOID:
            self._open.append(part)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._part == "content":
            self.page.text += data

    @property
    def _part(self) -> str:
        return self._open[-1] if self._open else ""


class Site:
    """The folder that MkDocs wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def pages(self) -> dict[str, Page]:
        """URL relative to the site's root, such as `start/install/` → page."""
        found = {}
        for path in sorted(self.folder.rglob("*.html")):
            url = path.relative_to(self.folder).as_posix().removesuffix("index.html")
            reader = _Reader()
            reader.feed(path.read_text(encoding="utf-8"))
            found[url] = reader.page
        return found

    @cached_property
    def search_entries(self) -> list[dict[str, str]]:
        """What the search box searches."""
        index = json.loads((self.folder / "search/search_index.json").read_text(encoding="utf-8"))
        return index["docs"]

    @staticmethod
    def target(url: str, link: str) -> tuple[str, str] | None:
        """The page or file and the anchor that a link on a page leads to; None if it is on another host."""
        if urlsplit(link).scheme or link.startswith("//"):
            return None
        path, anchor = urldefrag(link)
        if not path:
            return url, unquote(anchor)
        whole = posixpath.normpath(posixpath.join("/", posixpath.dirname(url) + "/", path)).lstrip("/")
        slash = "/" if whole and path.endswith(("/", "..", ".")) else ""
        return unquote(whole + slash), unquote(anchor)

    def next_pages(self, url: str, parts: tuple[str, ...]) -> Iterator[str]:
        """The pages to which one click leads, on links in these parts of the page."""
        for link, part in self.pages[url].links:
            target = self.target(url, link) if part in parts else None
            if target is not None and target[0] in self.pages:
                yield target[0]
