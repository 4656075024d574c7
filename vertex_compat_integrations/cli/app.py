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
    MediaBucket,
    Port,
    Project,
    Projects,
    RawUsage,
    RepairHistory,
    ServerOptions,
    ServiceAccounts,
    examples,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # panels cut long lines, and copying from them is awkward
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,  # typer's tracebacks can show local variables, which can contain tokens
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
    """Options that come before the command."""


@app.command(short_help="Run agents and prove what was sent.", epilog=examples("vertex-compat demo"))
def demo(
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Use real Vertex AI, with Application Default Credentials.")
    ] = False,
    model: Annotated[str, typer.Option(help="The model; smollm2 is a real one on this machine.")] = DEFAULT_MODEL,
    project: Annotated[str | None, typer.Option(help="Google Cloud project (with --live).")] = None,
    location: Annotated[str | None, typer.Option(help="global, us, eu or a region (with --live).")] = None,
    as_json: AsJson = False,
) -> None:
    """Run agents, structured output, an image and retrieval; prove what was sent and received.

    Runs offline by default, against the emulator; with --model smollm2 (extra local) a real model answers behind it.
    The exit code is 1 if a check failed.
    """
    if not live and (project or location):
        raise typer.BadParameter("--project and --location need --live.")
    with needs("demo"):
        require("llama_index.core")  # imported later, when its acts begin
        from vertex_compat_integrations.cli.demo.performance import execute  # noqa: PLC0415 - needs the extra
    raise typer.Exit(execute(model, live=live, project=project, location=location, as_json=as_json))


