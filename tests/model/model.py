"""A second ATECC608, in Python: the oracle for the chip in sim/atecc608.

It predicts, for every command, which status the chip answers,
which bytes, and what the command leaves in the volatile state and in the
EEPROM. It was written from public facts (DS40002138A "D1", its siblings,
Microchip's library and its tests), not from the chip's code.

Rules that the facts leave open, and that both sides follow:
 - parse error 03: wrong whatever the state; it is looked for first.
   Execution error 0F: wrong now.
 - After any refusal (03, 05, 0F, FF) the volatile state is as before, with
   one exception: GenDig that answers 0F leaves a TempKey that is not valid
   (D1, the notes under the tables of 5.3.3).
 - After 01 the command counts as done: what it read is consumed.
 - MsgDigBuf is emptied by the command that reads it, by sleep and by a
   power cycle, and by nothing else.

Places where the facts are silent and the project chose say "decided". Where
two answers can still be defended, the prediction holds both (Model.may, or a
Refusal with two statuses); each such place says why.
"""

import dataclasses
import functools
import struct
from typing import NamedTuple

import messages as msg
from eeprom import (AES, COUNTER_MAX, ENCRYPTED, INVALID, NEVER, OTHER, P256,
                    PUB_INVALID, SLOT_SIZE, VALID, Eeprom)

OK, MISMATCH, PARSE, ECC, EXECUTION, CRC = 0x00, 0x01, 0x03, 0x05, 0x0F, 0xFF

# Random before the configuration is locked (D5 p.81 as cited; D4 p.59).
FIXED_RANDOM = bytes.fromhex("FFFF0000") * 8


@dataclasses.dataclass(frozen=True)
class TempKey:
    """Frozen: a command replaces it whole. The default is "cleared"."""
    value: bytes = bytes(64)
    valid: bool = False
    is_64: bool = False
    key_id: int = 0
    source_fixed: bool = False
    gen_dig: bool = False
    gen_key: bool = False
    no_mac: bool = False
    private: bool = False

    @property
    def flags(self):
        return (self.key_id | self.source_fixed << 4 | self.gen_dig << 5 |
                self.gen_key << 6 | self.no_mac << 7)


@dataclasses.dataclass
class State:
    eeprom: Eeprom
    temp_key: TempKey = TempKey()
    message: bytes = b""        # MsgDigBuf: empty, 32 or 64 bytes
    alternate: bytes = b""      # AltKeyBuf: empty or 32 bytes
    sha: object = None          # Sha256Context
    hmac_key: bytes = None      # not None: SHA is an HMAC in progress
    hmac_text: bytes = b""
    authorised: int = None      # AuthComplete: the key that CheckMac proved
    latch: bool = False         # persistent: sleep does not clear it
    boot_prohibited: bool = False
    draws: int = 0              # of the deterministic generator

    def copy(self):
        return dataclasses.replace(self, eeprom=self.eeprom.copy())


class Outcome(NamedTuple):
    """One answer that the facts allow. The response is the data bytes of
    the frame, or a function that says what is wrong with them (or None)."""
    status: int
    response: object
    state: State


class Refusal(Exception):
    def __init__(self, *statuses):
        super().__init__(statuses)
        self.statuses = statuses


def parse(condition):
    if not condition:
        raise Refusal(PARSE)


def need(condition):
    if not condition:
        raise Refusal(EXECUTION)


