"""Claims about the acts, each checked against the requests in the emulator's journal."""

import base64
from collections import Counter
from collections.abc import Sequence

from vertex_compat_integrations.cli.demo.act import Act, Claim
from vertex_compat_integrations.cli.demo.scenario import LANGCHAIN_AGENT, LLAMA_INDEX_AGENT
from vertex_compat_integrations.cli.demo.script import EXTRACTION, IMAGE, LIBRARY, LIBRARY_QUESTION, REPORT, red_square
from vertex_compat_integrations.cli.demo.signatures import Signed, signed_calls, signed_texts, unsigned_steps
from vertex_compat_integrations.cli.demo.stage import Stage
from vertex_compat_integrations.emulator import Emulator, Entry
from vertex_compat_integrations.wire import SKIP_SIGNATURE, Json

_UNSHOWN = (
    "Every signed tool call came back with its signature",
    "Tokens were refreshed, and no expired token was used",
    "The content of the requests",
)


def unshown_checks() -> list[Claim]:
    """Return the claims that a run on Vertex AI cannot decide, because only Google sees the requests."""
    return [Claim(claim, None, "needs the emulator's journal") for claim in _UNSHOWN]


def signed_things(acts: Sequence[Act], emulator: Emulator) -> list[Signed]:
    """Return what was signed in the acts, and whether later requests sent it back."""
    entries = _understood(emulator)
    return [*signed_calls(acts, entries), *signed_texts(acts, entries)]


def journal_checks(acts: Sequence[Act], stage: Stage, emulator: Emulator) -> list[Claim]:
    """Check the claims that the journal decides."""
    entries = _understood(emulator)
    if stage.upstream:
        return [
            *_token_checks(emulator),
            _nothing_refused(_asked(emulator)),
            _schema_arrived(entries),
        ]
    return [
        _signatures_returned("tool call", signed_calls(acts, entries), stage),
        _signatures_returned("answer", signed_texts(acts, entries), stage),
        _nothing_invented(entries, stage),
        *_token_checks(emulator),
        _nothing_refused(_asked(emulator)),
        _history_came_from_file(LANGCHAIN_AGENT, acts, entries),
        _history_came_from_file(LLAMA_INDEX_AGENT, acts, entries),
        _report_strategy(entries, stage),
        _image_arrived(entries),
        _library_was_embedded(emulator.journal.embeddings),
        _passages_arrived(acts, entries),
    ]


def _understood(emulator: Emulator) -> list[Entry]:
    return [entry for entry in emulator.journal.chat if isinstance(entry.body, dict)]


def _asked(emulator: Emulator) -> list[Entry]:
    """Return all requests for answers and for embeddings."""
    return [entry for entry in emulator.journal.entries if entry.is_chat or entry.is_embedding]


def _signatures_returned(bearer: str, signed: Sequence[Signed], stage: Stage) -> Claim:
    returned = sum(one.came_back for one in signed)
    claim = f"Every signed {bearer} came back with its signature, byte for byte"
    if not signed and not stage.facts.demands_signatures:
        return Claim(claim, None, "this model signs nothing")
    return Claim(claim, 0 < returned == len(signed), f"{returned} of {len(signed)}")


def _nothing_invented(entries: Sequence[Entry], stage: Stage) -> Claim:
    skipped = sum(SKIP_SIGNATURE.encode() in entry.raw for entry in entries)
    unsigned = unsigned_steps(entries)
    evidence = f"{unsigned} steps without signature, {skipped} requests with a placeholder"
    passed = not skipped and not unsigned if stage.facts.demands_signatures else None
    return Claim("No signature was lost or replaced", passed, evidence)


def _token_checks(emulator: Emulator) -> list[Claim]:
    identity, asked = emulator.identity, _asked(emulator)
    used = list(dict.fromkeys(entry.headers.get("authorization", "") for entry in asked))
    fetched = len(identity.token_requests)
    first = identity.check(used[0]) if used else None
    refused = sum(entry.status == 401 for entry in asked)
    principals = {identity.principal(header) or "unknown" for header in used}
    return [
        Claim("google-auth fetched the tokens", bool(fetched), f"{fetched} token requests for {', '.join(principals)}"),
        Claim("A token expired and another replaced it", len(used) > 1, f"{len(used)} tokens were used"),
        Claim("The first token has expired", first is not None, first.reason if first else "it is still accepted"),
        Claim("No request had an expired token", bool(asked) and not refused, f"{refused} of {len(asked)} requests"),
    ]


