"""Requests, bundles and the pairs in them a second time: from
docs/formats.md and DS40002138A 5.2.5.3 alone, with python3-cryptography.
Here Python can be the authority, and the judge of what keywright writes.
"""

import base64
import dataclasses
import hashlib
import json
import os
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, decode_dss_signature, encode_dss_signature)

SLOT = 14
REQUEST_SIZE = 288
BUNDLE_SIZE = 536
FLAG_SERIAL, FLAG_OLD_KEY, FLAG_OLD_VALIDATED = 1, 2, 4
NO_KEY = bytes(64)
NO_PAIR = bytes(96)
ES256 = ec.ECDSA(Prehashed(hashes.SHA256()))


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def fingerprint(key):
    return sha256(key).hex()


# Keys.

class Key:
    """A private key on P-256."""

    def __init__(self, private=None):
        self.private = private or ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def read(cls, path):
        with open(path, "rb") as file:
            return cls(serialization.load_pem_private_key(file.read(), None))

    def pem(self, password=None):
        how = (serialization.NoEncryption() if password is None else
               serialization.BestAvailableEncryption(password))
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            how)

    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def public(self):
        """X, Y."""
        numbers = self.private.public_key().public_numbers()
        return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    @property
    def fingerprint(self):
        return fingerprint(self.public)

    def sign(self, digest):
        """R, S."""
        r, s = decode_dss_signature(self.private.sign(digest, ES256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed(key, digest, signature):
    """Whether the public key signed the digest."""
    public = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), b"\x04" + key)
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                int.from_bytes(signature[32:], "big"))
    try:
        public.verify(pair, digest, ES256)
    except InvalidSignature:
        return False
    return True


# The chip's messages.

def slot_word(configs, slot):
    return configs[2 * slot:2 * slot + 2]


@dataclasses.dataclass(frozen=True)
class Configuration:
    slot_configs: bytes  # configuration bytes 20-51
    key_configs: bytes   # configuration bytes 90-127
    lock_bits: int       # 1: slot 13 is not locked, 2: slot 14 is not

    @classmethod
    def of(cls, config):
        """From the 128 bytes of a configuration zone."""
        unlocked = int.from_bytes(config[88:90], "little")
        return cls(config[20:52], config[90:128],
                   (unlocked >> 13 & 1) | (unlocked >> 14 & 1) << 1)

    @property
    def digest(self):
        return sha256(self.slot_configs, self.key_configs,
                      bytes([self.lock_bits]))

    def message(self, serial, key, nonce, invalidate):
        """The 55 bytes that a pair's signature is about."""
        digest = sha256(nonce, b"\x40", bytes(3), serial[8:9], serial[:2],
                        bytes(25), key)
        key_configs = self.key_configs[6:]  # byte 96 is KeyConfig[0]
        return b"".join((
            digest, b"\x41\x00\x0d\x00", slot_word(self.slot_configs, SLOT),
            slot_word(key_configs, SLOT), b"\x5e\x00\x00", serial[8:9],
            bytes(4), serial[:2], bytes(2),
            bytes([self.lock_bits >> 1 & 1, int(invalidate), 0])))

    def pair(self, authority, serial, key, invalidate=False):
        """nonce, signature"""
        nonce = os.urandom(32)
        return nonce + authority.sign(
            sha256(self.message(serial, key, nonce, invalidate)))

    def pair_is(self, authority, pair, serial, key, invalidate=False):
        """Whether the authority (a public key) made that pair."""
        message = self.message(serial, key, pair[:32], invalidate)
        return signed(authority, sha256(message), pair[32:])


def fleet_field(serial):
    return serial[:2] + bytes(6) + serial[8:9]


def proof_digest(names_serial, field, configuration_digest, old_key, new_key):
    flags = (FLAG_SERIAL if names_serial else 0) | (
        FLAG_OLD_KEY if old_key != NO_KEY else 0)
    text = b"".join((b"keywright proof v1".ljust(20, b"\0"),
                     bytes([flags, SLOT]), field, configuration_digest,
                     old_key, new_key))
    assert len(text) == 191
    return sha256(text)


# The envelope.

def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise AssertionError(f"no base64url: {text}")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise AssertionError(f"not canonical: {text}")
    return data


