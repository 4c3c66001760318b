"""A real Postfix of our own: an instance in a temporary folder, with a port, a route to a mail server and a pipe."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pulsequill.benchmarks.processes import free_port

#: Services of a small Postfix (master(5)); `bounces` and its two tables are what the README tells operators to add.
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
bounces unix - n n - 2 pipe
  flags=q user=nobody argv={command} ${{recipient}}
"""
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.northwind.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
recipient_delimiter =
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
transport_maps = regexp:{folder}/etc/bounce_transport, inline:{{ reader.example=smtp:[127.0.0.1]:{next_port} }}
relay_domains = regexp:{folder}/etc/bounce_domains, reader.example
smtp_host_lookup = native
smtputf8_enable = no
bounces_destination_recipient_limit = 1
"""


def why_not() -> str:
    """Return why no Postfix can be run here; empty when it can."""
    if not shutil.which("postfix"):
        return "Postfix is not installed (Debian package postfix)."
    if not shutil.which("curl"):
        return "curl is not installed."
    return "" if os.geteuid() == 0 else "Postfix's master must be started by root."


@contextmanager
def postfix(folder: Path, *, next_port: int, command: Path) -> Iterator[int]:
    """Run a Postfix whose mail for reader.example goes to a mail server, and for the bounce host to a command.

    Args:
        folder: an empty one that every user may enter.
        next_port: the mail server of reader.example on this machine.
        command: takes a mail on standard input and its recipient as argument.

    Yields:
        The port at which it takes mail.
    """
    port = free_port()
    daemons = subprocess.run(
        ["postconf", "-hd", "daemon_directory"], capture_output=True, text=True, check=True
    ).stdout.strip()
    config = folder / "etc"
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (config / "main.cf").write_text(_MAIN.format(folder=folder, daemons=daemons, next_port=next_port))
    (config / "master.cf").write_text(_MASTER.format(port=port, command=command))
    (config / "bounce_domains").write_text("/^bounce\\./ yes\n")
    (config / "bounce_transport").write_text("/@bounce\\./ bounces:\n")
    control = ["postfix", "-c", str(config)]
    subprocess.run([*control, "start"], capture_output=True, check=True, timeout=60)
    try:
        yield port
    finally:
        subprocess.run([*control, "stop"], capture_output=True, check=False, timeout=60)
