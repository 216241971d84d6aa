"""Random chips and random commands, biased toward what decides something."""

import struct

import eeprom as e
import messages as msg
from model import zone_offset

WRITE_CONFIGS = (0, 1, 2, 3, 4, 6, 8, 10, 11, 15)
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
        "auth_key": rng.choice(keys if chance(rng, 0.9) else NUMBERS),
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
    if chance(rng, 0.25):
        policy["read_key"] = 0  # CheckMac may copy it
    key_type = rng.choice((e.AES, e.AES, e.OTHER))
    return slot_words(False, key_type, policy), rng.randbytes(36)


def near(rng, key_type):
    """Mostly this type, now and then one that makes no sense."""
    return key_type if chance(rng, 0.95) else rng.choice(NUMBERS[:8])


MAKERS = {"private": private_slot, "public": public_slot,
          "secret": secret_slot}


# A public key does not fit into slots 0 to 7, whatever their KeyConfig says.
LOW_KINDS = ("private", "private", "secret") * 8 + ("public",)


def random_layout(rng):
    """Kind of each slot, and the slots of each kind."""
    kinds = [rng.choice(LOW_KINDS) if slot < 8 else
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
                    rng.randbytes(4) + bytes([1, chance(rng, 0.9), 1, 0]))
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
    config[69] = 0x80 * chance(rng, 0.8) | rng.choice(layout["secret"])
    config[70:76] = random_boot(rng, layout) + bytes(
        [rng.randrange(8)]) + rng.randbytes(3)
    locked = 0xFFFF
    for slot in range(16):
        locked &= ~(chance(rng, 0.12) << slot)
    lock = rng.choice(("both",) * 8 + ("config",) * 2 + ("none",))
    config[84:92] = struct.pack(
        "<BBBBHBB", 0, 0, 0 if lock == "both" else 0x55,
        0x55 if lock == "none" else 0, locked,
        0x08 | 4 * chance(rng, 0.9) | 2 * chance(rng, 0.8),
        rng.choice([*layout["secret"], 0]) << 4 |
        rng.choice((0,) * 6 + (1, 4, 5, 2, 8)))
    config[92:96] = bytes(rng.choice((0,) * 7 + (8,))
                          for _ in range(4))
    image += config + rng.randbytes(64) + b"".join(contents)
    assert len(image) == 196 + e.DATA_SIZE
    return bytes(image), layout


