#!/usr/bin/env python3
"""The model against known answers: test_model.py known_answers.json

An oracle that is only ever compared with the chip could be wrong in the same
way. These values come from elsewhere: the manual's chain and recomputed
examples of the data sheet.
"""

import json
import sys
import unittest
from unittest import mock

import eeprom as e
import messages as msg
import model as m

ANSWERS = {}


def unhex(text):
    return bytes.fromhex(text)


def trustflex_image(serial, slots, words):
    """A locked chip; words: slot -> (SlotConfig, KeyConfig) as stored."""
    config = bytearray(128)
    config[0:4], config[8:13] = serial[:4], serial[4:]
    config[52:68] = bytes.fromhex("FFFFFFFF00000000") * 2
    config[88:90] = b"\xFF\xFF"
    for slot, (slot_config, key_config) in words.items():
        config[20 + 2 * slot:22 + 2 * slot] = unhex(slot_config)
        config[96 + 2 * slot:98 + 2 * slot] = unhex(key_config)
    data = b"".join(slots.get(n, b"").ljust(e.SLOT_SIZE[n], b"\xFF")
                    for n in range(16))
    return b"\0\0\x60\x03" + bytes(config) + bytes(64) + data


def stored(public):
    return bytes(4) + public[:32] + bytes(4) + public[32:]


class Chip:
    """A model that takes the first outcome of each command."""

    def __init__(self, image, rand_out=None):
        self.model = m.Model(image)
        if rand_out is not None:
            self.model.draw = lambda: rand_out

    def send(self, opcode, p1, p2, data=b""):
        outcome = self.model.predict(msg.frame(opcode, p1, p2, data))[0]
        self.model.settle(outcome)
        return outcome

    @property
    def temp_key(self):
        return self.model.state.temp_key.value[:32]


class EncryptedWrite(unittest.TestCase):
    """Slot 5 of TrustFLEX under the key in slot 6."""

    def setUp(self):
        self.known = {name: unhex(value) for name, value
                      in ANSWERS["encrypted_write_slot5"].items()}
        image = trustflex_image(
            self.known["serial"], {6: self.known["io_key_slot6"]},
            {5: ("8f46", "3800"), 6: ("8f0f", "7c00")})
        self.chip = Chip(image, self.known["rand_out"])
        self.chip.send(0x16, 0, 0, self.known["num_in"])

    def write(self, zone, mac):
        self.chip.send(0x15, 2, 6, unhex("15020600"))
        self.assertEqual(self.chip.temp_key,
                         self.known["tempkey_after_gendig"])
        return self.chip.send(0x12, zone, 0x28,
                              self.known["cipher"] + self.known[mac]).status

    def slot5(self):
        return self.chip.model.state.eeprom.slot(5)[:32]

    def test_nonce(self):
        self.assertEqual(self.chip.temp_key,
                         self.known["tempkey_after_nonce"])

    def test_zone_c2(self):
        self.assertEqual(self.write(0xC2, "mac_zone_c2"), m.OK)
        self.assertEqual(self.slot5(), self.known["plain"])
        self.assertFalse(self.chip.model.state.temp_key.valid)

    def test_zone_82(self):
        self.assertEqual(self.write(0x82, "mac_zone_82"), m.OK)
        self.assertEqual(self.slot5(), self.known["plain"])

    def test_the_macs_of_the_zones_differ(self):
        self.assertEqual(self.write(0xC2, "mac_zone_82"), m.MISMATCH)
        self.assertEqual(self.slot5(), b"\xFF" * 32)


class Mac(unittest.TestCase):
    def test_mode_41(self):
        known = ANSWERS["mac_mode_41_slot5"]
        write = ANSWERS["encrypted_write_slot5"]
        image = trustflex_image(unhex(known["serial"]),
                                {5: unhex(known["key"])},
                                {5: ("8f46", "3800")})
        chip = Chip(image, unhex(write["rand_out"]))
        chip.send(0x16, 0, 0, unhex(write["num_in"]))
        self.assertEqual(chip.temp_key, unhex(known["tempkey"]))
        self.assertEqual(chip.send(0x08, 0x41, 5).response,
                         unhex(known["mac"]))
        self.assertEqual(chip.send(0x08, 0x41, 5).status, m.EXECUTION)


class Rotation(unittest.TestCase):
    """The digests that authorise a key in slot 14, key in slot 13."""

    AUTHORITY = (7).to_bytes(32, "big")

    def test_all(self):
        for known in ANSWERS["rotation"]:
            with self.subTest(known["note"], op=known["operation"]):
                self.check(known)

    def check(self, known):
        invalidate = known["operation"] == "invalidate"
        chip = self.chip_with(known, invalidate)
        chip.send(0x16, 0x03, 0, unhex(known["nonce"]))
        chip.send(0x40, 0x10, 14, bytes(3))
        self.assertEqual(chip.temp_key, unhex(known["genkey_digest"]))
        self.check_message(chip, known, invalidate)
        signature = msg.ecdsa_sign(self.AUTHORITY,
                                   unhex(known["digest_to_sign"]))
        outcome = chip.send(0x45, 7 if invalidate else 3, 14,
                            signature + unhex(known["other_data_19"]))
        self.assertEqual(outcome.status, m.OK)
        self.assertEqual(chip.model.state.eeprom.validity(14),
                         e.INVALID if invalidate else e.VALID)

    def chip_with(self, known, valid):
        key = bytearray(stored(unhex(known["public_key"])))
        key[0] = e.VALID if valid else e.INVALID
        return Chip(trustflex_image(
            unhex(known["serial"]),
            {13: stored(msg.public_of(self.AUTHORITY)), 14: bytes(key)},
            {13: ("0f0f", "3000"),
             14: (known["slot_config"], known["key_config"])}))

    def check_message(self, chip, known, invalidate):
        temp_key = chip.model.state.temp_key
        config = chip.model.state.eeprom.config
        message = msg.sign_internal(temp_key.value, unhex("41000d00"), config,
                                    14, temp_key.flags, invalidate)
        self.assertEqual(message.hex(), known["message_55"])
        other = msg.other_data(message)
        self.assertEqual(other.hex(), known["other_data_19"])
        self.assertEqual(
            msg.validate_digest(temp_key.value[:32], other,
                                msg.Serial(config)).hex(),
            known["digest_to_sign"])


