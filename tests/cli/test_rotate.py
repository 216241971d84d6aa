"""keywright rotate on one machine: the main job, from every state of the
slot, interrupted and taken back."""

import json
import os
import pathlib
import subprocess
import unittest

import chip_client
import kw
import rotation_case
import rotation_oracle as oracle
from rotation_case import (AUTHORIZE, INVALIDATED, NEW_KEY, SIGNING,
                           VALIDATED, VERIFIED, WRITTEN, At)

ANSWERS = pathlib.Path(__file__).parents[1] / "vectors/known_answers.json"

# Where a run from a validated slot can be cut: a command, as a proxy sees
# it, and how far the chip is before and after it. The states are: the old
# key validated, not validated (whichever blocks there are), the new key
# validated.
POINTS = (
    ("invalidate", (0x45, 0x07, 14), "old", "none"),
    ("write 0", (0x12, 0x82, 0x0070), "none", "none"),
    ("write 1", (0x12, 0x82, 0x0170), "none", "none"),
    ("write 2", (0x12, 0x82, 0x0270), "none", "none"),
    ("validate", (0x45, 0x03, 14), "none", "new"),
    ("proof", (0x45, 0x20, 14), "new", "new"),
    ("count", (0x24, 0x01, 1), "new", "counted"),
)
CUTS = tuple((f"{name}, {what}", command, what,
              before if what == "cut" else after)
             for name, command, before, after in POINTS
             for what in ("cut", "lost"))


class Oracle(kw.Case):
    """The second implementation agrees with the manual's numbers."""

    def test_known_answers(self):
        with open(ANSWERS, encoding="utf-8") as file:
            answers = json.load(file)["rotation"]
        for answer in answers:
            slot, parent = answer["slot"], answer["parent_slot"]
            if (slot, parent) != (14, 13):
                continue
            with self.subTest(note=answer["note"]):
                config = bytearray(128)
                config[20 + 28:20 + 30] = bytes.fromhex(answer["slot_config"])
                config[96 + 28:96 + 30] = bytes.fromhex(answer["key_config"])
                config[88:90] = (0 if answer["slot_locked"] else
                                 0xFFFF).to_bytes(2, "little")
                message = oracle.Configuration.of(bytes(config)).message(
                    bytes.fromhex(answer["serial"]),
                    bytes.fromhex(answer["public_key"]),
                    bytes.fromhex(answer["nonce"]),
                    answer["operation"] == "invalidate")
                self.assertEqual(message.hex(), answer["message_55"])
                self.assertEqual(oracle.sha256(message).hex(),
                                 answer["digest_to_sign"])


