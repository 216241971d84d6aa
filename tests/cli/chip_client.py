"""A client of an ATECC608 behind a board's socket.

Written from the data sheet (DS40002138A) and the contract in
docs/formats.md, "Board socket and TCP". It shares nothing with the
program that it tests: frames, CRC, messages and the order of the
vendor's commands are here a second time.
"""

import contextlib
import hashlib
import re
import socket

WAKE, SLEEP, IDLE, COMMAND = range(4)
AWOKE = bytes.fromhex("04113343")
STATUS_OK = 0x00
STATUS_MISMATCH = 0x01
SLOT_SIZES = [36] * 8 + [416] + [72] * 7
TIMEOUT = 30  # seconds
GOODBYE = 2   # seconds


class ChipError(Exception):
    """The chip answered a status other than 00."""

    def __init__(self, status, command):
        super().__init__(f"status {status:02X} to command {command:02X}")
        self.status = status


class NoAnswer(Exception):
    """The board closed the connection, or said nothing in time."""


def remainder(value):
    """Of one byte in the upper half of the CRC register."""
    for _ in range(8):
        value = value << 1 ^ (0x8005 if value & 0x8000 else 0)
    return value & 0xFFFF


MIRRORED = [int(f"{byte:08b}"[::-1], 2) for byte in range(256)]
REMAINDERS = [remainder(byte << 8) for byte in range(256)]


def crc(data):
    """Polynomial 8005, start 0, data bits least significant first; the low
    byte comes first on the wire."""
    register = 0
    for byte in data:
        index = register >> 8 ^ MIRRORED[byte]
        register = register << 8 & 0xFFFF ^ REMAINDERS[index]
    return bytes([register & 0xFF, register >> 8])


def packet(opcode, param1=0, param2=0, data=b""):
    """count opcode param1 param2 data crc"""
    body = bytes([7 + len(data), opcode, param1, param2 & 0xFF, param2 >> 8])
    return body + data + crc(body + data)


def connect(address):
    """A socket for an address as `board serve` prints it."""
    kind, rest = address.split(":", 1)
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        connection.connect(rest)
        return connection
    host, port = rest.rsplit(":", 1)
    return socket.create_connection((host, int(port)), TIMEOUT)


