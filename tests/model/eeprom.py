"""What an ATECC608 keeps without power, and the policy bits in it.

Fields and bit numbers as in DS40002138A section 2.3; the write rules as in
DS20005927A table 2-8, as others cite it.
"""

import functools
import struct
import zlib
from typing import NamedTuple

import messages as msg

P256, AES, OTHER = 4, 6, 7
ALWAYS, PUB_INVALID, NEVER, ENCRYPTED = "always", "pub-invalid", "never", "enc"
VALID, INVALID = 0x50, 0xA0  # top nibble of a public key with PubInfo

SLOT_SIZE = [36] * 8 + [416] + [72] * 7
SLOT_START = [sum(SLOT_SIZE[:slot]) for slot in range(17)]
DATA_SIZE = SLOT_START[16]
COUNTER_MAX = 2097151


class SlotPolicy(NamedTuple):
    """SlotConfig and KeyConfig of a slot, decoded."""
    read_key: int
    no_mac: bool
    limited_use: bool
    encrypt_read: bool
    is_secret: bool
    write_key: int
    write_config: int
    private: bool
    pub_info: bool
    key_type: int
    lockable: bool
    req_random: bool
    req_auth: bool
    auth_key: int
    persistent_disable: bool
    x509_id: int

    @property
    def write_rule(self):
        """D5 table 2-8 as cited: 0 Always, 1 PubInvalid, x1xx Encrypt."""
        if self.write_config & 4:
            return ENCRYPTED
        return {0: ALWAYS, 1: PUB_INVALID}.get(self.write_config, NEVER)


@functools.lru_cache(None)
def decode_policy(slot_config, key_config):
    def slot_bit(n):
        return bool(slot_config >> n & 1)

    def key_bit(n):
        return bool(key_config >> n & 1)
    return SlotPolicy(
        slot_config & 15, slot_bit(4), slot_bit(5), slot_bit(6), slot_bit(7),
        slot_config >> 8 & 15, slot_config >> 12, key_bit(0), key_bit(1),
        key_config >> 2 & 7, key_bit(5), key_bit(6), key_bit(7),
        key_config >> 8 & 15, key_bit(12), key_config >> 14)


class Eeprom:
    """struct kw_sim_eeprom: revision, configuration, OTP, slots."""

    def __init__(self, image):
        self.image = bytearray(image)

    def copy(self):
        return Eeprom(self.image)

    def checksum(self):
        return zlib.crc32(self.image)

    @property
    def revision(self):
        return bytes(self.image[0:4])

    @property
    def config(self):
        return bytes(self.image[4:132])

    @property
    def otp(self):
        return bytes(self.image[132:196])

    def set_config(self, at, data):
        self.image[4 + at:4 + at + len(data)] = data

    def set_otp(self, at, data):
        self.image[132 + at:132 + at + len(data)] = data

    def config_byte(self, at):
        return self.image[4 + at]

    def slot(self, n):
        return bytes(self.image[196 + SLOT_START[n]:196 + SLOT_START[n + 1]])

    def set_slot(self, n, at, data):
        """What does not fit into the slot is ignored."""
        data = data[:SLOT_SIZE[n] - at]
        start = 196 + SLOT_START[n] + at
        self.image[start:start + len(data)] = data

    def policy(self, n):
        words = (struct.unpack_from("<H", self.image, 4 + at + 2 * n)[0]
                 for at in (20, 96))
        return decode_policy(*words)

    @property
    def config_locked(self):
        return self.image[4 + 87] != 0x55

    @property
    def data_locked(self):
        return self.image[4 + 86] != 0x55

    def slot_locked(self, n):
        word = struct.unpack_from("<H", self.image, 4 + 88)[0]
        return not word >> n & 1

    def lock_slot(self, n):
        self.image[4 + 88 + n // 8] &= ~(1 << n % 8)

    def counter(self, n):
        return msg.counter_decode(bytes(self.image[56 + 8 * n:64 + 8 * n]))

    def set_counter(self, n, value):
        self.set_config(52 + 8 * n, msg.counter_encode(value))

    def use_limit(self):
        """CountMatch (byte 18): bit 0 on, high nibble the slot that starts
        with the limit, little-endian. Known from the library alone."""
        match = self.config_byte(18)
        if not match & 1:
            return COUNTER_MAX
        return struct.unpack_from("<I", self.slot(match >> 4))[0]

    def keeps_validity(self, n):
        policy = self.policy(n)
        return (n >= 8 and not policy.private and policy.pub_info
                and policy.key_type == P256)

    def validity(self, n):
        return self.slot(n)[0] & 0xF0

    def set_validity(self, n, nibble):
        start = 196 + SLOT_START[n]
        self.image[start] = self.image[start] & 0x0F | nibble