class Run(rotation_case.Case):
    def lines(self, *wanted, command=("run",)):
        """The command prints these lines, in this order."""
        out = self.kw.run("rotate", *command).out.splitlines()
        self.assertEqual([line for line in out if line in
                          (NEW_KEY, AUTHORIZE, INVALIDATED, WRITTEN,
                           VALIDATED, SIGNING, VERIFIED)], list(wanted))

    def test_from_a_slot_that_is_not_validated(self):
        before = self.status()
        self.assertEqual(before["state"], "not-validated")
        document = self.kw.json("rotate", "run")
        self.assertEqual(document["position"], "writing")
        self.assertFalse(document["already_applied"])
        self.assertFalse(document["resumed"])
        self.rotated(document, before["key"], 1, generation=2)

    def test_from_a_validated_slot(self):
        self.kw.run("rotate", "run")
        before = self.status()
        document = self.kw.json("rotate", "run")
        self.assertEqual(document["position"], "ready")
        self.rotated(document, before["key"], 2, generation=3)

    def test_three_times_in_a_row(self):
        keys = [self.status()["key"]]
        for count in (1, 2, 3):
            document = self.kw.json("rotate", "run")
            keys.append(self.rotated(document, keys[-1], count, count + 1))
        self.assertEqual(len(set(keys)), 4)
        self.assertEqual(self.outcomes(), ["done"] * 3)
        # Each key pair is kept, beside the old ones.
        self.assertEqual(
            [oracle.Key.read(self.key_file(14, i)).fingerprint
             for i in range(4)], keys)
        # The chip is what the register says.
        lines = [line for line in self.register() if line["sequence"]]
        self.assertEqual([line["new_key"] for line in lines], keys[1:])
        self.assertEqual([line["old_key"] for line in lines], keys[:-1])

    def test_lines(self):
        self.lines(NEW_KEY, AUTHORIZE, WRITTEN, VALIDATED, SIGNING, VERIFIED)
        self.lines(NEW_KEY, AUTHORIZE, INVALIDATED, WRITTEN, VALIDATED,
                   SIGNING, VERIFIED)
        self.lines(SIGNING, VERIFIED, command=("verify",))
        self.lines(NEW_KEY, command=("new-key",))

    def test_slot_holds_the_key_as_the_vendor_stores_it(self):
        self.kw.run("rotate", "run")
        public = kw.public_key(self.key_file())
        stored = self.slot(14)
        self.assertEqual(stored[0] >> 4, 5)
        self.assertEqual(bytes(1) + stored[1:],
                         chip_client.stored_key(public))

    def test_other_model(self):
        for model in ("608a", "608b"):
            with self.subTest(model=model):
                command = self.another(model)
                command.run("init", "--model", model)
                command.run("resources", "make", "--yes")
                command.run("rotate", "run")
                command.run("rotate", "run")
                self.assertEqual(
                    command.json("rotate", "status")["counter"], 2)
                command.run("rotate", "verify")

    def test_only_the_new_key_verifies(self):
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "run")
        self.serve()
        digest = os.urandom(32)
        old, new = (oracle.Key.read(self.key_file(14, i)) for i in (-2, -1))
        with self.assertRaises(chip_client.ChipError) as refused:
            self.look("verify_stored", 14, digest, old.sign(digest))
        self.assertEqual(refused.exception.status,
                         chip_client.STATUS_MISMATCH)
        self.look("verify_stored", 14, digest, new.sign(digest))

    def test_verify_is_fresh(self):
        self.kw.run("rotate", "run")
        frames = {tuple(line for line in
                        self.kw.trace("rotate", "verify").splitlines()
                        if line.startswith("> Nonce"))
                  for _ in range(2)}
        self.assertEqual(len(frames), 2)

    def test_verify_before_the_first_rotation(self):
        with self.nothing_changes():
            self.fails(5, r"not validated(.|\n)*rotate run", "rotate", "verify")

    def test_verify_without_the_private_key(self):
        self.kw.run("rotate", "run")
        self.key_file().unlink()
        with self.nothing_changes():
            self.fails(1, "no private key", "rotate", "verify")

    def test_status(self):
        status = self.status()
        self.assertEqual(status["serial"], self.serial)
        self.assertEqual(status["generation"], 1)
        self.assertEqual(status["authority"], self.authority().fingerprint)
        self.assertFalse(status["authority_locked"])
        self.assertEqual(status["counter"], 0)
        self.assertIsNone(status["journal"])
        text = self.kw.run("rotate", "status")
        self.assertIn(status["key"][:16], text.out)
        self.assertIn(status["authority"][:16], text.out)
        self.assertIn("lock-authority", text.err)
        info = self.kw.json("chip", "info")
        self.assertEqual(info["counters"][1], status["counter"])

    def test_questions_change_nothing(self):
        self.kw.run("rotate", "run")
        with self.nothing_changes():
            for verb in ("status", "verify"):
                self.kw.run("rotate", verb)
            document = self.kw.json("rotate", "resume")
            self.assertFalse(document["resumed"])
            self.assertEqual(document["serial"], self.serial)
            self.assertIn("Nothing to resume",
                          self.kw.run("rotate", "resume").out)

    def test_new_key_stays_beside_the_old_one(self):
        self.kw.run("rotate", "run")
        before = self.kept()
        key = self.status()["key"]
        document = self.kw.json("rotate", "new-key")
        self.assertEqual(document["generation"], 3)
        made = oracle.Key.read(self.kw.path(document["file"]))
        self.assertEqual(document["fingerprint"], made.fingerprint)
        self.assertEqual(kw.mode(self.kw.path(document["file"])), 0o600)
        after = self.kept()
        self.assertEqual({path: after[path] for path in before}, before)
        self.assertEqual(self.status()["key"], key)
        self.kw.run("rotate", "verify")
        # It is the next one that `run` rotates to.
        self.rotated(self.kw.json("rotate", "run"), key, 2, generation=3)

    def test_nothing_secret_is_shown(self):
        self.kw.run("rotate", "run", "--trace")
        self.kw.run("rotate", "run", "--trace", "--json")
        for verb in ("status", "verify", "resume", "new-key", "request",
                     "rollback"):
            self.kw.run("rotate", verb, "--trace")
        header = self.kw.folder / "header.h"
        self.kw.run("rotate", "export", "--c-header", "-o", header,
                    "--trace")
        self.kw.outputs.append(header.read_text(encoding="ascii"))
        self.kw.secrets()
        # What the chip itself keeps: the private keys of slots 0 to 4.
        for slot in range(5):
            secret = self.slot(slot)[4:]
            for text in self.kw.outputs:
                self.assertFalse(kw.shows(text.encode(), secret), slot)


