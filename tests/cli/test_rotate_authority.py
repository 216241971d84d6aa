"""Slot 13 without the authority that validated slot 14: what is said, and
each way out. And `rotate set-authority`, which puts an authority there."""

import chip_client
import kw
import rotation_case
import rotation_oracle as oracle


class Authority(rotation_case.Case):
    """A chip whose key is validated."""

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.key = self.status()["key"]
        self.mine = self.authority()

    def write_slot_13(self, stored):
        path = self.write("slot13", stored)
        self.kw.run("chip", "write", "13", "--file", path, "--yes")

    def erase(self, byte=b"\0"):
        self.write_slot_13(byte * 72)

    def exchange(self):
        """Slot 13 holds a key that this workspace never saw."""
        other = oracle.Key()
        self.write_slot_13(chip_client.stored_key(other.public))
        return other

    def set_authority(self, *options, **about):
        return self.kw.json("rotate", "set-authority", *options, **about)

    def warning(self):
        return self.kw.run("rotate", "status").err.replace("\n        ", "")


class Lost(Authority):
    """Slot 13 was erased."""

    def test_what_is_said(self):
        for byte in (b"\0", b"\xff"):
            self.erase(byte)
            self.assertRegex(
                self.warning(), "(?s)slot 13 holds no authority.*cannot be "
                "replaced.*set-authority.*resources make")
            # Nobody is sent round in a circle.
            for verb in (("run",), ("request",), ("export", "--c-header"),
                         ("lock-authority", "--yes"),
                         ("apply", "--bundle",
                          sorted(self.kw.at("bundles").glob("*.bundle.*"))[0])):
                with self.subTest(verb=verb), self.nothing_changes():
                    self.fails(1, "slot 13 holds no.* authority(.|\n)*"
                               "set-authority(.|\n)*resources make",
                               "rotate", *verb)
            self.kw.run("rotate", "verify")

    def test_put_back(self):
        """The register knows who validated the key, keys/ has its key."""
        self.erase()
        document = self.set_authority()
        self.assertEqual(document, {
            "schema": "keywright/rotate-set-authority/1",
            "serial": self.serial, "authority": self.mine.fingerprint,
            "previous": None, "changed": True})
        self.assertEqual(self.slot(13),
                         chip_client.stored_key(self.mine.public))
        self.assertEqual(self.status()["key"], self.key)
        self.rotated(self.kw.json("rotate", "run"), self.key, 2)

    def test_in_the_middle_of_a_rotation(self):
        """Erased or exchanged between the cut and the resume, at any point:
        put back, the rotation is finished, or undone while it can be."""
        self.serve()
        key, counter = self.key, 1
        for command in ((0x12, 0x82, 0x0070), (0x12, 0x82, 0x0270),
                        (0x45, 0x03, 14), (0x24, 0x01, 1)):
            for harm in (self.erase, self.exchange):
                with self.subTest(command=command, harm=harm.__name__):
                    self.interrupted_run(
                        rotation_case.At("lost", *command))
                    harm()
                    with self.nothing_changes():
                        for verb in ("resume", "run"):
                            self.fails(1, "slot 13 (.|\n)*set-authority",
                                       "rotate", verb)
                    self.set_authority("--yes")
                    counter += 1
                    key = self.rotated(self.kw.json("rotate", "resume"), key,
                                       counter)

    def test_rolled_back_after_it_was_put_back(self):
        self.serve()
        self.interrupted_run(rotation_case.At("lost", 0x12, 0x82, 0x0070))
        self.erase()
        self.set_authority()
        self.assertTrue(self.kw.json("rotate", "rollback")["rolled_back"])
        self.assertEqual(self.status()["key"], self.key)
        self.kw.run("rotate", "verify")

    def test_given_up(self):
        self.serve()
        self.interrupted_run(rotation_case.At("lost", 0x12, 0x82, 0x0070))
        self.exchange()
        self.assertFalse(self.kw.json("rotate", "rollback")["rolled_back"])
        self.assertEqual(self.outcomes()[-1], "given-up")
        # The bundle is still there for who puts the authority back.
        self.set_authority("--authority", self.key_file(13, 0), "--yes")
        bundle = sorted(self.kw.at("bundles").glob("*.bundle.json"))[-1]
        self.rotated(self.kw.json("rotate", "apply", "--bundle", bundle),
                     self.key, 2)

    def test_resources_make_everything_anew(self):
        self.erase()
        out = self.kw.run("resources", "make", "--yes").out
        self.assertRegex(out, "Slot 14 holds the validated key "
                         f"{self.key[:16]}; slot 13 holds no authority")
        self.assertIn("invalidated it with the new one", out)
        self.assertIn("Key generation - Success", out)
        status = self.status()
        self.assertEqual((status["state"], status["generation"]),
                         ("not-validated", 3))
        self.assertNotEqual(status["authority"], self.mine.fingerprint)
        self.rotated(self.kw.json("rotate", "run"), status["key"], 2)

    def test_resources_are_interrupted(self):
        """The new authority is in the chip, the old key still valid."""
        self.erase()
        self.serve()
        self.interrupted_resources(rotation_case.At("cut", 0x45, 0x07, 14))
        self.assertEqual(self.status()["state"], "validated")
        self.kw.run("resources", "make", "--yes")
        self.kw.run("rotate", "run")

    def interrupted_resources(self, rule):
        proxy = self.proxy(rule)
        self.kw.json("resources", "make", "--yes", "--chip", proxy.link,
                     code=4)
        self.assertTrue(proxy.is_cut)
        proxy.close()

    def test_retire(self):
        """Erases slot 14 too, though nobody has the authority's key."""
        self.erase()
        document = self.kw.json("chip", "retire", "--yes")
        slots = {slot["slot"]: slot["done"] for slot in document["slots"]}
        self.assertTrue(slots[13] and slots[14])
        self.assertEqual(self.slot(13), bytes(72))
        self.assertEqual(self.slot(14)[1:], bytes(71))

    def test_locked(self):
        """Nothing helps any more, and nothing is advised."""
        self.erase()
        self.kw.run("chip", "lock", "slot", "13", "--yes")
        self.assertRegex(self.warning(), "locked without an authority: "
                         "slot 14 keeps its key for ever")
        for verb in (("run",), ("set-authority",)):
            with self.nothing_changes():
                document = self.fails(1, "slot 13", "rotate", *verb)
            self.assertNotIn("set-authority", str(document.get("hint")))
        with self.nothing_changes():
            self.fails(1, "slot 13 is locked", "resources", "make", "--yes")
        self.kw.run("rotate", "verify")


