"""Every message that the package can raise or warn, as its sources have it; what is put in at run time is `…`.

The list is made from the syntax tree: calls of exceptions, of `warn` and `warn_once`, and of functions that end in
one. A text in a variable, a parameter or another function's result is followed to where it is written.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vertex_compat_integrations import errors

PACKAGE = Path(__file__).parents[2] / "vertex_compat_integrations"
LEFT_OUT = ("emulator", "_version.py", "compare/page")
"""The emulator's own answers are Google's; what is wrong with a call of it is a plain `ValueError`."""
GAP = "…"
_WARNINGS = ("warn", "warn_once")
_NOTES = ("note", "notes", "remark")
"""Variables with sentences that are warned of later."""
_NOTING = ("notes", "_cut_note", "_ignored_notes", "_unseen", "remarks")
"""Functions that return such sentences."""
_LOSSES = ("lose", "AdcProblem")
"""Calls with a problem and its remedy that raise an error: of a history, or of the file of credentials."""
_KINDS = dict.fromkeys(_WARNINGS, "VertexCompatWarning") | {"lose": "HistoryError", "AdcProblem": "CredentialsError"}
_DEPTH = 6
_FEW_LETTERS = 18
_MOST_TEXTS = 8


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One message.

    Attributes:
        module: The source file, relative to the package.
        function: The function that raises it, with its class.
        kind: The exception's name, or `VertexCompatWarning`.
        text: The words, with `…` for what is put in.
        hint: What to do, by the code; empty: the exception's default.
    """

    module: str
    function: str
    kind: str
    text: str
    hint: str = ""


@cache
def messages() -> tuple[Message, ...]:
    """All messages, by module and line, each once."""
    trees = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.relative_to(PACKAGE).as_posix().startswith(LEFT_OUT)
    }
    sources = _Sources(trees)
    return tuple(dict.fromkeys(each for module in trees for each in sources.messages_of(module)))


