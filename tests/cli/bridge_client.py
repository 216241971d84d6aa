"""A host of the kit bridge, version 2: binary messages."""

import socket

TIMEOUT = 30  # seconds
SEND, RECEIVE, WAKE, IDLE, SLEEP = range(1, 6)


class Bridge:
    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.settimeout(TIMEOUT)
        self.connection.connect(str(path))

    def close(self):
        self.connection.close()

    def message(self, message):
        self.connection.send(message)
        return self.connection.recv(4096)

    def order(self, command, address, rest=b"", interface=0):
        """(status, what follows the header)"""
        head = bytes([2, command | interface << 4, address])
        answer = self.message(head + rest)
        if answer[:3] != head:
            raise AssertionError(answer.hex())
        return answer[3], answer[4:]

    def send(self, address, packet):
        return self.order(SEND, address, b"\xff" + packet)

    def receive(self, address, limit=255):
        return self.order(RECEIVE, address, b"\x00" + limit.to_bytes(
            2, "little"))

    def run(self, address, packet):
        for status, rest in (self.order(WAKE, address),
                             self.send(address, packet)):
            if status != 0 or rest:
                raise AssertionError(f"status {status:02X}")
        status, frame = self.receive(address)
        if status != 0 or self.order(IDLE, address) != (0, b""):
            raise AssertionError(f"status {status:02X}")
        return frame
