"""What the chip hashes: messages, SHA-256 with a visible state, P-256.

Written from the public facts alone (DS40002138A sections 5.1 to 5.3), not
from core/ or sim/, so that both can be held against it.
"""

import functools
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CURVE_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


def crc16(data):
    """Polynomial 0x8005, data bits least significant first (4.1)."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ CRC_TABLE[crc >> 8 ^ REVERSED[byte]]
    return crc


def _crc_of_top_byte(top):
    crc = top << 8
    for _ in range(8):
        crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


REVERSED = [int(f"{byte:08b}"[::-1], 2) for byte in range(256)]
CRC_TABLE = [_crc_of_top_byte(top) for top in range(256)]


def frame(opcode, p1, p2, data=b""):
    """A command: count opcode param1 param2 data crc."""
    body = struct.pack("<BBBH", 7 + len(data), opcode, p1, p2) + data
    return body + struct.pack("<H", crc16(body))


class Serial:
    """The nine bytes of the serial number, in the pieces messages use."""

    def __init__(self, config):
        self.sn01 = bytes(config[0:2])
        self.sn23 = bytes(config[2:4])
        self.sn47 = bytes(config[8:12])
        self.sn8 = bytes(config[12:13])
        self.short = self.sn8 + self.sn01


def head(opcode, p1, p2):
    return struct.pack("<BBH", opcode, p1, p2)


def nonce(source, num_in, p1, p2):
    return sha256(source, num_in, bytes([0x16, p1, p2 & 0xFF]))


def gendig(first, header, serial, middle, tail):
    return sha256(first, header, serial.short, middle, tail)


def genkey(temp_key, three, serial, public):
    return sha256(temp_key, b"\x40", three, serial.short, bytes(25), public)


def write_mac(temp_key, header, serial, plain):
    zeros = bytes(57 - len(plain))  # 25 before 32 bytes, 21 before 36
    return sha256(temp_key, header, serial.short, zeros, plain)


def mac(first, second, header, otp, serial, full):
    return sha256(first, second, header, otp, serial.sn8,
                  serial.sn47 if full else bytes(4), serial.sn01,
                  serial.sn23 if full else bytes(2))


def sign_internal(temp_key, header, config, key, flags, invalidate):
    """The 55 bytes of 5.2.4.1; the full serial when mode bit 6 is set."""
    serial = Serial(config)
    full = header[1] & 0x40
    unlocked = struct.unpack_from("<H", config, 88)[0] >> key & 1
    return b"".join((
        temp_key[:32], header,
        config[20 + 2 * key:22 + 2 * key], config[96 + 2 * key:98 + 2 * key],
        bytes([flags, 0, 0]),
        serial.sn8, serial.sn47 if full else bytes(4),
        serial.sn01, serial.sn23 if full else bytes(2),
        bytes([unlocked, invalidate, 0])))


def other_data(message):
    """OtherData[19] of Verify(Validate), out of the 55 bytes."""
    return message[33:43] + message[44:48] + message[50:55]


def validate_digest(temp_key, other, serial):
    return sha256(temp_key, b"\x41", other[0:10], serial.sn8, other[10:14],
                  serial.sn01, other[14:19])


def verify_mac(io_key, message, system_nonce, signature, header):
    return sha256(io_key, message, system_nonce, signature, header)


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def check_mac(first, second, other, otp, serial):
    """Like MAC, with 13 bytes of the host's in the gaps."""
    return sha256(first, second, other[0:4], otp, other[4:7], serial.sn8,
                  other[7:11], serial.sn01, other[11:13])


def derive_mac(parent, header, serial):
    return sha256(parent, header, serial.short)


def prf_sha256(secret, seed):
    """64 bytes of TLS 1.2's P_SHA256 (RFC 5246 section 5)."""
    first = hmac_sha256(secret, seed)
    second = hmac_sha256(secret, first)
    return (hmac_sha256(secret, first + seed) +
            hmac_sha256(secret, second + seed))


