"""Random chips and random commands, biased toward what decides something."""

import struct

import eeprom as e
import messages as msg
from model import zone_offset

WRITE_CONFIGS = (0, 1, 2, 3, 4, 6, 8, 10, 15)
NUMBERS = tuple(range(16))


class KeyPool:
    """A few private keys; their public keys are found again by value."""

    def __init__(self, count=24):
        self.privates = [msg.sha256(b"key", bytes([i])) for i in range(count)]
        self.private_of = {msg.public_of(p): p for p in self.privates}

    def private(self, rng):
        return rng.choice(self.privates)


POOL = KeyPool()


def stored_public(public, top):
    return bytes([top, 0, 0, 0]) + public[:32] + bytes(4) + public[32:]


def chance(rng, probability):
    return rng.random() < probability


# -- slots

def slot_words(private, key_type, policy):
    """SlotConfig and KeyConfig out of named fields."""
    slot = (policy["read_key"] | policy["no_mac"] << 4 |
            policy["limited_use"] << 5 | policy["encrypt_read"] << 6 |
            policy["is_secret"] << 7 | policy["write_key"] << 8 |
            policy["write_config"] << 12)
    key = (private | policy["pub_info"] << 1 | key_type << 2 |
           policy["lockable"] << 5 | policy["req_random"] << 6 |
           policy["req_auth"] << 7 | policy["auth_key"] << 8 |
           policy["persistent_disable"] << 12 | policy["x509_id"] << 14)
    return slot, key


def random_policy(rng, keys):
    """Keys: slots that make sense as ReadKey or WriteKey."""
    return {
        "read_key": rng.choice(keys), "no_mac": chance(rng, 0.1),
        "limited_use": chance(rng, 0.12), "encrypt_read": chance(rng, 0.3),
        "is_secret": chance(rng, 0.5), "write_key": rng.choice(keys),
        "write_config": rng.choice(WRITE_CONFIGS),
        "pub_info": chance(rng, 0.5), "lockable": chance(rng, 0.5),
        "req_random": chance(rng, 0.25), "req_auth": chance(rng, 0.06),
        "auth_key": rng.choice(NUMBERS),
        "persistent_disable": chance(rng, 0.06),
        "x509_id": rng.choice(NUMBERS[:4])}


def private_slot(rng, slot, layout):
    policy = random_policy(rng, layout["secret"])
    policy.update(read_key=rng.choice((1, 2, 3, 3, 3, 7, 15, 0)),
                  is_secret=chance(rng, 0.93), pub_info=chance(rng, 0.85),
                  write_config=rng.choice((0, 2, 4, 6, 6, 2)))
    key = POOL.private(rng) if chance(rng, 0.85) else b"\xFF" * 32
    content = bytes(4) + key if key[0] != 0xFF else b"\xFF" * 36
    return slot_words(True, near(rng, e.P256), policy), content


def public_slot(rng, slot, layout):
    policy = random_policy(rng, layout["public"])
    policy.update(is_secret=chance(rng, 0.1),
                  write_config=rng.choice((0, 1, 1, 4, 8)))
    public = msg.public_of(POOL.private(rng))
    if chance(rng, 0.06):
        public = public[:63] + bytes([public[63] ^ 1])
    top = rng.choice((0x50, 0x50, 0xA0, 0x00))
    return (slot_words(False, near(rng, e.P256), policy),
            stored_public(public, top))


def secret_slot(rng, slot, layout):
    policy = random_policy(rng, layout["secret"])
    key_type = rng.choice((e.AES, e.OTHER, e.OTHER))
    return slot_words(False, key_type, policy), rng.randbytes(36)


def near(rng, key_type):
    """Mostly this type, now and then one that makes no sense."""
    return key_type if chance(rng, 0.95) else rng.choice(NUMBERS[:8])


MAKERS = {"private": private_slot, "public": public_slot,
          "secret": secret_slot}


def random_layout(rng):
    """Kind of each slot, and the slots of each kind."""
    kinds = [rng.choice(("private", "private", "secret")) if slot < 8 else
             rng.choice(("public", "public", "public", "secret", "private"))
             for slot in range(16)]
    kinds[rng.randrange(8)] = "secret"
    kinds[rng.randrange(8, 16)] = "public"
    slots = {kind: [s for s in range(16) if kinds[s] == kind] or NUMBERS
             for kind in MAKERS}
    return kinds, slots


