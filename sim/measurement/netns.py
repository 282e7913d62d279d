#!/usr/bin/env python3
"""The same measurement on real sockets, with the programs that ship.

Server, caller and callee run in three network namespaces. Each has a tun device whose other end is
held here: every IP packet is handed on after the delay of its way. So it needs root and
/dev/net/tun, and no `tc netem`, which not every kernel has. It prints Markdown.

    cargo build --release && sudo python3 sim/measurement/netns.py target/release
"""

import fcntl
import heapq
import itertools
import json
import os
import queue
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

SETS = [(10, 10, 15), (20, 100, 100), (100, 100, 20)]
CASES = ["INVITE", "INVITE, 407", "INVITE, 407, 488", "direct, checked"]
RUNS = 3
PASSWORD = "only for this measurement"
SERVER, ALICE, BOB = range(3)
SPACES = ["pmsrv", "pmalice", "pmbob"]
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def address(who):
    return f"10.77.0.{who + 1}"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def is_media(packet):
    """Whether this is RTP from alice to bob (RFC 5761 §4)."""
    if packet[9] != 17 or packet[15] != ALICE + 1 or packet[19] != BOB + 1:
        return False
    payload = (packet[0] & 15) * 4 + 8
    first, second = packet[payload], packet[payload + 1]
    ports = struct.unpack_from("!HH", packet, payload - 8)
    return 5060 not in ports and 128 <= first <= 191 and not 192 <= second <= 223


class Network(threading.Thread):
    """Three tun devices and the delays between them."""

    def __init__(self):
        super().__init__(daemon=True)
        self.delays, self.ends = {}, []
        self.sent = self.arrived = None
        for who, space in enumerate(SPACES):
            ip("netns", "add", space)
            end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            name = f"pmtun{who}"
            fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
            ip("link", "set", name, "netns", space)
            ip("-n", space, "addr", "add", address(who) + "/24", "dev", name)
            ip("-n", space, "link", "set", name, "up")
            ip("-n", space, "link", "set", "lo", "up")
            self.ends.append(end)

    def lay(self, a, b, d):
        for one, other, ms in [(ALICE, SERVER, a), (SERVER, BOB, b), (ALICE, BOB, d)]:
            self.delays[one, other] = self.delays[other, one] = ms / 1000

    def run(self):
        waiting, number = [], itertools.count()
        while True:
            wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
            ready, _, _ = select.select(self.ends, [], [], wait)
            for end in ready:
                try:
                    packet = os.read(end, 65536)
                except OSError:
                    # The device is gone: the measurement is over.
                    return
                if packet[0] >> 4 != 4:
                    continue
                now = time.monotonic()
                source, target = packet[15] - 1, packet[19] - 1
                if (source, target) in self.delays:
                    due = now + self.delays[source, target]
                    heapq.heappush(waiting, (due, next(number), target, packet))
                    if self.sent is None and is_media(packet):
                        self.sent = now
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(waiting)
                os.write(self.ends[target], packet)
                if self.arrived is None and is_media(packet):
                    self.arrived = time.monotonic()


class Agent:
    """A presence-ua in its namespace."""

    def __init__(self, programs, who, name, codecs):
        words = ["ip", "netns", "exec", SPACES[who], os.path.join(programs, "presence-ua")]
        words += ["--json", "--aor", f"sip:{name}@example.org", "--codecs", codecs]
        words += ["--server", address(SERVER) + ":5060", "--bind", address(who) + ":5060"]
        pipe = subprocess.PIPE
        environment = {**os.environ, "PRESENCE_PASSWORD": PASSWORD}
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, env=environment, text=True)
        self.events = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.events.put((time.monotonic(), json.loads(line)))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until(self, **wanted):
        """The moment of the next such event."""
        while True:
            at, event = self.events.get(timeout=10)
            if all(event.get(key) == value for key, value in wanted.items()):
                return at

    def end(self):
        self.process.kill()
        self.process.wait()


def follow(agent, wanted, line):
    """Says something as soon as such an event comes."""

    def wait():
        try:
            agent.until(**wanted)
        except queue.Empty:
            return
        agent.say(line)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def call(network, programs, case):
    """One call: sent, arrived and played, in ms from the press."""
    mismatch = case.endswith("488")
    alice = Agent(programs, ALICE, "alice", "PCMU,G722" if mismatch else "PCMU")
    bob = Agent(programs, BOB, "bob", "G722" if mismatch else "PCMU")
    try:
        alice.until(event="registered")
        bob.until(event="registered")
        if case.startswith("direct"):
            for line in ["presence open", "winfo", "allow alice", "offer audio ready"]:
                bob.say(line)
            alice.say("watch bob")
            alice.until(event="offer", mode="ready")
            press, follower = "direct bob audio", None
        else:
            press = "call bob audio PCMU"
            if case == "INVITE":
                alice.say("message bob hello")
                alice.until(event="message-status", state="delivered")
            follower = follow(bob, {"event": "call", "state": "incoming"}, "answer")
        # All that is still under way comes to its end.
        time.sleep(1)
        if mismatch:
            follow(alice, {"event": "call", "state": "ended", "status": 488}, "call bob audio")
        network.sent = network.arrived = None
        pressed = time.monotonic()
        alice.say(press)
        if follower:
            follower.join(10)
        played = bob.until(event="media", state="first-played")
        return [1000 * (at - pressed) for at in (network.sent, network.arrived, played)]
    finally:
        alice.end()
        bob.end()


def predicted(case, a, b, d):
    if case.startswith("direct"):
        return 3 * d
    more = 2 * a if "407" in case else 0
    return 2 * (a + b) * (2 if "488" in case else 1) + more + d


def measure(programs, folder):
    network = Network()
    network.start()
    network.lay(*SETS[0])
    users = os.path.join(folder, "users.toml")
    with open(users, "w") as file:
        for name in ("alice", "bob"):
            file.write(f'[[user]]\nname = "{name}"\npassword = "{PASSWORD}"\n')
    words = ["ip", "netns", "exec", SPACES[SERVER], os.path.join(programs, "presence-server")]
    words += ["--domain", "example.org", "--listen", f"udp:{address(SERVER)}:5060", "--memory"]
    quiet = subprocess.DEVNULL
    print("| delays | call | sent | arrived | predicted | off | played |\n" + "| --- " * 7 + "|")
    for delays in SETS:
        network.lay(*delays)
        for case in CASES:
            server = subprocess.Popen([*words, "--users", users], stdout=quiet, stderr=quiet)
            time.sleep(1)
            times = [call(network, programs, case) for _ in range(RUNS)]
            server.kill()
            server.wait()
            sent, arrived, played = (
                f"{statistics.median(one):.0f} / {max(one):.0f}" for one in zip(*times)
            )
            due = predicted(case, *delays)
            off = statistics.median(one[1] for one in times) / due - 1
            name = "a {}, b {}, d {}".format(*delays)
            print(f"| {name} | {case} | {sent} | {arrived} | {due} | {off:+.1%} | {played} |")
            sys.stdout.flush()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: netns.py FOLDER-OF-PROGRAMS")
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(os.path.abspath(sys.argv[1]), folder)
    finally:
        for space in SPACES:
            subprocess.run(["ip", "netns", "del", space], stderr=subprocess.DEVNULL)


main()