def aes_encrypt(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def aes_decrypt(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(block)


def gf128_multiply(x, y):
    """SP 800-38D algorithm 1; integers with the first bit on top."""
    x, v = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= v
        v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return product.to_bytes(16, "big")


def protected(io_key, data, nonce):
    """A result that leaves the chip under the IO protection key."""
    masks = b"".join(sha256(io_key, nonce[16 * b:16 * b + 16])
                     for b in range(len(data) // 32))
    return xor(data, masks) + nonce


# Factory value FF FF FF FF 00 00 00 00 is 0 (5.1.1).

def counter_encode(value):
    late = max(value - 16, 0)
    return struct.pack(">4H", 0xFFFF >> value % 32, 0xFFFF >> late % 32,
                       value // 32, late // 32)


def counter_decode(raw):
    linear_a, linear_b, binary_a, binary_b = struct.unpack(">4H", raw)
    value = 32 * binary_a + 16 - linear_a.bit_length()
    if binary_a == binary_b:
        value += 16 - linear_b.bit_length()
    return value


class Sha256Context:
    """SHA-256 in progress as the chip exports it: count, H, pending."""

    def __init__(self, count=0, state=None, pending=b""):
        self.count = count
        self.state = state or SHA256_START
        self.pending = pending

    def updated(self, data):
        buffer = self.pending + data
        state = self.state
        whole = len(buffer) // 64 * 64
        for at in range(0, whole, 64):
            state = compress(state, buffer[at:at + 64])
        return Sha256Context(self.count + len(data), state, buffer[whole:])

    def digest(self, data=b""):
        total = self.count + len(data)
        zeros = bytes((55 - total) % 64)
        last = self.updated(data + b"\x80" + zeros +
                            struct.pack(">Q", 8 * total))
        return struct.pack(">8I", *last.state)

    def exported(self):
        return struct.pack("<9I", self.count, *self.state) + self.pending

    @classmethod
    def imported(cls, raw):
        count, *state = struct.unpack("<9I", raw[:36])
        return cls(count, tuple(state), raw[36:])


def _roots(exponent, count):
    """First 32 bits of the fractions of square or cube roots of primes."""
    primes = [n for n in range(2, 312)
              if all(n % d for d in range(2, int(n**0.5) + 1))]
    return tuple(_integer_root(p << 32 * exponent, exponent) & 0xFFFFFFFF
                 for p in primes[:count])


def _integer_root(value, exponent):
    low, high = 0, 1 << 64
    while high - low > 1:
        middle = (low + high) // 2
        low, high = ((middle, high) if middle**exponent <= value
                     else (low, middle))
    return low


SHA256_START = _roots(2, 8)
SHA256_ROUND = _roots(3, 64)


def _rotate(word, by):
    return (word >> by | word << 32 - by) & 0xFFFFFFFF


def compress(state, block):
    """One block of FIPS 180-4, because hashlib hides the state."""
    w = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        x, y = w[t - 15], w[t - 2]
        w.append(w[t - 16] + w[t - 7] +
                 (_rotate(x, 7) ^ _rotate(x, 18) ^ x >> 3) +
                 (_rotate(y, 17) ^ _rotate(y, 19) ^ y >> 10) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = state
    for t in range(64):
        one = (h + (_rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)) +
               (e & f ^ ~e & g) + SHA256_ROUND[t] + w[t])
        two = ((_rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)) +
               (a & b ^ a & c ^ b & c))
        a, b, c, d, e, f, g, h = (one + two & 0xFFFFFFFF, a, b, c,
                                  d + one & 0xFFFFFFFF, e, f, g)
    return tuple(x + y & 0xFFFFFFFF
                 for x, y in zip(state, (a, b, c, d, e, f, g, h)))


# P-256: public keys are X Y, signatures R S, 32 bytes each, big-endian.

def is_scalar(private):
    return 0 < int.from_bytes(private, "big") < ORDER


@functools.lru_cache(1 << 16)
def private_object(private):
    return ec.derive_private_key(int.from_bytes(private, "big"),
                                 ec.SECP256R1())


@functools.lru_cache(1 << 16)
def public_of(private):
    numbers = private_object(private).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


@functools.lru_cache(1 << 16)
def is_on_curve(public):
    x = int.from_bytes(public[:32], "big")
    y = int.from_bytes(public[32:], "big")
    return (x < PRIME and y < PRIME and
            (y * y - x * x * x + 3 * x - CURVE_B) % PRIME == 0)


@functools.lru_cache(1 << 16)
def public_object(public):
    return ec.EllipticCurvePublicNumbers(
        int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big"),
        ec.SECP256R1()).public_key()


def ecdh(private, public):
    return private_object(private).exchange(ec.ECDH(), public_object(public))


def ecdsa_sign(private, digest):
    der = private_object(private).sign(digest, PREHASHED)
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def ecdsa_verify(public, digest, signature):
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                     int.from_bytes(signature[32:], "big"))
    try:
        public_object(public).verify(der, digest, PREHASHED)
    except InvalidSignature:
        return False
    return True