def random_boot(rng, layout):
    """SecureBoot: mode, latch, random nonce; slots of key and digest."""
    mode = rng.choice((0, 1, 2, 2, 3, 3, 3))
    mode |= 8 * chance(rng, 0.4) | 16 * chance(rng, 0.2)
    stores = layout["public" if chance(rng, 0.1) else "secret"]
    store = rng.choice([s for s in stores if s >= 8] or stores)
    return bytes([mode, rng.choice(layout["public"]) << 4 | store])


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
            elif choice == "authorise":
                yield from self.authorise()
            else:
                yield getattr(self, choice)()

    def authorise(self):
        """CheckMac over a random nonce, with a key that others wait for."""
        wanted = [self.model.policy(s).auth_key for s in NUMBERS
                  if self.model.policy(s).req_auth]
        wanted.append(self.eeprom.config_byte(69) & 15)
        yield self.nonce_random()
        yield self.checkmac_frame(0x01, self.rng.choice(wanted))

    PREPARATIONS = (
        "nonce", "nonce", "nonce_message", "nonce_message_64",
        "nonce_alternate", "nonce_from_temp_key", "gendig_key",
        "gendig_other", "genkey_digest", "genkey_private_digest",
        "genkey_temp_key", "sha", "authorise")

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
        if self.chance(0.1):  # names the slot as well, yet is no digest
            yield self.gendig_key(slot)
        else:
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
            # Blocks hashed elsewhere: the bit count needs its high half.
            context.count += self.rng.choice((0, 1 << 29, 1 << 31))
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

    # commands of keys that hash

    def checkmac_frame(self, mode, slot):
        """What the host that knows the key would send; sometimes not."""
        key = self.model.secret(slot & 15)
        temp_key = self.temp_key.value[:32]
        challenge, other = self.digest(), self.rng.randbytes(13)
        otp = self.eeprom.otp[:8] if mode & 0x20 else bytes(8)
        answer = msg.check_mac(temp_key if mode & 2 else key,
                               temp_key if mode & 1 else challenge,
                               other, otp, self.model.serial)
        if self.chance(0.15):
            answer = self.digest()
        return self.send(0x28, mode, slot, challenge + answer + other)

    def checkmac(self):
        mode = self.rng.choice((0, 1, 1, 1, 2, 3))
        if mode and self.chance(0.9):
            yield self.nonce()
        if mode and self.temp_key.source_fixed != self.chance(0.1):
            mode |= 4
        mode |= self.rng.choice((0, 0, 0, 0x20))
        if self.chance(0.03):
            mode |= self.rng.choice((0x08, 0x10, 0x40, 0x80))
        yield self.checkmac_frame(mode, self.slot("secret"))
        if self.chance(0.3):
            yield self.send(0x30, 2)

    def derivekey(self):
        slot = self.slot("secret",
                         lambda s: self.model.policy(s).write_config & 2)
        policy = self.model.policy(slot & 15)
        if policy.req_auth and self.chance(0.7):
            yield from self.authorise()
        if self.chance(0.92):
            yield self.nonce()
        mode = 4 * (self.temp_key.source_fixed != self.chance(0.08))
        mac = b""
        if bool(policy.write_config & 8) != self.chance(0.08):
            mac = msg.derive_mac(self.model.secret(policy.write_key),
                                 msg.head(0x1C, mode, slot),
                                 self.model.serial)
            if self.chance(0.15):
                mac = self.digest()
        yield self.send(0x1C, mode, slot, mac)

    def some_point(self):
        public = msg.public_of(POOL.private(self.rng))
        if self.chance(0.1):
            public = self.rng.choice((
                bytes(64), public[:63] + bytes([public[63] ^ 1]),
                msg.PRIME.to_bytes(32, "big") + public[32:]))
        return public

    def ecdh(self):
        mode = self.rng.choice((0x00, 0x00, 0x08, 0x0C, 0x0E,
                                0x05, 0x09, 0x0D, 0x0F))
        if self.chance(0.03):
            mode = self.rng.choice((0x01, 0x02, 0x04, 0x0A, 0x0B, 0x1C))
        slot = self.slot("private", self.sends_on if mode == 0 else
                         lambda s: self.model.policy(s).read_key & 4)
        if mode & 1:
            if self.chance(0.9):
                yield self.genkey_temp_key()
            slot = (self.result_slot() if mode == 0x05
                    else self.rng.choice((0, 0xFFFF)))
        yield self.send(0x43, mode, slot, self.some_point())

    def sends_on(self, slot):
        """ECDH of this slot goes to the one behind it."""
        return (slot % 2 == 0 and self.model.policy(slot).read_key & 12 == 12
                and not self.model.policy(slot + 1).private)

    def result_slot(self):
        return self.slot("secret", lambda s: self.model.policy(s).pub_info)

    def aes(self):
        block = self.rng.randrange(4) << 6
        if self.chance(0.25):
            yield self.send(0x51, 3, self.rng.choice((0, 0xFFFF)),
                            self.rng.randbytes(32))
            return
        slot = self.slot("secret",
                         lambda s: self.model.policy(s).key_type == e.AES)
        if slot < 8 and self.chance(0.9):
            block &= 0x40
        if self.chance(0.4):
            slot = 0xFFFF
            if self.chance(0.9):
                yield self.rng.choice((self.nonce, self.nonce_64))()
        mode = block | self.rng.choice((0, 0, 1, 1, 2, 4))
        yield self.send(0x51, mode, slot, self.rng.randbytes(16))

    def kdf(self):
        algorithm = self.rng.randrange(3)
        source, target = self.rng.randrange(4), self.rng.randrange(6)
        mode = source | target << 2 | algorithm << 5
        if self.chance(0.02):
            mode |= self.rng.choice((0x80, 0x60, 0x18))
        if self.chance(0.8):
            yield self.nonce_alternate()
        if self.chance(0.9):
            yield self.rng.choice((self.nonce, self.nonce_64))()
        aes = (lambda s: self.model.policy(s).key_type == e.AES)
        slot = self.slot("secret", aes if algorithm == 1 else None)
        slots = slot & 0xFF | (self.result_slot() & 0xFF) << 8
        yield self.send(0x56, mode, slots, self.kdf_data(algorithm))

    def kdf_data(self, algorithm):
        if algorithm == 1:
            details = self.rng.choice((0, 1, 2, 3))
            return struct.pack("<I", details) + self.rng.randbytes(16)
        if algorithm == 0:
            details = (self.rng.choice((0, 1, 1, 2, 3)) |
                       self.rng.choice((0, 0x100, 0x100, 0x300, 0x200,
                                        0x500)))
        else:
            details = (self.rng.choice((0, 1, 2, 2, 3)) |
                       4 * self.chance(0.15) | self.slot("secret") % 16 << 8)
        if self.chance(0.04):
            details |= 1 << self.rng.randrange(24)
        message = bytearray(self.rng.randbytes(
            self.rng.choice((0, 1, 20, 32, 64, 128, 129))))
        at = self.eeprom.config_byte(72)
        if self.chance(0.7) and len(message) >= at + 2:
            message[at:at + 2] = self.eeprom.config[73:75]
        return struct.pack("<I", details | len(message) << 24) + message

    # the boot of a firmware

    def secureboot(self):
        kind = self.rng.choice((5, 6, 6, 7, 7))
        mode = kind | 0x80 * self.chance(0.5) | 0x40 * self.chance(0.03)
        rules, slots = self.eeprom.config_byte(70), self.eeprom.config_byte(71)
        if rules & 16 and self.chance(0.8):
            mode |= 0x80
        if mode & 0x80 and self.chance(0.92):
            fresh = rules & 16 and self.chance(0.85)
            yield self.nonce_random() if fresh else self.nonce()
        digest = msg.sha256(bytes([self.rng.randrange(2)]))
        if rules & 3 == 3 and self.chance(0.5):
            digest = self.eeprom.slot(slots & 15)[:32]
        private = POOL.private_of.get(self.model.public_key(slots >> 4))
        signature = b"" if kind == 6 else self.signature(private, digest)
        if mode & 0x80:
            io_key = self.model.secret(self.eeprom.config_byte(91) >> 4)
            digest = msg.xor(digest, msg.sha256(io_key,
                                                self.temp_key.value[:32]))
        yield self.send(0x80, mode, 0, digest + signature)
        if self.chance(0.3):
            yield self.send(0x30, 4)

    def selftest(self):
        yield self.send(0x77, self.rng.choice((0, 1, 4, 8, 0x10, 0x20, 0x3B,
                                               0x40)))

    def updateextra(self):
        if self.chance(0.3):
            yield self.send(0x20, self.rng.choice((0, 1, 1, 2)),
                            self.rng.choice((0, 0, 0x42, 0x1234)))

    def latch(self):
        """Authorise, then set or clear the persistent latch."""
        if self.chance(0.9):
            yield from self.authorise()
        yield self.send(0x30, 4, self.rng.choice((2, 3, 3, 3)))

    def reuse(self):
        """A key that wants an authorisation, after one, and once more."""
        slots = [s for s in self.layout["secret"]
                 if self.model.policy(s).req_auth]
        if not slots:
            return
        slot = self.rng.choice(slots)
        yield self.nonce_random()
        yield self.checkmac_frame(0x01, self.model.policy(slot).auth_key)
        for _ in range(2):
            yield self.send(0x08, 0, slot, self.digest())

    COMMANDS = (checkmac, derivekey, ecdh, aes, kdf, secureboot, selftest,
                updateextra, latch, reuse, info, random, nonces, gendig, genkey, sign, verify, read,
                write, privwrite, mac, sha, counter, lock, unknown)
