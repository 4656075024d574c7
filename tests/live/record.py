"""What was asked and answered, written down without secrets; and a report of how the answers look."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.live.probe import Probe
from tests.live.redaction import redact, redact_text
from tests.live.service import Answer
from tests.live.shapes import Difference, compare_with_emulator, compare_with_sdk, sdk_shape, shape_of

KEPT_HEADERS = ("content-type", "retry-after", "server", "date", "x-vertex-ai-llm-request-type")
_ORDER = {"serious": 0, "look": 1, "harmless": 2}


@dataclass(frozen=True)
class Finding:
    """What a probe has shown.

    Attributes:
        probe: The probe.
        answer: What the service answered.
        holds: Whether the assumption holds; None if nothing is assumed.
        from_sdk: How the answer differs from the SDK's types.
        from_emulator: How it differs from the emulator's answer to the same request.
    """

    probe: Probe
    answer: Answer
    holds: bool | None
    from_sdk: list[Difference]
    from_emulator: list[Difference]


def find(probe: Probe, answer: Answer, emulated: Answer) -> Finding:
    """What the answer shows, beside the emulator's to the same request."""
    shape = shape_of(*answer.bodies)
    kind = ChatCompletionChunk if answer.chunks else ChatCompletion
    from_emulator = compare_with_emulator(shape, shape_of(*emulated.bodies))
    if answer.status != emulated.status:
        said = f"is {answer.status}; from the emulator it is {emulated.status}"
        from_emulator.insert(0, Difference("(HTTP status)", said, "serious"))
    return Finding(
        probe,
        answer,
        _holds(probe, answer) if probe.assumption else None,
        compare_with_sdk(shape, sdk_shape(kind)) if answer.is_good else [],
        from_emulator,
    )


def _holds(probe: Probe, answer: Answer) -> bool:
    """Whether the answer bears the assumption out; an answer of a shape that nobody expected does not."""
    try:
        return probe.holds(answer)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return False


def write_finding(finding: Finding, folder: Path, service: str, project: str | None) -> Path:
    """The file that holds the finding, redacted."""
    answer, probe = finding.answer, finding.probe
    body = answer.chunks or answer.json
    told = {
        "question": probe.question,
        "source": probe.source,
        "assumption": probe.assumption,
        "holds": finding.holds,
        "service": service,
        "place": asdict(probe.place),
        "then_place": asdict(probe.then_place) if probe.then is not None else None,
        "request": redact(probe.body, project),
        "status": answer.status,
        "headers": {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers},
        "body": redact_text(answer.text, project) if body is None else redact(body, project),
        "differences_from_sdk": [asdict(difference) for difference in finding.from_sdk],
        "differences_from_emulator": [asdict(difference) for difference in finding.from_emulator],
    }
    path = folder / f"{probe.name}.json"
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def report(findings: list[Finding], service: str) -> str:
    """All findings as one Markdown page, what is serious first."""
    return "\n".join(_report_lines(findings, service)) + "\n"


def _report_lines(findings: list[Finding], service: str) -> Iterator[str]:
    yield f"# What the probes found on {service}"
    yield ""
    yield "| probe | question | assumption | holds |"
    yield "|---|---|---|---|"
    words = {True: "yes", False: "**no**", None: "open"}
    for finding in findings:
        probe = finding.probe
        yield f"| {probe.name} | {probe.question} | {probe.assumption or '(none)'} | {words[finding.holds]} |"
    for title, differences in (
        ("Differences from the SDK's types", [(f, d) for f in findings for d in f.from_sdk]),
        ("Differences from the emulator", [(f, d) for f in findings for d in f.from_emulator]),
    ):
        yield ""
        yield f"## {title}"
        yield ""
        yield "| grade | probe | path | what |"
        yield "|---|---|---|---|"
        for finding, difference in sorted(differences, key=lambda pair: _ORDER[pair[1].grade]):
            yield f"| {difference.grade} | {finding.probe.name} | `{difference.path}` | {difference.said} |"
