"""A host of the single-wire interface behind a UART: a byte a bit."""

import os
import select

TIMEOUT = 30  # seconds
COMMAND, TRANSMIT, IDLE, SLEEP = 0x77, 0x88, 0xBB, 0xCC


def bits(data):
    return bytes(0x7F if byte >> bit & 1 else 0x7D
                 for byte in data for bit in range(8))


class Swi:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)

    def close(self):
        os.close(self.fd)

    def raw(self, size, timeout=TIMEOUT):
        data = b""
        while len(data) < size:
            if not select.select([self.fd], [], [], timeout)[0]:
                return data
            data += os.read(self.fd, size - len(data))
        return data

    def send_raw(self, data):
        """Sends, and takes the echo of the wire."""
        os.write(self.fd, data)
        echo = self.raw(len(data))
        if echo != data:
            raise AssertionError(f"the wire echoes {echo.hex()}")

    def send(self, data):
        self.send_raw(bits(data))

    def bytes(self, size, timeout=TIMEOUT):
        """Bytes of the chip; fewer when it falls silent."""
        levels = self.raw(8 * size, timeout)
        found = []
        for start in range(0, len(levels) - 7, 8):
            byte = 0
            for bit in range(8):
                byte |= ((levels[start + bit] ^ 0x7F) < 2) << bit
            found.append(byte)
        return bytes(found)

    def answer(self, timeout=TIMEOUT):
        """What the chip sends after a transmit flag; b"" for nothing."""
        self.send([TRANSMIT])
        count = self.bytes(1, timeout)
        return count + self.bytes(count[0] - 1) if count else b""

    def wake(self):
        self.send_raw(b"\x00")
        return self.answer()

    def command(self, packet):
        self.send(bytes([COMMAND]) + packet)

    def run(self, packet):
        self.command(packet)
        return self.answer()
