"""Frames of an ATECC608, for the clients of the board's wires.

Written from the data sheet (DS40002138A, section 4.1) alone: nothing here
comes from the program under test.
"""

OK = bytes.fromhex("04000340")
AWOKE = bytes.fromhex("04113343")


def crc(data):
    """CRC-16, polynomial 8005, start 0, data bits least significant first,
    the low byte first."""
    register = 0
    for byte in data:
        for bit in range(8):
            top = register >> 15 ^ (byte >> bit & 1)
            register = register << 1 & 0xFFFF ^ (0x8005 if top else 0)
    return register.to_bytes(2, "little")


def packet(opcode, param1=0, param2=0, data=b""):
    body = bytes([7 + len(data), opcode, param1]) + param2.to_bytes(
        2, "little") + data
    return body + crc(body)


def data_of(frame):
    """The bytes of a response between count and CRC, both checked."""
    if not frame or frame[0] != len(frame) or crc(frame[:-2]) != frame[-2:]:
        raise AssertionError(f"no frame: {frame.hex()}")
    return frame[1:-2]


INFO = packet(0x30)
RANDOM = packet(0x1B)


def read(zone, address, long=False):
    return packet(0x02, zone | (0x80 if long else 0), address)


def nonce_to_temp_key(value):
    return packet(0x16, 0x03, 0, value)


# The longest packet: Verify(External), 64 + 64 bytes.
LONGEST = packet(0x45, 0x02, 0x0004, bytes(range(128)))
