#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets: corpus.py [FOLDER].

They are in the repository; this says what they are. Key files are new ones
each time, made for this purpose alone, and those that are there stay.
"""

import base64
import hashlib
import json
import pathlib
import struct
import subprocess
import sys

CONFIG = bytes(range(128))  # the state of fuzz_bundle.c
SERIAL = CONFIG[0:4] + CONFIG[8:13]


def crc(data):
    value = 0
    for byte in data:
        for bit in range(8):
            high = value >> 15
            value = (value << 1) & 0xFFFF
            if (byte >> bit & 1) != high:
                value ^= 0x8005
    return struct.pack("<H", value)


def frame(body):
    counted = bytes([len(body) + 3]) + body
    return counted + crc(counted)


def command(opcode, param1, param2, data=b""):
    return frame(struct.pack("<BBH", opcode, param1, param2) + data)


def packets():
    yield "wake", frame(b"\x11")
    yield "info", command(0x30, 0, 0)
    yield "nonce", command(0x16, 0x03, 0, bytes(32))
    yield "write", command(0x12, 0xC2, 0x0040, bytes(64))
    yield "longest", command(0x45, 0x02, 4, bytes(148))


# --- requests and bundles


def configuration_digest():
    locked = CONFIG[88] | CONFIG[89] << 8
    bits = locked >> 13 & 3
    return hashlib.sha256(
        CONFIG[20:52] + CONFIG[90:128] + bytes([bits])).digest()


def request(flags):
    old = b"\x0A" * 64 if flags & 2 else bytes(64)
    serial = SERIAL if flags & 1 else SERIAL[:2] + bytes(6) + SERIAL[8:]
    return (b"KWR1" + bytes([flags, 14, 0, 0]) + struct.pack("<I", 3) +
            serial + b"\x03\0\0" + CONFIG[20:52] + CONFIG[90:128] + b"\0\0" +
            old + b"\x0B" * 64 + b"\x0C" * 64)


def bundle(flags, sequence=4):
    old = b"\x0A" * 64 if flags & 2 else bytes(64)
    pairs = b"\x0D" * 192 if flags & 4 else bytes(192)
    serial = SERIAL if flags & 1 else SERIAL[:2] + bytes(6) + SERIAL[8:]
    return (b"KWB1" + bytes([flags, 14, 0, 0]) +
            struct.pack("<I", sequence) + serial + bytes(3) +
            configuration_digest() + old + pairs + b"\x0B" * 64 +
            b"\x0E" * 96 + b"\x0F" * 64)


def bundles():
    for flags in (0, 1, 2, 3, 7):
        yield f"request-{flags}", bytes([0, 0, 0]) + request(flags)
        yield f"blank-{flags}", bytes([0, 3, 0]) + bundle(flags)
    yield "ready", bytes([0x01, 3, 0]) + bundle(7)
    yield "writing", bytes([0x04, 3, 0]) + bundle(7)
    yield "validated", bytes([0x0F, 3, 0]) + bundle(7)
    yield "done", bytes([0x0F, 4, 0]) + bundle(7)
    yield "foreign", bytes([0x11, 3, 0]) + bundle(7)
    yield "ahead", bytes([0x01, 3, 0]) + bundle(7, 99)


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def envelopes():
    for name, payload in (("request", request(7)), ("bundle", bundle(7)),
                          ("fleet", bundle(0)), ("short", b"KWB1")):
        object_ = {"payload": text(payload), "signature": text(b"\x05" * 64)}
        yield name, json.dumps(object_, separators=(",", ":")).encode()
    yield "spaced", json.dumps(object_, indent=1).encode() + b"\n"


# --- images, lines, keys


def image_copy(sequence, size=40, kind=b"fuzz"):
    head = (b"KWIMAGE\n" + struct.pack("<HHI", 1, 64, size) +
            kind.ljust(8, b"\0") + struct.pack("<Q", sequence))
    content = bytes([sequence & 0xFF]) * 40
    return head + hashlib.sha256(head + content).digest() + content


def images():
    yield "fresh", b"\0" + image_copy(0) + image_copy(1)
    yield "one", b"\0" + image_copy(5)
    yield "second", b"\0" + bytes(104) + image_copy(9)
    yield "size", b"\3" + image_copy(2, size=41) + image_copy(3)
    yield "kind", b"\3" + image_copy(2, kind=b"other") + image_copy(3)
    yield "torn", b"\0" + image_copy(0) + image_copy(1)[:80]


def lines():
    serial = SERIAL_TEXT
    yield "empty", b""
    yield "register", b"".join(
        json.dumps({"serial": owner, "slot": 14, "sequence": number,
                    "authority": "ab" * 32, "old_key": None,
                    "new_key": "cd" * 32}).encode() + b"\n"
        for owner, number in ((serial, 1), (None, 2), (serial, 3)))
    journal = [{"event": "begin", "serial": serial, "verb": "run"},
               {"event": "new-key", "file": "keys/some",
                "fingerprint": "cd" * 32},
               {"event": "bundle", "file": "bundles/b", "sequence": 4},
               {"event": "applied", "sequence": 4},
               {"event": "closed", "outcome": "done"}]
    for count in range(1, len(journal) + 1):
        yield f"journal-{count}", b"".join(
            json.dumps(line).encode() + b"\n" for line in journal[:count])
    yield "torn", b'{"event":"begin"}\n{"event":"new-k'
    yield "damaged", b'{"event":"begin"}\n[1]\n'


SERIAL_TEXT = "0123456789abcdef01"


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True,
                          capture_output=True).stdout


def keys():
    yield "p256", openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                          "ec_paramgen_curve:P-256")
    yield "sec1", openssl("ecparam", "-name", "prime256v1", "-genkey")
    yield "p384", openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                          "ec_paramgen_curve:P-384")
    yield "ed25519", openssl("genpkey", "-algorithm", "ED25519")
    yield "password", openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                              "ec_paramgen_curve:P-256", "-aes-128-cbc",
                              "-pass", "pass:word")


# --- the chip: see fuzz_chip.c

READ, MAC, WRITE, GENDIG, NONCE, LOCK, RANDOM, COUNTER, INFO, GENKEY, SIGN, \
    VERIFY, _, SHA, PRIVWRITE = range(15)
WAKE, IDLE, SLEEP, POWER, WAIT, STORE, FAIL, RAW = (
    bytes([i]) for i in range(8))
COMMAND = 8
SEAL = 0x10


def chip(part, config_open=False, data_open=False, patches=(), locked=0xFFFF):
    bits = part | config_open << 3 | data_open << 4 | len(patches) << 5
    return (bytes([bits]) +
            b"".join(struct.pack("<BHH", *patch) for patch in patches) +
            struct.pack("<H", locked))


def do(number, param1, param2, data=b""):
    return (bytes([COMMAND, number]) + struct.pack("<BHB", param1, param2,
                                             len(data)) + data)


def other(opcode, param1, param2, data=b""):
    """A command without a number of its own in fuzz_chip.c."""
    return (bytes([COMMAND, 0x0F, opcode]) +
            struct.pack("<BHB", param1, param2, len(data)) + data)


def later_chips():
    """CheckMac, DeriveKey, ECDH, KDF, AES, SecureBoot, SelfTest,
    UpdateExtra."""
    nonce, num_in, point = b"\x5A" * 32, bytes(20), b"\x66" * 64
    good = b"\x01" + b"\x77" * 63
    derived = [(4, 0x358F, 0x003C), (5, 0xA58F, 0x003C)]
    yield "checkmac", chip(0) + other(0x28, 0, 5, bytes(77)) + \
        do(NONCE, 0, 0, num_in) + other(0x28, 1, 5, bytes(77))
    yield "derivekey", chip(0, patches=derived) + do(NONCE, 3, 0, nonce) + \
        other(0x1C, 4, 4) + do(NONCE, 3, 0, nonce) + \
        other(0x1C, 4, 5, bytes(32))
    yield "ecdh", chip(0) + other(0x43, 0x0C, 0, point) + \
        other(0x43, 0x0E, 0, point) + do(GENKEY, 4, 0xFFFF) + \
        other(0x43, 0x05, 9, point) + other(0x43, 0x08, 2, point)
    yield "kdf", chip(0) + do(NONCE, 0x23, 0, nonce * 2) + \
        other(0x56, 0x10, 0, b"\x01\x01\0\x04seed") + \
        other(0x56, 0x28, 0x0900, bytes(20)) + \
        other(0x56, 0x56, 5, b"\x02\0\0\x04text") + \
        other(0x56, 0x0C, 0, b"\x01\x03\0\x04seed")
    yield "aes", chip(0) + other(0x51, 0, 9, bytes(16)) + \
        other(0x51, 3, 0, bytes(32)) + do(NONCE, 3, 0, nonce) + \
        other(0x51, 0x41, 0xFFFF, bytes(16))
    yield "secureboot", chip(0) + \
        b"".join(do(WRITE, 0x82, 15 << 3 | block << 8, bytes(32))
                 for block in range(3)) + other(0x80, 7, 0, nonce + good) + \
        other(0x80, 6, 0, nonce) + do(NONCE, 0, 0, num_in) + \
        other(0x80, 0x86, 0, nonce)
    yield "selftest", chip(0) + other(0x77, 0x3B, 0) + other(0x77, 0, 0) + \
        other(0x20, 1, 0x42) + other(0x20, 1, 0x43)


def chips():
    yield from later_chips()
    digest = b"\x5A" * 32
    good = b"\x01" + b"\x77" * 63
    num_in = bytes(20)
    yield "read", chip(0) + b"".join(
        [do(INFO, 0, 0), do(READ, 0x80, 0), do(READ, 0x80, 3 << 3),
         do(READ, 0x82, 5 << 3), do(READ, 0x82, 8 << 3), do(RANDOM, 0, 0)])
    yield "sign", chip(0) + do(GENKEY, 0, 0) + do(NONCE, 0x43, 0, digest) + \
        do(SIGN, 0xA0, 0) + do(NONCE, 0x03, 0, digest) + do(SIGN, 0x80, 2)
    yield "make-key", chip(1) + do(GENKEY, 4, 2) + \
        do(NONCE, 0, 0, num_in) + do(GENKEY, 0x0C, 3) + \
        do(GENKEY, 4, 0xFFFF)
    yield "rotate", chip(0) + b"".join(
        [do(WRITE, 0x82, (slot << 3) | block << 8, bytes(32))
         for slot in (13, 14) for block in range(3)]) + do(NONCE, 3, 0, digest) + \
        do(GENKEY, 0x10, 14, bytes(3)) + \
        do(VERIFY, 3, 14, good + bytes(19)) + do(NONCE, 0x43, 0, digest) + \
        do(VERIFY, 0x20, 14, good) + do(NONCE, 3, 0, digest) + \
        do(GENKEY, 0x10, 14, bytes(3)) + \
        do(VERIFY, 7, 14, good + bytes(17) + b"\1\0") + \
        do(COUNTER, 1, 1) + do(COUNTER, 0, 1)
    yield "encrypted-write", chip(0) + do(NONCE, 0, 0, num_in) + \
        do(GENDIG, 2, 6, bytes(4)) + do(WRITE | SEAL, 0xC2, 5 << 3, bytes(64))
    yield "encrypted-read", chip(0, patches=[(9, 0x0FC5, 0x001C)]) + \
        do(NONCE, 0, 0, num_in) + do(GENDIG, 2, 5) + do(READ, 0x82, 9 << 3)
    yield "privwrite", chip(2, data_open=True) + \
        do(PRIVWRITE, 0, 0, bytes(4) + b"\x11" * 32 + bytes(32)) + \
        do(LOCK, 0x81, 0) + do(GENKEY, 0, 0)
    for rules in (0x4685, 0x0685):
        yield f"privwrite-{rules:04x}", chip(0, patches=[(0, rules, 0x53)]) + \
            do(NONCE, 0, 0, num_in) + do(GENDIG, 2, 6, bytes(4)) + \
            do(PRIVWRITE | SEAL, 0x40, 0, bytes(4) + b"\x11" * 32 + bytes(32))
    yield "failing", chip(0) + b"".join(
        FAIL + bytes([i]) + do(GENKEY, 0x04, 2) + FAIL + bytes([i]) +
        do(NONCE, 0, 0, num_in) for i in range(3)) + \
        do(NONCE, 0x43, 0, digest) + FAIL + b"\0" + do(SIGN, 0xA0, 0) + \
        FAIL + b"\0" + do(VERIFY, 0x22, 4, good + good) + \
        do(SHA, 0, 0) + FAIL + b"\0" + do(SHA, 1, 64, bytes(64))
    yield "personalise", chip(2, config_open=True) + \
        do(WRITE, 0x80, 8, bytes(32)) + do(WRITE, 0, 5, b"\x8F\x20\x8F\x20") + \
        do(LOCK, 0x80, 0) + do(WRITE, 0x82, 8 << 3, b"\x22" * 32) + \
        do(GENKEY, 4, 0) + do(WRITE, 0x81, 0, b"\x33" * 32) + \
        do(LOCK, 0x81, 0) + do(READ, 0x82, 8 << 3) + do(LOCK, 0x22, 0)
    yield "sha", chip(0) + do(SHA, 0, 0) + do(SHA, 1, 64, bytes(64)) + \
        do(SHA, 6, 0) + do(SHA, 2, 3, b"abc") + do(SHA, 4, 9) + \
        do(SHA, 0xC2, 0)
    yield "mac", chip(0) + do(NONCE, 0, 0, num_in) + do(MAC, 1, 9) + \
        do(MAC, 0, 9, bytes(32)) + do(NONCE, 3, 0, digest) + \
        do(GENDIG, 4, 1, bytes(4)) + do(INFO, 2, 0) + do(INFO, 1, 14)
    yield "life", chip(0) + do(NONCE, 3, 0, digest) + IDLE + WAKE + \
        do(INFO, 2, 0) + SLEEP + do(INFO, 2, 0) + WAKE + WAIT + b"\x80" + \
        do(GENKEY, 0, 0) + POWER + WAKE + STORE + do(COUNTER, 1, 0) + STORE + \
        RAW + bytes([8]) + command(0x30, 0, 0)


# --- the board's wires: see fuzz_wire_*.c


INFO_PACKET = command(0x30, 0, 0)
READ_SERIAL = command(0x02, 0, 0)


def kit_wires():
    talk = b"E:t(" + INFO_PACKET.hex().upper().encode() + b")\n"
    yield "session", (b"\0board:device(00)\nE:physical:interface:i2c\n"
                      b"E:physical:select(6C)\nE:w()\n" + talk +
                      b"E:i()\nE:s()\n")
    yield "collision", b"\2E:physical:select(6C)\nE:w()\n" + talk
    yield "faults", b"\x08E:physical:select(6C)\nE:w()\n" + talk * 24
    yield "padded", b"\4E:w()\r\n\0\0\0E:t(07)\nE:t(zz)\n\n"
    yield "long", b"\0" + b"x" * 700 + b"\nE:w()\n"


def swi_wires():
    bits = bytes(0x7F if byte >> bit & 1 else 0x7D
                 for byte in b"\x88" for bit in range(8))
    yield "bits", b"\0\0\0" + bits
    session = b"\x88\x77" + INFO_PACKET + b"\x88\xBB"
    yield "session", b"\0\1\0\xFF" + session
    yield "busy", b"\1\1\0\xFF" + session + b"\x88" * 4
    yield "faults", b"\x09\1\0\xFF" + (session + b"\x88" * 2) * 12
    yield "cut", b"\0\1\0\xFF\x77\x07\x30\0\xFF\x88\xFF\xCC"


def word_wires():
    yield "session", b"\0\0\3" + INFO_PACKET + b"\0\2\0\3" + READ_SERIAL + b"\1"
    yield "short", b"\0\0\3\0\3\1\3\2\0\3\6" + bytes(5)
    yield "deaf", b"\1\3" + INFO_PACKET + b"\0\3" + INFO_PACKET
    count = b"\3" + command(0x24, 1, 1)
    yield "faults", b"\x08\0" + count * 12 + b"\0" + count
    yield "stuck", b"\x09\0" + (b"\3" + INFO_PACKET) * 24


def messages(*parts):
    return b"".join(bytes([len(part)]) + part for part in parts)


def bridge_wires():
    session = messages(b"\2\3\x6C", b"\2\1\x6C\xFF" + INFO_PACKET,
                       b"\2\2\x6C\0\xFF\0", b"\2\4\x6C", b"\2\5\x6C")
    yield "session", b"\0" + session
    yield "collision", b"\2" + session
    yield "faults", b"\x09" + session * 12
    yield "odd", b"\4" + messages(b"\1", b"\2\x12", b"\2\x11\x6A\0\7")


def i2c_wires():
    def write(address, data, flags=0):
        return struct.pack("<BBH", flags, address, len(data)) + data

    def read(address, size, flags=1):
        return struct.pack("<BBH", flags, address, size)

    session = messages(
        write(0, b"\0"), read(0x36, 4), write(0x36, b"\3" + INFO_PACKET),
        write(0x36, b"\0"), read(0x36, 1), read(0x36, 9),
        write(0x36, b"\2\2"))
    yield "session", b"\0" + session
    yield "collision", b"\2" + session
    yield "busy", b"\1" + session * 3
    yield "faults", b"\x09" + session * 12
    yield "pieces", b"\0" + messages(
        write(0, b"\0"), write(0x36, b"\3" + INFO_PACKET[:3]), read(0x36, 1),
        write(0x36, b"\3" + INFO_PACKET[3:], 2), read(0x36, 4), read(0x36, 3),
        write(0x35, b"\1"), write(0x60, b"\x77"))


def frames():
    """Recorded frames: docs/formats.md."""
    def to_chip(*arguments):
        return f"> {command(*arguments).hex()}"

    def answer(data):
        return f"< {frame(data).hex()}"

    yield "revision", (b"# the revision\n> wake\n> 07 30 00 00 00 03 5D\n"
                       b"< 07 00 00 60 03 83 BB\n> idle\n")
    lines = []
    for block in range(4):
        lines += [to_chip(0x02, 0x80, block << 3),
                  answer(CONFIG[32 * block:32 * block + 32])]
    lines += [to_chip(0x12, 0x82, 6 << 3, bytes(32)), answer(b"\x0f"),
              to_chip(0x02, 0x82, 8 << 3), answer(bytes(range(32))),
              to_chip(0x46, 0x40, 2, bytes(68)), answer(b"\3"),
              to_chip(0x56, 0, 5, bytes(36)), answer(bytes(64)),
              to_chip(0x17, 0x80, 0), answer(b"\0")]
    yield "config_and_writes", ("\n".join(lines) + "\n").encode()
    yield "damaged", b"> 0730\n< 04\n> hello\n"


def hex_files():
    """Bytes, keys and signatures in files."""
    head = bytes.fromhex("302f300906072a8648ce4c030103220004")
    text = base64.b64encode(head + bytes(range(32))).decode()
    yield "config", CONFIG
    yield "text", b"# bytes\n0x01, 02 03\n" + b"ab" * 128
    yield "key", b"5a" * 32
    yield "pem", (f"-----BEGIN SYMMETRIC KEY-----\n{text[:64]}\n{text[64:]}"
                  "\n-----END SYMMETRIC KEY-----").encode()
    yield "signature", bytes.fromhex("3006020101020102")


def configurations():
    """128 bytes and commands: see fuzz_config.c."""
    def ask(opcode, param1, param2, data=b""):
        return (bytes([opcode, param1]) + param2.to_bytes(2, "little") +
                bytes([len(data)]) + data)

    locked = bytearray(CONFIG)
    locked[86:88] = b"\0\0"
    nonce = ask(0x16, 0x03, 0, bytes(32))
    each_slot = b"".join(
        nonce + ask(opcode, mode, slot, bytes(size))
        for slot in range(16)
        for opcode, mode, size in (
            (0x40, 0x00, 0), (0x41, 0x80, 0), (0x45, 0x00, 64),
            (0x08, 0x00, 32), (0x15, 0x02, 0), (0x43, 0x0C, 64),
            (0x51, 0x00, 16), (0x47, 0x04, 0), (0x1C, 0x04, 0)))
    memory = b"".join(ask(0x02, 0x82, slot << 3) +
                      ask(0x12, 0x82, slot << 3, bytes(32))
                      for slot in range(16))
    yield "open", CONFIG + memory
    yield "locked", bytes(locked) + each_slot
    yield "memory", bytes(locked) + memory
    yield "zeros", bytes(128) + each_slot


def choices():
    """Of a fleet's socket: 04 LEN NAME."""
    yield "last", b"\x04\x06chip-7"
    yield "first", b"\x04\x010"
    yield "more", b"\x04\x02aa\x00"
    yield "empty", b"\x04\x00"
    yield "nul", b"\x04\x02a\x00"
    yield "unknown", b"\x04\x02ab"
    yield "short", b"\x04\x05ab"
    yield "long", b"\x04\x41" + b"a" * 65
    yield "longest", b"\x04\xff" + b"b" * 255


CORPORA = {
    "fleet": choices,
    "config": configurations,
    "wire_kit": kit_wires, "wire_swi": swi_wires, "wire_words": word_wires,
    "wire_bridge": bridge_wires, "wire_i2c": i2c_wires,
    "frames": frames, "hex": hex_files,
    "packet": packets, "bundle": bundles, "envelope": envelopes,
           "image": images, "lines": lines, "key_pem": keys, "chip": chips}


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                        pathlib.Path(__file__).parent / "corpus")
    for name, inputs in CORPORA.items():
        folder = root / f"fuzz_{name}"
        folder.mkdir(parents=True, exist_ok=True)
        for input_, data in inputs():
            path = folder / input_
            if inputs is not keys or not path.exists():
                path.write_bytes(data)
            print(f"{folder.name}/{input_}: {len(data)} bytes")


if __name__ == "__main__":
    main()
