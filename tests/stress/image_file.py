"""What an image file of a chip holds, read as docs/formats.md says ("Image
files"), with no line of sim/nvm.
"""

import hashlib
import struct

HEADER = 64
SIZE = 1404
STRIDE = -(-(HEADER + SIZE) // 4096) * 4096
SLOT_SIZES = [36] * 8 + [416] + [72] * 7
AT_CONFIG, AT_SLOTS = 4, 196


class Damaged(Exception):
    """Neither copy is whole."""


def copy_of(data):
    """Sequence number and image of a copy; None when it is not whole."""
    magic, version, header, size, kind, sequence = struct.unpack_from(
        "<8sHHI8sQ", data)
    digest = hashlib.sha256(data[:32] + data[HEADER:HEADER + SIZE]).digest()
    if (magic, version, header, size, kind) != (
            b"KWIMAGE\n", 1, HEADER, SIZE, b"atecc608"):
        return None
    return (sequence, data[HEADER:HEADER + SIZE]) \
        if digest == data[32:64] else None


def read(path):
    data = path.read_bytes()
    copies = [copy_of(data[at:at + STRIDE]) for at in (0, STRIDE)]
    whole = [copy for copy in copies if copy is not None]
    if len(data) != 2 * STRIDE or not whole:
        raise Damaged(f"{path} holds no whole copy")
    return max(whole)[1]


def slot(image, number):
    start = AT_SLOTS + sum(SLOT_SIZES[:number])
    return image[start:start + SLOT_SIZES[number]]


def block(image, number, index):
    return slot(image, number)[32 * index:32 * index + 32]


def counter(image, number):
    """Linear and binary parts, four big-endian fields (docs/chip.md,
    "Counters")."""
    at = AT_CONFIG + 52 + 8 * number
    linear_a, linear_b, binary_a, binary_b = struct.unpack_from(
        ">4H", image, at)

    def zeros(field):
        return 16 - field.bit_length()

    return 32 * binary_a + zeros(linear_a) + (
        zeros(linear_b) if binary_a == binary_b else 0)
