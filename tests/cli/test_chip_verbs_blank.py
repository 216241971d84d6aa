"""keywright chip: a blank chip from the factory to its last lock."""

import os

from cryptography.hazmat.primitives.asymmetric import ec

import board_case
import chip_client
import kw

SIZES = [36] * 8 + [416] + [72] * 7
SLOT_CONFIG, KEY_CONFIG = 20, 96


class Case(kw.Case):
    def setUp(self):
        super().setUp()
        self.init()

    def file(self, name, data):
        path = self.kw.folder / name
        path.write_bytes(data)
        return path

    def chip(self, *arguments, **options):
        return self.kw.json("chip", *arguments, "--chip", "sim:blank",
                            **options)

    def no(self, code, words, *arguments):
        before = self.image()
        document = self.fails(code, words, "chip", *arguments, "--chip",
                              "sim:blank")
        self.assertEqual(self.image(), before)
        return document

    def image(self):
        return self.kw.at("chips", "blank.chip").read_bytes()

    def config(self):
        return bytearray.fromhex(self.chip("read", "config")["data"])

    def write_config(self, config, *options):
        return self.chip("write", "config", "--file",
                         self.file("config.bin", config), *options)


class Config(Case):
    def test_write(self):
        config = self.config()
        config[SLOT_CONFIG + 2:SLOT_CONFIG + 4] = b"\x87\x64"
        config[KEY_CONFIG + 16] = 0x1C
        config[16] = 0x5A
        document = self.write_config(config)
        self.assertEqual((document["zone"], document["slot"],
                          document["size"]), ("config", None, 128))
        self.assertEqual(self.config(), config)

    def test_what_no_write_changes(self):
        """Serial number, locks and UserExtra stay; the rest is written."""
        config = self.config()
        wanted = bytearray(config)
        for at in (0, 4, 12, 84, 86):
            wanted[at] ^= 0xFF
        wanted[16] = 0x5A
        self.write_config(wanted)
        config[16] = 0x5A
        self.assertEqual(self.config(), config)

    def test_hex_file(self):
        config = self.config()
        config[16] = 0x5A
        text = "# a configuration\n" + "\n".join(
            " ".join(f"0x{byte:02X}," for byte in config[at:at + 16])
            for at in range(0, 128, 16))
        self.chip("write", "config", "--file",
                  self.file("config.txt", text.encode()))
        self.assertEqual(self.config(), config)

    def test_lint_comes_first(self):
        config = self.config()
        config[SLOT_CONFIG] = 0x03  # slot 0 without IsSecret
        path = self.file("bad", config)
        document = self.no(1, "without IsSecret", "write", "config", "--file",
                           path)
        self.assertIn("--despite-lint", document["hint"])
        self.write_config(config, "--despite-lint")
        self.assertEqual(self.config(), config)
        self.no(1, "without IsSecret", "lock", "config", "--yes")

    def test_lint_of_a_file(self):
        config = self.config()
        config[SLOT_CONFIG] = 0x03
        config[KEY_CONFIG + 16] = 0xBC  # slot 8: ReqAuth ...
        config[KEY_CONFIG + 17] = 0x08  # ... naming itself
        document = self.kw.json("chip", "config", "--file",
                                self.file("bad", config), code=1,
                                schema="chip-config")
        found = {(row["id"], row.get("slot"))
                 for row in document["findings"]
                 if row["severity"] == "error"}
        self.assertEqual(found, {("private-not-secret", 0),
                                 ("auth-self", 8), ("readable-key", 8)})
        self.assertEqual(document["errors"], 3)
        # It needs no workspace, and no chip.
        elsewhere = self.another("elsewhere")
        elsewhere.json("chip", "config", "--file", self.kw.folder / "bad",
                       code=1, schema="chip-config")
        self.assertFalse(elsewhere.workspace.exists())

    def test_config_of_each_part(self):
        for name in ("trustflex", "trustgo", "blank"):
            document = self.kw.json("chip", "config", "--chip",
                                    "sim:" + name)
            self.assertEqual(document["errors"], 0, document["findings"])
            self.assertEqual(document["warnings"], sum(
                row["severity"] == "warning"
                for row in document["findings"]))
            covered = sum(field["size"] for field in document["fields"])
            self.assertEqual(covered + 64, 128)

    def test_ids_are_documented(self):
        source = (kw.ROOT / "host" / "config_lint.c").read_text()
        text = (kw.ROOT / "docs" / "lint.md").read_text()
        rules = [line.split('"')[1] for line in source.splitlines()
                 if line.startswith('    {"')]
        self.assertGreater(len(rules), 35)
        self.assertEqual(rules, [line.split("`")[1]
                                 for line in text.splitlines()
                                 if line.startswith("| `")])

    def test_a_wrong_file(self):
        self.no(3, "neither 128 bytes", "write", "config", "--file",
                self.file("short", bytes(127)))
        self.no(2, "as a whole", "write", "config", "--hex", "00")
        self.fails(3, "neither 128 bytes", "chip", "config", "--file",
                   self.file("none", b"config"))