class WaitingKey(rotation_case.Case):
    """`run` rotates to the key that `new-key` made, as long as nobody was
    asked to trust it."""

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.key = self.status()["key"]

    def run_rotates_to(self, generation, counter=2):
        self.key = self.rotated(self.kw.json("rotate", "run"), self.key,
                                counter, generation)

    def test_lines(self):
        self.kw.run("rotate", "new-key")
        self.assertIn("waits for `rotate run`",
                      self.kw.run("rotate", "status").out)
        out = self.kw.run("rotate", "run").out
        self.assertNotIn(NEW_KEY, out)
        self.assertIn("Rotating to the key that `rotate new-key` made: "
                      "generation 3\n", out)
        self.assertNotIn("Next key", self.kw.run("rotate", "status").out)

    def test_newest_of_several(self):
        self.kw.run("rotate", "new-key")
        self.kw.run("rotate", "new-key")
        self.run_rotates_to(4)
        # The older one is not the next one any more.
        self.assertIsNone(self.status()["next_key"])
        self.run_rotates_to(5, counter=3)

    def test_requested(self):
        """A request is no answer yet."""
        self.request()
        self.run_rotates_to(3)

    def test_authorised(self):
        """Its bundle may be under way to this device."""
        document, _ = self.request()
        self.kw.run("rotate", "authorize", "--request", document["file"],
                    "--yes", "-o", self.kw.folder / "elsewhere.json")
        self.assertIn("authorised before",
                      self.kw.run("rotate", "status").out)
        self.run_rotates_to(4, counter=3)

    def test_left_by_bundles_from_elsewhere(self):
        """The register knows nothing of them, bundles/ does."""
        there = self.write("there.json", self.oracle_bundle().text(
            self.authority()))
        self.kw.run("rotate", "apply", "--bundle", there)
        request = oracle.Request.read(
            self.kw.path(self.kw.json("rotate", "rollback")["request"]))
        back = self.write("back.json", oracle.make_bundle(
            self.authority(), request, oracle.Key.read(self.key_file(14, 1)),
            3).text(self.authority()))
        self.kw.run("rotate", "apply", "--bundle", back)
        self.assertEqual(self.status()["generation"], 2)
        self.run_rotates_to(4, counter=4)

    def test_requested_again(self):
        """A key that some device may have may be asked for, but not
        unseen."""
        self.kw.run("rotate", "new-key")
        result = self.kw.run("rotate", "request", "-o", "r.json")
        self.assertEqual(result.err, "")
        self.kw.run("rotate", "authorize", "--yes", "--request", "r.json")
        self.assertIn("authorised before",
                      self.kw.run("rotate", "request").err)

    def test_rolled_back(self):
        self.serve()
        self.interrupted_run(At("lost", 0x12, 0x82, 0x0070))
        self.kw.run("rotate", "rollback")
        self.assertEqual(self.status()["key"], self.key)
        self.run_rotates_to(4, counter=3)

    def test_exported(self):
        """The vendor's firmware may have taken it anywhere."""
        self.kw.run("rotate", "new-key")
        self.kw.run("rotate", "export", "--c-header", "-o",
                    self.kw.folder / "header.h")
        self.run_rotates_to(4)

    def test_damaged(self):
        self.kw.run("rotate", "new-key")
        self.key_file().write_bytes(b"damaged")
        self.run_rotates_to(4)

    def test_damaged_register(self):
        """What was authorised cannot be told, so nothing is begun."""
        self.kw.run("rotate", "new-key")
        register = self.kw.at("bundles", "register.ndjson")
        register.write_bytes(b"no object\n" + register.read_bytes())
        with self.nothing_changes():
            self.fails(3, "register.ndjson", "rotate", "run")

    def test_interrupted(self):
        """A run that was cut before it had its key goes on with it too."""
        self.kw.run("rotate", "new-key")
        journal = self.kw.at("journal",
                             f"rotation-{self.serial.upper()}-0002.ndjson")
        journal.write_text('{"event": "begin", "verb": "run"}\n',
                           encoding="utf-8")
        document = self.kw.json("rotate", "resume")
        self.rotated(document, self.key, 2, generation=3)


