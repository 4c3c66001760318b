"""A sending worker as a process of its own, for tests that kill it: `python -m tests.campaigns.deliver <campaign>`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Deliver one slice of a campaign, then end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")
    import django

    django.setup()
    from campaigns.delivery import pipeline

    print("ready", flush=True)
    pipeline.deliver(campaign_id=sys.argv[1])


if __name__ == "__main__":
    main()
