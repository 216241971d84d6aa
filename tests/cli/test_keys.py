"""keywright keys: what key files there are, and removing them."""

import hashlib
import json
import unittest

import kw


class List(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def list(self):
        return self.kw.json("keys", "list")["keys"]

    def test_nothing_yet(self):
        self.assertEqual(self.list(), [])

    def test_each_key(self):
        self.kw.run("resources", "make")
        keys = {key["slot"]: key for key in self.list()}
        self.assertEqual(sorted(keys), [5, 6, 9, 13, 14, 15])
        for slot, key in keys.items():
            self.assertEqual(key["serial"], self.serial)
            self.assertEqual(key["generation"], 1)
            path = self.kw.path(key["file"])
            if slot in (13, 14, 15):
                self.assertEqual(
                    key["fingerprint"],
                    hashlib.sha256(kw.public_key(path)).hexdigest())
                self.assertIs(key["in_chip"], True)
            else:
                self.assertNotIn("fingerprint", key)
                self.assertIn(b"SYMMETRIC KEY", path.read_bytes())

    def test_older_generations(self):
        self.kw.run("resources", "make")
        self.kw.run("resources", "make", "--yes")
        keys = [key for key in self.list() if key["slot"] == 14]
        self.assertEqual([(key["generation"], key["in_chip"])
                          for key in keys], [(1, False), (2, True)])

    def test_after_a_rotation(self):
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        keys = [key for key in self.list() if key["slot"] == 14]
        self.assertEqual([key["in_chip"] for key in keys], [False, True])
        self.assertEqual(keys[1]["fingerprint"],
                         self.kw.json("rotate", "status")["key"])
        # The authority's key is in the first generation alone.
        self.assertEqual([(key["generation"], key["in_chip"])
                          for key in self.list() if key["slot"] == 13],
                         [(1, True)])

    def test_damaged(self):
        """Whether the chip holds a key that cannot be read is not known."""
        self.kw.run("resources", "make")
        path = self.kw.newest(self.serial, "slot_14_ecc_key_pair.pem")
        path.write_bytes(b"junk\n")
        found = {key["slot"]: key["in_chip"] for key in self.list()}
        self.assertEqual((found[13], found[14]), (True, None))
        self.assertRegex(self.kw.run("keys", "list").out,
                         rf"14 +key-pair +\?\n(.|\n)*{path.name} cannot be "
                         "read")
        self.fails(1, "cannot be read", "keys", "retire", self.serial, 1, 14,
                   "--yes")
        self.fails(3, path.name, "rotate", "verify")

    def test_without_the_chip(self):
        self.kw.run("resources", "make")
        self.kw.at("chips", "trustflex.chip").unlink()
        for key in self.list():
            self.assertIsNone(key["in_chip"])

    def test_never_a_secret(self):
        self.kw.run("resources", "make")
        self.kw.run("keys", "list")
        self.kw.run("keys", "list", "--trace")
        self.list()
        self.kw.secrets()

    def test_text(self):
        self.kw.run("resources", "make")
        out = self.kw.run("keys", "list").out
        for key in self.list():
            if "fingerprint" in key:
                self.assertIn(key["fingerprint"][:16], out)
                self.assertNotIn(key["fingerprint"], out)


class Retire(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()
        self.kw.run("resources", "make")

    def test_goes_on_with_a_wipe_that_was_cut_off(self):
        """Zeros over a part of a key: nobody can mend it, and the rest of it
        must not stay."""
        path = self.kw.newest(self.serial, "slot_14_ecc_key_pair.pem")
        self.kw.run("rotate", "run")
        text = path.read_bytes()
        for torn in (bytes(len(text)), bytes(64) + text[64:],
                     text[:128] + bytes(len(text) - 128)):
            path.write_bytes(torn)
            self.kw.run("keys", "retire", self.serial, 1, 14, "--yes")
            self.assertFalse(path.exists())

    def retire(self, *words, code=0):
        return self.kw.json("keys", "retire", self.serial, *words, "--yes",
                            code=code)

    def test_a_key_that_was_rotated_away(self):
        self.kw.run("rotate", "run")
        old = self.kw.generations(self.serial)[0] / "slot_14_ecc_key_pair.pem"
        document = self.retire(1, 14)
        self.assertEqual(document["serial"], self.serial)
        self.assertEqual(document["generation"], 1)
        self.assertEqual([name.split("/")[-1]
                          for name in document["removed"]], [old.name])
        self.assertFalse(old.exists())
        self.assertTrue(old.with_name("slot_13_ecc_key_pair.pem").exists())
        self.kw.run("rotate", "verify")
        self.kw.run("rotate", "run")

    def test_a_whole_generation(self):
        self.kw.run("resources", "make", "--yes")
        first, second = self.kw.generations(self.serial)
        before = {path: path.read_bytes() for path in second.iterdir()}
        self.retire(1)
        self.assertEqual(list(first.glob("*.pem")), [])
        self.assertEqual(list(first.glob("slot_*_secret_key.h")), [])
        for path, data in before.items():
            self.assertEqual(path.read_bytes(), data)

    def test_serial_in_upper_case(self):
        self.kw.run("resources", "make", "--yes")
        document = self.kw.json("keys", "retire", self.serial.upper(), "1",
                                "--yes")
        self.assertEqual(document["serial"], self.serial)

    def test_the_chip_needs_it(self):
        before = self.kw.files()
        for words in ((1,), (1, 13), (1, 14), (1, 15)):
            with self.subTest(words=words):
                document = self.retire(*words, code=1)
                self.assertRegex(document["message"], "slot 1[345]|chip")
        after = self.kw.files()
        self.assertEqual({path: after.get(path) for path in before
                          if "keys" in path.parts},
                         {path: before[path] for path in before
                          if "keys" in path.parts})

    def test_the_chip_cannot_be_asked(self):
        self.kw.run("resources", "make", "--yes")
        self.kw.at("chips", "trustflex.chip").unlink()
        self.retire(1, code=1)
        self.assertTrue(any(self.kw.generations(self.serial)[0].iterdir()))

    def test_a_new_key_that_nothing_needs_yet(self):
        """A request or a bundle may name the newest one."""
        self.kw.run("rotate", "new-key")
        self.retire(2, code=1)
        self.kw.run("rotate", "new-key")
        self.retire(2)
        self.kw.run("rotate", "run")

    def retired(self, *options):
        self.kw.run("chip", "retire", "--yes", *options)
        return self.kw.generations(self.serial)

    def test_a_chip_that_was_retired(self):
        """Nothing of it is needed, the newest key and the secrets not
        either; whether it answers or lies in a scrap heap."""
        self.kw.run("rotate", "run")
        self.retired()
        document = self.kw.json("keys", "retire", self.serial, 1, "--yes")
        self.assertEqual(len(document["removed"]), 9)
        self.kw.at("chips", "trustflex.chip").unlink()
        self.kw.run("keys", "retire", self.serial, 2, "--yes")
        for folder in self.kw.generations(self.serial):
            self.assertFalse(any(folder.glob("slot_*")))

    def test_a_chip_that_was_retired_and_used_again(self):
        """What was made after the retirement is needed."""
        self.retired()
        self.kw.run("resources", "make", "--yes")
        self.fails(1, "needed", "keys", "retire", self.serial, 2, "--yes")
        self.kw.run("keys", "retire", self.serial, 1, "--yes")

    def test_a_chip_that_came_back(self):
        """From a snapshot: the record is not believed."""
        document = self.kw.json("chip", "snapshot")
        self.retired()
        self.kw.run("chip", "restore", self.kw.path(document["file"]),
                    "--yes")
        for slot in (5, 13, 14):
            self.fails(1, "needed", "keys", "retire", self.serial, 1, slot,
                       "--yes")

    def test_a_slot_that_retirement_left(self):
        self.kw.run("rotate", "lock-authority", "--yes")
        self.retired()
        self.fails(1, "slot_13.*needed", "keys", "retire", self.serial, 1,
                   13, "--yes")
        for slot in (5, 6, 9, 14, 15):
            self.kw.run("keys", "retire", self.serial, 1, slot, "--yes")

    def test_a_retirement_that_was_not_ended(self):
        self.retired()
        record = next(self.kw.at("journal").glob("retired-*"))
        begun = {**json.loads(record.read_text()), "ended": None}
        record.write_text(json.dumps(begun))
        self.fails(1, "slot_5_secret_key.*needed", "keys", "retire",
                   self.serial, 1, 5, "--yes")
        record.write_text("{")
        self.fails(1, "slot_5_secret_key.*needed", "keys", "retire",
                   self.serial, 1, 5, "--yes")

    def test_no_such_generation(self):
        self.retire(7, code=1)
        self.retire(1, 3, code=1)

    def test_no_such_chip(self):
        self.kw.json("keys", "retire", "0123" + "45" * 6 + "01", "1",
                     "--yes", code=1)


if __name__ == "__main__":
    kw.main()