class Interrupted(rotation_case.Case):
    """Cut at each step; the chip runs on behind its board."""

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.serve()

    def check_state(self, state, old, new, counter):
        status = self.status()
        wanted = {"old": ("validated", old, counter),
                  "new": ("validated", new, counter),
                  "counted": ("validated", new, counter + 1)}
        if state == "none":
            self.assertEqual(status["state"], "not-validated")
            self.assertEqual(status["counter"], counter)
        else:
            self.assertEqual((status["state"], status["key"],
                              status["counter"]), wanted[state])
        self.assertEqual(status["journal"]["stage"], "apply")
        self.assertTrue(self.kw.path(status["journal"]["file"]))

    def cut(self, command, what, state):
        """An interrupted run: status before, fingerprint of the new key."""
        before = self.status()
        document = self.interrupted_run(At(what, *command))
        self.assertRegex(document["message"] + document["hint"],
                         "stopped answering(.|\n)*rotate resume")
        new = oracle.Key.read(self.key_file()).fingerprint
        self.check_state(state, before["key"], new, before["counter"])
        return before, new

    def test_resume(self):
        for name, command, what, state in CUTS:
            with self.subTest(point=name):
                before, new = self.cut(command, what, state)
                document = self.kw.json("rotate", "resume")
                self.assertTrue(document["resumed"])
                self.assertEqual(document["new_key"], new)
                self.assertEqual(document["already_applied"],
                                 state == "counted")
                self.rotated(document, before["key"], before["counter"] + 1)
        self.assertEqual(set(self.outcomes()), {"done"})

    def test_run_finishes_it_and_does_nothing_else(self):
        for name, command, what, state in CUTS[::3]:
            with self.subTest(point=name):
                before, new = self.cut(command, what, state)
                generations = self.kw.generations(self.serial)
                document = self.kw.json("rotate", "run")
                self.assertTrue(document["resumed"])
                self.assertEqual(document["new_key"], new)
                self.rotated(document, before["key"], before["counter"] + 1)
                self.assertEqual(self.kw.generations(self.serial),
                                 generations)
        self.assertIn("interrupted", self.interrupted_text())

    def interrupted_text(self):
        self.interrupted_run(At("cut", 0x12, 0x82, 0x0170))
        return self.kw.run("rotate", "run").out

    def test_resume_is_interrupted_too(self):
        before, new = self.cut((0x12, 0x82, 0x0170), "lost", "none")
        for command in ((0x12, 0x82, 0x0270), (0x45, 0x03, 14),
                        (0x24, 0x01, 1)):
            self.interrupted_run(At("cut", *command), "resume")
        document = self.kw.json("rotate", "resume")
        self.assertEqual(document["new_key"], new)
        self.rotated(document, before["key"], before["counter"] + 1)

    def test_rollback(self):
        """Before the new key is validated the old one comes back, by its
        own pair."""
        for name, command, what, state in CUTS:
            if state not in ("old", "none"):
                continue
            with self.subTest(point=name):
                before, new = self.cut(command, what, state)
                document = self.kw.json("rotate", "rollback")
                self.assertTrue(document["rolled_back"])
                self.assertIsNone(document["request"])
                after = self.status()
                for member in ("state", "key", "counter", "journal"):
                    self.assertEqual(after[member], before[member])
                self.assertNotEqual(after["key"], new)
                self.kw.run("rotate", "verify")
                self.assertEqual(self.outcomes()[-1], "rolled-back")
        # And from there on as ever.
        self.rotated(self.kw.json("rotate", "run"), before["key"],
                     self.status()["counter"])

    def test_rollback_is_too_late(self):
        for name, command, what, state in CUTS:
            if state not in ("new", "counted"):
                continue
            with self.subTest(point=name):
                before, _ = self.cut(command, what, state)
                with self.nothing_changes():
                    self.fails(1, "validated(.|\n)*rotate resume",
                               "rotate", "rollback")
                document = self.kw.json("rotate", "resume")
                self.rotated(document, before["key"], before["counter"] + 1)

    def test_other_commands_wait_for_it(self):
        bundle = self.write("other.bundle.json", self.oracle_bundle().text(
            self.authority()))
        self.cut((0x45, 0x07, 14), "cut", "old")
        with self.nothing_changes():
            self.fails(1, "not finished(.|\n)*resume", "rotate",
                       "lock-authority", "--yes")
            self.fails(1, "another rotation(.|\n)*not finished(.|\n)*resume",
                       "rotate", "apply", "--bundle", bundle)
            self.fails(1, "journal|rotation", "keys", "retire",
                       self.serial, "3", "--yes")
        self.kw.run("rotate", "resume")

    def bundles(self):
        return sorted(self.kw.at("bundles").glob("*.bundle.json"))

    def test_apply_goes_on_with_its_own_bundle(self):
        before, new = self.cut((0x12, 0x82, 0x0170), "cut", "none")
        document = self.kw.json("rotate", "apply", "--bundle",
                                self.bundles()[-1])
        self.assertEqual(document["new_key"], new)
        self.rotated(document, before["key"], before["counter"] + 1)

    def test_cut_before_the_first_change(self):
        """The chip is gone while its state is read or the bundle is
        checked: nothing happened to it, and the run goes on."""
        for command in ((0x02,), (0x45, 0x20, 13), (0x45, 0x22)):
            with self.subTest(command=command):
                before = self.status()
                image = self.eeprom()
                self.interrupted_run(At("cut", *command))
                self.assertEqual(self.eeprom(), image)
                self.rotated(self.kw.json("rotate", "run"), before["key"],
                             before["counter"] + 1)

    def test_cut_during_the_last_proof(self):
        """The rotation is done and closed; only the extra proof with the
        private key is missing."""
        before = self.status()
        document = self.interrupted_run(
            At("cut", 0x45, 0x20, 14, occurrence=2))
        self.assertIn("rotation is done", document["message"])
        self.assertIn("rotate verify", document["hint"])
        self.rotated(None, before["key"], before["counter"] + 1)
        self.assertFalse(self.kw.json("rotate", "resume")["resumed"])

    def test_chip_says_no(self):
        """The run itself writes the old key back."""
        for name, command, _, _ in POINTS[:5]:
            with self.subTest(point=name):
                before = self.status()
                document = self.interrupted_run(At(b"\x0f", *command), code=5)
                self.assertIn("0F", document["message"])
                after = self.status()
                for member in ("state", "key", "counter", "journal"):
                    self.assertEqual(after[member], before[member])
                self.kw.run("rotate", "verify")
                self.assertIn(self.outcomes()[-1],
                              ("rolled-back", "nothing-changed"))

    def test_proof_fails_once(self):
        """It is repeated before it counts as failed."""
        before = self.status()
        self.interrupted_run(At(b"\x01", 0x45, 0x20, 14), code=0)
        self.rotated(None, before["key"], before["counter"] + 1)

    def test_proof_fails(self):
        def rule(_number, command):
            return b"\x01" if command == (0x45, 0x20, 14) else None
        before = self.status()
        document = self.interrupted_run(rule, code=5)
        self.assertRegex(document["message"], "proof")
        self.assertIn("resume", document["hint"])
        after = self.status()
        self.assertEqual(after["state"], "validated")
        self.assertNotEqual(after["key"], before["key"])
        self.assertEqual(after["counter"], before["counter"])
        self.assertIsNotNone(after["journal"])
        self.rotated(self.kw.json("rotate", "resume"), before["key"],
                     before["counter"] + 1)

    def test_torn_journal(self):
        """A last line that a power cut tore is as if it were not there."""
        before, _ = self.cut((0x12, 0x82, 0x0170), "cut", "none")
        journal = self.kw.path(self.status()["journal"]["file"])
        with open(journal, "a", encoding="utf-8") as file:
            file.write('{"event":"closed","ti')
        self.assertEqual(self.status()["journal"]["stage"], "apply")
        self.rotated(self.kw.json("rotate", "resume"), before["key"],
                     before["counter"] + 1)
        for line in journal.read_text(encoding="utf-8").splitlines():
            json.loads(line)


    def test_lost_bundle(self):
        """Nothing can be finished without it; when it is back it can."""
        before, _ = self.cut((0x12, 0x82, 0x0170), "cut", "none")
        bundle = self.bundles()[-1]
        whole = bundle.read_bytes()
        for content, code in ((None, 6), (whole[:100], 3)):
            bundle.unlink()
            if content is not None:
                bundle.write_bytes(content)
            with self.nothing_changes():
                for verb in ("resume", "run"):
                    self.fails(code, bundle.name, "rotate", verb)
            if content is None:
                bundle.write_bytes(b"")
        bundle.write_bytes(whole)
        self.rotated(self.kw.json("rotate", "resume"), before["key"],
                     before["counter"] + 1)

    def test_given_up(self):
        """Without its bundle a rotation is given up; another one starts."""
        self.cut((0x12, 0x82, 0x0170), "cut", "none")
        self.bundles()[-1].unlink()
        document = self.kw.json("rotate", "rollback")
        self.assertEqual((document["rolled_back"], document["request"]),
                         (False, None))
        status = self.status()
        self.assertIsNone(status["journal"])
        document = self.kw.json("rotate", "run")
        self.rotated(document, status["key"], document["sequence"])

    def test_lost_journal(self):
        """From a slot that holds parts of two keys a new run goes on."""
        for command in ((0x12, 0x82, 0x0070), (0x12, 0x82, 0x0170)):
            self.cut(command, "lost", "none")
            self.kw.path(self.status()["journal"]["file"]).unlink()
            status = self.status()
            document = self.kw.json("rotate", "run")
            self.assertFalse(document["resumed"])
            self.rotated(document, status["key"], document["sequence"])

    def test_locked_in_between(self):
        """Another workspace locks slot 13: the bundle does not fit any
        more, the next one does."""
        self.cut((0x12, 0x82, 0x0170), "cut", "none")
        other = self.another("other")
        other.run("init")
        other.run("rotate", "lock-authority", "--yes", "--authority",
                  self.key_file(13, 0), "--chip", self.address())
        with self.chip_is_left_alone():
            self.fails(1, "another configuration(.|\n)*lock", "rotate",
                       "resume")
        status = self.status()
        document = self.kw.json("rotate", "run")
        self.rotated(document, status["key"], document["sequence"])


