"""Migrates one file: finds uses of the six classes, reports each argument, and makes the new text."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vertex_compat_integrations.cli.migrate.arguments import Argument, judge_call
from vertex_compat_integrations.cli.migrate.fates import Framework
from vertex_compat_integrations.cli.migrate.names import Meaning, Names, names_of
from vertex_compat_integrations.cli.migrate.source import Edit, Source

_QUIET = ("isinstance", "issubclass", "cast")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a class.

    Attributes:
        line: The line.
        text: The use, in words.
        arguments: The arguments of a call.
        by_hand: Whether it needs review.
    """

    line: int
    text: str
    arguments: tuple[Argument, ...] = ()
    by_hand: bool = False

    @property
    def is_open(self) -> bool:
        """Whether any part of it is lost or needs review."""
        return self.by_hand or any(argument.is_open for argument in self.arguments)


@dataclass(slots=True)
class Rewritten:
    """A file before and after migration.

    Attributes:
        before: The text.
        after: The migrated text.
        uses: The uses, by line.
    """

    before: str
    after: str
    uses: list[Use] = field(default_factory=list)


def rewrite(text: str, model: str | None = None) -> Rewritten:
    """Migrate a file's text; `model` replaces models that Vertex AI cannot serve.

    Raises:
        SyntaxError: The text is not valid Python.
    """
    source = Source(text)
    names = names_of(source.tree)
    rewriter = _Rewriter(source, names, model)
    rewriter.look()
    uses = sorted(rewriter.uses, key=lambda use: use.line)
    return Rewritten(text, source.edited(rewriter.edits) if rewriter.edits else text, uses)


class _Import(NamedTuple):
    """A change of an import: the names to remove from it, and the statements to put before it."""

    node: ast.Import | ast.ImportFrom
    removed: list[ast.alias]
    lines: list[str]


