"""A blank chip's life over each wire, by hosts that know nothing of us:
configuration written and locked, data written and locked, every command.

The clients and the expected answers are written from the data sheet alone
(DS40002138A), with python3-cryptography as the oracle.
"""

import hashlib
import hmac
import os

import bridge_client
import i2c_client
import kit_client
import kw
import swi_client
import wire_case
import wire_frames as frames
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from wire_frames import packet

CURVE = ec.SECP256R1()
SHA = utils.Prehashed(SHA256())
MAC_KEY = bytes(range(0x40, 0x60))
ROLLING_KEY = bytes(range(0x60, 0x80))
AES_KEY = bytes(range(0x80, 0x90))
DIGEST = hashlib.sha256(b"a message").digest()
# Every command of the part (DS40002138A table 5-1).
COMMANDS = {0x02, 0x08, 0x12, 0x15, 0x16, 0x17, 0x1B, 0x1C, 0x20, 0x24, 0x28,
            0x30, 0x40, 0x41, 0x43, 0x45, 0x46, 0x47, 0x51, 0x56, 0x77, 0x80}

# Slot: SlotConfig and KeyConfig as they stand in the zone.
SLOTS = {
    0: ("8720", "3300"),   # private: signs anything, ECDH, GenKey
    1: ("8720", "3300"),
    2: ("8720", "3300"),   # private: written before the lock
    3: ("8020", "3c00"),   # rolled by DeriveKey
    4: ("8080", "3c00"),   # secret: MAC, CheckMac, GenDig, KDF
    5: ("c444", "3c00"),   # read and written under slot 4
    6: ("8080", "3800"),   # AES
    7: ("8080", "3e00"),   # takes what KDF derives
    8: ("0000", "3c00"),   # clear data
    11: ("0000", "3000"),  # a public key
    13: ("0000", "3000"),  # the one that validates slot 14
    14: ("0d10", "3200"),
}


def xy(key):
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def public_of(point):
    return ec.EllipticCurvePublicNumbers(
        int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"),
        CURVE).public_key()


def sign(key, digest):
    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(SHA)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def is_signed(point, digest, signature):
    """Raises unless it is."""
    public_of(point).verify(
        utils.encode_dss_signature(
            int.from_bytes(signature[:32], "big"),
            int.from_bytes(signature[32:], "big")),
        digest, ec.ECDSA(SHA))


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


