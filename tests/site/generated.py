"""Text that the build puts in the place of a page's marks, such as `<!-- models -->` or `<!-- settings: CLASS -->`."""

import re
from collections.abc import Callable, Mapping

from tests.site.command_line import command_line
from tests.site.error_tables import error_attributes, error_table
from tests.site.models_page import models_page
from tests.site.settings_tables import settings_tables
from tests.site.troubleshooting import google_table, message_list

GENERATORS: Mapping[str, Callable[[str], str]] = {
    "command-line": command_line,
    "error": error_table,
    "error-attributes": error_attributes,
    "google": google_table,
    "messages": message_list,
    "models": models_page,
    "settings": settings_tables,
}
"""Name of a mark → what makes its text of the word after the colon."""
_MARK = re.compile(r"^<!-- ([a-z-]+)(?:: (\S+))? -->$", re.MULTILINE)


def fill(markdown: str) -> str:
    """The page with each known mark replaced by what its generator says; other marks stay."""
    return _MARK.sub(lambda mark: GENERATORS[mark[1]](mark[2] or "") if mark[1] in GENERATORS else mark[0], markdown)
