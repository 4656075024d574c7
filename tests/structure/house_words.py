"""Words that public text avoids, each with a better one: `python -m tests.structure.house_words [--advice] [PATH...]`.

Prose is what is left of a Markdown file without code and link targets, and of a Python file its comments and strings
(docstrings, error texts, help texts). A phrase is also matched across line breaks.
"""

import argparse
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PUBLIC_TEXT = [
    *map(Path, ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "SUPPORT.md", "CODE_OF_CONDUCT.md")),
    *map(Path, ("docs", "vertex_compat_integrations")),
]
HOUSE_WORDS = {
    r"stands?(?!\s+(?:in\s+)?for\b)|stood(?!\s+in\b)|(?<!long-)standing": "is, is stored, is listed, appears",
    r"told|tells": "reported, reports; set; distinguished",
    r"said": "set, passed, stated",
    r"dies|died|die|dying": "expires, ends, is killed, fails",
    r"nobody|no one|whoever|whosoever": "name the actor: users who ..., the client, no request",
    r"whom": "name the actor in a sentence of its own",
    r"(?<!#\s)(?-i:Who)(?=\s[^.?!|]*[.!])": "name the actor: Users who ..., The client ...",
    r"beside": "alongside, next to, in addition to",
    r"(?<!\")go(?:es|ing)?\s+on|went\s+on|gone\s+on": "continue, continues, continued",
    r"(?<!here\s)(?:is|are|was|were)\s+no\s+(?!longer\b|more\b|less\b|later\b|better\b|worse\b|such\b)[a-z]+": (
        "is not a (valid) ..., there is no ..."
    ),
    r"wants": "needs, requires, expects",
    r"shall": "must, should, will",
    r"mend|mends|mended|mending": "repair, fix",
    r"speaks(?!\s+(?:plain\s+)?(?:https?|TLS)\b)|spoken": "uses, supports",
    r"in\s+vain": "without success",
    r"for\s+want\s+of": "because there is no ...",
    r"by\s+chance": "at random, by coincidence",
    r"at\s+last": "finally, as a last resort",
    r"be\s+had": "be obtained",
    r"as\s+(?:it|they)\s+(?:came|comes|come)": "unchanged, as received",
    r"anew": "again",
    r"torn": "truncated",
    r"bears|borne": "carries, contains",
    r"twins?": "the async version, the counterpart",
    r"witness(?:es)?": "recorded evidence, source",
    r"dress(?:es|ed)?": "format, presentation",
    r"seats?": "destination",
    r"houses?|rooms|floors": "the standard term",
    r"(?<!in\s)minds?|minded": "the model's behaviour; with verbs: object to",
    r"guise|lest|thence|whence|wherein|thereof|hereof|ere": "the plain word",
    r"till": "until",
    r"dearer|dearest": "more expensive",
    r"one's\s+own|of\s+(?:the\s+user|the\s+caller|one)'s\s+own": "your own, the user's, custom",
    r"of\s+no\s+use": "not needed, has no effect",
    r"has\s+none\s+of\s+it|know\s+no\b": "does not ...",
    r"holes?": "vulnerability, gap",
    r"(?:leans?|hangs?)\s+on": "depends on",
    r"(?:comes?|becomes?|became|makes?|made)\s+of(?=\s+(?:it|them|an?|the|each|this|that|these|those|what)\b)": (
        "the result of, what happens to"
    ),
    r"go(?:es)?\s+by(?=\s+(?:the|an?|its|their)\b)": "uses, is based on",
    r"for\s+ever": "without end, permanently",
    r"lends?|lent": "passes, gives",
    r"cannot\s+be(?=[.\"'])": "is invalid; contradict each other",
}
ADVICE = {  # right in some sentences: shown on request, never refused
    r"says?": "reports, contains (of programs and messages)",
    r"places?": "location",
    r"(?:is|are|was|were|be)\s+asked": "requests are sent to ...",
    r"asks?": "sends a request to, calls",
    r"round": "around",
    r"well": "correctly, successfully",
    r"nor": "a sentence of its own",
    r"none": "no ..., not any",
    r"hold|holds|held": "contains, stores",
    r"by\s+itself": "automatically",
    r"drips?": "sends slowly",
    r"besides": "in addition to, except",
    r"too": "also",
}
ALLOWED = {  # the end of a path → words that are right there; "" is every word
    "vertex_compat_integrations/cli/demo/script.py": {""},  # lines of books
    "vertex_compat_integrations/core/request/history.py": {"go on"},  # the text of a message to a model
}
INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK_TARGET = re.compile(
    r"(?<=\])\([^)\s]*\)|(?<=\])\[[^\]]*\]|<[^>\s][^>]*>|https?://\S+|^\s*\[[^\]]+\]:.*$", re.MULTILINE
)
FENCE = re.compile(r"^ *(```+|~~~+).*?^ *\1 *$", re.DOTALL | re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n.*?^---$", re.DOTALL | re.MULTILINE)
ARGUMENT = re.compile(r"^ {4,}\*{0,2}[a-z_]\w*(?=: )", re.MULTILINE)
QUOTE = re.compile(r"[A-Za-z]{0,2}(\"\"\"|'''|\"|')")
REPLACEMENT = re.compile(r"\{\{|\}\}|\{[^{}]*\}")
CODE = "\N{MIDDLE DOT}"  # stands for a character that is not prose


class Finding(NamedTuple):
    """A house word in a line of a file."""

    line: int
    words: str
    suggestion: str


def masked(text: str, *patterns: re.Pattern[str]) -> str:
    """The text with what the patterns match replaced, character by character, so that lines and columns stay."""
    for pattern in patterns:
        text = pattern.sub(lambda match: re.sub(r"\S", CODE, match[0]), text)
    return text


def prose_of_markdown(text: str) -> str:
    """A Markdown file without its code, HTML and link targets."""
    return masked(text, FRONT_MATTER, FENCE, INLINE_CODE, LINK_TARGET)


def prose_of_string(literal: str) -> str:
    """A string literal without its quotes, prefix and replacement fields, at unchanged columns."""
    quote = QUOTE.match(literal)
    if quote is None:
        return masked(literal, INLINE_CODE, REPLACEMENT, LINK_TARGET)
    before, after = " " * quote.end(), " " * len(quote[1])
    inside = literal[quote.end() : len(literal) - len(quote[1])]
    if " " not in inside.strip():
        return before + re.sub(r"\S", CODE, inside) + after
    return before + masked(inside.replace("\\n", "  "), INLINE_CODE, REPLACEMENT, LINK_TARGET, ARGUMENT) + after


def prose_of_python(source: str) -> str:
    """A Python file's comments and strings, at unchanged lines and columns."""
    lines = [re.sub(r"\S", CODE, line) for line in source.splitlines()]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            # A directive of a linter is code.
            prose = re.sub(r"#:?", " ", token.string) if not re.match(r"# (?:type|noqa|pyright)", token.string) else ""
            put(lines, token.start, masked(prose, INLINE_CODE, LINK_TARGET))
        elif token.type == tokenize.STRING:
            put(lines, token.start, prose_of_string(token.string))
        elif tokenize.tok_name[token.type] in ("FSTRING_START", "FSTRING_END"):
            put(lines, token.start, " " * len(token.string))
        elif tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            put(lines, token.start, masked(token.string, INLINE_CODE, LINK_TARGET))
    return "\n".join(lines)


def put(lines: list[str], start: tuple[int, int], text: str) -> None:
    """Write a text that may have several lines over the lines, from a token's start."""
    row, column = start
    for offset, part in enumerate(text.split("\n")):
        begin = column if offset == 0 else 0
        line = lines[row - 1 + offset]
        lines[row - 1 + offset] = line[:begin] + part + line[begin + len(part) :]


def findings_in(path: Path, words: dict[str, str]) -> Iterator[Finding]:
    """The house words in a file's prose, in the order of its lines."""
    text = path.read_text()
    prose = prose_of_python(text) if path.suffix == ".py" else prose_of_markdown(text)
    found = [
        (match.start(), Finding(prose.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), suggestion))
        for pattern, suggestion in words.items()
        for match in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", prose, re.IGNORECASE)
    ]
    allowed = next((exceptions for end, exceptions in ALLOWED.items() if path.as_posix().endswith(end)), set())
    return (finding for _, finding in sorted(found) if not {"", finding.words.lower()} & allowed)


def files_in(paths: list[Path]) -> Iterator[Path]:
    """The Markdown and Python files at the paths."""
    for path in filter(Path.exists, paths):
        yield from (
            sorted(file for file in path.rglob("*") if file.suffix in (".md", ".py")) if path.is_dir() else [path]
        )


def report(path: Path, words: dict[str, str]) -> list[str]:
    """One line for each house word in a file: where, what, the line, and a better word."""
    lines = path.read_text().splitlines()
    return [
        f"{path}:{finding.line}: “{finding.words}” → {finding.suggestion}\n    {lines[finding.line - 1].strip()}"
        for finding in findings_in(path, words)
    ]


def main() -> int:
    """Print the house words of files and folders; 1 if there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, default=PUBLIC_TEXT)
    parser.add_argument("--advice", action="store_true", help="also print words that are right in some sentences")
    options = parser.parse_args()
    words = HOUSE_WORDS | ADVICE if options.advice else HOUSE_WORDS
    lines = [line for path in files_in(options.paths) for line in report(path, words)]
    print(*lines, f"{len(lines)} house words", sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