@app.command(short_help="Serve the emulator until Ctrl-C.", epilog=examples("vertex-compat emulate --port 8080"))
def emulate(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free port.")] = 0,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    token_life: Annotated[float, typer.Option(min=0.1, help="Seconds until the tokens that it issues expire.")] = 3600,
    service_account: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a service account key file for real google-auth.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="smollm2", help="Let a real model on this machine answer (extra local).")
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(metavar="URL", help="OpenAI-compatible server that answers; key: VERTEX_COMPAT_UPSTREAM_KEY."),
    ] = None,
    upstream_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model's name there; default: the name in the request.")
    ] = None,
    serve_retired: Annotated[
        bool, typer.Option("--serve-retired", help="Also serve models that have retired according to Google.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the emulator until Ctrl-C; prints method, path and status of each request."""
    with needs("cli,emulator"):
        from vertex_compat_integrations.cli.emulate.serve import Answering, execute  # noqa: PLC0415 - needs the extra
    answering = Answering(model, upstream, upstream_model, serve_retired)
    execute(answering, token_life, host=host, port=port, key_file=service_account, as_json=as_json)


@app.command(
    short_help="Serve OpenAI's Chat Completions API from Vertex AI.",
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
    media_bucket: MediaBucket = None,
    as_json: AsJson = False,
) -> None:
    """Serve OpenAI's Chat Completions API on 127.0.0.1 from Vertex AI, until Ctrl-C, for code that cannot be edited.

    Prints the address, a random key that programs on this machine must send, and a line for each request. A key that
    you set is not printed. /healthz needs no key. For TLS, put a reverse proxy in front.
    """
    with needs("proxy"):
        from vertex_compat_integrations.cli.serve_and_run import execute_serve  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(
        project, location, base_url, allow_hosts or (), repair_history, media_bucket=media_bucket
    )
    server = ServerOptions(
        host, port, allow or (), host_names or (), key_file, access_log, drain_seconds, raw_usage=raw_usage
    )
    execute_serve(connection, names or (), server, as_json=as_json)


@app.command(
    short_help="Run a program that uses Vertex AI as if it were OpenAI.",
    epilog=examples("vertex-compat run --map '*=google/gemini-3.5-flash' -- python app.py"),
    context_settings={"allow_interspersed_args": False},
)
def run(
    command: Annotated[list[str], typer.Argument(help="The program and its arguments, after --.")],
    *,
    names: Map = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print a line per request on the error stream.")] = False,
    access_log: AccessLogFile = None,
    raw_usage: RawUsage = False,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    repair_history: RepairHistory = False,
    media_bucket: MediaBucket = None,
) -> None:
    """Run a program that uses Vertex AI as if it were OpenAI: vertex-compat run -- python app.py.

    Sets OPENAI_BASE_URL, OPENAI_API_BASE and OPENAI_API_KEY to a proxy like that of `serve`. Passes signals on to the
    program and exits with its code. `--access-log -` logs to the error stream, because only the program writes to the
    output.
    """
    with needs("proxy"):
        from vertex_compat_integrations.cli.serve_and_run import execute_run  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(
        project, location, base_url, allow_hosts or (), repair_history, media_bucket=media_bucket
    )
    server = ServerOptions(access_log=access_log, raw_usage=raw_usage)
    raise typer.Exit(execute_run(connection, names or (), command, server, is_verbose=verbose))


@app.command(
    short_help="List the facts about each model.",
    epilog=examples("vertex-compat models flash", "vertex-compat models --retiring"),
)
def models(
    name: Annotated[str | None, typer.Argument(help="Only models with this text in their names.")] = None,
    *,
    retiring: Annotated[
        bool, typer.Option("--retiring", help="Only models whose end of service is announced or past, earliest first.")
    ] = False,
    facts: FactsFile = None,
    as_json: AsJson = False,
) -> None:
    """List the facts about each model: tokens, media, thinking, tools, locations, retirement."""
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
    show: Annotated[bool, typer.Option("--show", help="Print the token even on a terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print OPENAI_API_KEY and OPENAI_BASE_URL with a fresh token, for `eval "$(vertex-compat env)"`.

    The expiry of the token is printed on the error stream. On a terminal, the token is printed only with --show.
    """
    if sys.stdout.isatty() and not show:
        typer.echo('vertex-compat: no token on a terminal: use eval "$(vertex-compat env)" or --show.', err=True)
        raise typer.Exit(2)
    with needs("cli"):
        from vertex_compat_integrations.cli.env import execute  # noqa: PLC0415 - needs the extra
    execute(ConnectionOptions(project, location, base_url, allow_hosts or ()), as_json=as_json)


@app.command(
    short_help="Find out why calls fail.",
    epilog=examples(
        "vertex-compat doctor --project my-project --location global",
        "vertex-compat doctor --project team-a --project team-b",
    ),
)
def doctor(
    *,
    model: Annotated[str, typer.Option(help="The model to test.")] = DEFAULT_MODEL,
    projects: Projects = None,
    service_accounts: ServiceAccounts = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    as_json: AsJson = False,
) -> None:
    """Check everything a call needs, from installation to answer; each failure comes with a command to paste.

    Takes 15 seconds at most and sends the model four requests, for each project or service account. The exit code is 1
    if a check failed.
    """
    with needs("cli"):
        from vertex_compat_integrations.cli.doctor.examination import execute  # noqa: PLC0415 - needs the extra
    only = projects[0] if projects and len(projects) == 1 else None
    several = () if only else projects or ()
    connection = ConnectionOptions(
        only, location, base_url, allow_hosts or (), projects=several, service_accounts=service_accounts or ()
    )
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
    question: Annotated[str | None, typer.Argument(help="One question; without it, a conversation begins.")] = None,
    *,
    model: Annotated[str, typer.Option(help="The model.")] = DEFAULT_MODEL,
    tools: Annotated[
        list[str] | None, typer.Option(metavar="MODULE:FUNCTION", help="A function that the model may call.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="The system message.")] = None,
    thinking: Annotated[str | None, typer.Option(help="A thinking effort, from minimal to max, or none.")] = None,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    as_json: AsJson = False,
) -> None:
    """Talk to a model until Ctrl-D or /exit: answers are streamed, thoughts dimmed; /help lists the commands.

    Piped input is added below the question; without a question, each of its lines is one. If the output is a pipe, it
    gets only the text of the answer. Your tool functions run on this machine. The exit code is 1 if there was no answer
    or a filter blocked it. At the end, tokens and cost are printed.
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
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="JSON lines, one request per line.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="JSON lines, one result per line; appended to.")],
    *,
    model: Annotated[str, typer.Option(help="The model for lines that name none.")] = DEFAULT_MODEL,
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="Lines processed at the same time.")] = 8,
    rate: Annotated[str | None, typer.Option(help="Lines to start per time: 10/s, 600/m.")] = None,
    max_retries: Annotated[int, typer.Option(min=0, help="Retries of each line after its first request.")] = 5,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Send lines again that failed earlier.")] = False,
    http_backend: Annotated[str | None, typer.Option(help="httpx or aiohttp; default: aiohttp if installed.")] = None,
    project: Project = None,
    location: Location = None,
    base_url: BaseUrl = None,
    allow_hosts: AllowHosts = None,
    media_bucket: MediaBucket = None,
    as_json: AsJson = False,
) -> None:
    """Answer a file of prompts. However an earlier run ended, lines with a result in the output are not sent again.

    A line is {"prompt": …} or {"messages": …} with options next to it, or OpenAI's batch request. The exit code is 1 if
    a line has no answer. Ctrl-C lets running requests finish; a second Ctrl-C cancels them.
    """
    with needs("cli"):
        from vertex_compat_integrations.cli.batch import Job, execute  # noqa: PLC0415 - needs the extra
    connection = ConnectionOptions(project, location, base_url, allow_hosts or (), media_bucket=media_bucket)
    job = Job(source, output, model, concurrency, rate, max_retries, http_backend, retry_failed)
    raise typer.Exit(execute(connection, job, as_json=as_json))


ModelSpecs = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="SPEC", help="vertex_compat:google/… or openai:…; repeatable."),
]
ModelFile = Annotated[
    Path | None,
    typer.Option("--models", metavar="FILE", help="YAML, TOML or JSON file with a label and settings per model."),
]
PromptFile = Annotated[
    Path | None, typer.Option("--prompts", metavar="FILE", help="A file with one prompt per line, or JSONL.")
]
Application = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE:FUNCTION", help="Function of chat model and prompt that returns the answer."),
]
WarmUp = Annotated[
    bool | None,
    typer.Option("--warm-up/--no-warm-up", help="Call each model once, unmeasured; default if --runs is above 1."),
]
SchemaFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="JSON schema that answers must match; sent unless --app is set.")
]


