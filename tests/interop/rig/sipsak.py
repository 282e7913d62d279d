"""sipsak, run once: its usrloc mode."""

import subprocess

from .presently import DOMAIN, password


def register(scene, server, user, contact, seconds=60, password_of=None):
    """REGISTERs a contact with digest MD5, removes it (`seconds=0`), or only asks for the bindings
    (`contact="empty"`)."""
    who = ["-s", f"sip:{user}@{DOMAIN}", "-u", user, "-a", password(password_of or user)]
    what = ["-U", "-C", contact, "-x", str(seconds), "-vvv"]
    command = ["sipsak", "-p", server.address, "-H", scene.host, *who, *what]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
