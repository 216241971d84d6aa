"""The vendor's firmware, played by a client of its own, with the headers
that keywright writes for it."""

import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, encode_dss_signature)

import board_case
import chip_client
import kw
import rotation_oracle as oracle

AUTHORITY = 13
ROTATING = 14
WRITTEN = ["write 0", "write 1", "write 2", "validate", "verify"]

# Opcode, param1, param2 as the vendor's firmware and library send them.
READ_STATE = [(0x02, 0x02, 0x0070)]  # 4 bytes of slot 14
READ_KEY = [(0x02, 0x82, block << 8 | 0x70) for block in range(3)]
READ_CONFIG = [(0x02, 0x80, block << 3) for block in range(4)]


def change(mode):
    """Nonce passed through, the key's digest, Verify(In/Validate)."""
    return READ_KEY + READ_CONFIG + [
        (0x16, 0x03, 0), (0x40, 0x10, 14), (0x45, mode, 14)]


WRITE_KEY = [(0x12, 0x82, block << 8 | 0x70) for block in range(3)]
PROVE = [(0x16, 0x43, 0), (0x45, 0x20, 14)]
FROM_INVALID = READ_STATE + WRITE_KEY + change(0x03) + PROVE
FROM_VALIDATED = (READ_STATE + change(0x07) + WRITE_KEY + change(0x03) +
                  PROVE)


