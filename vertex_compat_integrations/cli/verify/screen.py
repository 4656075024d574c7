"""The command's output: the plan, and the result."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from vertex_compat_integrations.cli.common.printing import counted, harmless
from vertex_compat_integrations.cli.verify.cost import HIGH_INPUT, HIGH_OUTPUT, Ledger
from vertex_compat_integrations.cli.verify.probes.probe import Probe
from vertex_compat_integrations.cli.verify.report import EMULATED

_STYLES = {"as assumed": "green", "open question": "cyan", "no answer": "yellow", "deviates": "bold red"}


def print_plan(console: Console, probes: Sequence[Probe], ledger: Ledger) -> None:
    """Print the probes, the number of requests, and the highest cost."""
    for probe in probes:
        cost = f"{ledger.highest(probe):.4f} USD"
        _line(console, Text.assemble((f"{probe.name:<34}", "bold"), f"{cost:>12}  {probe.model}: {probe.question}"))
    requests = sum(probe.most_requests for probe in probes)
    highest = sum(ledger.highest(probe) for probe in probes)
    _say(
        console,
        f"{counted(len(probes), 'probe')}, {counted(requests, 'request')}; highest cost {highest:.4f} USD, by "
        f"{ledger.prices.source}.",
    )
    unknown = dict.fromkeys(probe.model for probe in probes if not ledger.prices.has(probe.model))
    if unknown:
        high = f"{HIGH_INPUT} USD for a million tokens in and {HIGH_OUTPUT} USD out"
        _say(console, f"No list price of {', '.join(unknown)}: counted at {high}, more than any Google model costs.")
    _say(console, f"Probes that could exceed the budget of {ledger.max_cost} USD (--max-cost) are not sent.")
    dear = [probe.name for probe in probes if not ledger.allows(probe)]
    if dear:
        _say(console, f"Not run, because each alone could cost more: {', '.join(dear)}.", "yellow")


def print_result(console: Console, report: Mapping[str, Any]) -> None:
    """Print the redacted report: each probe's outcome, the cost, and the lines of the catalogue to change."""
    for each in report["probes"]:
        outcome = each["outcome"]
        answer = each["answer"] if len(each["answer"]) <= 160 else f"{each['answer'][:160]}…"
        _line(console, Text.assemble((f"{outcome:<14}", _STYLES[outcome]), (f"{each['name']:<34}", "bold"), answer))
        if outcome == "deviates":
            assumption = each["assumption"] if each["holds"] is False else _fact(each)
            _say(console, f"    {each['question']} Assumed: {assumption}.")
        for difference in (*each["differences_from_sdk"], *each["differences_from_emulator"]):
            if difference["grade"] == "serious":
                _say(console, f"    {difference['path']} {difference['what']}", "dim")
    _print_cost(console, report)
    _print_lines(console, report)


def _fact(each: Mapping[str, Any]) -> str:
    fact = each["fact"]
    return f"the catalogue's {fact['name']} of {fact['prefix']}, {fact['catalogue']}"


def _print_cost(console: Console, report: Mapping[str, Any]) -> None:
    cost = report["cost"]
    paid = "would have cost" if report["service"] == EMULATED else "cost"
    _say(console, f"\n{counted(cost['requests'], 'request')} {paid} {cost['spent_usd']} USD by {cost['prices']}.")
    if report["not_run"]:
        _say(console, f"Not run, because of --max-cost: {', '.join(report['not_run'])}.", "yellow")


def _print_lines(console: Console, report: Mapping[str, Any]) -> None:
    if not report["catalogue"]:
        return
    _say(console, "\nLines of the catalogue to change:")
    if report["service"] == EMULATED:
        _say(console, "(An emulator answered; this proves nothing about Vertex AI.)", "yellow")
    for line in report["catalogue"]:
        for text in (line["file"], line["table"], line["line"]):
            _say(console, text, "cyan")


def _say(console: Console, text: str, style: str = "") -> None:
    _line(console, Text(text, style))


def _line(console: Console, text: Text) -> None:
    """Print without wrapping, so that lines can be copied, and without control characters."""
    text.plain = harmless(text.plain)
    console.print(text, soft_wrap=True)
