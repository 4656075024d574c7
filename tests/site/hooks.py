"""MkDocs' hooks: a link to a file outside `docs` leads to the repository; a missing file fails a strict build."""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")
_LOG = logging.getLogger("mkdocs.hooks.repository_links")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Lead links out of `docs`, and those to folders, to the repository's page."""
    here = posixpath.dirname(posixpath.join("docs", page.file.src_uri))

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, link[1]))
        if target.startswith("docs/") and not target.startswith("docs/project/verified-reports"):
            return link[1]
        if not (ROOT / target).exists():
            _LOG.warning("%s links to %s, which is not there", page.file.src_uri, target)
        kind = "tree" if (ROOT / target).is_dir() else "blob"
        return f"{config.repo_url}/{kind}/main/{target}"

    return _LINK.sub(lead, markdown)