class Chip:
    """One chip over one connection."""

    def __init__(self, address):
        self.connection = connect(address)
        self.sent = []  # (opcode, param1, param2), in order

    def close(self):
        """What was sent is obeyed when this returns: an idle has no answer,
        and must not reach the chip after the wake of the next client."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(GOODBYE)
            while self.connection.recv(256):
                pass
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Bytes.

    def send(self, data):
        try:
            self.connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise NoAnswer("closed before the request") from None

    def receive(self, size):
        data = b""
        while len(data) < size:
            try:
                part = self.connection.recv(size - len(data))
            except TimeoutError:
                raise NoAnswer(f"{len(data)} of {size} bytes") from None
            except ConnectionResetError:
                part = b""
            if not part:
                raise NoAnswer(f"closed after {len(data)} of {size} bytes")
            data += part
        return data

    def frame(self):
        """A response: its data, without count and CRC."""
        count = self.receive(1)
        rest = self.receive(count[0] - 1)
        if crc(count + rest[:-2]) != rest[-2:]:
            raise AssertionError(f"wrong CRC: {(count + rest).hex()}")
        return rest[:-2]

    def word(self, address):
        self.send(bytes([address]))

    def wake(self):
        """The output buffer's data: 11 after a wake."""
        self.word(WAKE)
        return self.frame()

    def sleep(self):
        self.word(SLEEP)

    def idle(self):
        self.word(IDLE)

    def raw(self, data):
        """Sends a packet as it is; answers the response's data."""
        self.send(bytes([COMMAND]) + data)
        return self.frame()

    # Commands.

    def ask(self, opcode, param1=0, param2=0, data=b"", size=0):
        """Answers `size` bytes of data, or for 0 expects the status 00."""
        self.sent.append((opcode, param1, param2))
        answer = self.raw(packet(opcode, param1, param2, data))
        if len(answer) == 1 and (answer[0] != STATUS_OK or size != 0):
            raise ChipError(answer[0], opcode)
        if size != 0 and len(answer) != size:
            raise AssertionError(f"{len(answer)} bytes, not {size}")
        return answer

    def revision(self):
        return self.ask(0x30, 0x00, 0, size=4)

    def random(self):
        return self.ask(0x1B, 0x00, 0, size=32)

    def read_config(self):
        return b"".join(self.ask(0x02, 0x80, block << 3, size=32)
                        for block in range(4))

    def read_word(self, slot, block, word):
        return self.ask(0x02, 0x02, block << 8 | slot << 3 | word, size=4)

    def read_block(self, slot, block):
        return self.ask(0x02, 0x82, block << 8 | slot << 3, size=32)

    def read_slot(self, slot):
        blocks = -(-SLOT_SIZES[slot] // 32)
        data = b"".join(self.read_block(slot, i) for i in range(blocks))
        return data[:SLOT_SIZES[slot]]

    def write_block(self, slot, block, data):
        """A whole block; what lies beyond the slot's end is ignored."""
        self.ask(0x12, 0x82, block << 8 | slot << 3, data.ljust(32, b"\0"))

    def nonce_to_temp_key(self, value):
        self.ask(0x16, 0x03, 0, value)

    def nonce_to_digest_buffer(self, value):
        self.ask(0x16, 0x43, 0, value)

    def genkey_digest(self, slot):
        """TempKey becomes the digest of the slot's public key."""
        self.ask(0x40, 0x10, slot, bytes(3))

    def verify_stored(self, slot, digest, signature):
        self.nonce_to_digest_buffer(digest)
        self.ask(0x45, 0x20, slot, signature)

    def verify_external(self, key, digest, signature):
        self.nonce_to_digest_buffer(digest)
        self.ask(0x45, 0x22, 0x0004, signature + key)

    def public_key(self, slot):
        return self.ask(0x40, 0x00, slot, size=64)

    def sign(self, slot, digest):
        self.nonce_to_digest_buffer(digest)
        return self.ask(0x41, 0xA0, slot, size=64)

    def mac_of_temp_key(self, challenge):
        """MAC whose key is TempKey as Nonce loaded it: shows what is in
        TempKey, and spends it."""
        return self.ask(0x08, 0x06, 0, challenge, size=32)


def expected_mac_of_temp_key(config, temp_key, challenge):
    serial = serial_of(config)
    return hashlib.sha256(
        temp_key + challenge + bytes([0x08, 0x06, 0, 0]) + bytes(11) +
        serial[8:9] + bytes(4) + serial[0:2] + bytes(2)).digest()


# Public keys in a slot.

def serial_of(config):
    return config[0:4] + config[8:13]


def stored_key(key):
    """X, Y as a slot of 72 bytes holds them."""
    return bytes(4) + key[:32] + bytes(4) + key[32:]


def key_of(stored):
    return stored[4:36] + stored[40:72]


def is_validated(first_byte):
    return first_byte >> 4 == 5


def slot_pair(config, slot):
    """SlotConfig and KeyConfig of a slot, two bytes each."""
    return (config[20 + 2 * slot:22 + 2 * slot],
            config[96 + 2 * slot:98 + 2 * slot])


def other_data(config, slot, parent, invalidate):
    """OtherData of Verify(Validate), 19 bytes, for the chip that has this
    configuration: bytes 33-42, 44-47 and 50-54 of the signed message."""
    slot_config, key_config = slot_pair(config, slot)
    locked = int.from_bytes(config[88:90], "little")
    flags = slot | 1 << 4 | 1 << 6  # SourceFlag, GenKeyData
    return (bytes([0, parent, 0]) + slot_config + key_config +
            bytes([flags, 0, 0]) + bytes(4) + bytes(2) +
            bytes([locked >> slot & 1, int(invalidate), 0]))


def signed_digest(config, slot, parent, key, nonce, invalidate):
    """What the authority signs for a key: DS40002138A 5.2.5.3."""
    serial = serial_of(config)
    digest = hashlib.sha256(
        nonce + b"\x40" + bytes(3) + serial[8:9] + serial[0:2] + bytes(25) +
        key).digest()
    other = other_data(config, slot, parent, invalidate)
    return hashlib.sha256(
        digest + b"\x41" + other[:10] + serial[8:9] + other[10:14] +
        serial[0:2] + other[14:]).digest()


# The vendor's header and what its firmware does with it.

ARRAYS = (("validated_nonce", 32), ("validated_signature", 64),
          ("invalidated_nonce", 32), ("invalidated_signature", 64),
          ("rotating_digest", 32), ("rotating_signature", 64),
          ("public_key", 64))


def read_header(text):
    """The seven arrays of public_key_rotation.h by name; raises unless they
    are there in their order and of their sizes."""
    found = re.findall(r"uint8_t\s+(\w+)\s*\[(\d*)\]\s*=\s*\{([^}]*)\}\s*;",
                       text)
    arrays = {}
    for (name, size), (name_found, stated, body) in zip(
            ARRAYS, found, strict=True):
        data = bytes(int(word, 16) for word in body.replace(",", " ").split())
        if name_found != name or len(data) != size:
            raise AssertionError(f"{name_found}[{len(data)}], not {name}")
        if stated and int(stated) != size:
            raise AssertionError(f"{name}[{stated}] holds {size} bytes")
        arrays[name] = data
    return arrays


def validate(chip, header, kind, slot=14, parent=13):
    """Reads key and configuration, then Nonce 03, GenKey 10, Verify 03 or 07
    with the pair of that kind."""
    invalidate = kind == "invalidated"
    chip.read_slot(slot)
    config = chip.read_config()
    chip.nonce_to_temp_key(header[kind + "_nonce"])
    chip.genkey_digest(slot)
    chip.ask(0x45, 0x07 if invalidate else 0x03, slot,
             header[kind + "_signature"] +
             other_data(config, slot, parent, invalidate))


def rotate_like_the_vendor(chip, header, slot=14):
    """The order of the vendor's firmware. Answers the steps taken; a
    refusal raises ChipError with the step in `step`."""
    steps = []

    def step(name, *call):
        try:
            call[0](*call[1:])
        except ChipError as error:
            error.step = name
            raise
        steps.append(name)

    if is_validated(chip.read_word(slot, 0, 0)[0]):
        step("invalidate", validate, chip, header, "invalidated")
    stored = stored_key(header["public_key"])
    for block in range(3):
        step(f"write {block}", chip.write_block, slot, block,
             stored[32 * block:32 * block + 32])
    step("validate", validate, chip, header, "validated")
    step("verify", chip.verify_stored, slot, header["rotating_digest"],
         header["rotating_signature"])
    return steps
