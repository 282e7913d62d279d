"""The RTP of captured traffic, as tshark analyses it."""

import re
import statistics
import subprocess
from dataclasses import dataclass

# A pause (hold) is no packet that came late, and a busy machine no pause.
PAUSE = 2.0


@dataclass
class Stream:
    """One stream: where it went, by whom and of what, and what tshark says is wrong with it."""

    source: str
    target: str
    ssrc: str
    payload: str
    packets: int
    lost: int
    clock: float
    # Octets of most of its datagrams, with the header of UDP.
    length: int


def _tshark(capture, *words):
    # Ports come from the SDP; what came without SIP before it is found by its looks.
    command = ["tshark", "-r", capture, "-n", "--enable-heuristic", "rtp_udp", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def streams(capture, end):
    """The streams of a capture file that go to `end` (address:port) or come from there."""
    # Start, end, source with port, target with port, SSRC, payload, packets, "lost (percent)", …
    row = re.compile(
        r"^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(0x\w+)\s+(.*?)\s+"
        r"(\d+)\s+(-?\d+) \(",
        re.MULTILINE,
    )
    found = []
    for told in row.findall(_tshark(capture, "-q", "-z", "rtp,streams")):
        source, port, target, to_port, ssrc, payload, packets, lost = told
        source, target = f"{source}:{port}", f"{target}:{to_port}"
        if end not in (source, target):
            continue
        clock, length = _clock_and_length(capture, ssrc)
        found.append(Stream(source, target, ssrc, payload, int(packets), int(lost), clock, length))
    return found


def _clock_and_length(capture, ssrc):
    """Units of timestamps a second, over all the packets that followed their predecessors; and how
    long most of them are."""
    fields = ["frame.time_epoch", "rtp.seq", "rtp.timestamp", "rtp.p_type", "udp.length"]
    shown = [part for field in fields for part in ("-e", field)]
    told = _tshark(capture, "-Y", f"rtp.ssrc == {ssrc}", "-T", "fields", *shown)
    packets = [line.split("\t") for line in told.splitlines()]
    usual = statistics.mode(packet[3] for packet in packets)
    length = statistics.mode(int(packet[4]) for packet in packets)
    packets = [(float(at), int(seq), int(ts)) for at, seq, ts, kind, _ in packets if kind == usual]
    units = seconds = 0
    for (at, seq, ts), (later, next_seq, next_ts) in zip(packets, packets[1:]):
        if next_seq == (seq + 1) % 65536 and later - at < PAUSE:
            units += (next_ts - ts) % 2**32
            seconds += later - at
    return units / seconds, length
