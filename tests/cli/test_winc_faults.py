"""keywright winc: where the journal of a change is kept, and a flash that
fails."""

import kw
import winc_case
from winc_case import certificate, der, ec_key, golden, name, rsa_key


class Journal(winc_case.Case):
    """--journal: a file of the PC, or the flash of a WINC1510."""

    def setUp(self):
        super().setUp()
        self.kw.run("winc", "new", "--module", "big", "--size", "8")
        self.path = self.write("a.cer", der(certificate(name("CN=A"),
                                                        ec_key())))

    def dump(self):
        self.kw.run("winc", "dump", "big.bin", "--module", "big")
        path = self.kw.folder / "big.bin"
        flash = path.read_bytes()
        path.unlink()
        return flash

    def test_no_room(self):
        self.unchanged(1, "winc1500.*no room", "winc", "root", "add",
                       self.path, "--journal", "flash")
        self.unchanged(2, "file or flash", "winc", "root", "add", self.path,
                       "--journal", "paper")

    def test_what_lies_behind_it_stays(self):
        """The journal takes 28 KiB, and only where it was asked for."""
        flash = bytearray(self.dump())
        flash[0x80000:] = bytes(0x80000)
        self.write("image.bin", bytes(flash))
        self.kw.run("winc", "load", "image.bin", "--yes", "--module", "big")
        self.kw.run("winc", "root", "add", self.path, "--module", "big")
        self.kw.run("ota", "resume", "--module", "big")
        self.assertEqual(self.dump()[0x80000:], bytes(0x80000))
        self.kw.run("winc", "erase", "--root", "--yes", "--module", "big",
                    "--journal", "flash")
        after = self.dump()
        self.assertEqual(after[0x80000:0x87000], b"\xff" * 0x7000)
        self.assertEqual(after[0x87000:], bytes(0x79000))

    def test_it_must_hold_itself(self):
        """A bad place for the journal is found before a store is touched."""
        self.kw.run("winc", "root", "add", self.path, "--module", "big")
        before = self.dump()
        other = self.write("b.cer", der(certificate(name("CN=B"), ec_key())))
        self.fault("big", stuck_bit=0x81000)  # the first byte is 11
        document = self.fails(5, "journal does not read back", "winc", "root",
                              "add", other, "--module", "big", "--journal",
                              "flash")
        self.assertIn("the stores are as they were", document["hint"])
        self.assertEqual(self.dump()[:0x80000], before[:0x80000])
        self.assertFalse(self.kw.json("winc", "info", "--module",
                                      "big")["interrupted"])
        self.kw.run("winc", "root", "add", other, "--module", "big")

    def test_it_is_kept_there_and_found(self):
        """A flash that fails, then a better day: both journals tell what
        waits, and finish it."""
        for place in ("file", "flash"):
            with self.subTest(place=place):
                self.kw.run("winc", "erase", "--root", "--yes", "--module",
                            "big")
                self.fault("big", stuck_bit=0x4FF0)
                self.fails(5, "flash", "winc", "root", "add", self.path,
                           "--module", "big", "--journal", place)
                waits = (self.dump()[0x80000:0x80008] == b"KWWINCJ1",
                         self.kw.at("journal",
                                    "winc-big.journal").exists())
                self.assertEqual(waits, (place == "flash", place == "file"))
                self.assertTrue(self.kw.json(
                    "winc", "info", "--module", "big")["interrupted"])
                self.fails(7, "interrupted", "winc", "verify", "--module",
                           "big")
                self.fault("big", stuck_bit=None)
                # Only to look changes nothing.
                self.fails(7, "interrupted", "winc", "root", "add", self.path,
                           "--module", "big", "--dry-run")
                self.assertTrue(self.kw.json(
                    "ota", "resume", "--module", "big")["resumed"])
                after = self.dump()
                self.assertEqual(after[0x4010], 1)
                self.assertEqual(after[0x80000:], b"\xff" * 0x80000)
                self.kw.run("winc", "verify", "--module", "big")


class Faults(winc_case.Case):
    """A flash that fails: said, undone as far as it goes, and kept."""

    def setUp(self):
        super().setUp()
        self.first = certificate(name("CN=First"), ec_key())
        self.second = certificate(name("CN=Second"), ec_key())
        self.kw.run("winc", "root", "add", self.write("first.cer",
                                                      der(self.first)))
        self.write("second.cer", der(self.second))
        self.before = self.flash()

    def fails_to_add(self):
        result = self.kw.run("winc", "root", "add", "second.cer", code=5)
        self.assertIn("ota resume", result.err)
        self.assertTrue(self.kw.at("journal", "winc-winc.journal").exists())
        return result.err

    def test_stuck_bit(self):
        # The count of entries: 1 before. 2 needs bit 0 clear, 3 needs it.
        self.kw.run("winc", "root", "add", "second.cer")
        before = self.flash()
        third = certificate(name("CN=Third"), ec_key())
        self.write("second.cer", der(third))
        self.fault(stuck_bit=0x4010)
        err = self.fails_to_add()
        self.assertIn("sector 0x04000: 1 byte reads back wrong, the first "
                      "at 0x04010", err)
        self.assertIn("sector 0x04000 holds its old content", err)
        self.assertEqual(self.flash(), before)
        # Once more, and the old content when asked for.
        self.fails(5, "flash", "ota", "resume")
        self.assertEqual(self.flash(), before)
        self.assertTrue(self.kw.json("ota", "resume", "--old")["resumed"])
        self.assertEqual(self.flash(), before)
        self.kw.run("winc", "verify")
        self.fault(stuck_bit=None)
        self.kw.run("winc", "root", "add", "second.cer")
        self.assertEqual(self.roots(), golden.root_store(
            [self.first, self.second, third]))

    def test_sector_that_does_not_erase(self):
        self.fault(bad_sector=0x4000)
        err = self.fails_to_add()
        self.assertRegex(err, "sector 0x04000: [0-9]+ bytes? reads? back "
                              "wrong, the first at 0x04")
        self.assertIn("0x04000 does not take its old content back", err)
        # The other sectors are as they were.
        self.assertEqual(self.flash()[0x5000:], self.before[0x5000:])
        self.fails(5, "flash", "ota", "resume", "--old")
        self.fault(bad_sector=None)
        self.assertTrue(self.kw.json("ota", "resume", "--old")["resumed"])
        self.assertEqual(self.flash(), self.before)

    def test_made_with_a_fault(self):
        self.kw.run("winc", "new", "--module", "bad", "--stuck-bit", "0x4200")
        self.kw.run("winc", "new", "--module", "worse", "--bad-sector",
                    "0x4000")
        key = rsa_key()
        path = self.write("rsa.cer", der(certificate(name("CN=R"), key)))
        self.fails(5, "flash", "winc", "root", "add", path, "--module", "bad")
        self.kw.run("winc", "root", "add", path, "--module", "worse")
        self.fails(5, "flash", "winc", "root", "add", "second.cer",
                   "--module", "worse")
        for option, value in (("--bad-sector", "0x4001"),
                              ("--bad-sector", "0"),
                              ("--stuck-bit", "0x80000"),
                              ("--stuck-bit", "-1"), ("--stuck-bit", "x")):
            self.fails(2, "address", "winc", "new", "--module", "none",
                       option, value)


if __name__ == "__main__":
    kw.main()
