"""The AI stack costs seconds and a hundred megabytes: only the worker that uses it may load it. So for other weight."""

from __future__ import annotations

import os
import subprocess
import sys

HEAVY = ("openai", "anthropic", "langchain", "langchain_core", "langchain_openai", "langgraph", "crewai", "tiktoken",
         "daphne", "aiwriter.agents.running", "aiwriter.agents.offline.engine")  # fmt: skip
PROGRAM = f"""
import django; django.setup()
from django.urls import get_resolver; get_resolver().url_patterns
import django.contrib.admin; django.contrib.admin.autodiscover()
import pulsequill.asgi, aiwriter.tasks, aiwriter.services.generations, aiwriter.sockets
from django.core.management import call_command; call_command("check")
import os, sys
print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
print("tracing:", os.environ["LANGSMITH_TRACING"], os.environ["LANGCHAIN_TRACING_V2"])
"""


def test_no_web_process_loads_the_ai_stack_and_tracing_is_off():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pulsequill.settings", "LANGSMITH_TRACING": "true"}

    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, env=environment, check=False
    )

    assert "loaded: []" in result.stdout, result.stderr[-2000:]
    assert "tracing: false false" in result.stdout


def test_the_ai_worker_loads_the_stack_beside_its_start():
    program = """
import django; django.setup()
from django.conf import settings
from aiwriter.agents import engines
import sys
def preload():
    engines.preload()
    return [name for name in ("langchain_openai", "langchain_anthropic", "langgraph") if name in sys.modules]
print("without a key:", preload())
settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
print("with both:", preload())
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pulsequill.settings"}

    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, env=environment, check=True
    )

    assert "without a key: []" in result.stdout
    assert "with both: ['langchain_openai', 'langchain_anthropic', 'langgraph']" in result.stdout