class Foreign(Authority):
    """Slot 13 holds bytes that are no point of the curve."""

    def setUp(self):
        super().setUp()
        self.write_slot_13(bytes(range(72)))

    def test_what_is_said(self):
        result = self.kw.run("rotate", "status")
        self.assertRegex(result.out, "Slot 13 +written, but no P-256 key")
        self.assertRegex(result.err, "(?s)holds no authority.*set-authority")
        self.assertNotIn("lock-authority", result.err)
        self.assertIsNone(self.status()["authority"])
        for verb in (("run",), ("request",), ("lock-authority", "--yes"),
                     ("lock-authority", "--dry-run")):
            with self.subTest(verb=verb), self.nothing_changes():
                self.fails(1, "slot 13.*no P-256 key(.|\n)*set-authority",
                           "rotate", *verb)

    def test_ways_out(self):
        self.assertIsNone(self.set_authority()["previous"])
        self.write_slot_13(bytes(range(72)))
        self.kw.run("resources", "make", "--yes")
        self.kw.run("rotate", "run")


class ResourcesInterrupted(rotation_case.Case):
    """`resources make` was cut in the middle of slot 13."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.half(rotation_case.At("cut", 0x12, 0x82, 0x0168))

    def half(self, rule):
        proxy = self.proxy(rule)
        self.kw.run("resources", "make", "--yes", "--chip", proxy.link,
                    code=4)
        self.assertTrue(proxy.is_cut)
        proxy.close()

    def test_what_is_said(self):
        result = self.kw.run("rotate", "status")
        self.assertRegex(result.out, "Slot 13 +written, but no P-256 key")
        self.assertRegex(result.err, "(?s)resources make` was interrupted.*"
                         "generation 2.*resources make")
        self.assertNotIn("lock-authority", result.err)
        with self.nothing_changes():
            self.fails(1, "no P-256 key(.|\n)*resources make` was "
                       "interrupted(.|\n)*again", "rotate", "run")
            self.fails(1, "no P-256 key", "rotate", "lock-authority",
                       "--yes")

    def test_again(self):
        self.kw.run("resources", "make", "--yes")
        self.assertNotIn("interrupted", self.kw.run("rotate", "status").err)
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "lock-authority", "--yes")

    def test_after_the_new_authority(self):
        """Once slot 13 is locked the rest could never be made again."""
        self.half(rotation_case.At("cut", 0x12, 0x82, 0x0078))
        self.assertRegex(self.kw.run("rotate", "status").err,
                         "resources make` was interrupted")
        with self.nothing_changes():
            self.fails(1, "resources make` was interrupted", "rotate",
                       "lock-authority", "--yes")


class Exchanged(Authority):
    """Slot 13 holds another key."""

    def test_what_is_said(self):
        other = self.exchange()
        warning = self.warning()
        self.assertIn(self.mine.fingerprint[:16], warning)
        self.assertIn("set-authority", warning)
        with self.nothing_changes():
            for hint, words in (("--authority", ("rotate", "run")),
                                ("--authority(.|\n)*set-authority",
                                 ("resources", "make", "--yes"))):
                document = self.fails(1, hint, *words)
                self.assertIn(other.fingerprint[:16], document["message"])

    def test_put_back(self):
        other = self.exchange()
        with self.nothing_changes():
            self.fails(2, "--yes", "rotate", "set-authority")
        out = self.kw.run("rotate", "set-authority", "--yes").out
        for key in (other, self.mine):
            self.assertIn(key.fingerprint[:16], out)
        self.rotated(self.kw.json("rotate", "run"), self.key, 2)

    def test_leave_with_the_new_one(self):
        other = self.exchange()
        pem = self.write("other.pem", other.pem())
        self.rotated(self.kw.json("rotate", "run", "--authority", pem,
                                  "--accept-old-key", self.key), self.key, 2)
        self.assertNotIn("another authority", self.warning())

    def test_retire(self):
        self.exchange()
        document = self.kw.json("chip", "retire", "--yes")
        slots = {slot["slot"]: slot["done"] for slot in document["slots"]}
        self.assertTrue(slots[13] and slots[14])

    def test_retirement_is_interrupted(self):
        """With the authority of the moment in slot 13: it is repeated."""
        self.exchange()
        self.serve()
        proxy = self.proxy(rotation_case.At("cut", 0x45, 0x07, 14))
        self.kw.json("chip", "retire", "--yes", "--chip", proxy.link, code=4)
        self.assertTrue(proxy.is_cut)
        proxy.close()
        self.kw.run("rotate", "verify")
        document = self.kw.json("chip", "retire", "--yes")
        slots = {slot["slot"]: slot["done"] for slot in document["slots"]}
        self.assertTrue(slots[13] and slots[14])

    def test_retirement_does_not_help(self):
        """The chip refuses: what slot 13 held is there again."""
        self.exchange()
        self.serve()
        proxy = self.proxy(rotation_case.At(b"\1", 0x45, 0x07, 14))
        before = [self.slot(number) for number in range(16)]
        with self.nothing_changes("chips"):
            self.fails(1, "cannot be invalidated(.|\n)*nothing was changed",
                       "chip", "retire", "--yes", "--chip", proxy.link)
        proxy.close()
        self.assertEqual([self.slot(number) for number in range(16)], before)

    def test_locked(self):
        self.exchange()
        self.kw.run("chip", "lock", "slot", "13", "--yes")
        self.assertNotIn("set-authority", self.warning())
        with self.nothing_changes():
            self.fails(1, "slot 13 is locked", "rotate", "set-authority",
                       "--yes")
            self.fails(1, "--authority", "chip", "retire", "--yes")


class SetAuthority(Authority):
    def test_same(self):
        with self.nothing_changes():
            document = self.set_authority()
        self.assertFalse(document["changed"])
        self.assertEqual(document["previous"], self.mine.fingerprint)

    def test_each_form_of_a_key(self):
        for name in ("private", "public", "bytes"):
            with self.subTest(form=name):
                key = oracle.Key()
                before = self.status()["authority"]
                path = self.write(f"{name}.key", {
                    "private": key.pem(), "public": key.public_pem(),
                    "bytes": key.public}[name])
                document = self.set_authority("--authority", path, "--yes")
                self.assertEqual(document["authority"], key.fingerprint)
                self.assertEqual(document["previous"], before)
                self.assertEqual(self.slot(13),
                                 chip_client.stored_key(key.public))

    def test_of_a_chip(self):
        document = self.set_authority("--authority", "chip:sim:trustgo#0",
                                      "--yes")
        self.assertEqual(self.status()["authority"], document["authority"])
        self.rotated(self.kw.json(
            "rotate", "run", "--authority", "chip:sim:trustgo#0",
            "--accept-old-key", self.key), self.key, 2)

    def test_before_any_resources(self):
        """The authority lives in a token, say: nothing else is needed."""
        fresh = self.another("fresh")
        fresh.run("init")
        pem = fresh.folder / "hsm.pem"
        pem.write_bytes(self.mine.pem())
        self.assertRegex(
            fresh.json("rotate", "set-authority", code=1)["hint"],
            "--authority")
        self.assertIsNone(fresh.json("rotate", "set-authority", "--authority",
                                     pem)["previous"])
        document = fresh.json("rotate", "run", "--authority", pem)
        self.assertIsNone(document["old_key"])
        fresh.run("rotate", "verify")
        fresh.run("rotate", "run", "--authority", pem)

    def test_no_key(self):
        no_point = self.write("no-point", b"\1" * 64)
        for path, code in ((no_point, 3), (self.write("text", b"hello"), 3),
                           (self.kw.folder / "nowhere", 6)):
            with self.subTest(path=path), self.nothing_changes():
                self.fails(code, path.name, "rotate", "set-authority",
                           "--authority", path, "--yes")

    def test_nobody_knows_which(self):
        self.erase_register()
        with self.nothing_changes():
            self.fails(1, "--authority", "rotate", "set-authority")

    def erase_register(self):
        self.kw.at("bundles", "register.ndjson").unlink()
        self.write_slot_13(bytes(72))

    def test_interrupted(self):
        """Between any two blocks: the key in slot 14 stays, and the same
        command ends it."""
        self.serve()
        pem = self.write("other.pem", oracle.Key().pem())
        for block in range(3):
            for what in ("cut", "lost"):
                proxy = self.proxy(rotation_case.At(
                    what, 0x12, 0x82, block << 8 | 0x68))
                self.kw.json("rotate", "set-authority", "--authority", pem,
                             "--yes", "--chip", proxy.link, code=4)
                self.assertTrue(proxy.is_cut)
                proxy.close()
                self.assertEqual(self.status()["key"], self.key)
                self.set_authority("--yes")
                self.assertEqual(self.status()["authority"],
                                 self.mine.fingerprint)
        self.rotated(self.kw.json("rotate", "run"), self.key, 2)

    def test_no_such_chip(self):
        for code, words, chip in ((4, "can't connect", "tcp:127.0.0.1:1"),
                                  (1, "no trustflex part", "sim:trustgo"),
                                  (1, "no trustflex part", "sim:blank")):
            with self.subTest(chip=chip), self.nothing_changes():
                self.fails(code, words, "rotate", "set-authority", "--yes",
                           "--chip", chip)

    def test_does_not_read_back(self):
        """The chip answers 00 and holds something else."""
        self.serve()
        proxy = self.proxy(rotation_case.At(b"\0", 0x12, 0x82, 0x0168))
        pem = self.write("other.pem", oracle.Key().pem())
        document = self.kw.json("rotate", "set-authority", "--authority", pem,
                                "--yes", "--chip", proxy.link, code=5)
        self.assertIn("read back", document["message"])
        proxy.close()


if __name__ == "__main__":
    kw.main()