def _nothing_refused(asked: Sequence[Entry]) -> Claim:
    counted = Counter(str(entry.status) for entry in asked)
    evidence = ", ".join(f"{number} of HTTP {status}" for status, number in counted.items()) or "no request"
    return Claim("The endpoint accepted every request", list(counted) == ["200"], evidence)


def _history_came_from_file(agent: str, acts: Sequence[Act], entries: Sequence[Entry]) -> Claim:
    """Check that the last request of a conversation has all its questions, and all its calls unchanged."""
    turns = [act for act in acts if act.conversation == agent]
    messages = _last_with(entries, turns[-1].question) if turns else []
    contents = [message.get("content") for message in messages]
    sent = _sent_extras(messages)
    matches = sum(turn.question in contents and _calls_are_in(sent, turn) for turn in turns)
    evidence = f"{matches} of {len(turns)} turns, {len(sent)} calls"
    claim = f"The last turn of {agent} sent all turns and calls, read from SQLite"
    return Claim(claim, 0 < matches == len(turns) and bool(sent), evidence)


def _sent_extras(messages: Sequence[Json]) -> Json:
    """Return the extra content sent with each call, by call id."""
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    return {call["id"]: call.get("extra_content") for call in calls}


def _calls_are_in(sent: Json, turn: Act) -> bool:
    calls = [call for reply in turn.replies[:-1] for call in reply.calls]
    return bool(calls) and all(call.id in sent and sent[call.id] == call.extra for call in calls)


def _schema_arrived(entries: Sequence[Entry]) -> Claim:
    formats = [entry.body.get("response_format") or {} for entry in entries if _says(entry, EXTRACTION)]
    bound = sum("guest" in str(each.get("json_schema")) for each in formats)
    claim = "Each request for an object had the object's schema"
    return Claim(claim, 0 < bound == len(formats), f"{bound} of {len(formats)}")


def _report_strategy(entries: Sequence[Entry], stage: Stage) -> Claim:
    bodies = [entry.body for entry in entries if _says(entry, REPORT)]
    together = sum("tools" in body and "response_format" in body for body in bodies)
    takes_both = (stage.model.profile or {}).get("structured_output", False)
    wanted = len(bodies) if takes_both else 0
    evidence = f"{together} of {len(bodies)} requests had tools and schema, {wanted} expected by the model's profile"
    return Claim("The report's schema was sent as the model accepts it", bool(bodies) and together == wanted, evidence)


def _image_arrived(entries: Sequence[Entry]) -> Claim:
    png = red_square()
    urls = [
        part["image_url"]["url"]
        for message in _last_with(entries, IMAGE)
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]
    arrived = [base64.b64decode(url.partition(",")[2]) for url in urls]
    return Claim("The image arrived byte for byte", arrived == [png], f"{sum(map(len, arrived))} of {len(png)} bytes")


def _library_was_embedded(embeddings: Sequence[Entry]) -> Claim:
    """Check that each text and the question were embedded once, with the prefixes that E5 requires."""
    inputs = [text for entry in embeddings if isinstance(entry.body, dict) for text in entry.body["input"]]
    texts = sum(any(one.startswith("passage: ") and one.endswith(text) for one in inputs) for text in LIBRARY.values())
    questions = inputs.count(f"query: {LIBRARY_QUESTION}")
    passed = texts == len(LIBRARY) and questions == 1 and len(inputs) == texts + questions
    evidence = f"{texts} of {len(LIBRARY)} as passage, {questions} as query"
    return Claim("The library's texts and the question were embedded", passed, evidence)


def _passages_arrived(acts: Sequence[Act], entries: Sequence[Entry]) -> Claim:
    """Check that the last prompt with the question contains the retrieved texts, and no others of the library."""
    retrieved = {passage for act in acts for passage in act.passages}
    prompt = "\n".join(str(message.get("content")) for message in _last_with(entries, LIBRARY_QUESTION))
    arrived = sum(passage in prompt for passage in retrieved)
    others = sum(text in prompt for text in LIBRARY.values() if text not in retrieved)
    evidence = f"{arrived} of {len(retrieved)} retrieved, {others} of {len(LIBRARY) - len(retrieved)} others"
    passed = 0 < arrived == len(retrieved) and not others
    return Claim("The prompt had the retrieved texts word for word, and no others", passed, evidence)


def _last_with(entries: Sequence[Entry], text: str) -> list[Json]:
    return next((entry.messages for entry in reversed(entries) if _says(entry, text)), [])


def _says(entry: Entry, text: str) -> bool:
    return any(text in str(message.get("content")) for message in entry.messages)