@app.command(
    short_help="Ask several models the same prompts.",
    epilog=examples('vertex-compat compare "Why is the sky blue?" --models models.yaml --runs 5'),
)
def compare(
    prompts: Annotated[list[str] | None, typer.Argument(help="The prompts for each model.")] = None,
    *,
    models: ModelSpecs = None,
    model_file: ModelFile = None,
    prompt_file: PromptFile = None,
    application: Application = None,
    schema: SchemaFile = None,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="How often each prompt is sent.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Answers requested at the same time.")] = 4,
    warm_up: WarmUp = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one line per answer.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with charts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask several models the same prompts: answers side by side, times, tokens, list prices, requests.

    You pay for each answer. The exit code is 1 if one failed. With one run, no differences are reported.
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
    short_help="Check undocumented behaviour of Vertex AI.",
    epilog=examples("vertex-compat verify --project my-project --plan"),
)
def verify(
    *,
    project: Project = None,
    location: Location = None,
    model: Annotated[str, typer.Option(help="The model for probes that need no particular one.")] = DEFAULT_MODEL,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A probe, or the beginning of its name; repeatable.")
    ] = None,
    max_cost: Annotated[float, typer.Option(min=0, help="Most US dollars to spend, by list prices.")] = 0.10,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the report.")] = Path("verify-report"),
    second_project: Annotated[
        str | None, typer.Option(metavar="ID", help="Another project, for the probe that needs two; default: left out.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print the probes and their highest cost; send none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check behaviour of Vertex AI that Google does not document; write a report without secrets, JSON and Markdown.

    The exit code is 1 if the service does not behave as this package assumes; the report names the catalogue's lines
    to change.
    """
    with needs("cli,emulator"):
        from vertex_compat_integrations.cli.verify.run import Order, execute  # noqa: PLC0415 - needs the extras
    order = Order(project, location, model, only or (), max_cost, output, plan, as_json, second_project)
    raise typer.Exit(execute(order))


@app.command(
    short_help="Migrate Python files from six other classes.",
    epilog=examples("vertex-compat migrate app.py", "vertex-compat migrate src --write"),
)
def migrate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Python files, or folders of them.")],
    *,
    write: Annotated[bool, typer.Option("--write", help="Change the files; without it, they are only read.")] = False,
    model: Annotated[
        str | None, typer.Option(help="Replaces models that Vertex AI does not serve; default: they stay.")
    ] = None,
) -> None:
    """Show how to migrate ChatOpenAI, ChatVertexAI and four more classes: each argument, what is lost, and a diff.

    The others are ChatGoogleGenerativeAI and LlamaIndex's OpenAI, OpenAILike and GoogleGenAI. The exit code is 1 if
    something is lost or needs review (!), or a file is not valid Python. Sends nothing and runs no code of the files.
    """
    with needs("cli"):
        from vertex_compat_integrations.cli.migrate.run import execute  # noqa: PLC0415 - few commands need it
    raise typer.Exit(execute(paths, write=write, model=model))
