"""liblinphone driven by lines, for what Linphone can do and its console has no words for.

    core.py RC

Commands: `activity NUMBER NOTE` (of LinphonePresenceActivityType), `compose URI` (types, and says
nothing), `chat URI TEXT`, `quit`. It logs as linphonec does, and says `URI is composing`.
"""

import ctypes
import os
import select
import sys

STEP = 0.02

library = ctypes.CDLL("liblinphone.so.10")
libc = ctypes.CDLL(None)


class Number(int):
    """An `int` of C, where other numbers are pointers."""


def call(name, *arguments, returns=ctypes.c_void_p):
    """A function of the library; pointers, texts and a `Number` go in as they are."""
    kinds = {str: ctypes.c_char_p, bytes: ctypes.c_char_p, Number: ctypes.c_int}
    function = getattr(library, name)
    function.restype = returns
    function.argtypes = [kinds.get(type(it), ctypes.c_void_p) for it in arguments]
    return function(*(it.encode() if isinstance(it, str) else it for it in arguments))


class User:
    """A core, and those it talks with."""

    def __init__(self, settings):
        stdout = ctypes.c_void_p.in_dll(libc, "stdout")
        call("linphone_core_enable_logs", stdout.value)
        factory = call("linphone_factory_get")
        self.core = call("linphone_factory_create_core_3", factory, settings, None, None)
        self.rooms = {}
        self.composing = set()
        call("linphone_core_start", self.core)

    def room(self, uri):
        """The chat with somebody."""
        if uri not in self.rooms:
            self.rooms[uri] = call("linphone_core_get_chat_room_from_uri", self.core, uri)
        return self.rooms[uri]

    def do(self, line):
        """Carries out a command; whether there may be another."""
        word, *rest = line.split(maxsplit=2)
        if word == "activity":
            model = call(
                "linphone_core_create_presence_model_with_activity_and_note",
                *[self.core, Number(rest[0]), None, rest[1], None],
            )
            call("linphone_core_set_presence_model", self.core, model)
        elif word == "compose":
            call("linphone_chat_room_compose", self.room(rest[0]))
        elif word == "chat":
            call("linphone_chat_room_send_message", self.room(rest[0]), rest[1])
        return word != "quit"

    def step(self):
        """What has to be done all the time."""
        call("linphone_core_iterate", self.core)
        for uri, room in self.rooms.items():
            composes = call("linphone_chat_room_is_remote_composing", room, returns=ctypes.c_ubyte)
            if composes and uri not in self.composing:
                print(f"{uri} is composing", flush=True)
            (self.composing.add if composes else self.composing.discard)(uri)

    def end(self):
        """Logs out."""
        call("linphone_core_stop", self.core)


def main():
    user = User(sys.argv[1])
    goes_on = True
    rest = b""
    while goes_on:
        user.step()
        if select.select([0], [], [], STEP)[0]:
            said = os.read(0, 4096)
            *lines, rest = (rest + said).split(b"\n")
            goes_on = bool(said) and all(user.do(line.decode()) for line in lines)
    user.end()


main()
