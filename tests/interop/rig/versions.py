"""The versions of the peers, asked from whoever installed them."""

import functools
import subprocess
from importlib import metadata

DEBIAN = {
    "baresip": "baresip-core",
    "FFmpeg": "ffmpeg",
    "Linphone": "linphone-cli",
    "Kamailio": "kamailio",
    "SIPp": "sip-tester",
    "sipsak": "sipsak",
    "sipvicious": "sipvicious",
}


@functools.cache
def name(peer):
    """The peer with its version: `baresip 1.0.0`. Debian's revision is left out."""
    if peer == "pjsua2":
        return f"pjsua2 {metadata.version('pjsua2-python').split('.post')[0]}"
    command = ["dpkg-query", "-W", "-f", "${Version}", DEBIAN[peer]]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return f"{peer} {shown.split(':')[-1].split('-')[0].split('+')[0]}"
