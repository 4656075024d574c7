"""What of the catalogue wants a look: `python -m tests.catalogue_audit [--retired]`.

Prints rows with a fact older than 90 days, rows without a page, and ends of service in the next 90 days. With
`--retired` it prints the names in README, docs, examples and the package's own defaults of models whose service has
ended, and exits with 1 if there is one: that is what the nightly job asks.
"""

import datetime
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vertex_compat_integrations.core.catalogue import ModelFacts, Row, catalogue_rows, facts_for, source_of

ROOT = Path(__file__).parents[1]
DAYS = 90
PUBLISHERS = sorted({row.facts.prefix.partition("/")[0] for row in catalogue_rows() if row.facts.prefix})
NAME = re.compile(rf"\b(?:{'|'.join(map(re.escape, PUBLISHERS))})/[a-z0-9][\w.-]*[a-z0-9]")

ELSEWHERE = ("core/catalogue/", "emulator/model_traits.py")
"""Where retired models have to be named: facts about them."""


def names_in(path: Path) -> set[str]:
    """The models that a file names."""
    return set(NAME.findall(path.read_text(encoding="utf-8")))


def read_by_users() -> Iterator[Path]:
    """README, docs, examples, and the package's own sources, whose defaults and hints name models."""
    package = ROOT / "vertex_compat_integrations"
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted(path for path in (ROOT / "examples").rglob("*.*") if "__pycache__" not in path.parts)
    yield from sorted(
        path for path in package.rglob("*.py") if not str(path.relative_to(package)).startswith(ELSEWHERE)
    )


def has_ended(facts: ModelFacts, today: datetime.date) -> bool:
    """Whether the model is out of service. E5 is exempt: what names it says so, and no other model has its route."""
    return facts.has_retired(today) and facts.embedding is None


def retired_names(today: datetime.date) -> Iterator[tuple[Path, str]]:
    """Each file that names a model whose service has ended, and the name."""
    for path in read_by_users():
        for name in sorted(names_in(path)):
            if has_ended(facts_for(name), today):
                yield path, name


def old_facts(row: Row, today: datetime.date) -> list[str]:
    """The row's own facts that were last read more than 90 days ago, each with its date."""
    oldest = (today - datetime.timedelta(DAYS)).isoformat()
    return [
        f"{name} ({row.origins[name].date})"
        for name in sorted(row.stated)
        # A month counts from its first day.
        if row.origins[name].date < oldest[: len(row.origins[name].date)]
    ]


def pageless(row: Row) -> list[str]:
    """The sources of the row's own facts that have no public page."""
    words = {row.facts.source, *(row.origins[name].source for name in row.stated)}
    return sorted(source_of(word).title for word in words if source_of(word).page is None)


def ends_soon(row: Row, today: datetime.date) -> bool:
    """Whether the end of service comes in the next 90 days."""
    return not row.facts.has_retired(today) and row.facts.has_retired(today + datetime.timedelta(DAYS))


def report(today: datetime.date) -> Iterator[str]:
    """The audit, line by line."""
    rows = catalogue_rows()
    yield f"Facts last read more than {DAYS} days before {today}:"
    yield from (
        f"  {row.facts.prefix or '(unknown)'}: {', '.join(old)}" for row in rows if (old := old_facts(row, today))
    )
    yield "Without a public page:"
    yield from (f"  {row.facts.prefix or '(unknown)'}: {'; '.join(none)}" for row in rows if (none := pageless(row)))
    yield f"Ends of service in the next {DAYS} days:"
    yield from (f"  {row.facts.prefix}: {row.facts.retires}" for row in rows if ends_soon(row, today))


def main(arguments: list[str]) -> int:
    """Print what was asked for; 1 if a model that is out of service is named."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    if "--retired" not in arguments:
        sys.stdout.writelines(f"{line}\n" for line in report(today))
        return 0
    named = list(retired_names(today))
    for path, name in named:
        sys.stdout.write(f"{path.relative_to(ROOT)}: {name} is out of service since {facts_for(name).retires}\n")
    return int(bool(named))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
