"""What the emulator's journal says about the acts; every claim is computed from what was sent."""

import base64
from collections import Counter
from collections.abc import Sequence

from vertex_compat_integrations.cli.demo.act import Act, Check
from vertex_compat_integrations.cli.demo.scenario import IMAGE, QUESTIONS, REPORT, red_square
from vertex_compat_integrations.cli.demo.signatures import Signed, signed_calls, signed_texts, unsigned_steps
from vertex_compat_integrations.cli.demo.stage import Stage
from vertex_compat_integrations.emulator import Emulator, Entry
from vertex_compat_integrations.wire import SKIP_SIGNATURE, Json

_UNSHOWN = (
    "Every signed tool call came back with its signature",
    "Tokens were refreshed, and none was used after its death",
    "What stood in the requests",
)


def unshown_checks() -> list[Check]:
    """What a run on Vertex AI leaves open: nobody but Google sees the requests."""
    return [Check(claim, None, "needs the emulator's journal") for claim in _UNSHOWN]


def signed_things(acts: Sequence[Act], emulator: Emulator) -> list[Signed]:
    """What was signed in the acts, with what came back of it."""
    entries = _understood(emulator)
    return [*signed_calls(acts, entries), *signed_texts(acts, entries)]


def journal_checks(acts: Sequence[Act], stage: Stage, emulator: Emulator) -> list[Check]:
    """The claims that the journal decides."""
    entries = _understood(emulator)
    return [
        _signatures_returned("tool call", signed_calls(acts, entries), stage),
        _signatures_returned("answer", signed_texts(acts, entries), stage),
        _nothing_invented(entries, stage),
        *_token_checks(emulator),
        _nothing_refused(emulator.journal.chat),
        _history_came_from_file(entries),
        _report_strategy(entries, stage),
        _image_arrived(entries),
    ]


def _understood(emulator: Emulator) -> list[Entry]:
    return [entry for entry in emulator.journal.chat if isinstance(entry.body, dict)]


def _signatures_returned(bearer: str, signed: Sequence[Signed], stage: Stage) -> Check:
    returned = sum(one.came_back for one in signed)
    claim = f"Every signed {bearer} came back with its signature, byte for byte"
    if not signed and not stage.facts.demands_signatures:
        return Check(claim, None, "this model signs none")
    return Check(claim, 0 < returned == len(signed), f"{returned} of {len(signed)}")


def _nothing_invented(entries: Sequence[Entry], stage: Stage) -> Check:
    skipped = sum(SKIP_SIGNATURE.encode() in entry.raw for entry in entries)
    unsigned = unsigned_steps(entries)
    evidence = f"{unsigned} steps without signature, {skipped} requests with a stand-in"
    passed = not skipped and not unsigned if stage.facts.demands_signatures else None
    return Check("No signature was lost or made up", passed, evidence)


def _token_checks(emulator: Emulator) -> list[Check]:
    identity, chat = emulator.identity, emulator.journal.chat
    used = list(dict.fromkeys(entry.headers.get("authorization", "") for entry in chat))
    asked = len(identity.token_requests)
    first = identity.check(used[0]) if used else None
    refused = sum(entry.status == 401 for entry in chat)
    principals = {identity.principal(header) or "unknown" for header in used}
    return [
        Check("google-auth fetched the tokens", bool(asked), f"{asked} token requests for {', '.join(principals)}"),
        Check("A token died and another took its place", len(used) > 1, f"{len(used)} tokens were used"),
        Check("The first token is dead", first is not None, first.reason if first else "it is still accepted"),
        Check("No request carried a dead token", bool(chat) and not refused, f"{refused} of {len(chat)} requests"),
    ]


def _nothing_refused(chat: Sequence[Entry]) -> Check:
    counted = Counter(str(entry.status) for entry in chat)
    evidence = ", ".join(f"{number} of HTTP {status}" for status, number in counted.items()) or "no request"
    return Check("The endpoint took every request", list(counted) == ["200"], evidence)


def _history_came_from_file(entries: Sequence[Entry]) -> Check:
    said = [message.get("content") for message in _last_with(entries, QUESTIONS[-1])]
    found = sum(question in said for question in QUESTIONS)
    return Check("The last turn sent all turns, out of SQLite", found == len(QUESTIONS), f"{found} of {len(QUESTIONS)}")


def _report_strategy(entries: Sequence[Entry], stage: Stage) -> Check:
    bodies = [entry.body for entry in entries if _says(entry, REPORT)]
    together = sum("tools" in body and "response_format" in body for body in bodies)
    takes_both = (stage.model.profile or {}).get("structured_output", False)
    wanted = len(bodies) if takes_both else 0
    evidence = f"{together} of {len(bodies)} requests had tools and schema, {wanted} expected by the model's profile"
    return Check("The report's schema went the way that the model takes", bool(bodies) and together == wanted, evidence)


def _image_arrived(entries: Sequence[Entry]) -> Check:
    png = red_square()
    urls = [
        part["image_url"]["url"]
        for message in _last_with(entries, IMAGE)
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]
    arrived = [base64.b64decode(url.partition(",")[2]) for url in urls]
    return Check("The image arrived byte for byte", arrived == [png], f"{sum(map(len, arrived))} of {len(png)} bytes")


def _last_with(entries: Sequence[Entry], text: str) -> list[Json]:
    return next((entry.messages for entry in reversed(entries) if _says(entry, text)), [])


def _says(entry: Entry, text: str) -> bool:
    return any(text in str(message.get("content")) for message in entry.messages)
