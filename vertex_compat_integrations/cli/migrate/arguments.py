"""How the arguments of one call are migrated."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations.cli.migrate.fates import (
    LLAMA_INDEX,
    Fate,
    Framework,
    Peer,
    asks_for_nothing,
    fate,
    own_name,
)
from vertex_compat_integrations.cli.migrate.source import Edit, Source
from vertex_compat_integrations.core.endpoint import resolve_model
from vertex_compat_integrations.core.errors import SettingsError

_MODEL_NAMES = ("model", "model_name")
_KEYS = ("api_key", "google_api_key", "openai_api_key")
_NO_VALUE = object()


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument and how it is migrated.

    Attributes:
        name: Its name in the call.
        text: How it is migrated, in words.
        is_lost: Whether it has no equivalent here.
        is_open: Whether it is lost or needs review.
    """

    name: str
    text: str
    is_lost: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A call's arguments and the edits that they need."""

    arguments: tuple[Argument, ...]
    edits: tuple[Edit, ...]


def judge_call(call: ast.Call, peer: Peer, source: Source, model: str | None) -> Judged:
    """Decide how a call's arguments are migrated."""
    judge = _Judge(call, peer, source, model)
    arguments = (*judge.positional(), *judge.named(), *judge.unset(peer))
    items: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    places = sorted((source.start(item), source.end(item)) for item in items)
    removed = {places.index((source.start(item), source.end(item))) for item in judge.removed}
    return Judged(arguments, (*judge.edits, *source.without(places, removed)))


class _Judge:
    """Collects a call's arguments and edits."""

    def __init__(self, call: ast.Call, peer: Peer, source: Source, model: str | None) -> None:
        self.call = call
        self.framework: Framework = peer.framework
        self.source = source
        self.model = model
        self.edits: list[Edit] = []
        self.removed: list[ast.expr | ast.keyword] = []

    def positional(self) -> Iterator[Argument]:
        """Yield the positional arguments; for LlamaIndex's classes, the first one is the model."""
        for number, value in enumerate(self.call.args):
            if isinstance(value, ast.Starred):
                yield Argument(f"*{_text(self.source, value.value)}", "not checked: name each argument", is_open=True)
            elif number == 0 and self.framework is LLAMA_INDEX and "model" not in self._own_names():
                start = self.source.start(value)
                self.edits.append(Edit(start, start, b"model="))
                yield from self._judge("model", value)
            else:
                text = "refused without a name: name it"
                yield Argument(f"argument {number + 1}", text, is_open=True)

    def named(self) -> Iterator[Argument]:
        """Yield the keyword arguments."""
        for keyword in self.call.keywords:
            if keyword.arg is None:
                text = "not checked: its content is accepted or refused when it runs"
                yield Argument(f"**{_text(self.source, keyword.value)}", text, is_open=True)
            else:
                yield from self._judge(keyword.arg, keyword.value, keyword)

    def unset(self, peer: Peer) -> Iterator[Argument]:
        """Yield unset arguments whose default changes; none if `**` is used, because it may set them."""
        if all(keyword.arg is not None for keyword in self.call.keywords):
            own_names = self._own_names()
            yield from (Argument(name, text) for name, text in peer.unset.items() if name not in own_names)

    def _judge(self, name: str, value: ast.expr, keyword: ast.keyword | None = None) -> Iterator[Argument]:
        try:
            known_fate = fate(self.framework, name)
        except LookupError:
            text = "not in the migration table: it is refused when it runs"
            yield Argument(name, text, is_open=True)
            return
        if known_fate.kind == "refused":
            yield self._refused(name, value, known_fate, keyword)
            return
        if known_fate.kind == "renamed" and keyword is not None:
            yield from self._rename(name, keyword, known_fate)
        elif name not in _MODEL_NAMES:
            yield Argument(name, known_fate.text, is_open=self._is_key(name))
        if name in _MODEL_NAMES:
            yield self._of_model(name, value, known_fate)

    def _refused(self, name: str, value: ast.expr, known_fate: Fate, keyword: ast.keyword | None) -> Argument:
        if keyword is not None:
            self.removed.append(keyword)
        if asks_for_nothing(self.framework, name, _literal(value)):
            return Argument(name, "removed: this value is the default here")
        return Argument(name, f"lost: {known_fate.text.partition(': ')[2]}", is_lost=True, is_open=True)

    def _rename(self, name: str, keyword: ast.keyword, known_fate: Fate) -> Iterator[Argument]:
        new = own_name(self.framework, name)
        if new in self._names():
            yield Argument(name, f"{known_fate.text}, which is also set: keep one", is_open=True)
            return
        start = self.source.start(keyword)
        self.edits.append(Edit(start, start + len(name.encode()), new.encode()))
        if name not in _MODEL_NAMES:
            yield Argument(name, known_fate.text, is_open=self._is_key(name))

    def _is_key(self, name: str) -> bool:
        """Whether an argument is an API key that Google may refuse; with `base_url`, your own server decides."""
        return name in _KEYS and "base_url" not in self._own_names()

    def _of_model(self, name: str, value: ast.expr, known_fate: Fate) -> Argument:
        """Check a literal model name: models of publishers that Vertex AI does not serve need a replacement."""
        named = _literal(value)
        if not isinstance(named, str) or "base_url" in self._own_names():
            return Argument(name, known_fate.text)
        try:
            resolve_model(named, own_server=False)
        except SettingsError as error:
            if self.model is None:
                text = f"{named!r} is not served here: {error.hint} --model NAME replaces it"
                return Argument(name, text, is_open=True)
            place = (self.source.start(value), self.source.end(value))
            self.edits.append(Edit(*place, f'"{self.model}"'.encode()))
            return Argument(name, f"{known_fate.text}; {named!r} is not served here and becomes {self.model!r}")
        return Argument(name, known_fate.text)

    def _names(self) -> Sequence[str]:
        return [keyword.arg for keyword in self.call.keywords if keyword.arg is not None]

    def _own_names(self) -> set[str]:
        """Return the names of the arguments in our class."""
        names = set()
        for name in self._names():
            try:
                renamed = fate(self.framework, name).kind == "renamed"
            except LookupError:
                continue
            names.add(own_name(self.framework, name) if renamed else name)
        return names


def _literal(value: ast.expr) -> Any:
    """Return the value of a literal; for any other expression, an object that equals nothing."""
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NO_VALUE


def _text(source: Source, node: ast.expr) -> str:
    text = " ".join(source.text_of(source.start(node), source.end(node)).split())
    return text if len(text) <= 40 else f"{text[:40]}…"
