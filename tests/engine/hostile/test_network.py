# ruff: noqa: E501 - a table of attackers: a line each, where it can be
"""Attacks over the network: every kind of socket, names, the machine itself.

The calls themselves are tried one by one, in every isolation, in `../sandbox/test_attacks.py`; here a submission tells
what it reached. name -> statements that put into REACHED whatever answered.
"""

from __future__ import annotations

import socket
import textwrap
import threading

import pytest

ATTACKS = {
    "TCP to the machine": "s = socket.create_connection(('127.0.0.1', {port}), 1); REACHED.append(s.recv(9))",
    "TCP over IPv6": "s = socket.create_connection(('::1', {port}), 1); REACHED.append(s.recv(9))",
    "TCP out": "REACHED.append(socket.create_connection(('192.0.2.1', 80), 1))",
    "UDP": "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); REACHED.append(s.sendto(b'x', ('127.0.0.1', {port})))",
    "a UNIX socket": "s = socket.socket(socket.AF_UNIX); s.connect('/run/dbus/system_bus_socket'); REACHED.append(s)",
    "an abstract socket": "s = socket.socket(socket.AF_UNIX); s.connect('\\0{name}'); REACHED.append(s.recv(9))",
    "a server": "s = socket.create_server(('', 0)); REACHED.append(s)",
    "a name": "REACHED.append(socket.getaddrinfo('example.org', 80))",
    "a page": "import urllib.request; REACHED.append(urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=1))",
    "a package": "import subprocess; REACHED.append(subprocess.check_output(['pip', 'download', 'numpy']))",
    "another descriptor": "REACHED.append(socket.socket(fileno=4).getpeername()); REACHED.append(socket.socket(fileno=5))",
    "interfaces": "import fcntl; s, _ = socket.socketpair(); REACHED.append(fcntl.ioctl(s, 0x8912, bytes(64)))",
}  # fmt: skip
TEXT = """
import socket
REACHED, WHY = [], []
try:
{attack}
except BaseException as error:
    WHY.append(type(error).__name__)


def mean(x): raise ValueError(f"reached={{len(REACHED)}} {{WHY}}")
"""


@pytest.fixture(scope="module")
def server():
    """Something to reach: a TCP server on the machine, and an abstract socket."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        name = f"a-hostile-submissions-goal-{tcp.getsockname()[1]}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        for listener in (tcp, abstract):
            threading.Thread(target=_greet, args=(listener,), daemon=True).start()
        yield {"port": tcp.getsockname()[1], "name": name}


def _greet(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.sendall(b"welcome")


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_reached(name, prove, server):
    attack = textwrap.indent(ATTACKS[name].format(**server), "    ")
    result = prove(
        TEXT.format(attack=attack),
        {"mean_value", "spread_value"},
        False,
        ("mean_value", "mean_refuses", "spread_value"),
    )
    message = result["checks"][0]["message"]
    assert "reached=0" in message
    assert "SyntaxError" not in message
    assert "NameError" not in message


def test_the_goals_can_be_reached_from_here(server):
    """The attacks are sound: outside the sandbox the same statements reach something."""
    for name in ("TCP to the machine", "an abstract socket", "UDP"):
        found: dict = {"socket": socket, "REACHED": []}
        exec(ATTACKS[name].format(**server), found)
        found["s"].close()
        assert found["REACHED"], name