def read_envelope(path):
    """Payload and signature."""
    with open(path, encoding="ascii") as file:
        document = json.load(file)
    if sorted(document) != ["payload", "signature"]:
        raise AssertionError(f"{path} has the members {sorted(document)}")
    signature = from_base64url(document["signature"])
    assert len(signature) == 64
    return from_base64url(document["payload"]), signature


def envelope(payload, signature):
    return json.dumps({"payload": base64url(payload),
                       "signature": base64url(signature)})


class Payload:
    """A run of named fields."""

    def pack(self):
        data = b""
        for name, size in self.LAYOUT:
            value = getattr(self, name)
            if isinstance(value, int):
                value = value.to_bytes(size, "little")
            assert len(value) == size, name
            data += value
        return data

    @classmethod
    def unpack(cls, payload):
        fields = {}
        at = 0
        for name, size in cls.LAYOUT:
            value = payload[at:at + size]
            fields[name] = (int.from_bytes(value, "little")
                            if name in cls.NUMBERS else value)
            at += size
        assert at == len(payload), (at, len(payload))
        return cls(**fields)

    @classmethod
    def read(cls, path):
        """From a file; `signature` is the envelope's."""
        payload, signature = read_envelope(path)
        read = cls.unpack(payload)
        assert read.pack() == payload
        read.signature = signature
        return read

    def but(self, **changes):
        """The same with other fields, and no signature."""
        changed = dataclasses.replace(self, **changes)
        changed.signature = None
        return changed

    @property
    def names_serial(self):
        return bool(self.flags & FLAG_SERIAL)

    @property
    def has_old_key(self):
        return bool(self.flags & FLAG_OLD_KEY)

    @property
    def old_validated(self):
        return bool(self.flags & FLAG_OLD_VALIDATED)


@dataclasses.dataclass
class Request(Payload):
    NUMBERS = ("flags", "slot", "counter", "lock_bits")
    LAYOUT = (("magic", 4), ("flags", 1), ("slot", 1), ("reserved_6", 2),
              ("counter", 4), ("serial", 9), ("lock_bits", 1),
              ("reserved_22", 2), ("slot_configs", 32), ("key_configs", 38),
              ("reserved_94", 2), ("old_key", 64), ("new_key", 64),
              ("authority", 64))
    flags: int
    counter: int
    serial: bytes
    lock_bits: int
    slot_configs: bytes
    key_configs: bytes
    old_key: bytes
    new_key: bytes
    authority: bytes
    magic: bytes = b"KWR1"
    slot: int = SLOT
    reserved_6: bytes = bytes(2)
    reserved_22: bytes = bytes(2)
    reserved_94: bytes = bytes(2)

    @property
    def configuration(self):
        return Configuration(self.slot_configs, self.key_configs,
                             self.lock_bits)

    @property
    def proof_digest(self):
        return proof_digest(self.names_serial, self.serial,
                            self.configuration.digest, self.old_key,
                            self.new_key)

    def text(self, new_key):
        """The file, with a proof of that Key."""
        return envelope(self.pack(), new_key.sign(self.proof_digest))


@dataclasses.dataclass
class Bundle(Payload):
    NUMBERS = ("flags", "slot", "sequence")
    LAYOUT = (("magic", 4), ("flags", 1), ("slot", 1), ("reserved_6", 2),
              ("sequence", 4), ("serial", 9), ("reserved_21", 3),
              ("configuration_digest", 32), ("old_key", 64),
              ("old_invalidate", 96), ("old_validate", 96), ("new_key", 64),
              ("new_validate", 96), ("proof", 64))
    flags: int
    sequence: int
    serial: bytes
    configuration_digest: bytes
    old_key: bytes
    old_invalidate: bytes
    old_validate: bytes
    new_key: bytes
    new_validate: bytes
    proof: bytes
    magic: bytes = b"KWB1"
    slot: int = SLOT
    reserved_6: bytes = bytes(2)
    reserved_21: bytes = bytes(3)

    @property
    def proof_digest(self):
        return proof_digest(self.names_serial, self.serial,
                            self.configuration_digest, self.old_key,
                            self.new_key)

    @property
    def digest(self):
        """What the authority signs."""
        text = b"keywright bundle v1\0" + self.pack()
        assert len(text) == 556
        return sha256(text)

    def text(self, authority):
        """The file, signed by that Key."""
        return envelope(self.pack(), authority.sign(self.digest))


