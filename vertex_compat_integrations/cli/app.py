"""The commands and their options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vertex_compat_integrations._version import __version__
from vertex_compat_integrations.cli.common.extras import needs, require
from vertex_compat_integrations.cli.common.parameters import (
    DEFAULT_MODEL,
    AccessLogFile,
    Allow,
    AllowHosts,
    AsJson,
    BaseUrl,
    ConnectionOptions,
    DrainSeconds,
    FactsFile,
    HostNames,
    KeyFile,
    ListenHost,
    Location,
    Map,
    Port,
    Project,
    RawUsage,
    RepairHistory,
    ServerOptions,
    examples,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # the panels cut what does not fit, and say little to who copies a line
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,  # typer's tracebacks can show locals, and locals can hold tokens
    help="Gemini and Model Garden models through Vertex AI's OpenAI-compatible endpoint.",
    epilog=examples("vertex-compat doctor", 'vertex-compat chat "Why is the sky blue?"', "vertex-compat batch --help"),
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=lambda value: _show_version(wanted=value))
    ] = False,
) -> None:
    """The options before every command."""


@app.command(short_help="Run agents, and prove what went over the wire.", epilog=examples("vertex-compat demo"))
def demo(
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Ask real Vertex AI, with Application Default Credentials.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="The model to ask; smollm2 is a real one on this machine.")
    ] = DEFAULT_MODEL,
    project: Annotated[str | None, typer.Option(help="Google Cloud project (with --live).")] = None,
    location: Annotated[str | None, typer.Option(help="global, us, eu or a region (with --live).")] = None,
    as_json: AsJson = False,
) -> None:
    """Run agents, structured output, an image and a library question; prove what went over the wire.

    Offline by default, against the emulator; with --model smollm2 (extra local) a real model answers behind it.
    Ends with 1 if a check failed.
    """
    if not live and (project or location):
        raise typer.BadParameter("--project and --location need --live.")
    with needs("demo"):
        require("llama_index.core")  # loaded late, when its acts begin
        from vertex_compat_integrations.cli.demo.performance import execute  # noqa: PLC0415 - needs the extra
    raise typer.Exit(execute(model, live=live, project=project, location=location, as_json=as_json))


@app.command(short_help="Serve the emulator until Ctrl-C.", epilog=examples("vertex-compat emulate --port 8080"))
def emulate(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = 0,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    token_life: Annotated[float, typer.Option(min=0.1, help="Seconds that a token of its identity side lives.")] = 3600,
    service_account: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a key file for its identity side, for real google-auth.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="smollm2", help="A real model on this machine that answers (extra local).")
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(metavar="URL", help="OpenAI-compatible server that answers; VERTEX_COMPAT_UPSTREAM_KEY."),
    ] = None,
    upstream_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model's name there; else the name that was asked for.")
    ] = None,
    serve_retired: Annotated[
        bool, typer.Option("--serve-retired", help="Answer models, too, whose service has ended by Google's pages.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the emulator until Ctrl-C, and print each request: method, path and status."""
    with needs("cli,emulator"):
        from vertex_compat_integrations.cli.emulate.serve import Answering, execute  # noqa: PLC0415 - needs the extra
    answering = Answering(model, upstream, upstream_model, serve_retired)
    execute(answering, token_life, host=host, port=port, key_file=service_account, as_json=as_json)