class OddSlot(rotation_case.Case):
    """Slot 14 is not validated and holds what is no key: anybody who
    reaches the chip can write that."""

    def test_run(self):
        for content in (b"\xa5" * 72, b"\0" * 72,
                        bytes(4) + b"\1" * 32 + b"\xff" * 36):
            with self.subTest(content=content[:40].hex()):
                self.kw.run("resources", "make", "--yes")
                board = self.serve()
                for block in range(3):
                    self.look("write_block", 14, block,
                              content[32 * block:32 * block + 32])
                self.end(board)
                blank = not any(content)
                self.assertEqual(self.status()["state"],
                                 "blank" if blank else "not-validated")
                self.kw.run("rotate", "run")
                self.kw.run("rotate", "verify")


class FirstInterrupted(rotation_case.Case):
    """The same from a slot that holds a key which is not validated."""

    def test_resume_and_rollback(self):
        self.serve()
        before = self.status()
        content = self.slot(14)
        for command in ((0x12, 0x82, 0x0070), (0x12, 0x82, 0x0170),
                        (0x45, 0x03, 14)):
            self.interrupted_run(At("lost" if command[0] == 0x12 else "cut",
                                    *command))
            self.assertEqual(self.status()["state"], "not-validated")
            self.kw.json("rotate", "rollback")
            after = self.status()
            after.pop("next_key")  # made, and kept
            before.pop("next_key", None)
            self.assertEqual(after, before)
            self.assertEqual(self.slot(14)[1:], content[1:])
        self.interrupted_run(At("lost", 0x12, 0x82, 0x0070))
        self.rotated(self.kw.json("rotate", "resume"), before["key"],
                     self.status()["counter"])


