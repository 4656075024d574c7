"""Finds the names in a file that refer to one of the six classes, or to a module that contains one."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vertex_compat_integrations.cli.migrate.fates import PEERS, Peer, peer_named


@dataclass(frozen=True, slots=True)
class Meaning:
    """The class that a name refers to.

    Attributes:
        name: The class's own name.
        peer: The class.
        local: The imported name that leads to it; may be a module's.
    """

    name: str
    peer: Peer
    local: str


@dataclass(frozen=True, slots=True)
class ClassImport:
    """A statement that imports some of the classes by name."""

    node: ast.ImportFrom
    aliases: tuple[ast.alias, ...]


@dataclass(frozen=True, slots=True)
class ModuleImport:
    """A part of an import statement for a module that may contain one of the classes; `dotted` is its local name."""

    node: ast.Import | ast.ImportFrom
    alias: ast.alias
    dotted: str


@dataclass(slots=True)
class Names:
    """The relevant names of a file.

    Attributes:
        classes: Local name → class.
        modules: Dotted local name → the module that it refers to.
        class_imports: The statements that import classes.
        module_imports: The statements that import modules.
        stars: Modules imported with `*`, each with its line.
        doubtful: Local names that are not changed, each with the line that prevents it: there they have another
            meaning, or an f-string uses them.
    """

    classes: dict[str, Meaning] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    class_imports: list[ClassImport] = field(default_factory=list)
    module_imports: list[ModuleImport] = field(default_factory=list)
    stars: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, int] = field(default_factory=dict)

    def meaning_of(self, node: ast.expr) -> Meaning | None:
        """Return the class that an expression names; None if that is not certain."""
        if isinstance(node, ast.Name):
            return None if node.id in self.doubtful else self.classes.get(node.id)
        dotted = dotted_name(node)
        if dotted is None:
            return None
        head, _, name = dotted.rpartition(".")
        if head.partition(".")[0] in self.doubtful:
            return None
        for local, module in self.modules.items():
            if head == local or head.startswith(f"{local}."):
                peer = peer_named(f"{module}{head[len(local) :]}", name)
                if peer is not None:
                    return Meaning(name, peer, local)
        return None


def dotted_name(node: ast.expr) -> str | None:
    """Return `a.b.c` as text; None for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted_name(node.value)) is not None:
        return f"{before}.{node.attr}"
    return None


def names_of(tree: ast.Module) -> Names:
    """Return the names of a file that refer to one of the classes."""
    names = Names()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            _add_from(names, node, node.module)
        elif isinstance(node, ast.Import):
            _add_import(names, node)
    for name, line in (*_other_bindings(tree, names), *_used_in_texts(tree, names)):
        names.doubtful.setdefault(name, line)
    return names


def _holds_class(module: str) -> bool:
    return any(module == peer.module or module.startswith(f"{peer.module}.") for peer in PEERS.values())


def _add_from(names: Names, node: ast.ImportFrom, module: str) -> None:
    classes = []
    for alias in node.names:
        local = alias.asname or alias.name
        if alias.name == "*":
            if _holds_class(module):
                names.stars[module] = node.lineno
        elif (peer := peer_named(module, alias.name)) is not None:
            classes.append(alias)
            names.classes[local] = Meaning(alias.name, peer, local)
        elif _holds_class(f"{module}.{alias.name}"):
            names.modules[local] = f"{module}.{alias.name}"
            names.module_imports.append(ModuleImport(node, alias, local))
    if classes:
        names.class_imports.append(ClassImport(node, tuple(classes)))


def _add_import(names: Names, node: ast.Import) -> None:
    for alias in node.names:
        if _holds_class(alias.name):
            dotted = alias.asname or alias.name
            names.modules[dotted] = alias.name
            names.module_imports.append(ModuleImport(node, alias, dotted))


def _other_bindings(tree: ast.Module, names: Names) -> Iterator[tuple[str, int]]:
    """Yield the relevant names that the file binds to something else, with the line."""
    imported: Mapping[int, str] = _imported_aliases(names)
    wanted = {*names.classes, *(each.dotted.partition(".")[0] for each in names.module_imports)}
    packages = {
        each.alias.name.partition(".")[0]
        for each in names.module_imports
        if isinstance(each.node, ast.Import) and each.alias.asname is None
    }
    new_names = {meaning.peer.framework.class_name for meaning in names.classes.values()}
    meanings: dict[str, str] = {}
    for node in ast.walk(tree):
        for name, line in _bound_by(node):
            if name in wanted and id(node) not in imported and not _is_part_of(node, packages):
                yield name, line
            elif name in new_names and not isinstance(node, ast.alias):
                # Our class would hide that name, or be hidden by it.
                yield from ((local, line) for local, each in names.classes.items() if each.name == local)
        # One name for two of the classes, for example in a choice between two frameworks.
        if isinstance(node, ast.alias) and id(node) in imported:
            local, what = node.asname or node.name, imported[id(node)]
            if meanings.setdefault(local, what) != what:
                yield local, node.lineno


def _used_in_texts(tree: ast.Module, names: Names) -> Iterator[tuple[str, int]]:
    """Yield class names used in f-strings: before Python 3.12, positions inside them are not those of the file."""
    for text in ast.walk(tree):
        if isinstance(text, ast.JoinedStr):
            for node in ast.walk(text):
                if isinstance(node, ast.Name) and (node.id in names.classes or node.id in names.modules):
                    yield node.id, text.lineno


def _imported_aliases(names: Names) -> dict[int, str]:
    """Return the import aliases that bind the relevant names, each with what it refers to."""
    classes = {
        id(alias): names.classes[alias.asname or alias.name].peer.module + alias.name
        for each in names.class_imports
        for alias in each.aliases
    }
    return {**classes, **{id(each.alias): each.dotted for each in names.module_imports}}


def _is_part_of(node: ast.AST, packages: set[str]) -> bool:
    """Whether an import without `as` binds the same top-level package, such as `import llama_index.core`."""
    return isinstance(node, ast.alias) and node.asname is None and node.name.partition(".")[0] in packages


def _bound_by(node: ast.AST) -> Iterator[tuple[str, int]]:
    match node:
        case ast.alias():
            yield node.asname or node.name.partition(".")[0], node.lineno
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, node.lineno
        case ast.arg():
            yield node.arg, node.lineno
        case ast.Name(ctx=ast.Store() | ast.Del()):
            yield node.id, node.lineno
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, node.lineno
        case _:
            return