class Life(Case):
    """Configuration, lock, data, lock, use."""

    def test_from_factory_to_use(self):
        config = self.config()
        # Slot 1: GenKey and PrivWrite encrypted under slot 4.
        config[SLOT_CONFIG + 2:SLOT_CONFIG + 4] = b"\x87\x64"
        # Slot 5: secret, written under slot 4, read under it.
        config[SLOT_CONFIG + 10:SLOT_CONFIG + 12] = b"\xc4\x44"
        self.write_config(config)
        self.no(5, "not locked", "write", 8, "--hex", "00")
        rehearsal = " ".join(
            self.chip("lock", "config", "--dry-run")["rehearsal"])
        self.assertRegex(rehearsal, "configuration zone never changes")
        self.assertRegex(rehearsal, "slot 8: from now on Write")
        self.assertRegex(rehearsal, "tried on the copy.*refused")
        self.no(2, "--yes", "lock", "config")
        locked = self.chip("lock", "config", "--yes")
        crc = chip_client.crc(bytes(config))
        self.assertEqual(locked["crc"], crc[::-1].hex())
        self.no(5, "locked", "write", "config", "--file",
                self.file("again", bytes(config[:16]) + b"\x5a"
                          + bytes(config[17:])))

        data = self.write_data()
        self.lock_data(data)
        self.use(data)

    def write_data(self):
        """Answers what the chip holds now: slots and OTP."""
        slots = [b"\xff" * size for size in SIZES] + [b"\xff" * 64]
        key, secret, otp = os.urandom(32), os.urandom(36), os.urandom(64)
        self.chip("write", 4, "--file", self.file("key4", key), "--yes")
        slots[4] = key + slots[4][32:]
        self.no(2, "secret", "write", 3, "--file", self.file("s3", secret))
        self.chip("write", 3, "--file", self.file("secret3", secret), "--yes")
        slots[3] = secret
        self.chip("write", "otp", "--file", self.file("otp", otp))
        slots[16] = otp
        scalar = bytes(31) + b"\x05"
        self.chip("write", 0, "--file", self.file("key0", scalar), "--yes")
        slots[0] = bytes(4) + scalar
        self.assertEqual(self.chip("genkey", 0, "--public")["public_key"],
                         public_of(5))
        return slots

    def lock_data(self, slots):
        image = b"".join(slots)
        self.assertEqual(len(image), 1272)
        wrong = self.file("wrong", image[:-1] + bytes([image[-1] ^ 1]))
        self.no(5, "CRC", "lock", "data", "--image", wrong, "--yes")
        self.no(5, "CRC", "lock", "data", "--image", wrong, "--dry-run")
        right = self.file("right", image)
        self.assertFalse(self.chip("lock", "data", "--image", right,
                                   "--dry-run")["locked"])
        rehearsal = self.chip("lock", "data", "--dry-run")
        self.assertIsNone(rehearsal["crc"])
        text = " ".join(rehearsal["rehearsal"])
        self.assertRegex(text, "slot 3: never again Write")
        self.assertRegex(text, "slot 8: from now on Read")
        self.assertIn("nothing proves", self.kw.run(
            "chip", "lock", "data", "--dry-run", "--chip", "sim:blank").out)
        document = self.chip("lock", "data", "--image",
                             self.file("image", image), "--yes")
        self.assertTrue(document["locked"])
        self.assertEqual(document["crc"],
                         chip_client.crc(image)[::-1].hex())
        self.assertTrue(self.chip("info")["data_locked"])

    def use(self, slots):
        key = self.kw.folder / "key4"
        self.assertEqual(self.chip("read", "otp")["data"], slots[16].hex())
        # A secret that is read under another one.
        self.no(5, "key that slot 4 holds with --key-file", "read", 3)
        document = self.chip("read", 3, "--key-file", key, "-o", "three")
        self.assertEqual((self.kw.folder / "three").read_bytes(), slots[3])
        self.assertIsNone(document["data"])
        self.assertEqual(kw.mode(self.kw.folder / "three"), 0o600)
        self.no(5, "Never", "write", 3, "--file", self.file("x", bytes(36)),
                "--yes")
        # Written and read under the same key.
        secret = os.urandom(36)
        self.chip("write", 5, "--file", self.file("s5", secret),
                  "--key-file", key, "--yes")
        self.chip("read", 5, "--key-file", key, "-o", "five")
        self.assertEqual((self.kw.folder / "five").read_bytes(), secret)
        # A private key, encrypted now.
        scalar = self.file("key1", bytes(31) + b"\x07")
        self.no(5, r"(?s)encrypted.*key that slot 4 holds", "write", 1, "--file",
                scalar, "--yes")
        self.chip("write", 1, "--file", scalar, "--key-file", key, "--yes")
        self.assertEqual(self.chip("genkey", 1, "--public")["public_key"],
                         public_of(7))