def signed(key, digest, signature):
    """Whether the signature over the digest is this public key's."""
    public = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), b"\x04" + key)
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                int.from_bytes(signature[32:], "big"))
    try:
        public.verify(pair, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


class Vendor(board_case.Case):
    def setUp(self):
        super().setUp()
        self.kw.run("resources", "make")
        self.serve("--tcp", "0")
        self.chip = self.connect(number=1)
        self.assertRegex(self.addresses["trustflex"][1], "^tcp:")

    # What the test does with command and chip.

    def export(self, *options):
        """Writes a header for the newest key and reads it."""
        path = self.kw.folder / f"header-{os.urandom(4).hex()}.h"
        document = self.kw.json("rotate", "export", "--c-header", "-o", path,
                                *options)
        self.assertEqual(self.kw.path(document["file"]), path)
        return chip_client.read_header(path.read_text(encoding="ascii"))

    def new_key(self):
        """A new generation; answers its public key."""
        document = self.kw.json("rotate", "new-key")
        return kw.public_key(self.kw.path(document["file"]))

    def rotate(self, header):
        self.chip.sent = []
        self.chip.wake()
        steps = chip_client.rotate_like_the_vendor(self.chip, header)
        self.chip.idle()
        return steps

    def refused(self, header):
        """The status and the step with which the sequence ends."""
        with self.assertRaises(chip_client.ChipError) as refused:
            self.rotate(header)
        self.chip.idle()
        return refused.exception.status, refused.exception.step

    def look(self, read, *arguments):
        """One reading of the chip, which is left idle for the command."""
        self.chip.wake()
        answer = read(*arguments)
        self.chip.idle()
        return answer

    def slot(self, number):
        return self.look(self.chip.read_slot, number)

    def validated(self):
        """The public key that is validated in the chip, or None."""
        stored = self.slot(ROTATING)
        if not chip_client.is_validated(stored[0]):
            return None
        return chip_client.key_of(stored)

    def check_pair(self, header, kind, key):
        """The authority in slot 13 signed the pair, for this key."""
        config = self.look(self.chip.read_config)
        authority = chip_client.key_of(self.slot(AUTHORITY))
        digest = chip_client.signed_digest(
            config, ROTATING, AUTHORITY, key, header[kind + "_nonce"],
            kind == "invalidated")
        self.assertTrue(signed(authority, digest,
                               header[kind + "_signature"]), kind)

    def validated_first_key(self):
        """Brings the chip to a validated key; answers it."""
        key = self.new_key()
        self.assertEqual(self.rotate(self.export()), WRITTEN)
        self.assertEqual(self.validated(), key)
        return key

    # The tests.

    def test_what_export_warns_of(self):
        """A header's invalidate pair and a bundle's old validate pair bring
        the old key back, past counter 1: silicon knows no order."""
        for count in range(2):
            self.kw.run("rotate", "run")
            if count == 0:
                first = self.validated()
        bundle = oracle.Bundle.read(
            sorted(self.kw.at("bundles").glob("*.bundle.json"))[-1])
        self.assertEqual(bundle.old_key, first)
        self.new_key()
        pairs = self.export()
        pairs["validated_nonce"] = bundle.old_validate[:32]
        pairs["validated_signature"] = bundle.old_validate[32:]
        stored = chip_client.stored_key(first)
        self.chip.wake()
        chip_client.validate(self.chip, pairs, "invalidated")
        for block in range(3):
            self.chip.write_block(ROTATING, block,
                                  stored[32 * block:32 * block + 32])
        chip_client.validate(self.chip, pairs, "validated")
        self.chip.idle()
        self.assertEqual(self.validated(), first)
        self.assertEqual(self.kw.json("rotate", "status")["counter"], 2)

    def test_header_of_resources(self):
        """The header that comes with prototype keys fits the key that is in
        the slot already."""
        path = self.kw.newest(self.serial, "public_key_rotation.h")
        header = chip_client.read_header(path.read_text(encoding="ascii"))
        self.assertIsNone(self.validated())
        self.assertEqual(header["public_key"],
                         chip_client.key_of(self.slot(ROTATING)))
        self.assertEqual(self.rotate(header), WRITTEN)
        self.assertEqual(self.validated(), header["public_key"])
        self.kw.run("rotate", "verify")

    def test_from_an_invalid_slot(self):
        key = self.new_key()
        for options in ((), ("--as-upstream",)):
            header = self.export(*options)
            self.assertEqual(header["public_key"], key)
            self.check_pair(header, "validated", key)
            self.assertTrue(signed(key, header["rotating_digest"],
                                   header["rotating_signature"]))
            self.assertNotEqual(header["validated_nonce"],
                                header["invalidated_nonce"])
        self.assertIsNone(self.validated())
        self.assertEqual(self.rotate(header), WRITTEN)
        self.assertEqual(self.chip.sent, FROM_INVALID)
        self.assertEqual(self.validated(), key)
        self.kw.run("rotate", "verify")

    def test_from_a_validated_key(self):
        """Our header holds the pair for the key that has to go."""
        old = self.validated_first_key()
        for _ in range(2):
            new = self.new_key()
            header = self.export()
            self.assertEqual(header["public_key"], new)
            self.check_pair(header, "invalidated", old)
            self.check_pair(header, "validated", new)
            self.assertEqual(self.rotate(header), ["invalidate", *WRITTEN])
            self.assertEqual(self.chip.sent, FROM_VALIDATED)
            self.assertEqual(self.validated(), new)
            old = new
        self.kw.run("rotate", "verify")

    def test_as_upstream(self):
        """The vendor's header holds a pair for the new key: the chip says
        01 to it while another key is validated, and nothing changes."""
        old = self.validated_first_key()
        new = self.new_key()
        header = self.export("--as-upstream")
        self.assertEqual(header["public_key"], new)
        self.check_pair(header, "invalidated", new)
        self.check_pair(header, "validated", new)
        before = self.slot(ROTATING)
        self.assertEqual(self.refused(header),
                         (chip_client.STATUS_MISMATCH, "invalidate"))
        self.assertEqual(self.chip.sent, READ_STATE + change(0x07))
        self.assertEqual(self.slot(ROTATING), before)
        self.assertEqual(self.validated(), old)
        # Ours goes where it went wrong.
        self.assertEqual(self.rotate(self.export()),
                         ["invalidate", *WRITTEN])
        self.assertEqual(self.validated(), new)

    def test_used_up(self):
        """A header used a second time finds its own key validated, and has
        no pair for that."""
        self.validated_first_key()
        self.new_key()
        header = self.export()
        self.rotate(header)
        self.assertEqual(self.refused(header),
                         (chip_client.STATUS_MISMATCH, "invalidate"))

    def test_writing_a_validated_slot(self):
        """Without the pair there is no way in."""
        key = self.validated_first_key()
        self.chip.wake()
        for block in range(3):
            with self.assertRaises(chip_client.ChipError) as refused:
                self.chip.write_block(ROTATING, block, bytes(32))
            self.assertEqual(refused.exception.status, 0x0F)
        self.chip.idle()
        self.assertEqual(self.validated(), key)

    def test_no_secret(self):
        """Nothing that was printed or exported shows a private key."""
        self.validated_first_key()
        self.kw.secrets()


if __name__ == "__main__":
    kw.main()