@app.command(
    short_help="Serve OpenAI's Chat Completions from Vertex AI.",
    epilog=examples(
        "vertex-compat serve --map gpt-4o=google/gemini-3.5-flash",
        "vertex-compat serve --host 0.0.0.0 --allow 10.8.0.0/16 --key-file key.txt",
    ),
)
def serve(
    *,
    names: Map = None,
    port: Port = 0,
    host: ListenHost = "127.0.0.1",
    allow: Allow = None,
    host_names: HostNames = None,
    key_file: KeyFile = None,
    access_log: AccessLogFile = None,
    drain_seconds: DrainSeconds = 25,
    raw_usage: RawUsage = False,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    repair_history: RepairHistory = False,
    as_json: AsJson = False,
) -> None:
    """Serve OpenAI's Chat Completions on 127.0.0.1 from Vertex AI, until Ctrl-C, for code that cannot be edited.

    Prints the address, a random key that programs of this machine must send, and a line for each request. A key that
    you name is not printed. /healthz answers without key. TLS termination is left to a reverse proxy in front.
    """
    with needs("proxy"):
        from vertex_compat_integrations.cli.serve_and_run import execute_serve  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(project, location, base_url, allow_hosts or (), repair_history)
    server = ServerOptions(
        host, port, allow or (), host_names or (), key_file, access_log, drain_seconds, raw_usage=raw_usage
    )
    execute_serve(connection, names or (), server, as_json=as_json)


@app.command(
    short_help="Run a program that takes Vertex AI for OpenAI.",
    epilog=examples("vertex-compat run --map '*=google/gemini-3.5-flash' -- python app.py"),
    context_settings={"allow_interspersed_args": False},
)
def run(
    command: Annotated[list[str], typer.Argument(help="The program and its arguments, after --.")],
    *,
    names: Map = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="A line for each request, on the error stream.")] = False,
    access_log: AccessLogFile = None,
    raw_usage: RawUsage = False,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    repair_history: RepairHistory = False,
) -> None:
    """Run a program that takes Vertex AI for OpenAI: vertex-compat run -- python app.py.

    OPENAI_BASE_URL, OPENAI_API_BASE and OPENAI_API_KEY name a proxy as `serve` has it. Signals go to the program, and
    its exit code is the command's. An access log to - goes to the error stream: the output is the program's.
    """
    with needs("proxy"):
        from vertex_compat_integrations.cli.serve_and_run import execute_run  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(project, location, base_url, allow_hosts or (), repair_history)
    server = ServerOptions(access_log=access_log, raw_usage=raw_usage)
    raise typer.Exit(execute_run(connection, names or (), command, server, is_verbose=verbose))


@app.command(
    short_help="List what is known of each model.",
    epilog=examples("vertex-compat models flash", "vertex-compat models --retiring"),
)
def models(
    name: Annotated[str | None, typer.Argument(help="Only models with this in their names.")] = None,
    *,
    retiring: Annotated[
        bool, typer.Option("--retiring", help="Only models whose end of service is announced or past, earliest first.")
    ] = False,
    facts: FactsFile = None,
    as_json: AsJson = False,
) -> None:
    """List what is known of each model: tokens, media, thinking, tools, where it is served, when it retires."""
    with needs("cli"):
        from vertex_compat_integrations.cli.models import show_catalogue  # noqa: PLC0415 - needs the extra
    show_catalogue(facts, name, retiring=retiring, as_json=as_json)


