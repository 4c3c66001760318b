"""Structured logs: one JSON line an event, secrets redacted, for structlog and the standard library alike."""

from __future__ import annotations

import logging.config
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
SECRET_KEY_PATTERN = re.compile(r"password|token|secret|authorization|cookie|api[-_]?key|signature", re.IGNORECASE)
SECRET_VALUE_PATTERN = re.compile(
    r"SG\.[\w-]{8,}(?:\.[\w-]+)?"  # SendGrid
    r"|sk-[\w-]{8,}"  # OpenAI, Anthropic
    r"|whsec_[\w+/=-]{8,}"  # Standard Webhooks
    r"|pq_live_\w+"  # our own API keys
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"  # JWT
    r"|(?<=Bearer )[\w.~+/=-]+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password in an address
    # tokens that stand in addresses: invitations, password resets, mail links, socket tickets
    r"|(?<=/invitations/)[\w-]{16,}|(?<=/password/reset/)[\w/-]{8,}|(?<=/[upw]/)[\w-]{16,}|(?<=[?&]ticket=)[\w-]+"
)
#: What PostgreSQL adds to an error quotes the row: addresses of readers, for the most part.
QUOTED_ROW_PATTERN = re.compile(r"^(DETAIL|CONTEXT):.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
#: Keys whose name matches but whose value is a figure, not a secret.
HARMLESS_KEYS = frozenset({"input_tokens", "output_tokens", "cached_tokens", "max_tokens", "token_count"})


def redact(value: Any) -> Any:
    """Return `value` without credentials and without rows that the database quotes, in nested structures too."""
    if isinstance(value, str):
        return SECRET_VALUE_PATTERN.sub(REDACTED, QUOTED_ROW_PATTERN.sub(rf"\1: {REDACTED}", value))
    if isinstance(value, dict):
        return {
            key: REDACTED
            if isinstance(key, str) and key not in HARMLESS_KEYS and SECRET_KEY_PATTERN.search(key)
            else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(redact(item) for item in value)
    return value


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return redact(event)  # type: ignore[no-any-return]


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_config(*, log_format: str, level: str) -> None:
    """Configure structlog and the standard library to write redacted lines to standard error.

    Args:
        log_format: `json` for machines, `console` for people.
        level: the lowest level that is written.
    """
    renderer: Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    finish: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _redact_event,
        renderer,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": finish,
                    "foreign_pre_chain": _SHARED,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "uvicorn.access": {"level": "WARNING"},
                "uvicorn.error": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                "httpx2": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