class Rollback(rotation_case.Case):
    """After the new key is validated the old one comes back as a rotation
    of its own."""

    def back(self):
        document = self.kw.json("rotate", "rollback")
        self.assertFalse(document["rolled_back"])
        request = document["request"]
        authorized = self.kw.json("rotate", "authorize", "--request",
                                  request, "--yes")
        self.assertTrue(authorized["old_pairs"])
        return self.kw.json("rotate", "apply", "--bundle",
                            authorized["bundle"])

    def test_old_key_comes_back(self):
        self.kw.run("rotate", "run")
        first = self.status()["key"]
        self.kw.run("rotate", "run")
        second = self.status()["key"]
        for count, (old, new, generation) in enumerate(
                ((second, first, 2), (first, second, 3)), 3):
            document = self.back()
            self.assertEqual(document["new_key"], new)
            self.rotated(document, old, count, generation)
        self.rotated(self.kw.json("rotate", "run"), second, 5, generation=4)

    def test_request_is_for_the_old_key(self):
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "run")
        with self.nothing_changes("bundles", "keys"):
            document = self.kw.json("rotate", "rollback")
        self.assertEqual(document["serial"], self.serial)
        request = oracle.judge_request(
            self.kw.path(document["request"]), self.config(), self.slot(14),
            self.authority().public)
        self.assertEqual(request.new_key,
                         kw.public_key(self.key_file(14, -2)))

    def test_before_any_rotation(self):
        with self.nothing_changes():
            self.fails(1, "which key was in slot 14 before|no bundle",
                       "rotate", "rollback")

    def test_old_key_is_gone(self):
        self.kw.run("rotate", "run")
        before = self.status()
        self.kw.run("rotate", "run")
        self.key_file(14, -2).unlink()
        with self.nothing_changes():
            document = self.fails(1, "no private key for the key that was in "
                                  "slot 14 before.*retired", "rotate",
                                  "rollback")
        self.assertIn(before["key"][:16], document["message"])

    def abandoned(self, counter):
        """Nobody is offered the key that the rollback left."""
        status = self.status()
        self.assertIsNone(status["next_key"])
        self.assertRegex(self.kw.run("rotate", "status").out,
                         "Next key +none; .*generation 3, was abandoned")
        for verb in (("request",), ("request", "--fleet"),
                     ("export", "--c-header", "-o", "h.h")):
            with self.subTest(verb=verb), self.nothing_changes():
                self.fails(1, "generation 3.*abandoned(.|\n)*new-key",
                           "rotate", *verb)
        self.kw.run("rotate", "new-key")
        self.kw.run("rotate", "request")
        self.rotated(self.kw.json("rotate", "run"), status["key"], counter,
                     generation=4)

    def test_left_key_is_abandoned(self):
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "run")
        self.back()
        self.abandoned(4)

    def test_left_key_is_abandoned_before_it_is_valid(self):
        self.kw.run("rotate", "run")
        self.serve()
        self.interrupted_run(At("lost", 0x12, 0x82, 0x0070))
        document = self.kw.json("rotate", "rollback")
        self.assertTrue(document["rolled_back"])
        self.assertEqual(document["serial"], self.serial)
        self.abandoned(3)  # the bundle had the sequence 2

    def test_to_a_key_that_was_left(self):
        self.kw.run("rotate", "run")
        self.assertEqual(self.kw.run("rotate", "rollback").err, "")
        request = request_file(self)
        document = self.kw.json("rotate", "authorize", "--request", request,
                                "--yes")
        self.kw.run("rotate", "apply", "--bundle", document["bundle"])
        self.assertRegex(self.kw.run("rotate", "rollback").err,
                         "warning: the old key was abandoned")


