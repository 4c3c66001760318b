"""`python -m pulsequill.embedded [--temporary] -- COMMAND`: run a command beside embedded PostgreSQL and Valkey.

Services that run already are used as they are; those that this starts are stopped when the command ends. With
`--temporary` the data lives in a folder of its own that is removed afterwards. What `DATABASE_URL` or `REDIS_URL`
names is not started at all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from pulsequill.embedded import postgres, valkey
from pulsequill.embedded.addresses import postgres_url
from pulsequill.embedded.ports import port_of
from pulsequill.embedded.service import ServiceFailed, is_listening
from pulsequill.env import value


def main() -> int:
    """Return the exit code of the command, or 1 with a sentence when a service does not start."""
    parser = argparse.ArgumentParser(prog="python -m pulsequill.embedded", description=__doc__)
    parser.add_argument("--temporary", action="store_true", help="Use a new data folder and remove it afterwards.")
    parser.add_argument("command", nargs="+", help="What to run, after `--`.")
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.temporary:
            folder = tempfile.mkdtemp(prefix="pulsequill-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            os.environ["PULSEQUILL_HOME"] = folder
        home = Path(value("PULSEQUILL_HOME")).resolve()
        wanted = [
            (variable, name, module)
            for variable, name, module in (("DATABASE_URL", "postgres", postgres), ("REDIS_URL", "valkey", valkey))
            if not value(variable) and not is_listening(port_of(name, home))
        ]
        try:
            for _variable, _name, module in wanted:
                service = module.service(home)
                stack.callback(service.stop, service.start())
            if not value("DATABASE_URL"):
                postgres.make_database(postgres_url(home))
        except ServiceFailed as failure:
            sys.stderr.write(f"{failure}\n")
            return 1
        return subprocess.call(options.command)  # noqa: S603 - running it is what this is for


if __name__ == "__main__":
    sys.exit(main())
