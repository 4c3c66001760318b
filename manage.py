#!/usr/bin/env python3
"""PulseQuill's command line: `./manage.py serve` runs everything, `./manage.py doctor` explains what is wrong."""

import gc
import os
import sys

#: New objects between two looks for garbage. Modules make many objects that all stay, and looking through them at
#: Python's 700 costs a tenth of the start.
OBJECTS_A_LOOK = 50_000


def main() -> int:
    """Hand the arguments to Django, or say in one sentence why that cannot work."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")
    if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for people with an older Python
        sys.exit("PulseQuill needs Python 3.11 or later; this is " + sys.version.split()[0] + ".")
    if sys.argv[1:2] == ["serve"]:  # the supervisor runs without Django
        from pulsequill.serving import main as serve

        return serve(sys.argv[2:])

    gc.set_threshold(OBJECTS_A_LOOK)
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from pulsequill.env import BadEnvironment

    try:
        execute_from_command_line(sys.argv)
    except (BadEnvironment, ImproperlyConfigured) as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