# -- chips

def random_image(rng):
    """An EEPROM, and which slots hold what."""
    kinds, layout = random_layout(rng)
    config = bytearray(128)
    config[0:16] = (b"\x01\x23" + rng.randbytes(2) + b"\0\0\x60\x03" +
                    rng.randbytes(4) + bytes([1, rng.randrange(2), 1, 0]))
    config[16:20] = b"\x6C\0\0\x01"
    image = bytearray(b"\0\0\x60" + bytes([rng.choice((2, 3))]))
    contents = []
    for slot, kind in enumerate(kinds):
        words, content = MAKERS[kind](rng, slot, layout)
        struct.pack_into("<H", config, 20 + 2 * slot, words[0])
        struct.pack_into("<H", config, 96 + 2 * slot, words[1])
        size = e.SLOT_SIZE[slot]
        contents.append(content.ljust(size, b"\xFF")[:size])
    random_limits(rng, config, contents, layout)
    config[70:76] = rng.randbytes(6)
    config[70:72] = b"\x03\xF7"
    locked = 0xFFFF
    for slot in range(16):
        locked &= ~(chance(rng, 0.12) << slot)
    lock = rng.choice(("both",) * 8 + ("config",) * 2 + ("none",))
    config[84:92] = struct.pack(
        "<BBBBHBB", 0, 0, 0 if lock == "both" else 0x55,
        0x55 if lock == "none" else 0, locked,
        0x0C | 2 * chance(rng, 0.8), rng.choice(NUMBERS) << 4)
    config[92:96] = bytes(rng.choice((0,) * 7 + (8,))
                          for _ in range(4))
    image += config + rng.randbytes(64) + b"".join(contents)
    assert len(image) == 196 + e.DATA_SIZE
    return bytes(image), layout


def random_limits(rng, config, contents, layout):
    """Counters, and CountMatch with a limit that is sometimes near."""
    for number in range(2):
        value = rng.choice((0, 3, 15, 16, 31, 32, 1000, e.COUNTER_MAX - 1,
                            e.COUNTER_MAX, rng.randrange(e.COUNTER_MAX)))
        config[52 + 8 * number:60 + 8 * number] = msg.counter_encode(value)
    if chance(rng, 0.5):
        slot = rng.choice(layout["secret"])
        config[18] = slot << 4 | 1
        count = msg.counter_decode(bytes(config[52:60]))
        limit = struct.pack("<I", max(0, count + rng.choice((-1, 0, 1, 50))))
        contents[slot] = limit * 8 + contents[slot][32:]


# -- commands: each answers packets, preparations first. They look at the
# model's state to build what a knowing host would send.

