"""The commands with their arguments and options, as typer's app has them."""

import inspect
import re
from collections.abc import Sequence
from typing import Any

import typer

from vertex_compat_integrations.cli.app import app


def command_line(_: str = "") -> str:
    """A section for each command: usage, what it does, arguments, options, examples."""
    root = typer.main.get_command(app)
    return "\n\n".join(_section(name, command) for name, command in root.commands.items())


def command_names() -> list[str]:
    """The commands, in the order of `vertex-compat --help`."""
    return list(typer.main.get_command(app).commands)


def _section(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    usage = " ".join((f"vertex-compat {name}", "[OPTIONS]", *map(_argument_name, arguments)))
    parts = [
        f"## vertex-compat {name}",
        f"```text\n{usage}\n```",
        _prose(inspect.cleandoc(command.help or "")),
        _table("argument", [(_argument_name(each), each) for each in arguments]),
        _table("option", [(_option_names(each), each) for each in options]),
        _examples(command.epilog or ""),
    ]
    return "\n\n".join(filter(None, parts))


def _prose(text: str) -> str:
    """Help text as Markdown: a `*` of a pattern is not emphasis, and a line is a line."""
    return text.replace("<", "&lt;").replace("*", r"\*")


def _argument_name(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper().removesuffix("...")
    name = f"{name}..." if argument.nargs == -1 or (argument.metavar or "").endswith("...") else name
    return name if argument.required else f"[{name}]"


def _option_names(option: Any) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    if option.is_flag:
        return names
    return f"{names} {option.metavar or _type_name(option)}"


def _type_name(param: Any) -> str:
    """The value's type; typer keeps it in one of two places, by its version."""
    described = getattr(param, "type_descriptor", None)
    name = param.type.name.partition(" ")[0] if described is None else getattr(described.annotation, "__name__", "text")
    return {"str": "TEXT", "int": "NUMBER", "integer": "NUMBER", "float": "NUMBER"}.get(name, name.upper())


def _table(heading: str, params: Sequence[tuple[str, Any]]) -> str:
    if not params:
        return ""
    rows = [f"| `{name}` | {_cell(param)} | {_default(param)} |" for name, param in params]
    return "\n".join((f"| {heading} | meaning | default |", "|---|---|---|", *rows))


def _cell(param: Any) -> str:
    text = " ".join((param.help or "").split()).replace("|", r"\|")
    again = "Can be repeated." if getattr(param, "multiple", False) else ""
    return " ".join(filter(None, (_prose(text), _limits(param), again)))


def _limits(param: Any) -> str:
    bounds = param if hasattr(param, "min") else getattr(param, "type", None)
    least, most = (getattr(bounds, name, None) for name in ("min", "max"))
    if least is None:
        return ""
    return f"At least {least:g}." if most is None else f"From {least:g} to {most:g}."


def _default(param: Any) -> str:
    if param.required:
        return "required"
    if param.default is None or param.default is False or param.default == ():
        return ""
    return f"`{param.default}`"


def _examples(epilog: str) -> str:
    lines = re.findall(r"^  (\S.*)$", epilog, re.MULTILINE)
    return "```bash\n{}\n```".format("\n".join(lines)) if lines else ""
