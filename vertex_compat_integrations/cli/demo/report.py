"""The output of the demo: text with colours and tables, or JSON."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from vertex_compat_integrations.cli.common.printing import harmless
from vertex_compat_integrations.cli.demo.act import Act, Claim, Tokens, sum_of
from vertex_compat_integrations.cli.demo.signatures import Signed
from vertex_compat_integrations.cli.demo.stage import Stage

_MARKS = {True: ("✓", "bold green"), False: ("✗", "bold red"), None: ("?", "yellow")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run.

    Attributes:
        acts: The acts.
        proof: Checks of the requests.
        signed: What the endpoint signed, and whether later requests sent it back.
    """

    acts: Sequence[Act]
    proof: Sequence[Claim]
    signed: Sequence[Signed]

    @property
    def checks(self) -> list[Claim]:
        """All checks of acts and journal."""
        return [*(check for act in self.acts for check in act.checks), *self.proof]

    @property
    def failures(self) -> int:
        """Number of failed checks and of acts that ended with an error."""
        broken = sum(act.failure is not None for act in self.acts)
        return broken + sum(check.passed is False for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        return not self.failures and any(check.passed for check in self.checks)

    @property
    def seconds(self) -> float:
        """Duration of all acts."""
        return sum(act.seconds for act in self.acts)


class Reporter(ABC):
    """Shows a run while it is in progress."""

    @abstractmethod
    def open(self, stage: Stage) -> None:
        """Show where it runs."""

    @abstractmethod
    def show(self, act: Act) -> None:
        """Show a finished act."""

    @abstractmethod
    def close(self, outcome: Outcome) -> None:
        """Show the proof and the result."""


class JsonReporter(Reporter):
    """Prints one JSON object at the end."""

    def open(self, stage: Stage) -> None:
        """Record where it runs."""
        self._stage = {"model": stage.model_name, "answered_by": stage.answered_by}

    def show(self, act: Act) -> None:
        """Print nothing yet: the object will contain all acts."""

    def close(self, outcome: Outcome) -> None:
        """Print the object."""
        record = {
            **self._stage,
            "passed": outcome.passed,
            "failures": outcome.failures,
            "seconds": round(outcome.seconds, 2),
            "acts": [act_record(act) for act in outcome.acts],
            "proof": [asdict(check) for check in outcome.proof],
            "signatures": [
                {"bearer": one.bearer, "signature": one.excerpt, "carried": one.carried, "returned": one.returned}
                for one in outcome.signed
            ],
        }
        print(json.dumps(record, ensure_ascii=False, indent=1))


def act_record(act: Act) -> dict[str, Any]:
    """Return the act as JSON."""
    return {
        "title": act.title,
        "question": act.question,
        "calls": [asdict(call) for call in act.calls],
        "passages": list(act.passages),
        "answer": act.answer,
        "pieces": act.pieces,
        "tokens": asdict(act.tokens),
        "seconds": round(act.seconds, 2),
        "failure": failure_text(act),
        "left_out": act.left_out or None,
        "checks": [asdict(check) for check in act.checks],
    }


def failure_text(act: Act) -> str | None:
    """Return the error that ended the act early, in one line."""
    if act.failure is None:
        return None
    return " ".join(f"{type(act.failure).__name__}: {act.failure}".split())


class TextReporter(Reporter):
    """Prints text with colours and tables."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    def open(self, stage: Stage) -> None:
        """Print where it runs."""
        text = Text(f"{stage.model_name}, answered by: {stage.answered_by}")
        self._console.print(Panel(text, title="vertex-compat demo", title_align="left", style="cyan"))

    def show(self, act: Act) -> None:
        """Print an act."""
        self._console.print(Rule(Text(f"{act.title} ({act.seconds:.1f} s)"), align="left", style="cyan"))
        grid = _grid()
        for label, style, text in act_lines(act):
            grid.add_row(label, Text(harmless(text), style))
        self._console.print(grid, check_grid(act.checks))

    def close(self, outcome: Outcome) -> None:
        """Print tokens, signatures, proof and result."""
        if any(act.replies for act in outcome.acts):
            self._console.print(token_table([act for act in outcome.acts if not act.left_out]))
        if outcome.signed:
            self._console.print(signature_table(outcome.signed))
        self._console.print(Rule(Text("What was sent and received"), align="left", style="cyan"))
        self._console.print(check_grid(outcome.proof))
        self._console.print(result_text(outcome))


def act_lines(act: Act) -> Iterator[tuple[str, str, str]]:
    """Yield label, style and text of each line about an act."""
    if act.left_out:
        yield "skipped", "yellow", act.left_out
        return
    yield "asked", "bold", act.question
    for call in act.calls:
        yield "called", "magenta", f"{call.name}({call.arguments})"
        if call.result is not None:
            yield "returned", "", call.result
    for passage in act.passages:
        yield "retrieved", "", passage
    if act.answer:
        yield "answer", "green", act.answer
    if text := failure_text(act):
        yield "✗", "bold red", text


def check_grid(checks: Sequence[Claim]) -> Table:
    """Return mark, claim and evidence of each check."""
    grid = _grid()
    for check in checks:
        mark, style = _MARKS[check.passed]
        grid.add_row(Text(mark, style), Text.assemble(check.claim, (f"  {check.evidence}", "dim")))
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", min_width=9, style="dim")
    return grid


def token_table(acts: Sequence[Act]) -> Table:
    """Return a table of tokens by act, with their sum."""
    table = Table("Act", title="Tokens", title_justify="left")
    for name in ("input", "output", "thinking (of it)", "total"):
        table.add_column(name, justify="right")
    counts = [act.tokens for act in acts]
    for act, count in zip(acts, counts, strict=True):
        table.add_row(Text(act.title), *_numbers(count))
    table.add_section()
    table.add_row("Sum", *_numbers(sum_of(counts)), style="bold")
    return table


def signature_table(signed: Sequence[Signed]) -> Table:
    """Return a table of what was signed, and how often it was sent back."""
    table = Table(
        "Signed", "Thought signature (length)", "Sent back in", title="Thought signatures", title_justify="left"
    )
    for one in signed:
        mark, style = _MARKS[one.came_back]
        returned = Text(f"{mark} {one.returned} of {one.carried} requests", style)
        table.add_row(Text(one.bearer), Text(one.excerpt), returned)
    return table


def result_text(outcome: Outcome) -> Text:
    """Return how many checks passed, and in what time."""
    decided = [check for check in outcome.checks if check.passed is not None]
    open_checks = len(outcome.checks) - len(decided)
    rest = f", {open_checks} cannot be decided here" if open_checks else ""
    left_out = sum(bool(act.left_out) for act in outcome.acts)
    rest += f", {left_out} acts skipped" if left_out else ""
    if outcome.passed:
        return Text(f"✓ All {len(decided)} checks passed{rest}, in {outcome.seconds:.1f} s.", "bold green")
    return Text(f"✗ {outcome.failures} failed; {len(decided)} checks were run{rest}.", "bold red")


def _fields(tokens: Tokens) -> tuple[int, int, int, int]:
    return tokens.input, tokens.output, tokens.thought, tokens.total


def _numbers(tokens: Tokens) -> Iterator[str]:
    return map(str, _fields(tokens))
