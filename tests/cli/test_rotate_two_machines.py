"""keywright rotate with the authority's key on another machine: a device
that makes requests and applies bundles, and an authority without a chip."""

import os

import chip_client
import kw
import rotation_case
import rotation_oracle as oracle

NO_CHIP = ("--chip", "tcp:127.0.0.1:1")


class TwoMachines(rotation_case.Case):
    """`self.kw` is the device; `self.far` holds the authority's key, and
    nothing else."""

    def setUp(self):
        super().setUp()
        self.far = self.authority_machine("far")
        if self.make_resources:
            self.take_authority_away()

    def authority_machine(self, name):
        command = self.another(name)
        command.run("init")
        return command

    def take_authority_away(self):
        self.key = self.authority()
        self.key_file(13, 0).unlink()
        self.pem = self.far.folder / "authority.pem"
        self.pem.write_bytes(self.key.pem())

    def authorize(self, request, *options, command=None, code=0):
        command = command or self.far
        document = command.json(
            "rotate", "authorize", "--request", request, "--authority",
            self.pem, "--yes", *NO_CHIP, *options, code=code)
        return document

    def asked(self, *options):
        """A new key and its request: the file's path, and the Request."""
        document, _ = self.request(*options)
        path = self.kw.path(document["file"])
        return path, oracle.judge_request(
            path, self.config(), self.slot(14), self.key.public,
            fleet="--fleet" in options)

    def answered(self, request, path, sequence, *options, command=None):
        """The authority's bundle for a request, judged: its path."""
        command = command or self.far
        document = self.authorize(path, *options, command=command)
        bundle = command.path(document["bundle"])
        oracle.judge_bundle(bundle, request, self.key.public, sequence)
        self.assertEqual(document["sequence"], sequence)
        self.assertEqual(document["new_key"],
                         oracle.fingerprint(request.new_key))
        self.assertEqual(document["old_key"],
                         oracle.fingerprint(request.old_key)
                         if request.has_old_key else None)
        self.assertEqual(document["authority"], self.key.fingerprint)
        self.assertEqual(document["old_pairs"], request.old_validated)
        self.assertEqual(document["serial"], request.serial.hex()
                         if request.names_serial else None)
        return bundle

    def refused(self, words, request, *options, code=1, command=None):
        """The authority signs nothing: no bundle, no line."""
        command = command or self.far
        with self.nothing_changes(command=command):
            document = self.authorize(request, *options, command=command,
                                      code=code)
        text = document["message"] + "\n" + document.get("hint", "")
        self.assertRegex(text.lower(), words.lower())
        return document

    def apply(self, bundle, **options):
        return self.kw.json("rotate", "apply", "--bundle", bundle, **options)