class Life:
    """From the factory to the end; `run` sends a packet and answers the
    response frame."""

    def __init__(self, test, run):
        self.test = test
        self.run = run
        self.keys = {slot: ec.generate_private_key(CURVE)
                     for slot in (2, 11, 13, 14)}
        self.points = {}
        self.answered = set()  # the commands that did what they should

    # One command.

    def ask(self, *command, size=None):
        data = frames.data_of(self.run(packet(*command)))
        if len(data) > 1 or data == b"\0":
            self.answered.add(command[0])
        if size is not None:
            self.test.assertEqual(len(data), size, data.hex())
        return data

    def order(self, *command, status=0):
        self.test.assertEqual(self.ask(*command).hex(), f"{status:02x}")

    def equal(self, *values):
        self.test.assertEqual(*(value.hex() for value in values))

    # Before the configuration is locked.

    def configure(self):
        zone = bytearray(
            b"".join(self.ask(0x02, 0x80, block << 3, size=32)
                     for block in range(4)))
        self.serial = bytes(zone[0:4] + zone[8:13])
        for slot, (slot_config, key_config) in SLOTS.items():
            zone[20 + 2 * slot:22 + 2 * slot] = bytes.fromhex(slot_config)
            zone[96 + 2 * slot:98 + 2 * slot] = bytes.fromhex(key_config)
        zone[70:72] = b"\x01\xb0"  # SecureBoot: full, key in slot 11
        for word in (*range(5, 13), 17, *range(24, 32)):
            self.order(0x12, 0, word, bytes(zone[4 * word:4 * word + 4]))
        # Not lockable over another content.
        self.order(0x17, 0x00, 0x1234, status=0x0F)
        self.order(0x17, 0x00, int.from_bytes(frames.crc(bytes(zone)),
                                              "little"))
        self.order(0x12, 0, 5, bytes(4), status=0x0F)

    # Before the data zone is locked.

    def write_slot(self, slot, data):
        for block in range(0, len(data), 32):
            self.order(0x12, 0x82, block // 32 << 8 | slot << 3,
                       data[block:block + 32].ljust(32, b"\0"))

    def fill(self):
        for slot in (0, 1):
            self.points[slot] = self.ask(0x40, 0x04, slot, size=64)
        number = self.keys[2].private_numbers().private_value
        self.order(0x46, 0, 2,
                   bytes(4) + number.to_bytes(32, "big") + bytes(32))
        self.write_slot(3, ROLLING_KEY)
        self.write_slot(4, MAC_KEY)
        self.write_slot(6, AES_KEY.ljust(32, b"\0"))
        self.write_slot(7, bytes(32))
        self.write_slot(8, bytes(range(64)))
        for slot in (11, 13, 14):
            point = xy(self.keys[slot])
            self.write_slot(slot, bytes(4) + point[:32] + bytes(4)
                            + point[32:])
        self.order(0x12, 0x81, 0, b"one time".ljust(32, b"\0"))
        self.order(0x17, 0x81, 0)

    # Afterwards: every command.

    def use(self):
        self.information()
        self.memory()
        self.signatures()
        self.internal_signature()
        self.validation()
        self.macs()
        self.encrypted()
        self.derived()
        self.symmetric()
        self.the_end()

    def information(self):
        self.equal(self.ask(0x30, 0, 0), bytes.fromhex("00006003"))
        self.order(0x77, 0x3B)
        self.test.assertNotEqual(self.ask(0x1B, size=32),
                                 self.ask(0x1B, size=32))
        for value in (1, 2):
            self.equal(self.ask(0x24, 1, 0), value.to_bytes(4, "little"))
        self.equal(self.ask(0x24, 0, 0), bytes.fromhex("02000000"))
        self.order(0x20, 0, 0x5A)
        self.equal(self.ask(0x02, 0, 21)[:1], b"\x5a")

    def memory(self):
        self.equal(self.ask(0x02, 0x82, 8 << 3), bytes(range(32)))
        self.order(0x12, 0x02, 8 << 3 | 1, b"word")
        self.equal(self.ask(0x02, 0x02, 8 << 3 | 1), b"word")
        self.equal(self.ask(0x02, 0x01, 0), b"one ")
        for slot in (0, 4, 6):
            self.order(0x02, 0x82, slot << 3, status=0x0F)

    def signatures(self):
        self.equal(self.ask(0x40, 0x00, 2), xy(self.keys[2]))
        for slot, point in ((0, self.points[0]), (2, xy(self.keys[2]))):
            self.order(0x16, 0x43, 0, DIGEST)
            is_signed(point, DIGEST, self.ask(0x41, 0xA0, slot, size=64))
        good = sign(self.keys[11], DIGEST)
        for command in ((0x20, 11, good),
                        (0x22, 4, good + xy(self.keys[11]))):
            self.order(0x16, 0x43, 0, DIGEST)
            self.order(0x45, *command)
            self.order(0x16, 0x43, 0, bytes(32))
            self.order(0x45, *command, status=0x01)
        # SecureBoot(Full).
        self.order(0x80, 0x05, 0, DIGEST + good)
        self.order(0x80, 0x05, 0, bytes(32) + good, status=0x01)
        peer = ec.generate_private_key(CURVE)
        self.equal(
            self.ask(0x43, 0x0C, 0, xy(peer)),
            peer.exchange(ec.ECDH(), public_of(self.points[0])))

    def internal_signature(self):
        """Slot 2 signs what GenKey made of TempKey with slot 0: 55 bytes."""
        number = os.urandom(20)
        random = self.ask(0x16, 0x00, 0, number, size=32)
        self.ask(0x40, 0x08, 0, size=64)
        temp_key = sha(sha(random, number, b"\x16\0\0"), b"\x40\x08\0\0",
                       self.sn8(), self.sn01(), bytes(25), self.points[0])
        slot_config, key_config = map(bytes.fromhex, SLOTS[0])
        message = b"".join((
            temp_key, b"\x41\x40\x02\x00", slot_config, key_config,
            b"\x40\0\0",  # KeyID 0, GenKeyData
            self.sn8(), self.serial[4:8], self.sn01(), self.serial[2:4],
            b"\x01\0\0"))
        self.test.assertEqual(len(message), 55)
        is_signed(xy(self.keys[2]), sha(message),
                  self.ask(0x41, 0x40, 2, size=64))

    def validation(self):
        """Slot 14 with slot 13's key, then invalidated."""
        for mode in (0x03, 0x07):
            nonce = os.urandom(32)
            other = bytes([0] * 17 + [mode >> 2 & 1, 0])
            self.order(0x16, 0x03, 0, nonce)
            self.order(0x40, 0x10, 14, bytes(3))
            temp_key = sha(nonce, b"\x40", bytes(3), self.sn8(), self.sn01(),
                           bytes(25), xy(self.keys[14]))
            digest = sha(temp_key, b"\x41", other[:10], self.sn8(),
                         other[10:14], self.sn01(), other[14:])
            self.order(0x45, mode, 14, sign(self.keys[13], digest) + other)
            self.order(0x16, 0x43, 0, DIGEST)
            self.order(0x45, 0x20, 14, sign(self.keys[14], DIGEST),
                       status=0x00 if mode == 0x03 else 0x0F)

    def sn8(self):
        return self.serial[8:9]

    def sn01(self):
        return self.serial[:2]

    def random_nonce(self):
        """Makes a random TempKey and answers what it must be."""
        number = os.urandom(20)
        random = self.ask(0x16, 0x00, 0, number, size=32)
        return sha(random, number, b"\x16\x00\x00")

    def macs(self):
        challenge = os.urandom(32)
        wanted = sha(MAC_KEY, challenge, b"\x08\x00\x04\x00", bytes(11),
                     self.sn8(), bytes(4), self.sn01(), bytes(2))
        self.equal(self.ask(0x08, 0x00, 4, challenge), wanted)
        other = b"\x08\x00\x04\x00" + bytes(9)
        self.order(0x28, 0x00, 4, challenge + wanted + other)
        self.order(0x28, 0x00, 4, bytes(32) + wanted + other, status=0x01)

    def gendig(self):
        temp_key = self.random_nonce()
        self.order(0x15, 0x02, 4)
        return sha(MAC_KEY, b"\x15\x02\x04\x00", self.sn8(), self.sn01(),
                   bytes(25), temp_key)

    def encrypted(self):
        secret = os.urandom(32)
        temp_key = self.gendig()
        mac = sha(temp_key, b"\x12\xc2\x28\x00", self.sn8(), self.sn01(),
                  bytes(25), secret)
        self.order(0x12, 0xC2, 5 << 3, xor(secret, temp_key) + mac)
        self.order(0x02, 0x82, 5 << 3, status=0x0F)
        temp_key = self.gendig()
        self.equal(xor(self.ask(0x02, 0x82, 5 << 3), temp_key), secret)

    def derived(self):
        temp_key = self.random_nonce()
        self.order(0x1C, 0x00, 3)
        rolled = sha(ROLLING_KEY, b"\x1c\x00\x03\x00", self.sn8(),
                     self.sn01(), bytes(25), temp_key)
        challenge = bytes(32)
        self.equal(
            self.ask(0x08, 0x00, 3, challenge),
            sha(rolled, challenge, b"\x08\x00\x03\x00", bytes(11),
                self.sn8(), bytes(4), self.sn01(), bytes(2)))
        # KDF: HKDF from slot 4 to the output, message in the input.
        self.equal(self.ask(0x56, 0x52, 4, b"\x02\0\0\x05" + b"hello"),
                   hmac.digest(MAC_KEY, b"hello", "sha256"))
        # KDF: PRF of TLS 1.2 to the output, then to slot 7, whose MAC shows
        # it.
        seed = b"label and seed!!"
        first = hmac.digest(MAC_KEY, seed, "sha256")
        wanted = hmac.digest(MAC_KEY, first + seed, "sha256")
        details = b"\1\0\0" + bytes([len(seed)])  # a key of 32 bytes
        self.equal(self.ask(0x56, 0x12, 4, details + seed), wanted)
        self.order(0x56, 0x0A, 7 << 8 | 4, details + seed)
        self.equal(
            self.ask(0x08, 0x00, 7, challenge),
            sha(wanted, challenge, b"\x08\x00\x07\x00", bytes(11),
                self.sn8(), bytes(4), self.sn01(), bytes(2)))

    def symmetric(self):
        self.order(0x47, 0x00)
        self.order(0x47, 0x01, 64, bytes(64))
        self.equal(self.ask(0x47, 0x02, 3, b"end"), sha(bytes(64), b"end"))
        self.order(0x47, 0x04, 4)
        self.equal(self.ask(0x47, 0x02, 5, b"hello"),
                   hmac.digest(MAC_KEY, b"hello", "sha256"))
        cipher = Cipher(algorithms.AES(AES_KEY), modes.ECB())
        encryptor = cipher.encryptor()
        plain = bytes(range(16))
        wanted = encryptor.update(plain) + encryptor.finalize()
        self.equal(self.ask(0x51, 0x00, 6, plain), wanted)
        self.equal(self.ask(0x51, 0x01, 6, wanted), plain)
        # GFM: SP 800-38D, test case 2 of its authors: H, then H times C.
        key, text = (bytes.fromhex(value) for value in (
            "66e94bd4ef8a2c3b884cfa59ca342b2e",
            "0388dace60b6a392f328c2b971b2fe78"))
        self.equal(self.ask(0x51, 0x03, 0, key + text),
                   bytes.fromhex("5e2ec746917062882c85b0685353deb7"))
        self.context()

    def context(self):
        """A SHA computation goes away and comes back."""
        self.order(0x47, 0x00)
        self.order(0x47, 0x01, 64, bytes(64))
        context = self.ask(0x47, 0x06, 0, size=36)
        self.order(0x47, 0x00)
        self.ask(0x47, 0x02, 0, size=32)
        self.order(0x47, 0x07, len(context), context)
        self.equal(self.ask(0x47, 0x02, 3, b"end"), sha(bytes(64), b"end"))

    def the_end(self):
        """A slot is locked, and can be no more changed."""
        self.order(0x17, 8 << 2 | 2)
        self.order(0x12, 0x02, 8 << 3, b"late", status=0x0F)
        self.equal(self.ask(0x02, 0x02, 8 << 3 | 1), b"word")
        # An opcode that no 608 has.
        self.order(0x13, 0, 0, status=0x03)
        self.test.assertEqual(self.answered, COMMANDS)