class Author:
    """Writes commands for one chip."""

    def __init__(self, rng, model, layout):
        self.rng = rng
        self.model = model
        self.layout = layout

    @property
    def eeprom(self):
        return self.model.state.eeprom

    @property
    def temp_key(self):
        return self.model.state.temp_key

    def chance(self, probability):
        return self.rng.random() < probability

    def slot(self, kind, wanted=None):
        """Mostly of this kind, and such that the command is not refused at
        the first gate."""
        if self.chance(0.12):
            return self.rng.choice(NUMBERS + (16, 0x100))
        slots = self.layout[kind]
        if wanted and self.chance(0.7):
            slots = [s for s in slots if wanted(s)] or slots
        return self.rng.choice(slots)

    def digest(self):
        return self.rng.randbytes(32)

    def send(self, opcode, p1=0, p2=0, data=b""):
        """A frame, now and then with a wrong bit in its parameters."""
        if self.chance(0.02):
            p1 ^= 1 << self.rng.randrange(8)
        if self.chance(0.01):
            p2 ^= 1 << self.rng.randrange(16)
        if self.chance(0.01):
            data = self.rng.choice((data[:-1], data + b"\0", b"", bytes(32)))
        packet = msg.frame(opcode, p1, p2, data[:148])
        return self.damaged(packet) if self.chance(0.004) else packet

    def damaged(self, packet):
        """A frame that cannot be read: CRC, size or count are wrong."""
        return self.rng.choice((
            packet[:-1] + bytes([packet[-1] ^ 0x80]),
            packet[:self.rng.randrange(1, len(packet))],
            packet + b"\0",
            bytes([packet[0] ^ 1]) + packet[1:],
            b"\x04\x30" + msg.crc16(b"\x04\x30").to_bytes(2, "little"),
            packet + bytes(156)))

    def unknown(self):
        """Opcodes of the 508 and 204, and such that never were."""
        yield self.send(self.rng.choice((0x11, 0x13, 0x01, 0x00, 0xFF)))

    # preparations

    def nonce_random(self):
        mode = self.rng.choice((0, 0, 1))
        return self.send(0x16, mode, 0, self.rng.randbytes(20))

    def nonce_fixed(self):
        return self.send(0x16, 0x03, 0, self.digest())

    def nonce_64(self):
        return self.send(0x16, 0x23, 0, self.digest() + self.digest())

    def nonce_message(self):
        return self.send(0x16, 0x43, 0, self.digest())

    def nonce_message_64(self):
        return self.send(0x16, 0x63, 0, self.digest() + self.digest())

    def nonce_alternate(self):
        return self.send(0x16, 0x83, 0, self.digest())

    def nonce_from_temp_key(self):
        return self.send(0x16, self.rng.choice((0, 1)), 0x8000,
                         self.rng.randbytes(20))

    def gendig_key(self, slot=None):
        if slot is None:
            slot = self.slot("secret")
        spare = struct.pack("<BBH", 0x15, 2, slot & 15)
        return self.send(0x15, 2, slot,
                         spare if self.chance(0.8) else b"")

    def gendig_other(self):
        zone = self.rng.choice((0, 1, 3, 3, 4, 5))
        p2 = {0: self.rng.randrange(4), 1: self.rng.randrange(2),
              3: self.rng.choice(NUMBERS) | self.rng.choice((0, 0x8000)),
              4: self.rng.randrange(2), 5: self.rng.choice(NUMBERS)}[zone]
        return self.send(0x15, zone, p2, self.digest() if zone == 3 else b"")

    def genkey_digest(self, slot=None):
        if slot is None:
            slot = self.slot("public")
        three = bytes(3) if self.chance(0.8) else self.rng.randbytes(3)
        return self.send(0x40, 0x10, slot, three)

    def genkey_private_digest(self):
        return self.send(0x40, self.rng.choice((0x08, 0x0C)),
                         self.slot("private"))

    def genkey_temp_key(self):
        return self.send(0x40, 0x04, 0xFFFF)

    def sha_to_temp_key(self):
        yield self.send(0x47, 0)
        data = self.rng.randbytes(self.rng.randrange(65))
        yield self.send(0x47, self.rng.choice((2, 2, 0x42)), len(data), data)

    def nonce(self):
        return self.rng.choice((
            self.nonce_random, self.nonce_random, self.nonce_random,
            self.nonce_fixed, self.nonce_64))()

    def prepare(self):
        """Packets that leave the volatile state somewhere interesting."""
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            choice = self.rng.choice(self.PREPARATIONS)
            if choice == "sha":
                yield from self.sha_to_temp_key()
            else:
                yield getattr(self, choice)()

    PREPARATIONS = (
        "nonce", "nonce", "nonce_message", "nonce_message_64",
        "nonce_alternate", "nonce_from_temp_key", "gendig_key",
        "gendig_other", "genkey_digest", "genkey_private_digest",
        "genkey_temp_key", "sha")

    # commands under test

    def info(self):
        mode = self.rng.choice((0, 1, 1, 2, 2, 3, 4, 5))
        p2 = {1: self.slot(self.rng.choice(("private", "public"))),
              4: self.rng.choice((0, 0, 1, 2, 3, 4))}.get(mode, 0)
        yield self.send(0x30, mode, p2)

    def random(self):
        yield self.send(0x1B, self.rng.choice((0, 0, 1, 2)))

    def nonces(self):
        if self.chance(0.7):
            yield self.rng.choice((
                self.nonce, self.nonce_message, self.nonce_message_64,
                self.nonce_alternate, self.nonce_from_temp_key))()
            return
        mode = self.rng.choice((0x02, 0x20, 0xA3, 0xC3, 0x40, 0x80, 0x07))
        yield self.send(0x16, mode, 0,
                        bytes(self.rng.choice((0, 20, 32, 64))))

    def gendig(self):
        if self.chance(0.8):
            yield self.nonce()
        for _ in range(self.rng.choice((1, 1, 2))):
            yield (self.gendig_key if self.chance(0.5)
                   else self.gendig_other)()

    def genkey(self):
        mode = self.rng.choice((0, 0, 4, 4, 8, 0x0C, 0x10, 0x10, 0x14))
        if mode & 0x18 and self.chance(0.8):
            yield self.nonce()
        if mode == 0x10:
            yield self.genkey_digest()
            return
        slot = 0xFFFF if self.chance(0.1) else self.slot("private")
        yield self.send(0x40, mode, slot,
                        bytes(3) if self.chance(0.03) else b"")

    def sign(self):
        if self.chance(0.55):
            mode = self.rng.choice((0x80, 0xA0, 0xA0, 0xC0, 0xE0, 0x81))
            if self.chance(0.8):
                yield (self.nonce_message() if mode & 0x20
                       else self.nonce())
        else:
            mode = self.rng.choice((0x00, 0x01, 0x20, 0x40, 0x41, 0x61))
            yield self.nonce()
            yield self.rng.choice((
                self.gendig_key, self.genkey_digest, self.gendig_other,
                self.genkey_private_digest))()
        bit = 1 if mode & 0x80 else 2
        slot = self.slot("private",
                         lambda s: self.model.policy(s).read_key & bit)
        if self.chance(0.02):
            mode |= self.rng.choice((2, 4, 8, 16))
        yield self.send(0x41, mode, slot)
        if self.chance(0.2):  # what the first one read is gone
            yield self.send(0x41, mode, slot)

    def verify(self):
        yield from self.rng.choice((
            self.verify_external, self.verify_stored, self.verify_stored,
            self.verify_validate, self.verify_validate,
            self.verify_validate))()

    def load_message(self, mode):
        """Puts message and nonce where this mode of Verify looks."""
        size_64 = self.chance(0.8 if mode & 0x80 else 0.2)
        if mode & 0x20:
            yield (self.nonce_message_64() if size_64
                   else self.nonce_message())
            return
        yield self.nonce()
        if mode & 0x80:
            yield self.nonce_message()

    def signature(self, private, digest):
        if private is None or self.chance(0.2):
            return self.rng.choice((bytes(64), b"\xFF" * 64,
                                    self.rng.randbytes(64)))
        return msg.ecdsa_sign(private, digest)

    def loaded_digest(self, mode):
        state = self.model.state
        return (state.message[:32].ljust(32, b"\0") if mode & 0x20
                else state.temp_key.value[:32])

    def verify_external(self):
        mode = 2 | self.rng.choice((0, 0x20, 0x20, 0x80, 0xA0))
        if self.chance(0.9):
            yield from self.load_message(mode)
        private = POOL.private(self.rng)
        public = msg.public_of(private)
        if self.chance(0.1):
            public = self.digest() + self.digest()
        signature = self.signature(private, self.loaded_digest(mode))
        yield self.send(0x45, mode, 4 if self.chance(0.95) else 0,
                        signature + public)

    def verify_stored(self):
        mode = self.rng.choice((0, 0, 0x20, 0x20, 0x80, 0xA0))
        if self.chance(0.9):
            yield from self.load_message(mode)
        slot = self.slot("public", self.is_usable_key)
        private = POOL.private_of.get(self.model.public_key(slot & 15))
        signature = self.signature(private, self.loaded_digest(mode))
        yield self.send(0x45, mode, slot, signature)
        if self.chance(0.2):  # what the first one read is gone
            yield self.send(0x45, mode, slot, signature)

    def is_usable_key(self, slot):
        return (not self.model.policy(slot).pub_info or
                self.eeprom.validity(slot) == e.VALID)

    def validated_slot(self):
        slots = [s for s in NUMBERS if self.eeprom.keeps_validity(s)]
        if slots and self.chance(0.9):
            return self.rng.choice(slots)
        return self.slot("public")

    def verify_validate(self):
        slot = self.validated_slot()
        if self.chance(0.92):
            yield self.nonce()
        yield self.genkey_digest(slot if self.chance(0.92) else None)
        mode = self.rng.choice((3, 3, 7, 0x23) if self.chance(0.95)
                               else (1, 0x83, 0x87, 4, 5, 6))
        other = self.other_data(slot & 15, bool(mode & 4))
        digest = msg.validate_digest(self.temp_key.value[:32], other,
                                     self.model.serial)
        parent = self.model.policy(slot & 15).read_key
        private = POOL.private_of.get(self.model.public_key(parent))
        yield self.send(0x45, mode, slot,
                        self.signature(private, digest) + other)

    def other_data(self, slot, invalidate):
        if self.chance(0.7):
            message = msg.sign_internal(
                self.temp_key.value, bytes([0x41, 0, slot, 0]),
                self.eeprom.config, slot, self.temp_key.flags, invalidate)
            return msg.other_data(message)
        other = bytearray(self.rng.randbytes(19))
        if self.chance(0.8):
            other[17] = other[17] & 0xFE | invalidate
        return bytes(other)

    def address(self, slot, size):
        """A block of the slot, now and then behind its end."""
        blocks = -(-e.SLOT_SIZE[slot & 15] // 32)
        block = (self.rng.randrange(blocks) if self.chance(0.95)
                 else self.rng.choice((blocks, 255)))
        word = self.rng.randrange(8) if size == 4 else 0
        if size == 4 and block == blocks - 1 and self.chance(0.8):
            word = 0
        if slot == 0x100:
            return 0x7F80 | block << 8  # bit 7: no such slot
        return block << 8 | slot << 3 | word

    def read(self):
        zone = self.rng.choice((0, 1, 2, 2, 2, 2))
        size = self.rng.choice((4, 32, 32))
        slot = self.slot(self.rng.choice(("secret", "public", "private")))
        p2 = (self.address(slot, size) if zone == 2
              else self.rng.randrange(0x20))
        encrypted = (zone == 2 and self.model.policy(slot & 15).is_secret
                     and self.chance(0.8))
        if encrypted:
            size = 32
            yield from self.key_session(
                self.model.policy(slot & 15).read_key)
        yield self.send(0x02, zone | 4 * (size == 32) << 5, p2)

    def key_session(self, key):
        yield self.nonce()
        yield self.gendig_key(key if self.chance(0.93) else None)
        if self.chance(0.05):
            yield self.gendig_other()

    def write(self):
        if self.chance(0.25):
            yield from self.write_small_zone()
            return
        slot = self.slot(self.rng.choice(("secret", "public", "public",
                                          "private")))
        policy = self.model.policy(slot & 15)
        usual = 0.85 if policy.write_rule == e.ENCRYPTED else 0.1
        if self.chance(usual):
            yield from self.key_session(policy.write_key)
            mode = self.rng.choice((0xC2, 0xC2, 0x82))
            p2 = self.address(slot, 32)
            plain = self.new_content(slot, p2, 32)
            yield self.send(0x12, mode, p2,
                            self.sealed(0x12, mode, p2, plain))
            return
        size = self.rng.choice((4, 32, 32))
        p2 = self.address(slot, size)
        mode = 0x82 if size == 32 else 0x02
        yield self.send(0x12, mode | 0x40 * self.chance(0.05), p2,
                        self.new_content(slot, p2, size))

    def new_content(self, slot, p2, size):
        """A public key stays what it was, or all slots would soon hold
        none; its validity is lost all the same."""
        if slot in self.layout["public"] and self.chance(0.9):
            at = (p2 >> 8) * 32 + (p2 & 7) * 4
            old = self.eeprom.slot(slot)[at:at + size]
            return old.ljust(size, b"\x55")
        return self.rng.randbytes(size)

    def sealed(self, opcode, p1, p2, plain):
        """Encrypted under TempKey, with its MAC, now and then a wrong one."""
        key = self.temp_key.value[:32]
        mac = msg.write_mac(key, msg.head(opcode, p1, p2), self.model.serial,
                            plain)
        if self.chance(0.12):
            mac = bytes([mac[0] ^ 1]) + mac[1:]
        return msg.xor(plain, key + msg.sha256(key)) + mac

    def write_small_zone(self):
        zone = self.rng.choice((0, 0, 1))
        size = self.rng.choice((4, 32))
        if zone == 1:
            size = self.rng.choice((4, 32, 32))
            data = self.rng.randbytes(size)
            yield self.send(0x12, zone | 4 * (size == 32) << 5,
                            self.rng.randrange(16), data)
            return
        p2 = self.rng.choice((8, 24, 24, 0, 16)) if size == 32 else (
            self.rng.choice((4, 5, 6, 20, 21, 3, 17, 23, 24, 31)))
        at = zone_offset(p2, size, 0x1F)
        data = bytearray(self.eeprom.config[at:at + size])
        if size == 32 and p2 == 24:
            data[self.rng.randrange(32)] ^= 1 << self.rng.randrange(8)
        yield self.send(0x12, zone | 4 * (size == 32) << 5, p2, bytes(data))

    def privwrite(self):
        slot = self.slot("private",
                         lambda s: self.model.policy(s).write_config & 4)
        key = (POOL.private(self.rng) if self.chance(0.93)
               else self.rng.choice((bytes(32), b"\xFF" * 32)))
        plain = bytes(4) + key
        if self.chance(0.7):
            yield from self.key_session(
                self.model.policy(slot & 15).write_key)
            yield self.send(0x46, 0x40, slot,
                            self.sealed(0x46, 0x40, slot, plain))
            return
        mac = self.digest() if self.chance(0.9) else b""
        yield self.send(0x46, 0x00, slot, plain + mac)

    def mac(self):
        mode = self.rng.choice((0, 1, 2, 3, 1, 1, 1))
        if mode and self.chance(0.9):
            yield self.nonce()
            if self.chance(0.3):
                yield (self.gendig_key if self.chance(0.7)
                       else self.gendig_other)()
        if mode and self.temp_key.source_fixed != self.chance(0.15):
            mode |= 4
        elif mode == 0 and self.chance(0.1):
            mode = 4
        mode |= self.rng.choice((0, 0, 0, 0x10, 0x20, 0x30))
        mode |= self.rng.choice((0, 0x40))
        slot = self.slot("secret")
        yield self.send(0x08, mode, slot,
                        b"" if mode & 1 else self.digest())
        if self.chance(0.1):  # what the first one read is gone
            yield self.send(0x08, mode, slot,
                            b"" if mode & 1 else self.digest())

    def sha(self):
        if self.chance(0.05):
            yield self.send(0x47, self.rng.choice((5, 0x82, 0x41, 8)))
        if self.chance(0.9):
            yield (self.send(0x47, 0) if self.chance(0.6)
                   else self.hmac_start())
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            yield self.sha_data(1, self.rng.choice((64, 5, 63, 1)))
        if self.chance(0.1):
            yield self.send(0x47, 3, self.slot("public"))
        if self.chance(0.05):
            yield self.send(0x47, 0x82)
        if self.chance(0.3):
            yield from self.sha_context()
        if self.chance(0.85):
            yield self.sha_data(self.rng.choice((2, 0x42, 0xC2)),
                                self.rng.choice((0, 1, 55, 56, 64)))
        if self.chance(0.1):
            yield self.sha_data(self.rng.choice((1, 2)), 3)

    def hmac_start(self):
        slot = 0xFFFF if self.chance(0.3) else self.slot("secret")
        return self.send(0x47, 4, slot)

    def sha_data(self, mode, size):
        return self.send(0x47, mode, size, self.rng.randbytes(size))

    def sha_context(self):
        yield self.send(0x47, 6)
        context = self.model.state.sha
        if context is None or self.chance(0.4):
            count = self.rng.choice((0, 5, 64, 130, 63))
            context = msg.Sha256Context().updated(self.rng.randbytes(count))
        raw = context.exported()
        if self.chance(0.1):
            raw += b"\0"
        if self.chance(0.5):
            yield self.send(0x47, 7, len(raw), raw)

    def counter(self):
        yield self.send(0x24, self.rng.choice((0, 1, 1)),
                        self.rng.choice((0, 1, 1, 2, 3)))

    def lock(self):
        """Rare for a zone, as everything else depends on it."""
        if self.chance(0.85) and self.eeprom.config_locked:
            slot = self.rng.choice(NUMBERS)
            yield self.send(0x17, 2 | slot << 2)
            return
        mode = self.rng.choice((0, 1, 0x80, 0x81, 3, 0x86))
        content = (self.eeprom.config if mode == 0 else
                   bytes(self.eeprom.image[196:]) + self.eeprom.otp)
        crc = 0 if mode & 0x80 else msg.crc16(content)
        if self.chance(0.2) and not mode & 0x80:
            crc ^= 1
        yield self.send(0x17, mode, crc)

    COMMANDS = (info, random, nonces, gendig, genkey, sign, verify, read,
                write, privwrite, mac, sha, counter, lock, unknown)