@app.command(
    short_help="Print OPENAI_API_KEY and OPENAI_BASE_URL.",
    epilog=examples('eval "$(vertex-compat env --location global)"'),
)
def env(
    *,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    show: Annotated[bool, typer.Option("--show", help="Print the token also to a terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print OPENAI_API_KEY and OPENAI_BASE_URL with a fresh token, for `eval "$(vertex-compat env)"`.

    When the token dies stands on the error stream. A terminal gets no token without --show.
    """
    if sys.stdout.isatty() and not show:
        typer.echo('vertex-compat: a token is not for the screen: eval "$(vertex-compat env)", or --show.', err=True)
        raise typer.Exit(2)
    with needs("cli"):
        from vertex_compat_integrations.cli.env import execute  # noqa: PLC0415 - needs the extra
    execute(ConnectionOptions(project, location, base_url, allow_hosts or ()), as_json=as_json)


@app.command(
    short_help="Look at all that stands between here and an answer.",
    epilog=examples("vertex-compat doctor --project my-project --location global"),
)
def doctor(
    *,
    model: Annotated[str, typer.Option(help="The model to ask.")] = DEFAULT_MODEL,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    as_json: AsJson = False,
) -> None:
    """Look at all that stands between here and an answer; each failure comes with a line to paste.

    Takes 15 seconds at most and asks the model four times. Ends with 1 if a check failed.
    """
    with needs("cli"):
        from vertex_compat_integrations.cli.doctor.examination import execute  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(project, location, base_url, allow_hosts or ())
    raise typer.Exit(execute(connection, model, as_json=as_json))


@app.command(
    short_help="Talk to a model.",
    epilog=examples(
        "vertex-compat chat",
        'vertex-compat chat "Why is the sky blue?" --thinking none',
        'cat app.log | vertex-compat chat "What went wrong?"',
    ),
)
def chat(
    question: Annotated[str | None, typer.Argument(help="Asked alone; without it, what is typed.")] = None,
    *,
    model: Annotated[str, typer.Option(help="The model to ask.")] = DEFAULT_MODEL,
    tools: Annotated[
        list[str] | None, typer.Option(metavar="MODULE:FUNCTION", help="A function that the model may call.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="What the model is told before all else.")] = None,
    thinking: Annotated[str | None, typer.Option(help="An effort, from minimal to max, or none.")] = None,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    as_json: AsJson = False,
) -> None:
    """Talk to a model: streamed, thoughts dimmed, until Ctrl-D or /exit; /help shows what else can be typed.

    What is piped in goes below the question. A pipe gets the answer's words alone. Functions of your own run on this
    machine. Ends with 1 if the question has no answer, or a filter blocked it. Tokens and cost end it.
    """
    if as_json and question is None:
        raise typer.BadParameter("--json needs a question.")
    with needs("cli"):
        from vertex_compat_integrations.cli.chat.run import Setup, execute  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(project, location, base_url, allow_hosts or ())
    execute(connection, Setup(model, tools or (), system, thinking), question, as_json=as_json)


@app.command(
    short_help="Answer a file of prompts.",
    epilog=examples(
        "vertex-compat batch questions.jsonl answers.jsonl --concurrency 32",
        "vertex-compat batch questions.jsonl answers.jsonl --retry-failed",
    ),
)
def batch(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="JSON lines: a request in each.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="JSON lines: a result in each; added to.")],
    *,
    model: Annotated[str, typer.Option(help="The model to ask where a line names none.")] = DEFAULT_MODEL,
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="Lines at a time.")] = 8,
    rate: Annotated[str | None, typer.Option(help="Lines to begin in a time: 10/s, 600/m.")] = None,
    max_retries: Annotated[int, typer.Option(min=0, help="Requests after the first one, for each line.")] = 5,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask again what failed earlier.")] = False,
    http_backend: Annotated[str | None, typer.Option(help="httpx or aiohttp; else aiohttp if it is there.")] = None,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    as_json: AsJson = False,
) -> None:
    """Answer a file of prompts; what has a result in the output is not asked again, however an earlier run ended.

    A line is {"prompt": …} or {"messages": …} with options beside, or OpenAI's batch request. Ends with 1 if a line has
    no answer. Ctrl-C lets running requests end; a second one ends them.
    """
    with needs("cli"):
        from vertex_compat_integrations.cli.batch import Job, execute  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(project, location, base_url, allow_hosts or ())
    job = Job(source, output, model, concurrency, rate, max_retries, http_backend, retry_failed)
    raise typer.Exit(execute(connection, job, as_json=as_json))


ModelSpecs = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="SPEC", help="vertex_compat:google/… or openai:…; again for more."),
]
ModelFile = Annotated[
    Path | None,
    typer.Option("--models", metavar="FILE", help="YAML, TOML or JSON: a label and its settings for each."),
]
PromptFile = Annotated[
    Path | None, typer.Option("--prompts", metavar="FILE", help="One prompt in each line, or JSONL.")
]
Application = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE:FUNCTION", help="Takes a chat model and a prompt; gives the answer."),
]
WarmUp = Annotated[
    bool | None,
    typer.Option("--warm-up/--no-warm-up", help="Ask each model once before, unmeasured; so for more than one run."),
]
SchemaFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="JSON schema: asked for without --app, and checked.")
]


@app.command(
    short_help="Ask several models the same.",
    epilog=examples('vertex-compat compare "Why is the sky blue?" --models models.yaml --runs 5'),
)
def compare(
    prompts: Annotated[list[str] | None, typer.Argument(help="What each model is asked.")] = None,
    *,
    models: ModelSpecs = None,
    model_file: ModelFile = None,
    prompt_file: PromptFile = None,
    application: Application = None,
    schema: SchemaFile = None,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="How often each prompt is asked.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Answers at a time.")] = 4,
    warm_up: WarmUp = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one line for each answer.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with charts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask several models the same: answers side by side, times, tokens, list prices, requests.

    Each answer is paid for. Ends with 1 if one failed. With one run, nothing is said of differences.
    """
    with needs("compare"):
        from vertex_compat_integrations.cli.compare.run import Order, execute  # noqa: PLC0415 - needs the extra
    order = Order(
        prompts=prompts or (),
        prompt_file=prompt_file,
        models=models or (),
        model_file=model_file,
        application=application,
        schema=schema,
        runs=runs,
        concurrency=concurrency,
        warm_up=warm_up,
        as_json=as_json,
        csv=csv,
        html=html,
    )
    raise typer.Exit(execute(order))


@app.command(
    short_help="Ask Vertex AI what no page of Google's says.",
    epilog=examples("vertex-compat verify --project my-project --plan"),
)
def verify(
    *,
    project: Project = None,
    location: Location = None,
    model: Annotated[
        str, typer.Option(help="The model of the questions that are about none in particular.")
    ] = DEFAULT_MODEL,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A probe, or the beginning of its name; again for more.")
    ] = None,
    max_cost: Annotated[float, typer.Option(min=0, help="US dollars that it may cost, by list prices.")] = 0.10,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the report goes.")] = Path("verify-report"),
    plan: Annotated[bool, typer.Option("--plan", help="Print the questions and what they may cost; ask none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask Vertex AI what no page of Google's says, and write a report without secrets, JSON and Markdown.

    Ends with 1 if an answer is not as this package assumes, and names the catalogue's lines to change.
    """
    with needs("cli,emulator"):
        from vertex_compat_integrations.cli.verify.run import Order, execute  # noqa: PLC0415 - needs the extras
    order = Order(project, location, model, only or (), max_cost, output, plan_only=plan, as_json=as_json)
    raise typer.Exit(execute(order))


@app.command(
    short_help="Move Python files from six other classes to these.",
    epilog=examples("vertex-compat migrate app.py", "vertex-compat migrate src --write"),
)
def migrate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Python files, or folders of them.")],
    *,
    write: Annotated[bool, typer.Option("--write", help="Change the files; else they are read only.")] = False,
    model: Annotated[
        str | None, typer.Option(help="Written where a model is named that Vertex AI does not serve; else it stays.")
    ] = None,
) -> None:
    """Show what becomes of ChatOpenAI, ChatVertexAI and four more: each argument, what is lost, and a diff.

    The others are ChatGoogleGenerativeAI and LlamaIndex's OpenAI, OpenAILike and GoogleGenAI. Ends with 1 if something
    is lost or must be looked at (!), or a file is no Python. Nothing is sent, and nothing of the files is run.
    """
    with needs("cli"):
        from vertex_compat_integrations.cli.migrate.run import execute  # noqa: PLC0415 - few commands need it
    raise typer.Exit(execute(paths, write=write, model=model))