class LockedByAnother(Case):
    def test_the_configuration_that_was_read_is_locked(self):
        """A configuration with another CRC is not locked by accident."""
        config = self.config()
        document = self.chip("lock", "config", "--yes")
        self.assertEqual(document["crc"],
                         chip_client.crc(bytes(config))[::-1].hex())
        self.assertEqual(document["findings"], self.chip("config")["findings"])


class LockedSlot(Case):
    def test_what_is_tried_on_a_private_key(self):
        """Write never changes one: its refusal would prove nothing."""
        self.chip("lock", "config", "--yes")
        text = " ".join(self.chip("lock", "slot", 0, "--dry-run")["rehearsal"])
        self.assertRegex(text, "GenKey of a new key is refused: .* locked for")
        self.assertIn("what it holds now: no private key", text)
        made = self.chip("genkey", 0, "--yes")["fingerprint"][:16]
        text = " ".join(self.chip("lock", "slot", 0, "--dry-run")["rehearsal"])
        self.assertIn("what it holds now: private key " + made, text)
        self.chip("lock", "slot", 0, "--yes")
        self.no(5, "locked for good", "genkey", 0, "--yes")


class OverALink(board_case.Case):
    def test_the_rehearsal_says_what_it_cannot_try(self):
        image = self.kw.folder / "image"
        image.write_bytes(bytes(1272))
        self.serve("--chip", "sim:blank")
        chip = ("--chip", self.address("blank"))
        lock = ("chip", "lock", "data", "--image", image)
        self.kw.json("chip", "lock", "config", "--yes", *chip)
        rehearsal = self.kw.json(*lock, "--dry-run", *chip)["rehearsal"]
        self.assertRegex(" ".join(rehearsal), "CRC of the image is not tried")
        self.fails(5, "CRC", *lock, "--yes", *chip)
        # The board's image is the workspace's own.
        self.fails(5, "CRC", *lock, "--dry-run", "--chip", "sim:blank")


def public_of(scalar):
    numbers = ec.derive_private_key(
        scalar, ec.SECP256R1()).public_key().public_numbers()
    return (numbers.x.to_bytes(32, "big")
            + numbers.y.to_bytes(32, "big")).hex()


if __name__ == "__main__":
    kw.main()