class _Rewriter:
    """Collects uses and edits of one file."""

    def __init__(self, source: Source, names: Names, model: str | None) -> None:
        self.source = source
        self.names = names
        self.model = model
        self.uses: list[Use] = []
        self.edits: list[Edit] = []
        self._parents: dict[int, ast.AST] = {}
        for node in ast.walk(source.tree):
            for child in ast.iter_child_nodes(node):
                self._parents[id(child)] = node

    def look(self) -> None:
        """Find all uses."""
        names = self.names
        for local, line in names.doubtful.items():
            text = f"{local} is not changed: it has another meaning here, or an f-string uses it; change that first"
            self.uses.append(Use(line, text, by_hand=True))
        for module, line in names.stars.items():
            text = f"from {module} import *: name the classes, then run this again"
            self.uses.append(Use(line, text, by_hand=True))
        used: dict[str, set[Framework]] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._look_at_text(node, node.value)
            if not isinstance(node, ast.Name | ast.Attribute) or isinstance(node.ctx, ast.Store | ast.Del):
                continue
            if (meaning := names.meaning_of(node)) is None:
                continue
            self._use(node, meaning)
            if isinstance(node, ast.Attribute):
                used.setdefault(meaning.local, set()).add(meaning.peer.framework)
        changes = [*self._changed_class_imports(), *self._changed_module_imports(used)]
        self._change_imports(sorted(changes, key=lambda change: change.node.lineno))

    def _add(self, node: ast.expr, text: str, *, by_hand: bool = False) -> None:
        self.uses.append(Use(node.lineno, text, by_hand=by_hand))

    def _look_at_text(self, node: ast.Constant, text: str) -> None:
        """Report a string that names a class where Python evaluates it: in an annotation, or in `__all__`."""
        names = self.names.classes.keys() - self.names.doubtful.keys()
        if names.intersection(_WORD.findall(text)) and (self._is_type(node) or self._is_exported(node)):
            self._add(node, f"the string {text!r} names it and is not changed", by_hand=True)

    def _is_exported(self, node: ast.expr) -> bool:
        parent = self._parents.get(id(node))
        above = self._parents.get(id(parent))
        targets = above.targets if isinstance(above, ast.Assign) else [getattr(above, "target", None)]
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)

    def _use(self, node: ast.Name | ast.Attribute, meaning: Meaning) -> None:
        """Report one use, and rename it."""
        ours = meaning.peer.framework.class_name
        # A name that the file itself chose stays: the import defines it.
        if isinstance(node, ast.Attribute) or node.id == meaning.name:
            self.edits.append(Edit(self.source.start(node), self.source.end(node), ours.encode()))
        parent = self._parents.get(id(node))
        if isinstance(parent, ast.Call) and parent.func is node:
            judged = judge_call(parent, meaning.peer, self.source, self.model)
            self.edits += judged.edits
            self.uses.append(Use(node.lineno, f"{meaning.name} → {ours}", judged.arguments))
        elif isinstance(parent, ast.ClassDef):
            text = f"class {parent.name}({meaning.name}): its overrides and its own calls are not checked"
            self._add(node, text, by_hand=True)
        elif not self._is_type(node):
            self._add(node, f"{meaning.name} without a call: its arguments are not checked", by_hand=True)

    def _is_type(self, node: ast.expr) -> bool:
        """Whether an expression is only used as a type: in an annotation, or in `isinstance`."""
        child: ast.AST = node
        while (parent := self._parents.get(id(child))) is not None:
            match parent:
                case ast.arg() | ast.AnnAssign() if parent.annotation is child:
                    return True
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    return parent.returns is child
                case ast.Call(func=ast.Name(id=name)) if name in _QUIET:
                    return parent.func is not child
                case ast.Subscript() | ast.Tuple() | ast.BinOp() | ast.List():
                    child = parent
                case _:
                    return False
        return False

    def _changed_class_imports(self) -> Iterator[_Import]:
        """Import our class instead; other names in the statement stay."""
        for each in self.names.class_imports:
            changed = [alias for alias in each.aliases if (alias.asname or alias.name) not in self.names.doubtful]
            lines = dict.fromkeys(_import_line(alias, self.names.classes) for alias in changed)
            if changed:
                yield _Import(each.node, changed, list(lines))

    def _changed_module_imports(self, used: Mapping[str, set[Framework]]) -> Iterator[_Import]:
        """Import our classes next to modules whose class was used; remove a module that is no longer used.

        `used` contains, for each module, the frameworks of the classes that were used through it.
        """
        rest = self._used_names_left()
        for each in self.names.module_imports:
            frameworks = sorted(used.get(each.dotted, ()), key=lambda framework: framework.module)
            removed = [] if each.dotted.partition(".")[0] in rest else [each.alias]
            if frameworks:
                yield _Import(each.node, removed, [framework.import_line for framework in frameworks])

    def _change_imports(self, changes: list[_Import]) -> None:
        """Write the changes, by line; what the module itself imported before is not imported again."""
        imported: set[str] = set()
        for node, removed, lines in changes:
            if not isinstance(self._parents.get(id(node)), ast.Module):
                self._replace(node, removed, lines)
                continue
            new = [line for line in lines if line not in imported]
            imported.update(lines)
            whole_line = self.source.whole_line(node) if len(removed) == len(node.names) else None
            if new:
                self._replace(node, removed, new)
            elif len(removed) < len(node.names):
                self._remove(node, removed)
            elif whole_line:
                self.edits.append(Edit(*whole_line, b""))
            else:
                self._replace(node, removed, lines)

    def _used_names_left(self) -> set[str]:
        """Return the first names of all expressions that do not name one of the classes."""
        taken: set[int] = set()
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Attribute) and self.names.meaning_of(node):
                taken |= {id(child) for child in ast.walk(node)}
        return {node.id for node in ast.walk(self.source.tree) if isinstance(node, ast.Name) and id(node) not in taken}

    def _replace(self, node: ast.Import | ast.ImportFrom, removed: list[ast.alias], lines: list[str]) -> None:
        """Insert statements before an import and remove names from it; without names left, remove the import."""
        source = self.source
        start = source.start(node)
        indent = source.indent_at(start)
        between = b"; " if indent is None else source.line_end() + indent
        text = between.join(line.encode() for line in lines)
        if len(removed) == len(node.names):
            self.edits.append(Edit(start, source.end(node), text))
            return
        self.edits.append(Edit(start, start, text + between))
        self._remove(node, removed)

    def _remove(self, node: ast.Import | ast.ImportFrom, removed: list[ast.alias]) -> None:
        """Remove names from an import that keeps others."""
        places = [(self.source.start(alias), self.source.end(alias)) for alias in node.names]
        numbers = {number for number, alias in enumerate(node.names) if alias in removed}
        self.edits += self.source.without(places, numbers)


def _import_line(alias: ast.alias, classes: Mapping[str, Meaning]) -> str:
    meaning = classes[alias.asname or alias.name]
    renamed = f" as {alias.asname}" if alias.asname and alias.asname != meaning.name else ""
    if alias.asname == meaning.name:  # `import ChatOpenAI as ChatOpenAI`
        renamed = ""
    return f"{meaning.peer.framework.import_line}{renamed}"
