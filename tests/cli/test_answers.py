"""keywright: what a command says of its own work: that it is done although
nobody can read the answer, what a question is about, and command lines that
work when they are copied."""

import json
import os
import pty
import re
import shlex

import kw


class FullStdout(kw.Case):
    """What cannot be told is done all the same, and the error says so."""

    def setUp(self):
        super().setUp()
        self.init()

    def told(self, *arguments, code=6):
        with open("/dev/full", "wb") as full:
            process = self.kw.start(*arguments, stdout=full)
            err = process.communicate(timeout=kw.TIMEOUT)[1].decode()
        self.assertEqual(process.returncode, code, err)
        self.assertNotRegex(err, "unchanged")
        return err

    def is_done(self, *arguments):
        for more in ((), ("--json",)):
            err = self.told(*arguments, "--yes", *more)
            self.assertRegex(
                err, "done, but the answer could not be written to stdout")
            self.assertRegex(err, "stays changed: run again only")

    def test_a_counter(self):
        self.is_done("chip", "counter", "0", "--increment")
        self.assertEqual(self.kw.json("chip", "counter", "0")["value"], 2)

    def test_a_rotation(self):
        self.kw.run("resources", "make")
        self.is_done("rotate", "run")
        self.assertEqual(self.kw.json("rotate", "status")["counter"], 2)

    def test_a_lock(self):
        self.kw.run("resources", "make")
        err = self.told("rotate", "lock-authority", "--yes")
        self.assertRegex(err, "done, but the answer could not")
        self.assertTrue(self.kw.json("rotate", "status")["authority_locked"])

    def test_a_key_whose_file_cannot_be_made(self):
        """The slot keeps its key."""
        before = self.kw.json("chip", "genkey", "2", "--public")
        self.fails(6, "cannot create", "chip", "genkey", "2", "--yes", "-o",
                   "nowhere/key.pem")
        self.assertEqual(self.kw.json("chip", "genkey", "2", "--public"),
                         before)

    def test_an_answer_that_is_no(self):
        """Without words of its own it is the document that is lost."""
        (self.kw.folder / "p.json").write_text("{}")
        err = self.told("primitives", "lint", "p.json")
        self.assertRegex(err, "the answer could not be written to stdout")

    def test_a_failure_keeps_its_own_words(self):
        err = self.told("chip", "counter", "2", code=2)
        self.assertNotIn("stdout", err)


class Asked(kw.Case):
    """At a terminal the question shows what it is about, wherever the text
    goes; it names the chip; and Ctrl-D ends its line."""

    def setUp(self):
        super().setUp()
        self.serial = self.init().upper()
        self.kw.run("resources", "make")

    def asks(self, *arguments, answer=b"n\n", code=1, **options):
        """What stands on the terminal up to the question, and after it."""
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = self.kw.start(*arguments, stdin=follower, **options)
        os.close(follower)
        asked = b""
        while b"[y/N]" not in asked:
            part = os.read(process.stderr.fileno(), 4096)
            self.assertTrue(part, asked)
            asked += part
        os.write(leader, answer)
        out, err = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(process.returncode, code, err)
        return asked.decode(), (out or b"").decode(), err.decode()

    def unseen(self, words, *arguments):
        """Every way in which stdout hides it."""
        for more in (("--json",), ("--quiet",), ()):
            with self.subTest(arguments=arguments, more=more):
                asked, out, _ = self.asks(*arguments, *more)
                for word in words:
                    self.assertRegex(asked, word)
                if more == ("--json",):
                    kw.validate(json.loads(out))
                elif more:
                    self.assertEqual(out, "")

    def test_what_is_to_be_authorised(self):
        self.kw.run("rotate", "new-key")
        request = self.kw.json("rotate", "request", "-o", "q")
        self.unseen((f"Serial    {self.serial}",
                     f"New key   {request['new_key']}", "Sequence  1"),
                    "rotate", "authorize", "--request", "q", "-o", "b")

    def test_what_is_replaced(self):
        self.kw.run("rotate", "run")
        self.unseen(("Slot 14 holds the validated key", self.serial),
                    "resources", "make")

    def test_what_was_rehearsed(self):
        for words, arguments in (
                ("Write to slot 13: refused", ("rotate", "lock-authority")),
                ("counter 0 goes from 0", ("chip", "counter", "0",
                                           "--increment")),
                ("slot  5  erased", ("chip", "retire")),
                ("Rehearsed on a copy", ("chip", "lock", "slot", "8"))):
            self.unseen((words, rf"\(sim:trustflex, serial {self.serial}\)"),
                        *arguments)

    def test_it_is_not_told_twice(self):
        """A terminal that shows stdout has it already."""
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        asked, _, _ = self.asks("rotate", "lock-authority", stdout=follower)
        os.close(follower)
        self.assertNotIn("Rehearsed", asked)

    def test_the_chip(self):
        (self.kw.folder / "key").write_bytes(bytes(31) + b"\x01")
        for arguments in (("chip", "genkey", "2"),
                          ("rotate", "lock-authority"),
                          ("chip", "retire"),
                          ("chip", "lock", "slot", "8")):
            with self.subTest(arguments=arguments):
                asked, _, err = self.asks(*arguments)
                self.assertRegex(
                    asked, rf"for ever\?? \(sim:trustflex, serial "
                    rf"{self.serial}\) \[y/N\]")
                self.assertRegex(err, "not confirmed")
        self.fails(2, rf"sim:trustflex, serial {self.serial}", "chip",
                   "genkey", "2")

    def test_the_keys(self):
        serial = self.serial
        self.kw.run("resources", "make", "--yes")
        self.kw.run("resources", "make", "--yes")
        asked, _, _ = self.asks("keys", "retire", serial, "1")
        self.assertRegex(asked, f"generation 1 of serial {serial}")

    def test_the_module(self):
        self.kw.run("winc", "new", "--module", "lab")
        asked, _, _ = self.asks("winc", "erase", "--root", "--module", "lab")
        self.assertRegex(asked, "of module lab")

    def test_no_answer_ends_the_line(self):
        asked, _, err = self.asks("rotate", "lock-authority", answer=b"\x04")
        self.assertTrue((asked + err).split("[y/N]")[1].startswith(" \n"))


