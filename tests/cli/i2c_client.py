"""A master of the board's I2C bus: one message a transfer."""

import socket
import struct

TIMEOUT = 30  # seconds
RESET, SLEEP, IDLE, COMMAND = b"\x00", b"\x01", b"\x02", b"\x03"


class Nak(Exception):
    """Nobody acknowledged."""


class Bus:
    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.settimeout(TIMEOUT)
        self.connection.connect(str(path))

    def close(self):
        self.connection.close()

    def message(self, message):
        self.connection.send(message)
        return self.connection.recv(4096)

    def transfer(self, flags, address, size, data=b""):
        answer = self.message(
            struct.pack("<BBH", flags, address, size) + data)
        if answer[0] == 1:
            raise Nak(f"{address:02X}")
        if answer[0] != 0:
            raise AssertionError(answer.hex())
        return answer[1:]

    def write(self, address, data, stop=True):
        if self.transfer(0 if stop else 2, address, len(data), data):
            raise AssertionError("a write answers bytes")

    def read(self, address, size, stop=True):
        data = self.transfer(1 if stop else 3, address, size)
        if len(data) != size:
            raise AssertionError(f"{len(data)} of {size} bytes")
        return data

    def wake(self):
        """Address 0 is a wake, which nobody acknowledges."""
        try:
            self.write(0, b"\x00")
        except Nak:
            return
        raise AssertionError("somebody acknowledged address 0")

    def run(self, address, packet):
        """wake, the command, its answer, idle"""
        self.wake()
        self.write(address, COMMAND + packet)
        frame = self.answer(address)
        self.write(address, IDLE)
        return frame

    def answer(self, address):
        self.write(address, RESET)
        count = self.read(address, 1)
        return count + self.read(address, count[0] - 1)