class Export(rotation_case.Case):
    NAMES = ["validated_nonce", "validated_signature", "invalidated_nonce",
             "invalidated_signature", "rotating_digest",
             "rotating_signature", "public_key"]

    def export(self, *options, name="out.h"):
        path = self.kw.folder / name
        document = self.kw.json("rotate", "export", *options, "-o", path)
        text = path.read_text(encoding="ascii")
        arrays = oracle.read_arrays(text)
        self.assertEqual(document["serial"], self.serial)
        if document["kind"] == "vendor":
            self.assertEqual(text, oracle.c_arrays(arrays))
        return document, arrays

    def check_vendor(self, arrays, new, invalidates):
        self.assertEqual([name for name, _ in arrays], self.NAMES)
        arrays = dict(arrays)
        configuration = oracle.Configuration.of(self.config())
        serial = bytes.fromhex(self.serial)
        authority = self.authority().public
        self.assertEqual(arrays["public_key"], new)
        for word, key, invalidate in (("validated", new, False),
                                      ("invalidated", invalidates, True)):
            pair = arrays[word + "_nonce"] + arrays[word + "_signature"]
            self.assertTrue(configuration.pair_is(authority, pair, serial,
                                                  key, invalidate), word)
            self.assertFalse(configuration.pair_is(authority, pair, serial,
                                                   key, not invalidate))
        self.assertTrue(oracle.signed(new, arrays["rotating_digest"],
                                      arrays["rotating_signature"]))

    def test_c_header(self):
        self.kw.run("rotate", "run")
        old = kw.public_key(self.key_file())
        self.kw.run("rotate", "new-key")
        new = kw.public_key(self.key_file())
        with self.nothing_changes("bundles"):
            document, arrays = self.export("--c-header")
            self.check_vendor(arrays, new, old)
            self.assertEqual((document["kind"], document["old_key"],
                              document["new_key"]),
                             ("vendor", oracle.fingerprint(old),
                              oracle.fingerprint(new)))
            document, arrays = self.export("--c-header", "--as-upstream",
                                           name="upstream.h")
            self.check_vendor(arrays, new, new)
        # Whoever has the header can validate the key: so the register
        # knows that this authority vouched for it.
        for line in self.register()[-2:]:
            self.assertEqual(line["new_key"], oracle.fingerprint(new))
            self.assertIsNone(line["bundle"])

    def test_c_header_before_a_rotation(self):
        new = kw.public_key(self.key_file())
        _, arrays = self.export("--c-header")
        self.check_vendor(arrays, new, new)

    def test_bundle(self):
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "run")
        bundle = sorted(self.kw.at("bundles").glob("*.bundle.json"))[-1]
        with self.nothing_changes():
            document, arrays = self.export("--bundle", bundle)
        self.assertEqual([data for _, data in arrays],
                         list(oracle.read_envelope(bundle)))
        self.assertEqual((document["kind"], document["new_key"]),
                         ("bundle", self.status()["key"]))

    def test_bundle_header(self):
        """Ours is a header that any unit may include, twice and in two."""
        self.kw.run("rotate", "run")
        bundle = next(self.kw.at("bundles").glob("*.bundle.json"))
        status = self.status()
        self.export("--bundle", bundle, name="bundle.h")
        text = (self.kw.folder / "bundle.h").read_text(encoding="ascii")
        for words in ("#ifndef KEYWRIGHT_BUNDLE_H", "#include <stdint.h>",
                      "static const uint8_t keywright_bundle[536]",
                      self.serial.upper(), "Sequence  1", status["key"]):
            self.assertIn(words, text)
        for line in text.splitlines():
            self.assertEqual(line, line.rstrip())
            self.assertLessEqual(len(line), 80)
        for name, words in (("a.c", "static int use(void) {"),
                            ("b.c", "int main(void) {")):
            (self.kw.folder / name).write_text(
                '#include "bundle.h"\n#include "bundle.h"\n' + words +
                "\n    return keywright_bundle[0] == keywright_bundle"
                "_signature[0];\n}\n" +
                ("int b(void);\nint b(void) { return use(); }\n"
                 if name == "a.c" else ""))
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", "out",
                        "a.c", "b.c"], cwd=self.kw.folder, check=True)

    def test_warnings(self):
        """Each half of what brings the old key back says so."""
        self.kw.run("rotate", "run")
        first = sorted(self.kw.at("bundles").glob("*.bundle.json"))[-1]
        self.kw.run("rotate", "run")
        last = sorted(self.kw.at("bundles").glob("*.bundle.json"))[-1]
        for number, (options, warns) in enumerate((
                (("--c-header",), True),
                (("--c-header", "--as-upstream"), True),
                (("--bundle", last), True),
                (("--bundle", first), False))):  # no key was validated
            err = self.kw.run("rotate", "export", *options, "-o",
                              self.kw.folder / f"{number}.h").err
            self.assertEqual("bring the old key back" in err, warns, options)

    def test_upstream_pairs_are_no_bundle(self):
        self.kw.run("rotate", "run")
        bundle = next(self.kw.at("bundles").glob("*.bundle.json"))
        self.fails(2, "--as-upstream belongs to --c-header", "rotate",
                   "export", "--bundle", bundle, "--as-upstream")

    def test_default_names(self):
        self.kw.run("rotate", "run")
        bundle = next(self.kw.at("bundles").glob("*.bundle.json"))
        for options in (("--c-header",), ("--bundle", bundle)):
            document = self.kw.json("rotate", "export", *options)
            self.assertTrue(self.kw.path(document["file"]).is_file())

    def test_nothing_is_overwritten(self):
        self.kw.run("rotate", "run")
        bundle = next(self.kw.at("bundles").glob("*.bundle.json"))
        taken = self.write("taken.h", "mine")
        for options in (("--c-header",), ("--bundle", bundle)):
            # Nor does the register name a header that nobody has.
            with self.nothing_changes():
                document = self.kw.json("rotate", "export", *options, "-o",
                                        taken, code=1)
            self.assertEqual(document["schema"], "keywright/error/1")
            self.assertIn("taken.h", document["message"])
            self.assertEqual(taken.read_text(encoding="ascii"), "mine")

    def test_one_of_two(self):
        with self.nothing_changes():
            self.fails(2, "--c-header", "rotate", "export")
            self.fails(2, "--c-header", "rotate", "export", "--c-header",
                       "--bundle", "x.bundle.json")


