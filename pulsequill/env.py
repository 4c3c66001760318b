"""Every environment variable that PulseQuill reads: once, typed, with one sentence.

`settings.py` reads them through `value()`; the README's configuration table and `.env.example` are held
against this table by a test, so a variable cannot exist without being documented.
A secret may also be given as a file: `NAME_FILE=/run/secrets/name`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent.parent

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


class BadEnvironment(Exception):
    """An environment variable holds something that its type does not allow; the message says which."""


@dataclass(frozen=True)
class Variable:
    """One environment variable: its type, its default and the sentence that documents it."""

    name: str
    kind: type
    default: Any
    doc: str
    secret: bool = False
    choices: tuple[str, ...] = ()


VARIABLES: tuple[Variable, ...] = (
    # where and how it runs
    Variable("PORT", int, 8000, "Port the web server listens on."),
    Variable("HOST", str, "127.0.0.1", "Address the web server listens on."),
    Variable(
        "PUBLIC_URL",
        str,
        "",
        "Address that readers and browsers use; links in mails start with it. Empty: `http://localhost:$PORT`.",
    ),
    Variable(
        "ALLOWED_HOSTS",
        list,
        [],
        "Further host names the web server answers for, comma separated; the host of PUBLIC_URL is always allowed.",
    ),
    Variable("DEBUG", bool, False, "Django's debug pages; never in production."),
    Variable("LOG_FORMAT", str, "json", "How log lines look.", choices=("json", "console")),
    Variable("LOG_LEVEL", str, "INFO", "Lowest level that is logged."),
    Variable(
        "PULSEQUILL_HOME",
        str,
        str(BASE_DIR / ".pulsequill"),
        "Folder of the local run's data: database, Valkey, uploads, secret key.",
    ),
    Variable(
        "SECRET_KEY",
        str,
        "",
        "Signs sessions and links; required in production, made once for a local run.",
        secret=True,
    ),
    Variable("WEB_WORKERS", int, 1, "Web server processes."),
    Variable("WEB_THREADS", int, 12, "Requests that one web process answers at the same time."),
    Variable(
        "TRUSTED_PROXIES",
        int,
        0,
        "Reverse proxies in front of the web server whose X-Forwarded-For is believed.",
    ),
    Variable("CORS_ALLOWED_ORIGINS", list, [], "Origins besides PUBLIC_URL whose pages may open sockets."),
    # data
    Variable(
        "DATABASE_URL",
        str,
        "",
        "PostgreSQL 16 or later with pgvector. Empty: the embedded PostgreSQL.",
        secret=True,
    ),
    Variable(
        "REDIS_URL",
        str,
        "",
        "Valkey or Redis; databases 0 to 3 are used. Empty: the embedded Valkey.",
        secret=True,
    ),
    Variable("DB_POOL_SIZE", int, 16, "Most database connections that one process keeps."),
    Variable("SEED_DEMO", bool, True, "Whether `manage.py serve` makes the demo workspace on its first start."),
    # mail
    Variable(
        "EMAIL_PROVIDER",
        str,
        "capture",
        "Who carries the mail; `capture` keeps it in the outbox.",
        choices=("capture", "smtp", "sendgrid"),
    ),
    Variable(
        "SYSTEM_EMAIL",
        str,
        "",
        "Address that password resets and invitations come from. Empty: `no-reply@` and the host of PUBLIC_URL.",
    ),
    Variable("SMTP_URL", str, "", "The mail server: `smtp[s]://user:password@host:port`.", secret=True),
    Variable("SENDGRID_API_KEY", str, "", "SendGrid's API key.", secret=True),
    Variable(
        "SENDGRID_BASE_URL",
        str,
        "https://api.sendgrid.com",
        "SendGrid's address; change it for the EU region or a test double.",
    ),
    Variable(
        "SENDGRID_WEBHOOK_PUBLIC_KEY",
        str,
        "",
        "Public key that SendGrid's event webhook signs with.",
        secret=True,
    ),
    Variable("SEND_CONCURRENCY", int, 8, "Messages that one sending worker hands over at the same time."),
    Variable(
        "SEND_RATE_LIMIT",
        int,
        0,
        "Messages a second of campaigns through the installation's own provider, all workers together; 0: no limit.",
    ),
    Variable(
        "REQUIRE_VERIFIED_DOMAIN",
        bool,
        None,
        "Whether an unverified sending domain blocks a campaign. Default: yes, but a local run only warns.",
    ),
    Variable(
        "SPF_AUTHORISE",
        list,
        [],
        "What SPF records must name for our mail servers, such as `ip4:192.0.2.7` or `include:_spf.example.net`, comma"
        " separated. Empty: derived from the SMTP server.",
    ),
    Variable(
        "BOUNCE_HOST",
        str,
        "",
        "Host that takes bounces in: the target of the MX record of return paths. Empty: the host of PUBLIC_URL.",
    ),
    Variable(
        "DNS_RESOLVER",
        str,
        "",
        "Name server that sending domains are looked up at, `address` or `address:port`. Empty: the system's.",
    ),
    # the AI writer
    Variable("OPENAI_API_KEY", str, "", "Key of the GPT family.", secret=True),
    Variable("OPENAI_BASE_URL", str, "https://api.openai.com/v1", "An OpenAI-compatible server, with its `/v1`."),
    Variable(
        "OPENAI_MODEL",
        str,
        "",
        "Model of a server of your own at OPENAI_BASE_URL (Ollama, vLLM): asked in every role, and without a key if it"
        " needs none. Empty: the models of the catalogue.",
    ),
    Variable("ANTHROPIC_API_KEY", str, "", "Key of the Claude family.", secret=True),
    Variable("ANTHROPIC_BASE_URL", str, "https://api.anthropic.com", "Anthropic's address, without `/v1`."),
    Variable(
        "AI_REQUESTS_PER_MINUTE",
        int,
        500,
        "Calls a minute that one key at an AI provider may make, all workers together; 0: no limit.",
    ),
    Variable(
        "AI_CALLS_AT_ONCE",
        int,
        32,
        "Calls that one key at an AI provider may have under way, all workers together; 0: no limit.",
    ),
    Variable("AI_ENGINE", str, "langgraph", "What drives the writing agents.", choices=("langgraph", "crewai")),
    Variable(
        "AI_OFFLINE",
        str,
        "allow",
        "Whether template drafts stand in when no key is set.",
        choices=("allow", "deny"),
    ),
    Variable(
        "AI_RUNS_PER_WORKSPACE",
        int,
        3,
        "Generations of one workspace that are written at the same time; the next ones wait. The worker has 4 threads.",
    ),
    Variable(
        "EMBEDDER", str, "", "What turns text into vectors: openai, minilm or lexical; empty picks the best there is."
    ),
    # events
    Variable(
        "EVENT_RETENTION_DAYS",
        int,
        400,
        "Days that events stay in the table that new ones go to, at least 30; older ones are archived by month.",
    ),
    Variable(
        "EVENT_ARCHIVE_MONTHS",
        int,
        0,
        "Months that archived events are kept before they are dropped (figures stay); 0: for ever.",
    ),
    Variable(
        "STRAY_EVENT_DAYS",
        int,
        60,
        "Days that reports are kept which could not be matched with a message: stray bounce mail, unknown events.",
    ),
    Variable(
        "COUNTRY_DATABASE",
        str,
        "",
        "File in MaxMind's format (`.mmdb`) that tells the country of an address. Empty: countries are not told.",
    ),
    # /v1
    Variable(
        "API_RATE_LIMIT", int, 1200, "Requests a minute that one workspace (or visitor's address) may make to `/v1`."
    ),
    Variable(
        "OUTBOUND_PRIVATE_NETWORKS",
        list,
        [],
        "Private networks (CIDR) in which webhooks and workspaces' mail servers may be, such as `10.1.0.0/16`.",
    ),
    # operations
    Variable("SENTRY_DSN", str, "", "Where errors are reported; empty: nowhere.", secret=True),
    Variable(
        "METRICS_TOKEN",
        str,
        "",
        "Bearer token that `/metrics` asks for; empty: only this machine may read it.",
        secret=True,
    ),
)

TABLE = {variable.name: variable for variable in VARIABLES}


def _raw(variable: Variable) -> str | None:
    if variable.secret and (path := os.environ.get(f"{variable.name}_FILE")):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadEnvironment(f"{variable.name}_FILE={path} cannot be read: {error.strerror}.") from error
    return os.environ.get(variable.name)


def value(name: str) -> Any:
    """Return the typed value of one variable of `VARIABLES`.

    Raises:
        BadEnvironment: the text is not of the variable's type, or a `NAME_FILE` cannot be read.
        KeyError: the variable is not in the table.
    """
    variable = TABLE[name]
    raw = _raw(variable)
    if raw is None or (raw == "" and variable.kind is not bool):
        return variable.default
    if variable.kind is bool:
        word = raw.strip().lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise BadEnvironment(f"{name}={raw!r} must be 1 or 0.")
        return word in TRUE_WORDS
    if variable.kind is int:
        try:
            return int(raw)
        except ValueError as error:
            raise BadEnvironment(f"{name}={raw!r} must be a whole number.") from error
    if variable.kind is list:
        return [part.strip() for part in raw.split(",") if part.strip()]
    if variable.choices and raw not in variable.choices:
        raise BadEnvironment(f"{name}={raw!r} must be one of {', '.join(variable.choices)}.")
    return raw


def _shown_default(variable: Variable) -> str:
    if variable.name == "PULSEQUILL_HOME":
        return ".pulsequill"
    if isinstance(variable.default, list):
        return ",".join(variable.default)
    if isinstance(variable.default, bool):
        return str(int(variable.default))
    return "" if variable.default is None else str(variable.default)


def example_file() -> str:
    """Return `.env.example`: every variable with its sentence and its default, all of them commented out."""
    lines = ["# Everything is optional for `make run`. Copy this file to .env and set what you need.", ""]
    for variable in VARIABLES:
        lines.append(f"# {variable.doc}")
        if variable.choices:
            lines.append(f"# One of: {', '.join(variable.choices)}.")
        if variable.secret:
            lines.append(f"# May also be read from the file that {variable.name}_FILE names.")
        lines += [f"#{variable.name}={_shown_default(variable)}", ""]
    return "\n".join(lines)


def markdown_table() -> str:
    """Return the configuration table of the README."""
    lines = ["| Variable | Default | What it is |", "|---|---|---|"]
    for variable in VARIABLES:
        default = _shown_default(variable)
        choices = f" One of {', '.join(f'`{choice}`' for choice in variable.choices)}." if variable.choices else ""
        secret = " Also as `_FILE`." if variable.secret else ""
        lines.append(f"| `{variable.name}` | {f'`{default}`' if default else ''} | {variable.doc}{choices}{secret} |")
    return "\n".join(lines)
