"""A host of the kit protocol, version 1, over a serial line.

As the vendor's library behaves: the port is opened anew for each session,
read byte by byte, and never flushed.
"""

import os
import select

TIMEOUT = 30  # seconds


class Kit:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def line(self, timeout=TIMEOUT):
        """The next line without its line feed; None when none comes."""
        text = b""
        while not text.endswith(b"\n"):
            if not select.select([self.fd], [], [], timeout)[0]:
                if text:
                    raise AssertionError(f"half a line: {text}")
                return None
            text += os.read(self.fd, 1)
        return text[:-1].decode("ascii")

    def ask(self, text):
        self.send(text.encode("ascii") + b"\n")
        answer = self.line()
        if answer is None:
            raise AssertionError(f"no answer to {text}")
        return answer

    def scan(self):
        """The devices that the board lists: (type, interface, address)."""
        found = []
        for index in range(8):
            kind, interface, rest = self.ask(
                f"board:device({index:02X})").split(" ", 2)
            address = int(rest[rest.index("(") + 1:rest.index(")")], 16)
            if not kind.startswith("no_device"):
                found.append((kind, interface, address))
        return found

    def select(self, address):
        return self.ask(f"E:physical:select({address:02X})")

    def talk(self, packet):
        """The response frame; None when the chip did not answer."""
        answer = self.ask(f"E:t({packet.hex().upper()})")
        status, rest = answer[:2], answer[2:]
        if rest[0] != "(" or rest[-1] != ")" or rest != rest.upper():
            raise AssertionError(answer)
        return bytes.fromhex(rest[1:-1]) if status == "00" else None

    def run(self, packet):
        """A session as the library makes it: wake, command, idle."""
        if self.ask("E:w()") != "00(04113343)":
            raise AssertionError("no wake")
        frame = self.talk(packet)
        if self.ask("E:i()") != "00()":
            raise AssertionError("no idle")
        return frame