class LockAuthority(rotation_case.Case):
    def test_without_a_yes(self):
        self.kw.run("rotate", "run")
        with self.nothing_changes():
            document = self.fails(2, "yes", "rotate", "lock-authority")
        self.assertIn("nothing was changed",
                      document["message"] + document["hint"])

    def test_rehearsal(self):
        out = self.kw.run("rotate", "lock-authority", "--yes").out
        self.assertRegex(out, "(?s)Rehearsed on a copy.*Lock of slot 13.*"
                              "Write to slot 13: refused.*is locked")

    def test_locked(self):
        self.kw.run("rotate", "run")
        before = self.status()
        document = self.kw.json("rotate", "lock-authority", "--yes")
        self.assertEqual((document["slot"], document["locked"],
                          document["serial"]), (13, True, self.serial))
        self.assertTrue(document["rehearsal"])
        after = self.status()
        self.assertTrue(after["authority_locked"])
        self.assertEqual({**after, "authority_locked": False}, before)
        self.assertEqual(self.kw.run("rotate", "status").err, "")
        self.assertEqual(self.kw.json("chip", "info")["slots_locked"], [13])
        self.serve()
        with self.assertRaises(chip_client.ChipError):
            self.look("write_block", 13, 0, bytes(32))
        # What the authority can do stays.
        key = self.rotated(self.kw.json("rotate", "run"), before["key"], 2)
        self.rotated(self.kw.json("rotate", "run"), key, 3)
        with self.nothing_changes():
            self.fails(1, "slot 13 is locked already", "rotate",
                       "lock-authority", "--yes")
            self.fails(1, "slot 13.*lock", "resources", "make", "--yes")

    def test_bundle_from_before(self):
        _, request = self.request()
        document = self.kw.json("rotate", "authorize", "--request",
                                self.kw.path(request_file(self)), "--yes")
        self.kw.run("rotate", "lock-authority", "--yes")
        with self.nothing_changes():
            self.fails(1, "configuration(.|\n)*lock", "rotate", "apply",
                       "--bundle", document["bundle"])
        self.kw.run("rotate", "request")
        again = self.kw.json("rotate", "authorize", "--request",
                             request_file(self), "--yes")
        self.kw.run("rotate", "apply", "--bundle", again["bundle"])
        self.kw.run("rotate", "verify")

    def test_no_authority_yet(self):
        command = self.another("blank")
        command.run("init")
        with self.nothing_changes(command=command):
            document = command.json("rotate", "lock-authority", "--yes",
                                    code=1)
        self.assertIn("resources make", document["hint"])

    def test_private_key_is_not_here(self):
        """It may be elsewhere: then it is named."""
        authority = self.authority()
        elsewhere = self.key_file(13).rename(
            self.kw.folder / "authority.pem")
        public = self.write("authority.pub", authority.public)
        with self.nothing_changes():
            for options in ((), ("--dry-run",)):
                self.fails(1, "no private key for the authority in slot 13"
                           "(.|\n)*--authority", "rotate", "lock-authority",
                           "--yes", *options)
            self.fails(1, "slot 13 holds another authority "
                       rf"\({authority.fingerprint[:16]}\)", "rotate",
                       "lock-authority", "--yes", "--authority",
                       self.key_file(14))
            for file in (elsewhere, public):
                self.kw.run("rotate", "lock-authority", "--dry-run",
                            "--authority", file)
        self.kw.run("rotate", "lock-authority", "--yes", "--authority",
                    public)
        self.kw.run("rotate", "run", "--authority", elsewhere)


def request_file(case):
    return sorted(case.kw.at("bundles").glob("*.request.json"))[-1]


class ResourcesAgain(rotation_case.Case):
    def test_on_a_validated_slot(self):
        """The old authority invalidates slot 14 first; the counter goes
        on, and what the old authority signed is worth nothing any more."""
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "run")
        old = self.status()
        _, request = self.request()
        before = oracle.make_bundle(
            self.authority(), request, oracle.Key.read(self.key_file()), 3)
        stale = self.write("stale.bundle.json", before.text(self.authority()))
        asked = request_file(self)
        self.kw.run("resources", "make", "--yes")
        status = self.status()
        self.assertEqual(status["state"], "not-validated")
        self.assertNotEqual(status["authority"], old["authority"])
        self.assertNotEqual(status["key"], old["key"])
        self.assertEqual(status["counter"], 2)
        with self.nothing_changes():
            self.fails(1, "not signed by the authority", "rotate", "apply",
                       "--bundle", stale)
        # A request names its authority, and that one answers.
        document = self.kw.json("rotate", "authorize", "--request", asked,
                                "--yes", "--sequence", 3)
        self.assertEqual(document["authority"], old["authority"])
        with self.nothing_changes():
            self.fails(1, "not signed by the authority", "rotate", "apply",
                       "--bundle", document["bundle"])
        document = self.kw.json("rotate", "run")
        key = self.rotated(document, status["key"], 4)
        self.rotated(self.kw.json("rotate", "run"), key, 5)


if __name__ == "__main__":
    kw.main()