class Way(TwoMachines):
    def test_what_comes_next(self):
        """Whoever lacks the authority's key is told to name it."""
        self.kw.run("rotate", "new-key")
        said = self.kw.run("rotate", "request", "-o", "r.json").out
        self.assertIn("Next, where the authority's key lives: keywright "
                      "rotate authorize --authority FILE --request r.json\n",
                      said)
        # Not even for --workspace, which that machine has its own of.
        where = ("--workspace", self.kw.workspace)
        said = self.kw.run(*where, "rotate", "request", "--fleet").out
        self.assertRegex(said, "Next, where.*: keywright rotate authorize "
                         "--authority FILE --sequence N --request ")
        said = self.far.run("--workspace", self.far.workspace, "rotate",
                            "authorize", "--yes", "--authority", self.pem,
                            "--request", self.kw.path("r.json")).out
        self.assertRegex(said, "Next, at the device: keywright rotate apply "
                         "--bundle ")
        document = self.far.json("rotate", "authorize", "--request",
                                 self.kw.path("r.json"), "--yes", code=1)
        self.assertIn("--authority FILE", document["hint"])
        self.assertNotIn("rotate request", document["hint"])

    def test_the_whole_way_three_times(self):
        self.assertEqual(self.far.own_secrets().keys() &
                         self.kw.own_secrets().keys(), set())
        old = self.status()["key"]
        for sequence in (1, 2, 3):
            path, request = self.asked()
            self.assertEqual(request.old_validated, sequence > 1)
            self.assertEqual(request.counter, sequence - 1)
            bundle = self.answered(request, path, sequence)
            document = self.apply(bundle)
            self.assertEqual(document["position"],
                             "writing" if sequence == 1 else "ready")
            self.assertFalse(document["already_applied"])
            old = self.rotated(document, old, sequence, sequence + 1)
        self.assertEqual(self.outcomes(), ["done"] * 3)
        self.kw.secrets()
        self.far.secrets()

    def test_documents(self):
        made = self.kw.json("rotate", "new-key")
        document = self.kw.json("rotate", "request")
        status = self.status()
        self.assertEqual(document["serial"], self.serial)
        self.assertEqual(document["old_key"], status["key"])
        self.assertEqual(document["new_key"], made["fingerprint"])
        self.assertEqual(document["counter"], 0)
        path = self.kw.path(document["file"])
        self.assertTrue(path.samefile(self.kw.at(
            "bundles", self.serial.upper() + "-0001.request.json")))
        self.assertEqual(kw.mode(path), 0o644)
        bundle = self.far.path(self.authorize(path)["bundle"])
        self.assertEqual(kw.mode(bundle), 0o644)
        self.assertEqual(bundle.name,
                         self.serial.upper() + "-0001.bundle.json")
        self.assertEqual(kw.mode(self.far.at("bundles", "register.ndjson")),
                         0o600)
        # The next ones get the next numbers, and nothing is overwritten.
        before = self.kept(command=self.far)
        self.authorize(path)
        after = self.kept(command=self.far)
        for name, data in before.items():
            self.assertTrue(after[name].startswith(data), name)

    def test_text(self):
        path, request = self.asked()
        out = self.far.run("rotate", "authorize", "--request", path,
                           "--authority", self.pem, "--yes").out
        self.assertIn(self.serial, out.lower())
        self.assertIn(oracle.fingerprint(request.old_key), out)
        self.assertIn(oracle.fingerprint(request.new_key), out)
        self.assertIn(rotation_case.AUTHORIZE, out)

    def test_register(self):
        path, request = self.asked()
        bundle = self.answered(request, path, 1)
        (line,) = self.register(self.far)
        self.assertRegex(line.pop("time"),
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        payload, _ = oracle.read_envelope(bundle)
        self.assertEqual(line, {
            "serial": self.serial, "slot": 14, "sequence": 1,
            "authority": self.key.fingerprint,
            "old_key": oracle.fingerprint(request.old_key),
            "new_key": oracle.fingerprint(request.new_key),
            "bundle": oracle.sha256(payload).hex()})

    def test_register_with_a_torn_line(self):
        path, request = self.asked()
        self.answered(request, path, 1)
        register = self.far.at("bundles", "register.ndjson")
        whole = register.read_bytes()
        register.write_bytes(whole + b'{"time":"20')
        self.answered(request, path, 2)
        self.assertEqual(register.read_bytes()[:len(whole)], whole)
        self.assertEqual(len(self.register(self.far)), 2)

    def test_damaged_register(self):
        """A line that cannot be read and has others behind it is no
        reason to guess."""
        path, _ = self.asked()
        self.far.at("bundles", "register.ndjson").write_bytes(b"{}x\n{}\n")
        self.refused("register.ndjson.*line 1", path, code=3)

    def test_without_a_yes(self):
        path, _ = self.asked()
        with self.nothing_changes(command=self.far):
            document = self.far.json(
                "rotate", "authorize", "--request", path, "--authority",
                self.pem, code=2)
        self.assertIn("--yes", document["hint"])

    def test_output_file(self):
        path, request = self.asked("-o", "asked.json")
        self.assertEqual(path, self.kw.folder / "asked.json")
        bundle = self.answered(request, path, 1, "-o", "answer.json")
        self.assertEqual(bundle, self.far.folder / "answer.json")
        for command, words in (
                (self.kw, ("request", "-o", "asked.json")),
                (self.far, ("authorize", "--request", path, "--authority",
                            self.pem, "--yes", "-o", "answer.json"))):
            data = (command.folder / words[-1]).read_bytes()
            document = command.json("rotate", *words, code=1)
            self.assertEqual(document["schema"], "keywright/error/1")
            self.assertIn(words[-1], document["message"])
            self.assertEqual((command.folder / words[-1]).read_bytes(), data)
        self.apply(bundle)

    def test_apply_again(self):
        path, request = self.asked()
        bundle = self.answered(request, path, 1)
        self.apply(bundle)
        image = self.eeprom()
        document = self.apply(bundle)
        self.assertTrue(document["already_applied"])
        self.assertEqual(document["position"], "done")
        self.assertEqual(self.eeprom(), image)
        self.assertNotIn(None, self.outcomes())

    def test_key_stays_at_the_authority(self):
        """`run` at the device says what is missing, and where to go."""
        with self.nothing_changes():
            self.fails(1, "no private key for the authority(.|\n)*--authority",
                       "rotate", "run")
        self.kw.run("rotate", "run", "--authority", self.pem)
        self.kw.run("rotate", "verify")

    def test_newest_key_is_requested(self):
        first = self.kw.json("rotate", "new-key")
        document, _ = self.request()
        self.assertNotEqual(document["new_key"], first["fingerprint"])

    def test_nothing_to_request(self):
        with self.nothing_changes():
            self.fails(1, "already(.|\n)*new-key", "rotate", "request")
        self.key_file(14).unlink()
        with self.nothing_changes():
            self.fails(1, "no rotating key(.|\n)*new-key", "rotate",
                       "request")

    def test_missing_options(self):
        self.fails(2, "--request", "rotate", "authorize", "--yes")
        self.fails(2, "--bundle", "rotate", "apply")


class Expectations(TwoMachines):
    def test_expected(self):
        path, request = self.asked()
        new = oracle.fingerprint(request.new_key)
        for sequence, (serial, key) in enumerate(
                ((self.serial, new), (self.serial.upper(), new.upper())), 1):
            self.answered(request, path, sequence, "--expect-serial", serial,
                          "--expect-key", key)

    def test_another_serial(self):
        path, _ = self.asked()
        other = "0123" + "00" * 6 + "01"
        document = self.refused("serial.*" + other, path, "--expect-serial",
                                other)
        self.assertIn(self.serial.upper(), document["message"])

    def test_another_key(self):
        path, request = self.asked()
        self.refused("new key", path, "--expect-key",
                     oracle.fingerprint(request.old_key))
        wrong = oracle.fingerprint(request.new_key)[:16]
        wrong = wrong[:15] + ("0" if wrong[15] != "0" else "1")
        self.refused("new key", path, "--expect-key", wrong)

    def test_the_first_digits_of_a_key(self):
        path, request = self.asked()
        digits = oracle.fingerprint(request.new_key)
        for sequence, size in enumerate((16, 17, 63), 1):
            self.answered(request, path, sequence, "--expect-key",
                          digits[:size].upper())

    def test_forms(self):
        """A slip of the finger is no other key: wrong usage."""
        path, request = self.asked()
        key = oracle.fingerprint(request.new_key)
        for option, digits, values in (
                ("--expect-key", 64, (key[:15], key + "0", "x" * 64, "")),
                ("--accept-old-key", 64, (key[:16], key + "0", "g" * 64, "")),
                ("--expect-serial", 18, (self.serial[:-1], self.serial + "0",
                                         "z" * 18, ""))):
            for value in values:
                with self.subTest(option=option, value=value):
                    self.fails(2, f"{option} takes {digits} hex digits",
                               "rotate", "authorize", "--request", path,
                               option, value, "--yes")

    def test_a_fleet_is_no_serial(self):
        path, _ = self.asked("--fleet")
        self.refused("fleet", path, "--expect-serial", self.serial,
                     "--sequence", 1)

    def test_another_authority(self):
        path, _ = self.asked()
        self.pem.write_bytes(oracle.Key().pem())
        self.refused("slot 13 of the device holds another authority", path)


class OldKey(TwoMachines):
    """A validate pair for a key that the authority does not know."""

    def setUp(self):
        super().setUp()
        path, _ = self.asked()
        elsewhere = self.authority_machine("elsewhere")
        self.apply(elsewhere.path(self.authorize(
            path, command=elsewhere)["bundle"]))
        self.path, self.about = self.asked()
        self.old = oracle.fingerprint(self.about.old_key)

    def test_is_not_vouched_for(self):
        document = self.refused("register(.|\n)*--accept-old-key", self.path)
        self.assertIn(self.old, document["message"])

    def test_accepted(self):
        for sequence, text in enumerate((self.old, self.old.upper()), 2):
            bundle = self.answered(self.about, self.path, sequence,
                                   "--accept-old-key", text)
        self.rotated(self.apply(bundle), self.old, 3)

    def test_another_one_accepted(self):
        for text in (oracle.fingerprint(self.about.new_key), "0" * 64):
            self.refused("register", self.path, "--accept-old-key", text)

    def test_run(self):
        """On one machine again, with the authority's key: `run` asks for
        the same word before it makes a key."""
        with self.nothing_changes():
            document = self.fails(1, "register(.|\n)*--accept-old-key",
                                  "rotate", "run", "--authority", self.pem)
            self.fails(1, "register", "rotate", "run", "--authority",
                       self.pem, "--accept-old-key", "0" * 64)
            self.fails(2, "64 hex digits", "rotate", "run", "--authority",
                       self.pem, "--accept-old-key", self.old[:16])
        self.assertIn(self.old, document["message"])
        self.rotated(self.kw.json("rotate", "run", "--authority", self.pem,
                                  "--accept-old-key", self.old), self.old, 2)
        # From now on this workspace's register vouches.
        self.kw.run("rotate", "run", "--authority", self.pem)

    def test_another_authority_vouched(self):
        """A line about another authority's key is not this one's word."""
        mine, other = self.key, oracle.Key()
        self.pem.write_bytes(other.pem())
        held = self.write("held.json", oracle.Request.read(self.path).but(
            authority=other.public).text(oracle.Key.read(self.key_file())))
        self.authorize(held, "--accept-old-key", self.old)
        line = self.register(self.far)[-1]
        self.assertEqual(line["authority"], other.fingerprint)
        # The key in question becomes one that the other authorised.
        register = self.far.at("bundles", "register.ndjson")
        register.write_text(register.read_text(encoding="utf-8").replace(
            line["new_key"], self.old), encoding="utf-8")
        self.pem.write_bytes(mine.pem())
        self.refused("register(.|\n)*--accept-old-key", self.path)

    def test_not_needed_for_a_key_that_is_not_validated(self):
        request = self.about.but(
            flags=oracle.FLAG_SERIAL | oracle.FLAG_OLD_KEY)
        path = self.write("invalid.json", request.text(
            oracle.Key.read(self.key_file())))
        request.signature = oracle.Request.read(path).signature
        bundle = self.answered(request, path, 2)
        # Such a bundle does not fit the chip, whose key is validated.
        with self.nothing_changes():
            self.fails(1, "no pair to invalidate", "rotate", "apply",
                       "--bundle", bundle)


class Sequence(TwoMachines):
    def test_register_counts(self):
        path, request = self.asked()
        bundles = [self.answered(request, path, sequence)
                   for sequence in (1, 2, 3)]
        self.rotated(self.apply(bundles[1]), self.about(request), 2)
        with self.nothing_changes():
            self.fails(1, "used before", "rotate", "apply", "--bundle",
                       bundles[0])

    def about(self, request):
        return oracle.fingerprint(request.old_key)

    def test_chip_counts(self):
        """The request's counter decides where the register is behind."""
        path, request = self.asked()
        self.apply(self.answered(request, path, 7, "--sequence", 7))
        path, request = self.asked()
        fresh = self.authority_machine("fresh")
        bundle = self.answered(
            request, path, 8, "--accept-old-key", self.about(request),
            command=fresh)
        self.rotated(self.apply(bundle), self.about(request), 8)

    def test_register_of_another_chip(self):
        other = self.another("other")
        serial = next(chip["serial"] for chip in other.json("init")["chips"]
                      if chip["name"] == "trustflex")
        path, request = self.asked()
        self.answered(request, path, 9, "--sequence", 9)
        register = self.far.at("bundles", "register.ndjson")
        register.write_text(register.read_text(encoding="utf-8").replace(
            self.serial, serial), encoding="utf-8")
        self.answered(request, path, 1)

    def test_named(self):
        path, request = self.asked()
        for sequence in (17, 99, 2**21 - 1):
            self.refused("takes sequences 1 to 16, at most 16 ahead", path,
                         "--sequence", sequence)
        bundle = self.answered(request, path, 16, "--sequence", 16)
        self.rotated(self.apply(bundle), self.about(request), 16)
        path, request = self.asked()
        for sequence in (1, 16, 33):
            self.refused("takes sequences 17 to 32", path, "--sequence",
                         sequence)
        self.answered(request, path, 17)

    def test_no_number(self):
        path, _ = self.asked()
        for text in ("0", "2097152", "-1", "1x", "", "99999999999999999999"):
            self.refused("--sequence", path, "--sequence", text, code=2)

    def test_fleet_must_be_named(self):
        path, _ = self.asked("--fleet")
        self.refused("fleet(.|\n)*--sequence", path, code=2)


class Fleet(TwoMachines):
    """Two devices whose slot 13 holds the same authority, and slot 14 the
    same key, or none."""

    make_resources = False

    def setUp(self):
        super().setUp()
        self.key = oracle.Key()
        self.pem = self.far.folder / "authority.pem"
        self.pem.write_bytes(self.key.pem())
        self.second = self.another("second")
        self.second.run("init")
        for command in (self.kw, self.second):
            self.put_authority(command)

    def put_authority(self, command):
        """Writes the public key into slot 13, as a factory does."""
        first, self.kw = self.kw, command
        board = self.serve()
        stored = chip_client.stored_key(self.key.public)
        for block in range(3):
            self.look("write_block", 13, block,
                      stored[32 * block:32 * block + 32])
        self.end(board)
        self.kw = first

    def test_blank_then_validated(self):
        for sequence in (3, 4):
            path, request = self.asked("--fleet")
            self.assertEqual(request.old_validated, sequence == 4)
            bundle = self.answered(request, path, sequence, "--sequence",
                                   sequence)
            for command in (self.kw, self.second):
                document = command.json("rotate", "apply", "--bundle", bundle)
                self.assertEqual(document["new_key"],
                                 oracle.fingerprint(request.new_key))
                status = command.json("rotate", "status")
                self.assertEqual(
                    (status["state"], status["key"], status["counter"]),
                    ("validated", document["new_key"], sequence))
            self.kw.run("rotate", "verify")
        line = self.register(self.far)[-1]
        self.assertIsNone(line["serial"])
        # The second device has the key, and not its private half.
        self.assertEqual(
            self.second.json("rotate", "verify", code=1)["exit"], 1)

    def test_words(self):
        self.kw.run("rotate", "new-key")
        result = self.kw.run("rotate", "request", "--fleet")
        self.assertIn("every chip", result.err)

    def test_document(self):
        document, _ = self.request("--fleet")
        self.assertIsNone(document["serial"])
        self.assertIsNone(document["old_key"])
        self.assertIn("fleet-0001.request.json", document["file"])

    def applies(self, command, bundle, code, words):
        with self.nothing_changes(command=command):
            document = command.json("rotate", "apply", "--bundle", bundle,
                                    code=code)
        self.assertRegex(document["message"], words)
        return document

    def test_another_old_key(self):
        path, request = self.asked()
        self.apply(self.answered(request, path, 1))
        path, request = self.asked("--fleet")
        bundle = self.answered(request, path, 2, "--sequence", 2)
        document = self.applies(self.second, bundle, 1, "another key")
        self.assertRegex(document["hint"], "the bundle replaces "
                         f"{oracle.fingerprint(request.old_key)[:16]}, slot "
                         "14 holds none: this chip is none of that fleet")
        self.apply(bundle)

    def test_another_configuration(self):
        path, request = self.asked("--fleet")
        bundle = self.answered(request, path, 1, "--sequence", 1)
        self.second.run("rotate", "lock-authority", "--yes", "--authority",
                        self.pem)
        self.applies(self.second, bundle, 1, "another configuration")
        self.apply(bundle)

    def test_another_authority(self):
        path, request = self.asked("--fleet")
        bundle = self.answered(request, path, 1, "--sequence", 1)
        self.key = oracle.Key()
        self.put_authority(self.second)
        self.applies(self.second, bundle, 1, "not signed by the authority")

    def test_serial_is_no_fleet(self):
        path, request = self.asked()
        bundle = self.answered(request, path, 1)
        self.applies(self.second, bundle, 1, "another chip")

    def test_blank_slot_alone(self):
        """`run` from a blank slot, and back before it is validated."""
        self.kw.run("rotate", "run", "--authority", self.pem)
        self.assertEqual(self.status()["counter"], 1)
        self.kw.run("rotate", "verify")

    def test_interrupted_on_a_blank_slot(self):
        self.serve()
        blank = self.slot(14)
        at = rotation_case.At("cut", 0x12, 0x82, 0x0170)
        self.interrupted_run(at, "run", "--authority", self.pem)
        self.assertNotEqual(self.slot(14), blank)
        self.kw.run("rotate", "rollback")
        self.assertEqual(self.slot(14)[1:], blank[1:])
        self.assertEqual(self.status()["state"], "blank")
        at = rotation_case.At("lost", 0x12, 0x82, 0x0170)
        self.interrupted_run(at, "run", "--authority", self.pem)
        self.kw.run("rotate", "resume")
        self.kw.run("rotate", "verify")


class PythonIsTheAuthority(TwoMachines):
    def test_apply(self):
        old = self.status()["key"]
        sequence = 0
        for ahead in (1, 16, 5):
            sequence += ahead
            path, request = self.asked()
            bundle = oracle.make_bundle(
                self.key, request, request.signature, sequence)
            path = self.write(f"{sequence}.json", bundle.text(self.key))
            old = self.rotated(self.apply(path), old, sequence)

    def test_fleet(self):
        _, request = self.asked("--fleet")
        path = self.write("fleet.json", oracle.make_bundle(
            self.key, request, request.signature, 2).text(self.key))
        self.apply(path)
        self.assertEqual(self.status()["counter"], 2)
        self.kw.run("rotate", "verify")

    def test_white_space_and_order_do_not_matter(self):
        _, request = self.asked()
        bundle = oracle.make_bundle(self.key, request, request.signature, 1)
        signature = self.key.sign(bundle.digest)
        path = self.write("spaced.json", (
            f'\n{{ "signature" : "{oracle.base64url(signature)}",\r\n'
            f'\t"payload" : "{oracle.base64url(bundle.pack())}" }}\n\n'))
        self.apply(path)
        self.kw.run("rotate", "verify")


class PythonIsTheDevice(TwoMachines):
    """`authorize` answers requests that another program made, for chips of
    any configuration whose slot 14 is as it must be."""

    make_resources = False

    def setUp(self):
        super().setUp()
        self.key = oracle.Key()
        self.pem = self.far.folder / "authority.pem"
        self.pem.write_bytes(self.key.pem())

    def made(self, flags, **changes):
        """A request's path, and the Request."""
        new = oracle.Key()
        serial = bytes.fromhex("0123112233445566" "01")
        fields = dict(
            flags=flags, counter=40,
            serial=serial if flags & oracle.FLAG_SERIAL
            else oracle.fleet_field(serial),
            lock_bits=2,
            slot_configs=os.urandom(28) + b"\x0d\x1f" + os.urandom(2),
            key_configs=os.urandom(34) + b"\x12\x00" + os.urandom(2),
            old_key=oracle.Key().public if flags & oracle.FLAG_OLD_KEY
            else oracle.NO_KEY,
            new_key=new.public, authority=self.key.public)
        request = oracle.Request(**{**fields, **changes})
        path = self.write(f"{os.urandom(4).hex()}.json", request.text(new))
        request.signature = oracle.Request.read(path).signature
        return path, request

    def test_each_kind(self):
        for flags, sequence, options in (
                (0, 5, ("--sequence", 5)),
                (oracle.FLAG_OLD_KEY, 5, ("--sequence", 5)),
                (oracle.FLAG_SERIAL, 41, ()),
                (oracle.FLAG_SERIAL | oracle.FLAG_OLD_KEY, 42, ())):
            with self.subTest(flags=flags):
                path, request = self.made(flags)
                self.answered(request, path, sequence, *options)

    def test_validated_old_key(self):
        path, request = self.made(7)
        self.answered(request, path, 41, "--accept-old-key",
                      oracle.fingerprint(request.old_key))

    def test_each_lock_state(self):
        for sequence, bits in enumerate(range(4), 41):
            path, request = self.made(1, lock_bits=bits)
            self.answered(request, path, sequence)


if __name__ == "__main__":
    kw.main()