class Copied(kw.Case):
    """A command that an answer advises means the same workspace, chip and
    module, and a shell takes it as it stands."""

    FOLDER = "a folder's"

    def advised(self, *arguments, code=None):
        """The command lines that it advises, in words and in JSON."""
        global_ = ("--workspace", self.FOLDER)
        result = self.kw.run(*global_, *arguments, code=code)
        found = re.findall(r"`(keywright [^`]*)`", result.out + result.err)
        if result.code not in (0, None):
            document = json.loads(
                self.kw.run(*global_, *arguments, "--json", code=code).out)
            text = document["message"] + document.get("hint", "")
            self.assertEqual(set(re.findall(r"`(keywright [^`]*)`", text)),
                             set(found))
        return [shlex.split(command)[1:] for command in found]

    def init_here(self):
        self.kw.run("--workspace", self.FOLDER, "init")

    def test_no_workspace(self):
        self.assertEqual(self.advised("chip", "info", code=1),
                         [["--workspace", self.FOLDER, "init"]])
        self.kw.run(*self.advised("chip", "info", code=1)[0])
        self.kw.run("--workspace", self.FOLDER, "chip", "info")

    def test_a_chip(self):
        self.init_here()
        context = ["--workspace", self.FOLDER, "--chip", "sim:trustflex2"]
        chips = self.kw.folder / self.FOLDER / "chips"
        (chips / "trustflex2.chip").write_bytes(
            (chips / "trustflex.chip").read_bytes())
        self.assertIn(
            [*context, "resources", "make"],
            self.advised("rotate", "verify", "--chip", "sim:trustflex2",
                         code=1))
        self.kw.run(*context, "resources", "make")
        self.assertIn([*context, "rotate", "lock-authority"],
                      self.advised("rotate", "status", "--chip",
                                   "sim:trustflex2", code=0))

    def test_a_short_form(self):
        self.init_here()
        workspace = ["--workspace", self.FOLDER]
        self.kw.run(*workspace, "resources", "make")
        self.kw.run(*workspace, "rotate", "run")
        self.assertIn([*workspace, "keys", "list"],
                      self.advised("keys", "retire", "00" * 9, "1", code=1))

    def test_a_module(self):
        self.init_here()
        new = ["--workspace", self.FOLDER, "winc", "new", "--module", "foo"]
        self.assertEqual(self.advised("winc", "info", "--module", "foo"),
                         [new])
        self.kw.run(*new)
        self.kw.run("--workspace", self.FOLDER, "winc", "info", "--module",
                    "foo")

    def test_a_chip_that_is_not_there(self):
        """init would not make it."""
        self.kw.run("init")
        self.fails(4, "there is sim:blank, sim:trustflex, sim:trustgo;",
                   "chip", "info", "--chip", "sim:nope")
        self.kw.at("chips", "trustgo.chip").unlink()
        document = self.fails(4, r"a copy of its image as chips/trustgo\.chip",
                              "chip", "info", "--chip", "sim:trustgo")
        self.assertIn("`keywright init --workspace DIR`", document["hint"])
        self.assertNotIn("sim:trustgo", document["hint"])

    def test_a_board_that_does_not_run(self):
        """It serves no link that leads to it."""
        for link in ("tcp:localhost:1", "unix:nowhere", "swi:/dev/nowhere"):
            with self.subTest(link=link):
                self.fails(4, "that `keywright board serve` "
                           "runs there", "chip", "info",
                           "--chip", link)

    def test_a_lab_without_a_secret(self):
        self.kw.run("init")
        lab = ("lab", "accessory", "--chip")
        for chip in ("sim:trustgo", "sim:blank"):
            document = self.fails(1, "--key-file", *lab, chip)
            self.assertNotIn("resources", document["hint"])
        self.fails(1, "`keywright resources make`", "lab", "accessory")

    def test_what_is_done_at_the_device(self):
        """Another machine has a workspace of its own."""
        self.init_here()
        for arguments in (("rotate", "authorize"), ("rotate", "apply")):
            for command in self.advised(*arguments, code=2):
                if command[:1] == ["--workspace"]:
                    self.assertNotEqual(command[2:4], ["rotate", "request"])

    def test_the_default_is_left_out(self):
        self.kw.workspace = self.kw.folder / "keywright.d"
        self.assertIn("`keywright init`", self.kw.run("chip", "info",
                                                      code=1).err)


class Counted(kw.Case):
    def test_one_is_one(self):
        self.init()
        self.kw.run("resources", "make")
        made = self.kw.run("manifest", "make", "-o", "m.json").out
        self.assertIn("1 entry in m.json", made)
        shown = self.kw.run("manifest", "show", "m.json").out
        self.assertIn("1 entry shown", shown)


if __name__ == "__main__":
    kw.main()