class Model:
    def __init__(self, image, seed=0):
        self.state = State(Eeprom(image))
        self.seed = seed
        self.also = set()      # statuses of refusals that are right too
        self.mismatch = False  # a wrong MAC was met

    # -- what happens to the chip besides commands

    def power_cycle(self):
        self.state = State(self.state.eeprom, draws=self.state.draws)

    def sleep(self):
        before = self.state
        self.power_cycle()
        self.state.latch = before.latch
        self.state.boot_prohibited = before.boot_prohibited

    # -- commands

    def predict(self, packet):
        """The outcomes that the facts allow for a packet."""
        before = self.state
        self.state = before.copy()
        self.also = set()
        self.mismatch = False
        try:
            response = self._execute(packet)
            status = MISMATCH if response == b"\x01" else OK
            outcomes = [Outcome(status, response, self.state)]
        except Refusal as refusal:
            outcomes = [Outcome(s, None, after_refusal(before, packet, s))
                        for s in refusal.statuses]
        outcomes += [Outcome(s, None, before) for s in sorted(self.also)]
        self.state = before
        return outcomes

    def settle(self, outcome):
        self.state = outcome.state

    def may(self, status, condition=True):
        """The chip may refuse here as well."""
        if condition:
            self.also.add(status)

    def _execute(self, packet):
        packet = packet[:packet[0]]  # bytes past the count are ignored
        if not (7 <= len(packet) <= 155 and packet[0] == len(packet) and
                struct.unpack("<H", packet[-2:])[0] == msg.crc16(packet[:-2])):
            raise Refusal(CRC)
        opcode, p1, p2 = struct.unpack_from("<BBH", packet, 1)
        handler = self.COMMANDS.get(opcode)
        parse(handler is not None)
        return handler(self, p1, p2, bytes(packet[5:-2]))

    # -- what commands share

    @property
    def serial(self):
        return msg.Serial(self.state.eeprom.config)

    def draw(self):
        """The driver's generator: SHA-256 over seed and count of draws."""
        block = msg.sha256(struct.pack("<QQ", self.seed, self.state.draws))
        self.state.draws += 1
        return block

    def rand_out(self):
        if not self.state.eeprom.config_locked:
            return FIXED_RANDOM
        return self.draw()

    def policy(self, slot):
        return self.state.eeprom.policy(slot)

    def secret(self, slot):
        return self.state.eeprom.slot(slot)[:32]

    def private_key(self, slot):
        """4 zero bytes, then the scalar, as PrivWrite transports it."""
        key = self.state.eeprom.slot(slot)[4:36]
        if not msg.is_scalar(key):
            # No sheet says which code a blank slot gives; 05 is "ECC fault".
            raise Refusal(EXECUTION)
        return key

    def public_key(self, slot):
        raw = self.state.eeprom.slot(slot)
        return raw[4:36] + raw[40:72]

    def store(self, slot, at, data):
        """A slot "written for any reason" loses its validity (the sheet of
        the 508A, as rust-cryptoauthlib cites it)."""
        self.state.eeprom.set_slot(slot, at, data)
        if self.state.eeprom.keeps_validity(slot):
            self.state.eeprom.set_validity(slot, INVALID)

    def gate(self, slot):
        """Rules for every use of a slot."""
        self.need_latch(slot)
        self.spend_authorisation(slot)

    def need_latch(self, slot):
        need(self.state.latch or not self.policy(slot).persistent_disable)

    def spend_authorisation(self, slot):
        """Good for one use (seen on silicon)."""
        policy = self.policy(slot)
        if policy.req_auth:
            need(self.state.authorised == policy.auth_key)
            self.state.authorised = None

    def count_use(self, slot):
        eeprom = self.state.eeprom
        if self.policy(slot).limited_use:
            need(eeprom.counter(0) < min(eeprom.use_limit(), COUNTER_MAX))
            eeprom.set_counter(0, eeprom.counter(0) + 1)

    def use_symmetric_key(self, slot):
        """The secret of a slot for MAC, GenDig or HMAC."""
        need(not self.policy(slot).private)
        self.gate(slot)
        self.count_use(slot)
        return self.secret(slot)

    def read_temp_key(self):
        """TempKey as a nonce or digest; the caller decides what becomes of
        it. A private key made by GenKey serves ECDH alone (decided)."""
        temp_key = self.state.temp_key
        need(temp_key.valid and not temp_key.private)
        return temp_key

    def consume_temp_key(self):
        self.state.temp_key = TempKey()

    def consume_message(self):
        self.state.message = b""

    def replace_temp_key(self, value, **flags):
        self.state.temp_key = TempKey(
            value=value.ljust(64, b"\0"), valid=True, is_64=len(value) == 64,
            **flags)

    def session_key(self, key_slot):
        """TempKey for an encrypted read or write; consumed."""
        temp_key = self.read_temp_key()
        need(temp_key.gen_dig and temp_key.key_id == key_slot)
        self.consume_temp_key()
        return temp_key.value[:32]

    def mac_mismatch(self):
        """01 is published for CheckMac, Verify and SecureBoot; that a wrong
        MAC of a write gives the same is decided."""
        return b"\x01"

    # -- 30 Info

    def info(self, p1, p2, data):
        parse(not data and p1 <= 4)
        return self.INFO[p1](self, p2)

    def info_revision(self, p2):
        parse(p2 == 0)
        return self.state.eeprom.revision

    def info_key_valid(self, p2):
        parse(p2 <= 15)
        policy = self.policy(p2)
        eeprom = self.state.eeprom
        if policy.private and policy.key_type == P256:
            valid = msg.is_scalar(eeprom.slot(p2)[4:36])
            return bytes([valid, 0, 0, 0])
        if eeprom.keeps_validity(p2):
            return bytes([eeprom.validity(p2) == VALID, 0, 0, 0])
        # "Meaningless" for other slots.
        return lambda got: (None if got[1:] == bytes(3) and got[0] < 2
                            else "not a boolean")

    def info_state(self, p2):
        parse(p2 == 0)
        temp_key = self.state.temp_key
        authorised = self.state.authorised
        auth_bits = 0 if authorised is None else authorised << 3 | 1 << 2
        return bytes([temp_key.flags, temp_key.valid << 7 | auth_bits, 0, 0])

    def info_gpio(self, p2):
        raise Refusal(EXECUTION)  # "a one-byte error" on I2C parts

    def info_latch(self, p2):
        parse(p2 <= 3)
        if p2 & 2:
            permission = self.state.eeprom.config_byte(69)
            need(permission & 0x80)
            need(self.state.authorised == permission & 15)
            self.state.authorised = None
            self.state.latch = bool(p2 & 1)
        return bytes([self.state.latch, 0, 0, 0])

    INFO = [info_revision, info_key_valid, info_state, info_gpio, info_latch]

    # -- 1B Random

    def random(self, p1, p2, data):
        parse(not data and p1 <= 1 and p2 == 0)
        return self.rand_out()

    # -- 16 Nonce

    def nonce(self, p1, p2, data):
        if p1 <= 1:
            return self.nonce_random(p1, p2, data)
        parse(self.NONCE_SIZES.get(p1) == len(data) and p2 == 0)
        if p1 & 0xC0 == 0:
            self.replace_temp_key(data, source_fixed=True)
        elif p1 & 0xC0 == 0x40:
            self.state.message = data
        else:
            self.state.alternate = data
        return b"\0"

    NONCE_SIZES = {0x03: 32, 0x23: 64, 0x43: 32, 0x63: 64, 0x83: 32}

    def nonce_random(self, p1, p2, data):
        parse(len(data) == 20 and p2 in (0, 0x8000))
        if p2 == 0:
            rand_out = self.rand_out()
            self.replace_temp_key(msg.nonce(rand_out, data, p1, p2))
            return rand_out
        # The flags stay (as the library's host model has it): D1 table 5-18
        # would turn a fixed nonce into a random one.
        old = self.read_temp_key()
        value = msg.nonce(old.value[:32], data, p1, p2)
        self.state.temp_key = dataclasses.replace(
            old, value=value.ljust(64, b"\0"), is_64=False, private=False)
        return value

    # -- 15 GenDig

    def gendig(self, p1, p2, data):
        parse(p1 <= 5)
        limit, sizes = self.GENDIG[p1]
        parse(p2 & 0x7FFF <= limit if p1 == 3 else p2 <= limit)
        parse(len(data) in sizes)
        # The header of a NoMac key is the other data. Missing bytes look
        # like a parse error, yet only the configuration makes them missing.
        self.may(PARSE, p1 == 2 and not data and self.policy(p2).no_mac)
        # Untested by anybody while data is unlocked: refuse.
        need(self.state.eeprom.data_locked and
             self.state.eeprom.config_locked)
        old = self.read_temp_key()
        first, header, middle, tail = self.gendig_parts(
            p1, p2, data, old.value[:32])
        digest = msg.gendig(first, header, self.serial, middle, tail)
        key = p1 == 2
        no_mac = old.no_mac or key and self.policy(p2).no_mac
        # GenKeyData goes: the value is no public key's digest any more.
        self.replace_temp_key(
            digest, source_fixed=old.source_fixed, gen_dig=key,
            key_id=p2 if key else 0, no_mac=no_mac)
        return b"\0"

    # zone: highest p2, sizes of the data
    GENDIG = [(3, (0, 4)), (1, (0, 4)), (15, (0, 4)), (15, (32,)),
              (1, (0, 4)), (15, (0, 4))]

    def gendig_parts(self, p1, p2, data, temp_key):
        """The message: first, header, 25 bytes, tail."""
        eeprom = self.state.eeprom
        header = msg.head(0x15, p1, p2)
        zeros = bytes(25)
        if p1 == 0:
            return eeprom.config[32 * p2:][:32], header, zeros, temp_key
        if p1 == 1:
            return eeprom.otp[32 * p2:][:32], header, zeros, temp_key
        if p1 == 2:
            key, header = self.gendig_key(p2, data, header)
            return key, header, zeros, temp_key
        if p1 == 3:
            header = header[:3] + b"\0"
            first, tail = ((temp_key, data) if p2 & 0x8000
                           else (data, temp_key))
            return first, header, zeros, tail
        if p1 == 4:
            middle = struct.pack("<BI20x", 0, eeprom.counter(p2))
            return bytes(32), header, middle, temp_key
        middle = b"".join((
            b"\0", eeprom.config[20 + 2 * p2:][:2],
            eeprom.config[96 + 2 * p2:][:2],
            bytes([not eeprom.slot_locked(p2)]), bytes(19)))
        return bytes(32), header, middle, temp_key

    def gendig_key(self, slot, data, header):
        policy = self.policy(slot)
        need(not (policy.req_random and self.state.temp_key.source_fixed))
        key = self.use_symmetric_key(slot)
        need(data or not policy.no_mac)
        return key, data if policy.no_mac else header

    # -- 40 GenKey

    def genkey(self, p1, p2, data):
        parse(p1 in (0x00, 0x04, 0x08, 0x0C, 0x10))
        parse(p2 <= 15 or p2 == 0xFFFF)
        if p1 == 0x10:
            return self.genkey_digest(p2, data)
        # Three bytes are in D1 table 5-49 for FFFF, the library sends none.
        parse(not data or len(data) == 3 and (p1, p2) == (0x04, 0xFFFF))
        if p2 == 0xFFFF:
            return self.genkey_temp_key(p1)
        need(self.state.eeprom.config_locked)
        if p1 & 0x08:
            self.genkey_nonce(p2)
        public = self.genkey_slot(p1, p2)
        if p1 & 0x08:
            self.genkey_into_temp_key(p2, msg.head(0, p1, p2)[1:], public)
        return public

    def genkey_private(self):
        """The driver's key maker: a draw with the top bit off."""
        draw = self.draw()
        return bytes([draw[0] & 0x7F]) + draw[1:]

    def genkey_temp_key(self, p1):
        if p1 != 0x04:
            raise Refusal(PARSE)  # only creation is published with FFFF
        need(self.state.eeprom.config_locked)
        private = self.genkey_private()
        self.replace_temp_key(private, private=True)
        return msg.public_of(private)

    def genkey_slot(self, p1, slot):
        policy = self.policy(slot)
        eeprom = self.state.eeprom
        need(policy.private and policy.key_type == P256 and policy.is_secret)
        need(policy.pub_info)  # else the public key can never be output
        self.spend_authorisation(slot)  # PersistentDisable exempts GenKey
        if not p1 & 0x04:
            return msg.public_of(self.private_key(slot))
        need(not eeprom.slot_locked(slot))
        # Bit 13 of SlotConfig counts once data is locked.
        need(not eeprom.data_locked or policy.write_config & 2)
        private = self.genkey_private()
        self.store(slot, 0, bytes(4) + private)
        return msg.public_of(private)

    def genkey_nonce(self, slot):
        temp_key = self.read_temp_key()
        need(not (self.policy(slot).req_random and temp_key.source_fixed))
        return temp_key

    def genkey_into_temp_key(self, slot, three, public):
        old = self.state.temp_key
        digest = msg.genkey(old.value[:32], three, self.serial, public)
        self.replace_temp_key(digest, source_fixed=old.source_fixed,
                              no_mac=old.no_mac, gen_key=True, key_id=slot)

    def genkey_digest(self, slot, data):
        parse(len(data) == 3 and slot <= 15)
        need(slot >= 8 and self.state.eeprom.config_locked)
        policy = self.policy(slot)
        need(not policy.private and policy.key_type == P256)
        self.genkey_nonce(slot)
        self.genkey_into_temp_key(slot, data, self.public_key(slot))
        return b"\0"

    # -- 41 Sign

    def sign(self, p1, p2, data):
        parse(not data and not p1 & 0x1E and p2 <= 15)
        external = bool(p1 & 0x80)
        parse(not external or not p1 & 1)  # bit 0 is for internal messages
        need(self.state.eeprom.config_locked)
        policy = self.policy(p2)
        need(policy.private and policy.key_type == P256 and policy.is_secret)
        need(policy.read_key & (1 if external else 2))
        self.gate(p2)
        if external:
            digest = self.external_message(p1)
        else:
            # ReqRandom of the key does not count (unpublished; decided).
            digest = self.internal_message(p1, p2)
        public = msg.public_of(self.private_key(p2))
        self.count_use(p2)
        return functools.partial(check_signature, public, digest)

    def external_message(self, p1):
        """The 32 bytes that a host put into MsgDigBuf or TempKey."""
        if p1 & 0x20:
            digest = self.state.message[:32]
            need(digest)
            self.consume_message()
            return digest
        temp_key = self.read_temp_key()
        self.consume_temp_key()
        return temp_key.value[:32]

    def internal_message(self, p1, slot):
        """Bit 5 is tolerated and has no meaning (D1 table 5-59)."""
        temp_key = self.read_temp_key()
        need(temp_key.gen_dig or temp_key.gen_key)
        self.consume_temp_key()
        return msg.sha256(msg.sign_internal(
            temp_key.value, msg.head(0x41, p1, slot),
            self.state.eeprom.config, temp_key.key_id, temp_key.flags, p1 & 1))

    # -- 45 Verify

    def verify(self, p1, p2, data):
        kind = p1 & 7
        parse(not p1 & 0x58 and kind in self.VERIFY)
        size, handler = self.VERIFY[kind]
        parse(size in (None, len(data)))
        parse(kind in (0, 2) or not p1 & 0x80)  # MAC: stored, external only
        return handler(self, p1, p2, data)

    def verify_validate_external(self, p1, p2, data):
        # No public sheet describes it, so nobody can say what is wrong.
        raise Refusal(PARSE, EXECUTION)

    def verify_external(self, p1, p2, data):
        parse(p2 == P256)
        # No slot is involved: no lock counts (decided).
        return self.verify_message(p1, p2, data[:64], data[64:])

    def verify_stored(self, p1, p2, data):
        parse(p2 <= 15)
        need(p2 >= 8 and self.state.eeprom.config_locked)
        policy = self.policy(p2)
        need(not policy.private and policy.key_type == P256)
        need(not policy.pub_info or self.state.eeprom.validity(p2) == VALID)
        self.gate(p2)
        if policy.req_random:
            need(not p1 & 0x20 and not self.state.temp_key.source_fixed)
        self.count_use(p2)
        return self.verify_message(p1, p2, data, self.public_key(p2))

    def verify_message(self, p1, p2, signature, public):
        with_mac = bool(p1 & 0x80)
        buffer = self.state.message
        if with_mac:
            need(self.state.eeprom.config_byte(90) & 2)
            # Before the data lock no policy protects the IO key: as MAC.
            need(self.both_locked())
            # The nonce lies behind the message, or is the whole buffer.
            need(len(buffer) >= (64 if p1 & 0x20 else 32))
        digest = self.external_message(p1)
        need(msg.is_on_curve(public))
        if with_mac:
            self.consume_message()
        if not msg.ecdsa_verify(public, digest, signature):
            return b"\x01"
        if not with_mac:
            return b"\0"
        io_key = self.secret(self.state.eeprom.config_byte(91) >> 4)
        nonce = buffer[32:64] if p1 & 0x20 else buffer[:32]
        return msg.verify_mac(io_key, digest, nonce, signature,
                              msg.head(0x45, p1, p2))

    def verify_validate(self, p1, p2, data):
        """To change the validity of a key is no use of it: neither ReqAuth
        nor the slot lock counts (both unpublished; decided)."""
        signature, other = data[:64], data[64:]
        parse(p2 <= 15)
        parse(not p1 & 0x20)  # the message is in TempKey
        invalidate = bool(p1 & 4)
        if bool(other[17] & 1) != invalidate:
            raise Refusal(EXECUTION)  # "an error", code not given
        eeprom = self.state.eeprom
        need(eeprom.config_locked and eeprom.keeps_validity(p2))
        policy = self.policy(p2)
        self.need_latch(p2)
        # A format other than 0 wants ValidateExternal.
        need(eeprom.config_byte(92 + policy.x509_id) == 0)
        temp_key = self.read_temp_key()
        need(temp_key.gen_key and temp_key.key_id == p2)
        need(not (policy.req_random and temp_key.source_fixed))
        parent = self.parent_key(policy.read_key, temp_key)
        digest = msg.validate_digest(temp_key.value[:32], other, self.serial)
        self.consume_temp_key()
        if not msg.ecdsa_verify(parent, digest, signature):
            return b"\x01"
        eeprom.set_validity(p2, INVALID if invalidate else VALID)
        return b"\0"

    def parent_key(self, slot, temp_key):
        """The key that signs validations: slot ReadKey of the target."""
        policy = self.policy(slot)
        need(slot >= 8 and not policy.private and policy.key_type == P256)
        self.gate(slot)
        # This key is used, so its ReqRandom counts as well; its validity
        # does not, only Verify(Stored) minds that.
        need(not (policy.req_random and temp_key.source_fixed))
        self.count_use(slot)
        public = self.public_key(slot)
        need(msg.is_on_curve(public))
        return public

    VERIFY = {0: (64, verify_stored), 1: (None, verify_validate_external),
              2: (128, verify_external), 3: (83, verify_validate),
              7: (83, verify_validate)}

    # -- 02 Read

    def read(self, p1, p2, data):
        parse(not data and not p1 & 0x7C and p1 & 3 != 3)
        size = 32 if p1 & 0x80 else 4
        if p1 & 3 == 0:
            at = zone_offset(p2, size, 0x1F)
            return self.state.eeprom.config[at:at + size]
        if p1 & 3 == 1:
            need(self.both_locked())
            at = zone_offset(p2, size, 0x0F)
            return self.state.eeprom.otp[at:at + size]
        return self.read_data(p2, size)

    def both_locked(self):
        return (self.state.eeprom.config_locked and
                self.state.eeprom.data_locked)

    def read_data(self, p2, size):
        slot, at = slot_offset(p2, size)
        need(self.both_locked())
        policy = self.policy(slot)
        need(not policy.private)
        self.need_latch(slot)
        block = self.state.eeprom.slot(slot)[at:at + size].ljust(size, b"\0")
        if not policy.is_secret:
            need(not policy.encrypt_read)  # prohibited combination
            return block
        need(policy.encrypt_read and size == 32)
        return msg.xor(block, self.session_key(policy.read_key))

    # -- 12 Write

    def write(self, p1, p2, data):
        parse(not p1 & 0x3C and p1 & 3 != 3)
        parse(len(data) in (32, 64) if p1 & 0x80 else len(data) == 4)
        parse(not p1 & 0x40 or len(data) == 64)
        (self.write_config, self.write_otp,
         self.write_data)[p1 & 3](p1, p2, data)
        if self.mismatch:
            return self.mac_mismatch()
        return b"\0"

    def write_config(self, p1, p2, data):
        parse(len(data) != 64)
        at = zone_offset(p2, len(data), 0x1F)
        # Bytes that are never writable: "error, and nothing changes".
        frozen = at < 16 or at <= 84 < at + len(data)
        need(not frozen and not self.state.eeprom.config_locked)
        self.state.eeprom.set_config(at, data)

    def write_otp(self, p1, p2, data):
        eeprom = self.state.eeprom
        parse(len(data) != 64 or p1 & 0x40)
        need(eeprom.config_locked and not eeprom.data_locked)
        need(len(data) == 32)  # GenDig needs data locked: no encryption
        eeprom.set_otp(zone_offset(p2, 32, 0x0F), data)

    def write_data(self, p1, p2, data):
        size = min(len(data), 32)
        slot, at = slot_offset(p2, size)
        eeprom = self.state.eeprom
        policy = self.policy(slot)
        # A MAC without bit 6 is the form of D1 for locked data.
        parse(len(data) != 64 or p1 & 0x40 or
              self.both_locked() and policy.write_rule == ENCRYPTED)
        need(eeprom.config_locked and not policy.private)
        need(not eeprom.slot_locked(slot))
        if eeprom.data_locked:
            # Before the data lock a key must come into the slot somehow.
            self.need_latch(slot)
            plain = self.write_by_policy(slot, p1, p2, data)
        else:
            need(len(data) == 32)
            plain = data
        if plain is None:
            return
        self.store(slot, at, plain)

    def write_by_policy(self, slot, p1, p2, data):
        """The plain data; None after a wrong MAC."""
        policy = self.policy(slot)
        if policy.write_rule == ENCRYPTED:
            need(len(data) == 64)
            key = self.session_key(policy.write_key)
            return self.decrypted(key, msg.head(0x12, p1, p2), data, 32)
        need(policy.write_rule != NEVER)
        if policy.write_rule == PUB_INVALID:
            self.check_pub_invalid(slot)
        need(len(data) != 64)
        need(len(data) == 32 or not policy.is_secret)
        return data

    def check_pub_invalid(self, slot):
        """The nibble has no meaning in slots that keep no validity."""
        need(not self.state.eeprom.keeps_validity(slot) or
             self.state.eeprom.validity(slot) != VALID)

    def decrypted(self, key, header, data, size):
        pad = key + msg.sha256(key)
        plain = msg.xor(data[:size], pad)
        if msg.write_mac(key, header, self.serial, plain) == data[size:]:
            return plain
        self.mismatch = True
        return None

    # -- 46 PrivWrite

    def privwrite(self, p1, p2, data):
        parse(p1 in (0x00, 0x40) and p2 <= 15)
        parse(len(data) == 68)  # with p1 00 the MAC is there and ignored
        eeprom = self.state.eeprom
        need(eeprom.config_locked)
        policy = self.policy(p2)
        need(policy.private and policy.is_secret and policy.key_type == P256)
        need(not eeprom.slot_locked(p2))
        if eeprom.data_locked:
            self.need_latch(p2)
        plain = (self.privwrite_encrypted(p1, p2, data) if p1 & 0x40
                 else self.privwrite_clear(data))
        if self.mismatch:
            return self.mac_mismatch()
        if not msg.is_scalar(plain[4:]):
            raise Refusal(EXECUTION)  # code not published
        self.store(p2, 0, plain)
        return b"\0"

    def privwrite_clear(self, data):
        need(not self.state.eeprom.data_locked)
        return data[:36]

    def privwrite_encrypted(self, p1, p2, data):
        policy = self.policy(p2)
        need(self.state.eeprom.data_locked)  # as GenDig
        need(policy.write_config & 4)
        key = self.session_key(policy.write_key)
        return self.decrypted(key, msg.head(0x46, p1, p2), data, 36)

    # -- 08 MAC

    def mac(self, p1, p2, data):
        parse(not p1 & 0x88 and p2 <= 15)
        parse(len(data) == (0 if p1 & 1 else 32))
        need(self.both_locked())
        first = (self.mac_temp_key(p1) if p1 & 2
                 else self.mac_key(p1, p2))
        second = self.mac_temp_key(p1) if p1 & 1 else data
        # Bit 2 describes TempKey; alone it has no meaning.
        if p1 & 3:
            self.consume_temp_key()
        return msg.mac(first, second, msg.head(0x08, p1, p2), self.mac_otp(p1),
                       self.serial, p1 & 0x40)

    def mac_temp_key(self, p1):
        temp_key = self.read_temp_key()
        need(bool(p1 & 4) == temp_key.source_fixed and not temp_key.no_mac)
        return temp_key.value[:32]

    def mac_key(self, p1, slot):
        policy = self.policy(slot)
        need(not policy.no_mac)
        # A challenge of the host's choice is no random nonce either.
        need(not policy.req_random or
             p1 & 1 and not self.state.temp_key.source_fixed)
        return self.use_symmetric_key(slot)

    def mac_otp(self, p1):
        """Bits 4 and 5 are the library's; D1 shows zeros alone."""
        if p1 & 0x10:
            return self.state.eeprom.otp[:11]
        if p1 & 0x20:
            return self.state.eeprom.otp[:8] + bytes(3)
        return bytes(11)

    # -- 47 SHA

    def sha(self, p1, p2, data):
        handler = self.SHA.get(p1)
        parse(handler is not None)
        return handler(self, p1, p2, data)

    def sha_start(self, p1, p2, data):
        parse(not data)
        parse(p2 == 0)
        self.state.sha, self.state.hmac_key = msg.Sha256Context(), None
        return b"\0"

    def sha_public(self, p1, p2, data):
        """In no sheet of the 608, but in the library: X Y of a stored public
        key join the message."""
        parse(not data and p2 <= 15)
        need(self.state.eeprom.config_locked and p2 >= 8)
        policy = self.policy(p2)
        need(not policy.private and policy.key_type == P256)
        return self.sha_more(self.public_key(p2))

    def sha_active(self):
        return self.state.sha is not None or self.state.hmac_key is not None

    def sha_update(self, p1, p2, data):
        parse(1 <= p2 <= 64 and len(data) == p2)
        return self.sha_more(data)

    def sha_more(self, data):
        need(self.sha_active())
        if self.state.hmac_key is not None:
            self.state.hmac_text += data
        else:
            self.state.sha = self.state.sha.updated(data)
        return b"\0"

    def sha_end(self, p1, p2, data):
        parse(p2 <= 64 and len(data) == p2)
        need(self.sha_active())
        state = self.state
        if state.hmac_key is not None:
            digest = msg.hmac_sha256(state.hmac_key, state.hmac_text + data)
        else:
            digest = state.sha.digest(data)
        state.sha, state.hmac_key, state.hmac_text = None, None, b""
        if p1 & 0xC0 == 0:
            # Flags unpublished: a host chose the message, hence "fixed".
            self.replace_temp_key(digest, source_fixed=True)
        elif p1 & 0xC0 == 0x40:
            state.message = digest
        return digest

    def hmac_start(self, p1, p2, data):
        parse(not data and (p2 <= 15 or p2 == 0xFFFF))
        if p2 == 0xFFFF:
            temp_key = self.read_temp_key()
            need(not temp_key.no_mac)  # published for MAC; the same idea
            key = temp_key.value[:32]
            self.consume_temp_key()
        else:
            need(self.both_locked())
            policy = self.policy(p2)
            need(not policy.no_mac and not policy.req_random)
            key = self.use_symmetric_key(p2)
        self.state.sha, self.state.hmac_key, self.state.hmac_text = (
            None, key, b"")
        return b"\0"

    def sha_read_context(self, p1, p2, data):
        parse(not data and p2 == 0)
        need(self.state.sha is not None)
        return self.state.sha.exported()

    def sha_write_context(self, p1, p2, data):
        parse(36 <= len(data) <= 99 and p2 == len(data))
        parse(len(data) == 36 + data[0] % 64)
        self.state.sha = msg.Sha256Context.imported(data)
        self.state.hmac_key, self.state.hmac_text = None, b""
        return b"\0"

    SHA = {0x00: sha_start, 0x01: sha_update, 0x02: sha_end, 0x42: sha_end,
           0xC2: sha_end, 0x03: sha_public, 0x04: hmac_start,
           0x06: sha_read_context, 0x07: sha_write_context}

    # -- 24 Counter

    def counter(self, p1, p2, data):
        parse(not data and p1 <= 1 and p2 <= 1)
        eeprom = self.state.eeprom
        # Reading follows what a host writes to the unlocked zone; to count
        # takes the lock (the library's test asks for it).
        value = eeprom.counter(p2)
        if p1 == 1:
            need(eeprom.config_locked and value < COUNTER_MAX)
            value += 1
            eeprom.set_counter(p2, value)
        return struct.pack("<I", value)

    # -- 17 Lock

    def lock(self, p1, p2, data):
        parse(not data and not p1 & 0x40 and p1 & 3 != 3)
        parse(p1 & 3 == 2 or not p1 & 0x3C)
        (self.lock_config, self.lock_data, self.lock_slot)[p1 & 3](p1, p2)
        return b"\0"

    def lock_crc(self, p1, p2, content):
        # Which error a wrong CRC gives is not published.
        if not p1 & 0x80 and p2 != msg.crc16(content):
            raise Refusal(EXECUTION)

    def lock_config(self, p1, p2):
        eeprom = self.state.eeprom
        need(not eeprom.config_locked)
        self.lock_crc(p1, p2, eeprom.config)
        eeprom.set_config(87, b"\0")

    def lock_data(self, p1, p2):
        eeprom = self.state.eeprom
        need(eeprom.config_locked and not eeprom.data_locked)
        self.lock_crc(p1, p2, bytes(eeprom.image[196:]) + eeprom.otp)
        eeprom.set_config(86, b"\0")

    def lock_slot(self, p1, p2):
        """p1 = 00bbbb10; CRC and data do not count (D1 5.1.3.1)."""
        parse(not p1 & 0x80)
        slot = p1 >> 2 & 15
        eeprom = self.state.eeprom
        need(eeprom.config_locked and self.policy(slot).lockable)
        need(not eeprom.slot_locked(slot))
        eeprom.lock_slot(slot)

    # -- 28 CheckMac

    def checkmac(self, p1, p2, data):
        parse(not p1 & 0xD8 and p2 <= 15 and len(data) == 77)
        need(self.both_locked())
        challenge, response, other = data[:32], data[32:64], data[64:]
        temp_key = self.read_temp_key() if p1 & 3 else None
        need(temp_key is None or temp_key.source_fixed == bool(p1 & 4))
        first = (temp_key.value[:32] if p1 & 2
                 else self.checkmac_key(p1, p2))
        second = temp_key.value[:32] if p1 & 1 else challenge
        otp = self.state.eeprom.otp[:8] if p1 & 0x20 else bytes(8)
        expected = msg.check_mac(first, second, other, otp, self.serial)
        if p1 & 3:
            self.consume_temp_key()
        if expected != response:
            self.state.authorised = None  # decided, on the safe side
            return b"\x01"
        if p1 & 3 == 1 and not temp_key.source_fixed:
            self.state.authorised = p2
        if p1 in (0x01, 0x05):
            self.checkmac_copy(p2 | 1)
        return b"\0"

    def checkmac_key(self, p1, slot):
        """NoMac is for keys of this command, so it does not count."""
        need(not self.policy(slot).req_random or
             p1 & 1 and not self.state.temp_key.source_fixed)
        return self.use_symmetric_key(slot)

    def checkmac_copy(self, target):
        """D4 p.47: the odd slot of the pair, ReadKey 0. Never a private key
        nor one that the latch bars; NoMac goes along (decided)."""
        policy = self.policy(target)
        barred = policy.persistent_disable and not self.state.latch
        if policy.read_key == 0 and not policy.private and not barred:
            self.replace_temp_key(self.secret(target), source_fixed=True,
                                  no_mac=policy.no_mac)

    # -- 1C DeriveKey

    def derivekey(self, p1, p2, data):
        parse(not p1 & 0xFB and p2 <= 15 and len(data) in (0, 32))
        need(self.both_locked())
        temp_key = self.read_temp_key()
        need(temp_key.source_fixed == bool(p1 & 4))
        policy = self.policy(p2)
        need(not policy.private and policy.write_config & 2)
        need(bool(policy.write_config & 8) == bool(data))
        need(not self.state.eeprom.slot_locked(p2))
        self.need_latch(p2)
        source = policy.write_key if policy.write_config & 1 else p2
        need(not self.policy(source).private)
        need(not (self.policy(source).req_random and temp_key.source_fixed))
        self.derive_authorise(p2, policy, bool(data))
        self.consume_temp_key()
        header = msg.head(0x1C, p1, p2)
        if data and data != msg.derive_mac(self.secret(policy.write_key),
                                           header, self.serial):
            return b"\x01"
        key = msg.gendig(self.secret(source), header, self.serial, bytes(25),
                         temp_key.value[:32])
        self.store(p2, 0, key)
        return b"\0"

    def derive_authorise(self, target, policy, with_mac):
        """D3 5.3.3: rolling asks the target, creating and a MAC the parent;
        LimitedUse counts for the parent. One authorisation serves both keys
        when they agree on who gives it (decided)."""
        rolls = not policy.write_config & 1
        given = self.state.authorised
        if rolls:
            self.spend_authorisation(target)
        if rolls and not with_mac:
            return
        parent = policy.write_key
        if self.policy(parent).req_auth:
            self.state.authorised = given
        need(not self.policy(parent).private)
        self.gate(parent)
        self.count_use(parent)

    # -- results under the IO protection key

    def io_key(self):
        need(self.both_locked() and self.state.eeprom.config_byte(90) & 2)
        return self.secret(self.state.eeprom.config_byte(91) >> 4)

    def put_out(self, result, encrypted, shift):
        """ECDHPROT and KDFPROT: 1 encrypts always; above it nothing goes out
        (decided)."""
        protection = self.state.eeprom.config_byte(91) >> shift & 3
        need(protection <= 1)
        if not encrypted and protection == 0:
            return result
        io_key = self.io_key()
        return msg.protected(io_key, result, self.rand_out())

    # -- 43 ECDH

    def ecdh(self, p1, p2, data):
        parse(p1 in (0x00, 0x08, 0x0C, 0x0E, 0x05, 0x09, 0x0D, 0x0F))
        parse(p2 <= 15 or p1 in (0x09, 0x0D, 0x0F))
        parse(len(data) == 64)
        need(self.both_locked())
        private = (self.ecdh_temp_key() if p1 & 1 else self.ecdh_slot(p2))
        need(msg.is_on_curve(data))
        secret = msg.ecdh(private, data)
        if p1 == 0x00 and self.policy(p2).read_key & 8:
            return self.ecdh_next(p2, secret)
        if p1 == 0x05:
            self.result_slot(p2)
            self.store(p2, 0, secret)
            return b"\0"
        if p1 & 0x0C == 0x08:
            # Flags unpublished; a host chose half of it, hence "fixed".
            self.replace_temp_key(secret, source_fixed=True)
            return b"\0"
        return self.put_out(secret, bool(p1 & 2), 0)

    def ecdh_temp_key(self):
        temp_key = self.state.temp_key
        need(temp_key.valid and temp_key.private)
        self.consume_temp_key()
        return temp_key.value[:32]

    def ecdh_slot(self, slot):
        policy = self.policy(slot)
        need(policy.private and policy.key_type == P256 and policy.is_secret)
        need(policy.read_key & 4)
        self.gate(slot)
        self.count_use(slot)
        return self.private_key(slot)

    def ecdh_next(self, slot, secret):
        """Even slots only; never over a private key."""
        need(not slot & 1)
        need(not self.policy(slot + 1).private)
        self.need_latch(slot + 1)
        need(not self.state.eeprom.slot_locked(slot + 1))
        self.store(slot + 1, 0, secret)
        return b"\0"

    def result_slot(self, slot):
        """A slot that KDF may write: D3 2.2.3."""
        policy = self.policy(slot)
        need(not policy.private and policy.pub_info)
        need(policy.key_type in (AES, OTHER))
        self.need_latch(slot)
        need(not self.state.eeprom.slot_locked(slot))

    # -- 51 AES

    def aes(self, p1, p2, data):
        multiply = p1 & 7 == 3
        parse(p1 == 3 if multiply else not p1 & 0x3E)
        parse(len(data) == (32 if multiply else 16))
        # Seen as 03 on silicon, although it is a matter of state.
        parse(self.state.eeprom.config_byte(13) & 1 and self.both_locked())
        if multiply:
            return msg.gf128_multiply(data[:16], data[16:])
        at = 16 * (p1 >> 6)
        if p2 == 0xFFFF:
            temp_key = self.read_temp_key()
            need(at < 32 or temp_key.is_64)
            key = temp_key.value[at:at + 16]
        else:
            key = self.aes_slot(p2, at)
        return (msg.aes_decrypt if p1 & 1 else msg.aes_encrypt)(key, data)

    def aes_slot(self, slot, at):
        parse(slot <= 15 and at + 16 <= SLOT_SIZE[slot])
        policy = self.policy(slot)
        need(policy.key_type == AES and not policy.private)
        self.gate(slot)
        self.count_use(slot)
        return self.state.eeprom.slot(slot)[at:at + 16]

    # -- 56 KDF

    def kdf(self, p1, p2, data):
        source, target, algorithm = p1 & 3, p1 >> 2 & 7, p1 >> 5
        parse(target <= 5 and algorithm <= 2 and len(data) >= 4)
        parse(source != 2 or p2 & 0xFF <= 15)
        parse(target != 2 or p2 >> 8 <= 15)
        details, message = struct.unpack("<I", data[:4])[0], data[4:]
        size = 16 if algorithm == 1 else details >> 24
        parse(size <= 128 and len(message) == size)
        at, key_size, wide, aead, zero = self.kdf_details(
            algorithm, details, source, target)
        room = {0: 64, 2: SLOT_SIZE[p2 & 15]}.get(source, 32)
        parse(at + key_size <= room)
        parse(not wide or target in (0, 4, 5) or
              target == 2 and SLOT_SIZE[p2 >> 8] >= 64)
        parse(not aead or target < 4)
        # Byte 13 gates KDF too, with the same 03; ChipOptions bit 2 its AES.
        eeprom = self.state.eeprom
        parse(eeprom.config_byte(13) & 1)
        parse(algorithm != 1 or eeprom.config_byte(90) & 4)
        need(self.both_locked())
        key = bytes(32) if zero else self.kdf_key(
            source, p2 & 0xFF, at, key_size, algorithm)
        if algorithm == 0:
            result = msg.prf_sha256(key, message)
        elif algorithm == 1:
            result = msg.aes_encrypt(key, message) + bytes(16)
        else:
            result = msg.hmac_sha256(key, self.kdf_message(details, message))
        return self.kdf_deliver(target, p2 >> 8, result, wide, aead)

    def kdf_details(self, algorithm, details, source, target):
        """Offset and size of the key; 64 bytes; AEAD; a key of zeros."""
        if algorithm == 0:
            parse(not details & 0x00FFF8FC)
            aead = details >> 9 & 3
            parse(aead == 0 or aead == 1 and details & 0x100)
            wide = bool(details & 0x100) and not aead
            return 0, 16 + 16 * (details & 3), wide, bool(aead), False
        if algorithm == 1:
            parse(not details & ~3)
            return 16 * (details & 3), 16, False, False, False
        parse(not details & 0x00FFF0F8)
        parse(details & 3 != 1 or 0 not in (source, target))
        return 0, 32, False, False, bool(details & 4)

    def kdf_key(self, source, slot, at, size, algorithm):
        if source == 2:
            need(algorithm != 1 or self.policy(slot).key_type == AES)
            self.use_symmetric_key(slot)
            return self.state.eeprom.slot(slot)[at:at + size]
        if source == 3:
            need(self.state.alternate)
            return self.state.alternate[at:at + size]
        temp_key = self.read_temp_key()
        at += 32 * source
        need(at + size <= 32 or temp_key.is_64)
        return temp_key.value[at:at + size]

    def kdf_message(self, details, message):
        where = details & 3
        if where == 0:
            return self.use_symmetric_key(details >> 8 & 15)
        if where == 1:
            return self.read_temp_key().value[:32]
        if where == 3:
            at = self.state.eeprom.config_byte(72)
            need(len(message) >= at + 2)
            need(message[at:at + 2] == self.state.eeprom.config[73:75])
            return message
        return message or bytes(32)

    def kdf_deliver(self, target, slot, result, wide, aead):
        kept = result[:64 if wide else 32]
        state = self.state
        if target >= 4:
            return self.put_out(kept, target == 5, 2)
        if target == 0:
            self.replace_temp_key(kept, source_fixed=True)  # decided
        elif target == 1:
            old = self.read_temp_key()  # never valid alone
            state.temp_key = dataclasses.replace(
                old, value=old.value[:32] + kept, is_64=True)
        elif target == 2:
            self.result_slot(slot)
            self.store(slot, 0, kept)
        else:
            state.alternate = kept
        return result[32:] if aead else b"\0"

    # -- 80 SecureBoot

    def secureboot(self, p1, p2, data):
        kind = p1 & 7
        parse(kind >= 5 and not p1 & 0x38 and p2 == 0)
        parse(len(data) == (32 if kind == 6 else 96))
        eeprom = self.state.eeprom
        rules, slots = eeprom.config_byte(70), eeprom.config_byte(71)
        need(self.both_locked() and rules & 3)
        need(not self.state.boot_prohibited)
        mask = self.boot_mask(p1, rules)
        key_slot, store = slots >> 4, slots & 15
        public = self.boot_key(key_slot)
        keeps_signature = rules & 3 == 2
        if kind != 5:
            need(rules & 3 != 1)
            need(not self.policy(store).private)
            need(SLOT_SIZE[store] >= (64 if keeps_signature else 32))
            need(kind != 7 or not eeprom.slot_locked(store))
        digest = msg.xor(data[:32], mask or bytes(32))
        signature = data[32:]
        if kind == 6 and keeps_signature:
            signature = eeprom.slot(store)[:64]
        if not self.boot_agrees(public, digest, signature, store):
            return b"\x01"
        if kind == 7:
            self.store(store, 0, signature if keeps_signature else digest)
        self.state.latch = self.state.latch or bool(rules & 8)
        self.state.boot_prohibited = bool(p1 & 0x40)
        if mask is None:
            return b"\0"
        return msg.sha256(mask, digest, signature, msg.head(0x80, p1, p2))

    def boot_mask(self, p1, rules):
        """What hides the digest; a random nonce, when configured, needs the
        encrypted form (decided)."""
        encrypted, random = bool(p1 & 0x80), bool(rules & 16)
        need(encrypted or not random)
        if not encrypted:
            return None
        io_key = self.io_key()
        temp_key = self.read_temp_key()
        need(not random or not temp_key.source_fixed)
        self.consume_temp_key()
        return msg.sha256(io_key, temp_key.value[:32])

    def boot_key(self, slot):
        policy = self.policy(slot)
        need(slot >= 8 and not policy.private and policy.key_type == P256)
        self.gate(slot)
        self.count_use(slot)
        return self.public_key(slot)

    def boot_agrees(self, public, digest, signature, store):
        if not signature:
            stored = self.state.eeprom.slot(store)[:32]
            return stored == digest and stored != b"\xFF" * 32
        need(msg.is_on_curve(public))
        return msg.ecdsa_verify(public, digest, signature)

    # -- 77 SelfTest: nothing is broken here

    def selftest(self, p1, p2, data):
        parse(not p1 & 0xC0 and p2 == 0 and not data)
        if p1 & 1:
            self.draw()
            self.draw()
        return b"\0"

    # -- 20 UpdateExtra

    def updateextra(self, p1, p2, data):
        parse(p1 <= 1 and not data)  # mode 2: in no sheet of a 608
        need(self.state.eeprom.config_byte(84 + p1) == 0)
        self.state.eeprom.set_config(84 + p1, bytes([p2 & 0xFF]))
        return b"\0"

    COMMANDS = {0x30: info, 0x1B: random, 0x16: nonce, 0x15: gendig,
                0x40: genkey, 0x41: sign, 0x45: verify, 0x02: read,
                0x12: write, 0x46: privwrite, 0x08: mac, 0x47: sha,
                0x24: counter, 0x17: lock, 0x28: checkmac, 0x1C: derivekey,
                0x43: ecdh, 0x56: kdf, 0x51: aes, 0x80: secureboot,
                0x77: selftest, 0x20: updateextra}


def after_refusal(before, packet, status):
    if status == EXECUTION and packet[1] == 0x15:
        return dataclasses.replace(before.copy(), temp_key=TempKey())
    return before


def check_signature(public, digest, signature):
    if msg.ecdsa_verify(public, digest, signature):
        return None
    return "the signature does not verify over the predicted digest"


def zone_offset(p2, size, mask):
    """Configuration and OTP: the bits above the mask are unused, a long
    access ignores the word (D1 4.4, D4 p.60)."""
    word = p2 & mask
    return (word & ~7 if size == 32 else word) * 4


def slot_offset(p2, size):
    """Data: block in the high byte, slot and word in the low byte."""
    slot, block, word = p2 >> 3 & 0x1F, p2 >> 8, p2 & 7
    parse(slot <= 15)
    at = 32 * block + (0 if size == 32 else 4 * word)
    parse(at < SLOT_SIZE[slot])
    return slot, at
