"""MkDocs' hooks: files of the root as pages, generated tables, and links to files outside `docs`.

A page holds a mark, and the build puts the text there:

* `<!-- include: CHANGELOG.md -->`: a file of the repository's root.
* `<!-- settings: vertex_compat_integrations.langchain.ChatVertexCompat -->` and others: see `tests.site.generated`.

A relative link that leads out of `docs` becomes one to the repository; a missing file fails a strict build.
"""

import logging
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # the command `mkdocs` does not look for modules here
    sys.path.insert(0, str(ROOT))

from tests.site import generated  # noqa: E402 - after the path

_INCLUDE = re.compile(r"^<!-- include: (\S+) -->$", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")
_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
"""In a table's code, GitHub needs `\\|` for a pipe, and MkDocs shows the backslash."""
_LOG = logging.getLogger("mkdocs.hooks.repository_links")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Fill the page's marks, and lead its links out of `docs` to the repository's page."""
    uri = page.file.src_uri
    here = posixpath.dirname(posixpath.join("docs", uri))
    text = lead_links(markdown, here, here, config.repo_url)
    whole = _INCLUDE.sub(lambda mark: included(mark[1], here, config.repo_url), generated.fill(text))
    return _ROW.sub(lambda row: _CODE.sub(lambda code: code[0].replace(r"\|", "|"), row[0]), whole)


def included(name: str, here: str, repository: str) -> str:
    """The text of a root file for a page of the folder `here`, whose links are relative to the root."""
    path = ROOT / name
    if not path.is_file():
        _LOG.warning("%s includes %s, which does not exist", here, name)
        return ""
    return lead_links(path.read_text(encoding="utf-8"), "", here, repository)


def lead_links(markdown: str, base: str, here: str, repository: str) -> str:
    """Relative links from `base` as links from a page in `here`: to pages of `docs`, else to the repository."""

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(base, link[1]))
        path = ROOT / target
        if target.startswith("docs/") and not target.startswith("docs/project/verified-reports") and not path.is_dir():
            return posixpath.relpath(target, here)
        if not path.exists():
            _LOG.warning("%s links to %s, which does not exist", here, target)
        return f"{repository}/{'tree' if path.is_dir() else 'blob'}/main/{target}"

    return _LINK.sub(lead, markdown)