class StoredKey(unittest.TestCase):
    def test_form(self):
        known = ANSWERS["stored_public_key"]
        self.assertEqual(stored(unhex(known["public_key"])).hex(),
                         known["slot_bytes_written"])


class Boot(unittest.TestCase):
    """SecureBoot with an encrypted digest, both known answers."""

    def boot(self, name, stored_digest):
        known = {key: unhex(value) for key, value in ANSWERS[name].items()}
        image = bytearray(trustflex_image(
            unhex("01233e8a1491f2a601"),
            {6: known["io_key"], 15: stored(msg.public_of(bytes(31) + b"\7")),
             7: known["digest"] if stored_digest else b""},
            {6: ("8f0f", "7c00"), 7: ("9f8f", "1c00"), 15: ("0f0f", "3000")}))
        image[4 + 70:4 + 72] = unhex("03f7")
        image[4 + 90:4 + 92] = unhex("0e60")
        chip = Chip(bytes(image))
        chip.send(0x16, 0x03, 0, known["tempkey"])
        with mock.patch.object(msg, "ecdsa_verify", return_value=True):
            outcome = chip.send(0x80, known["mode"][0], 0, known["sent"])
        self.assertEqual(outcome.response, known["response_mac"])
        self.assertEqual(chip.model.state.eeprom.slot(7)[:32],
                         known["digest"])

    def test_store(self):
        self.boot("secureboot_fullstore_encrypted", True)

    def test_copy(self):
        """The answer's signature is none: it is taken for a good one."""
        self.boot("secureboot_fullcopy_encrypted", False)


class Pieces(unittest.TestCase):
    def test_prf(self):
        """The widely used test of TLS 1.2's P_SHA256."""
        self.assertEqual(msg.prf_sha256(
            unhex("9bbe436ba940f017b17652849a71db35"),
            b"test label" + unhex("a0ba9f936cda311827a6f796ffd5198c")),
            unhex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4"
                  "e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17"
                  "abfd3797c0564bab"))

    def test_gf128(self):
        self.assertEqual(msg.gf128_multiply(
            unhex("66E94BD4EF8A2C3B884CFA59CA342B2E"),
            unhex("0388DACE60B6A392F328C2B971B2FE78")),
            unhex("5E2EC746917062882C85B0685353DEB7"))

    def test_aes(self):
        """SP 800-38A F.1.1."""
        key = unhex("2b7e151628aed2a6abf7158809cf4f3c")
        plain = unhex("6bc1bee22e409f96e93d7e117393172a")
        cipher = unhex("3ad77bb40d7a3660a89ecaf32466ef97")
        self.assertEqual(msg.aes_encrypt(key, plain), cipher)
        self.assertEqual(msg.aes_decrypt(key, cipher), plain)

    def test_ecdh(self):
        """NIST CAVS, ECC CDH primitive, P-256, count 0."""
        self.assertEqual(msg.ecdh(
            unhex("7d7dc5f71eb29ddaf80d6214632eeae0"
                  "3d9058af1fb6d22ed80badb62bc1a534"),
            unhex("700c48f77f56584c5cc632ca65640db9"
                  "1b6bacce3a4df6b42ce7cc838833d287"
                  "db71e509e3fd9b060ddb20ba5c51dcc5"
                  "948d46fbf640dfe0441782cab85fa4ac")),
            unhex("46fc62106420ff012e54a434fbdd2d25"
                  "ccc5852060561e68040dd7778997bd7b"))

    def test_frame(self):
        self.assertEqual(msg.frame(0x30, 0, 0).hex(), "0730000000035d")
        self.assertEqual(msg.crc16(unhex("0411")), 0x4333)

    def test_sha_context(self):
        """Layout of a context: from the library's own test."""
        context = msg.Sha256Context().updated(unhex("0102030405"))
        self.assertTrue(context.exported().hex().startswith(
            "0500000067e6096a85ae67bb"))
        self.assertEqual(context.exported()[36:], unhex("0102030405"))
        again = msg.Sha256Context.imported(context.exported())
        self.assertEqual(again.digest(b"abc" * 40),
                         msg.sha256(unhex("0102030405"), b"abc" * 40))

    def test_counter(self):
        """Dumps of real chips, and the way there and back."""
        for raw, value in (("FFFFFFFF00000000", 0),
                           ("00FF0000001F001E", 1000),
                           ("3FFF00000020001F", 1026)):
            self.assertEqual(msg.counter_decode(unhex(raw)), value)
        for value in (*range(70), 1000, e.COUNTER_MAX):
            self.assertEqual(msg.counter_decode(msg.counter_encode(value)),
                             value)


if __name__ == "__main__":
    with open(sys.argv.pop(1), encoding="utf-8") as file:
        ANSWERS = json.load(file)
    unittest.main()