class _Sources:
    """The package's syntax trees, and where the functions of each name are."""

    def __init__(self, trees: dict[str, ast.Module]) -> None:
        self._trees = trees
        self._functions: dict[str, list[tuple[str, ast.FunctionDef]]] = {}
        self._constants: dict[str, list[ast.expr]] = {}
        self._scopes: dict[ast.AST, ast.FunctionDef] = {}
        self._owners: dict[ast.AST | None, str] = {}
        self._modules: dict[ast.AST | None, str] = {}
        self._calls: dict[str, list[ast.Call]] = {}
        for module, tree in trees.items():
            self._index(module, tree)

    def _index(self, module: str, tree: ast.Module) -> None:
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._constants.setdefault(node.targets[0].id, []).append(node.value)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                self._owners |= dict.fromkeys(node.body, node.name)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._functions.setdefault(node.name, []).append((module, node))
                self._scopes |= dict.fromkeys(ast.walk(node), node)
                self._modules[node] = module
            if isinstance(node, ast.Call):
                self._calls.setdefault(_name(node.func), []).append(node)

    def messages_of(self, module: str) -> Iterator[Message]:
        for node in ast.walk(self._trees[module]):
            yield from self._notes(module, node)
            if isinstance(node, ast.Call):
                name = _name(node.func)
                if self._place(self._scopes.get(node)).endswith((*_WARNINGS, *_LOSSES)):
                    continue  # what is passed through is found where it is written
                if name in errors.__all__ or name in (*_WARNINGS, *_LOSSES):
                    yield from self._message(module, node, name)

    def _notes(self, module: str, node: ast.AST) -> Iterator[Message]:
        """Sentences that a function leaves for the caller to warn of."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _NOTES:
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id="notes"), attr="append"), args=[value]):
                pass
            case ast.Return(value=ast.expr() as value) if (owner := self._scopes.get(node)) and owner.name in _NOTING:
                pass
            case _:
                return
        values = value.elts if isinstance(value, ast.Tuple) else [value]
        scope = self._scopes.get(node)
        for each in values:
            if not isinstance(each, ast.Starred | ast.Call):
                yield from (
                    Message(module, self._place(scope), "VertexCompatWarning", text)
                    for text in self._texts(each, scope)
                    if _says_something(text)
                )

    def _place(self, scope: ast.FunctionDef | None) -> str:
        return ".".join(filter(None, (self._owners.get(scope, ""), scope.name))) if scope else ""

    def _message(self, module: str, call: ast.Call, name: str) -> Iterator[Message]:
        if not call.args or isinstance(call.args[0], ast.Starred):
            return
        kind = _KINDS.get(name, name)
        scope = self._scopes.get(call)
        hint = next((keyword.value for keyword in call.keywords if keyword.arg == "hint"), None)
        if name in _LOSSES:
            hint = call.args[1]
        hints = " / ".join(dict.fromkeys(self._texts(hint, scope))) if hint is not None else ""
        for text in self._texts(call.args[0], scope):
            if _says_something(text):
                yield Message(module, self._place(scope), kind, text, hints)

    def _texts(self, node: ast.expr | None, scope: ast.FunctionDef | None, depth: int = 0) -> list[str]:
        """What an expression may be; `…` where that is known at run time only."""
        if node is None or depth > _DEPTH:
            return [GAP]
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=parts):
                return self._joined(parts, scope, depth + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                ends = self._texts(right, scope, depth + 1)
                return [a + b for a in self._texts(left, scope, depth + 1) for b in ends]
            case ast.IfExp(body=body, orelse=orelse):
                return [*self._texts(body, scope, depth + 1), *self._texts(orelse, scope, depth + 1)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self._texts(value, scope, depth + 1)]
            case ast.Name(id=name):
                return self._texts_of_name(name, scope, depth + 1)
            case ast.Call(func=func):
                return self._texts_of_call(_name(func), self._modules.get(scope, ""), depth + 1)
        return [GAP]

    def _joined(self, parts: list[ast.expr], scope: ast.FunctionDef | None, depth: int) -> list[str]:
        """The texts of an f-string; where its own words are few, with those of its variables."""
        plain = "".join(part.value if isinstance(part, ast.Constant) else self._constant(part.value) for part in parts)
        if sum(letter.isalpha() for letter in plain) >= _FEW_LETTERS:
            return [plain]
        texts = [""]
        for part in parts:
            ends = [part.value] if isinstance(part, ast.Constant) else self._texts(part.value, scope, depth)
            texts = [text + end for text in texts for end in dict.fromkeys(ends)]
        return texts if len(texts) <= _MOST_TEXTS else [plain]

    def _constant(self, node: ast.expr) -> str:
        """The text of a module's constant; `…` for anything else."""
        match [each for each in self._constants.get(_name(node), ()) if isinstance(each, ast.Constant)]:
            case [ast.Constant(value=str(text))] if _name(node).isupper():
                return text
        return GAP

    def _texts_of_name(self, name: str, scope: ast.FunctionDef | None, depth: int) -> list[str]:
        values = [value for node in ast.walk(scope or ast.Module([], [])) for value in _assigned(node, name)]
        if not values and scope is not None:
            values = self._arguments(scope, name)
        values = values or (self._constants.get(name, []) if name.isupper() or name.startswith("_") else [])
        return [text for value in values for text in self._texts(value, scope, depth)] or [GAP]

    def _arguments(self, function: ast.FunctionDef, name: str) -> list[ast.expr]:
        """What the calls of a function pass for a parameter."""
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        found = []
        for call in self._calls.get(function.name, ()):
            place = names.index(name) if name in names else len(call.args)
            found += [keyword.value for keyword in call.keywords if keyword.arg == name]
            found += [call.args[place]] if place < len(call.args) else []
        return found

    def _texts_of_call(self, name: str, module: str, depth: int) -> list[str]:
        """What the package's function of this name returns; a private one is the module's own."""
        texts = []
        for owner, function in self._functions.get(name, ()):
            if name.startswith("_") and owner != module:
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    texts += self._texts(node.value, function, depth)
        return texts or [GAP]


def _says_something(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def _assigned(node: ast.AST, name: str) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            yield value
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            yield from (value for to, value in zip(targets, values, strict=True) if _name(to) == name)
        case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
            yield value


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