class BlankLife(wire_case.Case):
    def live(self, run):
        life = Life(self, run)
        life.configure()
        life.fill()
        life.use()

    def test_kit(self):
        kit = self.opened(kit_client.Kit(self.wire("--kit-pty", "kit")))
        kit.select(wire_case.BLANK)
        self.live(kit.run)

    def test_i2c(self):
        bus = self.opened(i2c_client.Bus(self.wire("--i2c", "bus")))
        self.live(lambda request: bus.run(0x60, request))

    def test_bridge(self):
        bridge = self.opened(
            bridge_client.Bridge(self.wire("--bridge", "bridge")))
        self.live(lambda request: bridge.run(wire_case.BLANK, request))

    def test_swi(self):
        swi = self.opened(swi_client.Swi(
            self.wire("--swi-pty", "swi", "--chip", "sim:blank")))
        self.assertEqual(swi.wake(), frames.AWOKE)
        self.live(swi.run)

    def test_tcp(self):
        self.wire("--tcp", "0", "--chip", "sim:blank")
        chip = self.connect("blank", 1)

        def run(request):
            chip.send(b"\x00")
            first = chip.receive(1)
            chip.receive(first[0] - 1)
            chip.send(b"\x03" + request)
            count = chip.receive(1)
            frame = count + chip.receive(count[0] - 1)
            chip.send(b"\x02")
            return frame

        self.live(run)


if __name__ == "__main__":
    kw.main()
