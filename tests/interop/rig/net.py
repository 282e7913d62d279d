"""Loopback: an address for each scene, free ports, and what went over them."""

import itertools
import os
import re
import shutil
import socket
import time
from pathlib import Path

from .program import Program

_scenes = itertools.count()

# The port of the discard protocol (RFC 863).
DISCARD = 9


def scene_address():
    """A loopback address that no other scene uses, in this process or another: all of 127.0.0.0/8
    is this machine, so the traffic of one scene can be told from everybody else's."""
    number = next(_scenes)
    return f"127.{1 + os.getpid() % 250}.{1 + os.getpid() // 250 % 250}.{1 + number % 250}"


def free_port(host="127.0.0.1", step=1):
    """A UDP port that is free now, and `step - 1` after it (baresip takes two)."""
    while True:
        sockets = []
        try:
            first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sockets.append(first)
            first.bind((host, 0))
            port = first.getsockname()[1]
            for offset in range(1, step):
                other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sockets.append(other)
                other.bind((host, port + offset))
            return port
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()


def until_bound(host, port, timeout=10.0):
    """Waits until somebody has bound a UDP port: the kernel's table is the only one to tell."""
    address = "".join(f"{int(part):02X}" for part in reversed(host.split(".")))
    row = f"{address}:{port:04X}"
    deadline = time.monotonic() + timeout
    while row not in Path("/proc/net/udp").read_text():
        assert time.monotonic() < deadline, f"nobody listens on {host}:{port}"
        time.sleep(0.01)


def until_written(path, end, timeout=10.0):
    """Waits until a file is there as a whole, which these octets are the end of."""
    deadline = time.monotonic() + timeout
    while not (path.exists() and path.read_bytes().endswith(end)):
        assert time.monotonic() < deadline, f"{path} is not written"
        time.sleep(0.01)


def exchange(server, message, timeout=5.0):
    """Sends a message as it stands from a port of its own; what comes back first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
        mine.settimeout(timeout)
        mine.bind((server.host, 0))
        lines = message.replace("\r\n", "\n").replace("\n", "\r\n")
        mine.sendto(lines.encode(), (server.host, server.port))
        return mine.recv(65_535).decode()


class Capture:
    """What goes to and from an address, as a pcap file that Wireshark and sngrep open."""

    def __init__(self, folder, host):
        self.path = folder / "traffic.pcap"
        self._host = host
        self._tcpdump = None
        if shutil.which("tcpdump") and os.geteuid() == 0:
            told = ["--immediate-mode", "-B", "32768", "--print", "-ln", "-U", "-w", self.path]
            command = ["tcpdump", "-i", "lo", *told, "udp", "and", "host", host]
            self._tcpdump = Program("tcpdump", command)
            self._tcpdump.expect("listening on")

    def stop(self):
        """Ends the capture when it has seen a last datagram of ours; the file is whole then."""
        if self._tcpdump:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"end of the scene", (self._host, DISCARD))
            self._tcpdump.expect(rf"> {re.escape(self._host)}\.{DISCARD}: ")
            self._tcpdump.stop()
            self._tcpdump = None