def make_bundle(authority, about, new_key, sequence, **changes):
    """What an authority answers. `about` says what the chip is: a Request,
    or what has its members; new_key is the Key that signs the proof, or the
    proof itself when it is bytes."""
    configuration = about.configuration
    old = about.old_key
    pairs = (NO_PAIR, NO_PAIR)
    if about.flags & FLAG_OLD_VALIDATED:
        pairs = [configuration.pair(authority, about.serial, old, invalidate)
                 for invalidate in (True, False)]
    public = about.new_key if isinstance(new_key, bytes) else new_key.public
    bundle = Bundle(
        flags=about.flags, sequence=sequence, serial=about.serial,
        configuration_digest=configuration.digest, old_key=old,
        old_invalidate=pairs[0], old_validate=pairs[1], new_key=public,
        new_validate=configuration.pair(authority, about.serial, public),
        proof=bytes(64))
    bundle = bundle.but(**changes)
    if "proof" not in changes:
        bundle.proof = (new_key if isinstance(new_key, bytes)
                        else new_key.sign(bundle.proof_digest))
    return bundle


def judge_request(path, config, stored, authority, fleet=False):
    """Holds a request to its layout and to the chip: configuration zone,
    slot 14 as it is stored, public key in slot 13. Returns it."""
    request = Request.read(path)
    blank = stored[1:] == b"\xff" * 71
    validated = not blank and stored[0] >> 4 == 5
    serial = config[0:4] + config[8:13]
    wanted = Configuration.of(config)
    assert request.magic == b"KWR1" and request.slot == SLOT
    assert request.flags == ((0 if fleet else FLAG_SERIAL)
                             | (0 if blank else FLAG_OLD_KEY)
                             | (FLAG_OLD_VALIDATED if validated else 0))
    assert not any(request.reserved_6 + request.reserved_22
                   + request.reserved_94)
    assert request.serial == (fleet_field(serial) if fleet else serial)
    assert request.configuration == wanted
    assert request.old_key == (NO_KEY if blank else
                               stored[4:36] + stored[40:72])
    assert request.authority == authority
    assert signed(request.new_key, request.proof_digest, request.signature)
    return request


def judge_bundle(path, request, authority, sequence):
    """Holds a bundle to its layout, and every signature in it to the
    request and the authority's public key. Returns it."""
    bundle = Bundle.read(path)
    configuration = request.configuration
    assert bundle.magic == b"KWB1" and bundle.slot == SLOT
    assert not any(bundle.reserved_6 + bundle.reserved_21)
    for field in ("flags", "serial", "old_key", "new_key"):
        assert getattr(bundle, field) == getattr(request, field), field
    assert bundle.sequence == sequence
    assert bundle.configuration_digest == configuration.digest
    assert bundle.proof == request.signature
    assert signed(authority, bundle.digest, bundle.signature)
    assert configuration.pair_is(authority, bundle.new_validate,
                                 bundle.serial, bundle.new_key)
    if not bundle.old_validated:
        assert bundle.old_invalidate == bundle.old_validate == NO_PAIR
        return bundle
    assert configuration.pair_is(authority, bundle.old_invalidate,
                                 bundle.serial, bundle.old_key, True)
    assert configuration.pair_is(authority, bundle.old_validate,
                                 bundle.serial, bundle.old_key)
    nonces = {pair[:32] for pair in (bundle.old_invalidate,
                                     bundle.old_validate,
                                     bundle.new_validate)}
    assert len(nonces) == 3
    return bundle


# C headers.

def read_arrays(text):
    """The arrays of a header: [(name, bytes)]."""
    arrays = []
    for name, size, body in re.findall(
            r"uint8_t (\w+)\[(\d*)\] = \{\n(.*?)\};", text, re.S):
        data = bytes(int(word, 16)
                     for word in re.findall(r"0x([0-9A-F]{2}),\s", body))
        if size and int(size) != len(data):
            raise AssertionError(f"{name}[{size}] holds {len(data)} bytes")
        arrays.append((name, data))
    return arrays


def c_arrays(arrays):
    """The same the other way, in the vendor's layout."""
    texts = []
    for name, data in arrays:
        rows = "".join(
            "".join(f"0x{byte:02X}, " for byte in data[at:at + 16]) + "\n"
            for at in range(0, len(data), 16))
        texts.append(f"uint8_t {name}[{len(data)}] = {{\n{rows}}};")
    return "\n\n".join(texts)
