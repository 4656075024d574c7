"""Compares the public names with those of the last release (or of a git revision), and names what breaks users' code.

`python -m tests.structure.api_changes [REVISION]` prints each breaking change. The exit code is 1 if
CHANGELOG.md does not name one.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
PACKAGE = "vertex_compat_integrations"
MODULES = ("", "errors", "langchain", "llama_index", "emulator", "proxy", "batch", "compare", "pytest_plugin")


def breaking_changes(old: griffe.Object | griffe.Alias, new: griffe.Object | griffe.Alias) -> Iterator[tuple[str, str]]:
    """The dotted name and the explanation of each breaking change of the public names between two packages."""
    for module in MODULES:
        if module and module not in old.members:
            continue
        if module and module not in new.members:
            yield module, "public module was removed"
            continue
        before, after = (old[module], new[module]) if module else (old, new)
        for name in map(str, before.exports or ()):
            if name not in (after.exports or ()):
                yield f"{module}.{name}", "public name was removed"
            else:
                for change in _changes_of(before[name], after[name]):
                    yield change.obj.path, change.kind.value


def _changes_of(before: griffe.Object | griffe.Alias, after: griffe.Object | griffe.Alias) -> Iterator[griffe.Breakage]:
    """What changed of one name, wherever it is defined now."""
    old, new = (thing.final_target if isinstance(thing, griffe.Alias) else thing for thing in (before, after))
    if not old.is_function:
        yield from griffe.find_breaking_changes(old, new)
    elif old.parent and new.parent:
        # griffe compares the members of what it is given, never the thing itself.
        changes = griffe.find_breaking_changes(old.parent, new.parent)
        yield from (change for change in changes if change.obj.path in (old.path, new.path))


def last_release() -> str | None:
    """The newest tag that leads to this commit; None if nothing was released."""
    done = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def main(arguments: list[str]) -> int:
    """Compare, print, and return the exit code."""
    revision = arguments[0] if arguments else last_release()
    if revision is None:
        print("No tag yet: nothing was released that a change could break.")
        return 0
    old = griffe.load_git(PACKAGE, ref=revision, repo=ROOT, resolve_aliases=True)
    new = griffe.load(PACKAGE, search_paths=[ROOT], resolve_aliases=True)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition(f"## [{revision.removeprefix('v')}]")[0]
    unnamed = 0
    for name, explanation in breaking_changes(old, new):
        is_named = f"`{name.rpartition('.')[2]}`" in changelog
        unnamed += not is_named
        print(f"{'in CHANGELOG' if is_named else 'NOT IN CHANGELOG'}: {name}: {explanation}")
    print(f"Compared with {revision}: {unnamed} breaking changes that CHANGELOG.md does not name.")
    return 1 if unnamed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
