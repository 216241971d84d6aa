"""What helps somebody who is new: help, suggestions, the next command,
lines that fit, words for the likeliest mistakes."""

import re
import shlex
import shutil
import signal
import subprocess
import unittest

import kw

FOOT = ("--workspace, --chip, --json and the other global options: "
        "`keywright --help`.")


def nouns_of(text):
    """The first words below a heading of a help text."""
    block = re.search(r"(?:Nouns|Verbs):\n((?:  .*\n)+)", text).group(1)
    return re.findall(r"(?m)^  ([a-z][a-z-]*)", block)


class Help(kw.Case):
    def verbs(self):
        for noun in nouns_of(self.kw.run("--help").out):
            text = self.kw.run(noun, "--help").out
            if "Verbs:" in text:
                for verb in nouns_of(text):
                    yield noun, verb
            else:
                yield (noun,)

    def test_nothing_said_shows_the_usage(self):
        result = self.kw.run(code=2)
        self.assertEqual(result.out, "")
        self.assertEqual(result.err, self.kw.run("--help").out)

    def test_other_ways_to_ask(self):
        for words in ((), ("rotate",), ("rotate", "apply"), ("init",)):
            with self.subTest(words=words):
                text = self.kw.run(*words, "--help").out
                self.assertEqual(self.kw.run("help", *words).out, text)
                self.assertEqual(self.kw.run(*words, "-h").out, text)
        self.fails(2, "rotate", "help", "rotat")
        self.fails(2, "apply", "help", "rotate", "aply")

    def test_each_verb(self):
        for words in self.verbs():
            with self.subTest(words=words):
                lines = self.kw.run(*words, "--help").out.splitlines()
                self.assertTrue(
                    lines[0].startswith(f"Usage: keywright {' '.join(words)}"))
                self.assertEqual(lines[1], "")
                self.assertRegex(lines[2], "^[A-Z0-9]")
                self.assertEqual(lines[-1], FOOT)
                for line in lines[1:]:
                    self.assertLessEqual(len(line), 80, line)
                for line in lines:
                    if line.startswith("  -") and line[31:32] == " ":
                        self.assertRegex(line[32:], "^[A-Z0-9]")

    def test_each_noun_fits(self):
        for words in self.verbs():
            for line in self.kw.run(words[0], "--help").out.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_required_options_are_in_the_usage(self):
        for verb, words in (("authorize", "--request FILE [options]"),
                            ("apply", "--bundle FILE"),
                            ("verify", "")):
            usage = self.kw.run("rotate", verb, "--help").out.splitlines()[0]
            self.assertEqual(usage,
                             f"Usage: keywright rotate {verb} {words}".strip())

    def test_who_asks_says_so(self):
        for words in (("rotate", "authorize"), ("rotate", "lock-authority"),
                      ("chip", "retire"), ("keys", "retire")):
            self.assertIn("Asks first; --yes answers.",
                          self.kw.run(*words, "--help").out)
        self.assertNotIn("--yes answers",
                         self.kw.run("rotate", "verify", "--help").out)

    def test_examples_are_commands(self):
        count = 0
        for words in self.verbs():
            text = self.kw.run(*words, "--help").out
            for line in re.findall(r"Example:\n  keywright (.*)", text):
                count += 1
                example = shlex.split(line)
                self.assertEqual(tuple(example[:len(words)]), words)
                # Parsed as it stands: help wins only over a whole line.
                self.kw.run(*example, "--help")
        self.assertGreater(count, 10)

    def test_defaults_are_named(self):
        text = self.kw.run("rotate", "export", "--help").out
        self.assertIn("public_key_rotation.h", text)
        self.assertIn("-o, --output FILE", text)


class Suggestions(kw.Case):
    def hint(self, *words):
        return self.kw.json(*words, code=2)["hint"]

    def test_what_is_far_is_not_suggested(self):
        hint = self.hint("chip", "info", "--slot")
        self.assertNotIn("--json", hint)
        self.assertIn("keywright chip info --help", hint)

    def test_a_unique_beginning(self):
        self.assertIn("lock-authority", self.hint("rotate", "lock"))
        self.assertIn("--firmware", self.hint("resources", "make", "--firm"))
        self.assertIn("resources", self.hint("res", "make"))

    def test_a_beginning_of_several(self):
        self.assertIn("keywright rotate --help", self.hint("rotate", "re"))

    def test_near_ones(self):
        for known, words in (("rotate", ("rotat", "run")),
                             ("status", ("rotate", "statsu")),
                             ("--quiet", ("chip", "info", "--quite")),
                             ("--bundle", ("rotate", "apply",
                                           "--bundel=x"))):
            self.assertIn(f"'{known}'", self.hint(*words))

    def test_a_file_without_its_option(self):
        self.assertIn("give it as --bundle FILE",
                      self.hint("rotate", "apply", "next.bundle.json"))
        self.assertIn("give it as --request FILE",
                      self.hint("rotate", "authorize", "next.request.json"))
        self.assertIn("keywright chip info --help",
                      self.hint("chip", "info", "more"))

    def test_a_chip_without_its_link(self):
        self.init()
        self.assertEqual(self.hint("--chip", "trustflex", "chip", "info"),
                         "did you mean --chip sim:trustflex?")
        self.assertNotIn("sim:usb:1",
                         self.hint("--chip", "usb:1", "chip", "info"))

    def test_o_with_its_value(self):
        self.init()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "new-key")
        for word in ("-oone.json", "-o=two.json"):
            self.kw.run("rotate", "request", word)
        self.kw.run("rotate", "request", "-o", "three.json")
        for name in ("one.json", "two.json", "three.json"):
            self.assertTrue((self.kw.folder / name).is_file(), name)
        self.kw.run("chip", "info", "-ofile", code=2)
        self.kw.run("rotate", "request", "-o", code=2)


class Next(kw.Case):
    WORKSPACE = "it's a place"

    def next(self, *words):
        out = self.kw.run(*words).out
        return shlex.split(re.search(r"(?m)^Next.*?: (keywright .*)$",
                                     out).group(1))[1:]

    def test_a_chain_to_paste(self):
        """Each command is the one that the one before it printed."""
        where = ("--workspace", self.WORKSPACE)
        out = self.kw.run(*where, "init").out
        block = out.split("Next:\n")[1]
        commands = [shlex.split(line.split("  ", 2)[1])
                    for line in block.splitlines()
                    if line.startswith("  keywright")]
        self.assertEqual([words[1:3] for words in commands],
                         [list(where)] * 4)
        self.kw.run(*commands[0][1:])
        words = self.next(*commands[1][1:])
        self.assertEqual(words, [*where, "rotate", "run"])
        self.kw.run(*words)
        words = self.next(*where, "rotate", "new-key")
        words = self.next(*words, "-o", "a request.json")
        self.assertEqual(words[-1], "a request.json")
        words = self.next(*words, "--yes")
        self.assertTrue(words[-1].endswith(".bundle.json"))
        self.kw.run(*words)
        words = self.next(*where, "rotate", "rollback")
        self.assertTrue(words[-1].endswith(".request.json"))
        self.next(*words, "--yes")

    def test_nothing_that_is_the_default(self):
        self.init()
        chip = ("--chip", "sim:trustflex", "--workspace", "keywright.d")
        self.assertEqual(self.next(*chip, "resources", "make"),
                         ["rotate", "run"])

    def test_the_environment_is_a_default(self):
        self.kw.environment["KEYWRIGHT_WORKSPACE"] = "elsewhere"
        self.kw.run("init")
        self.assertEqual(self.next("resources", "make"), ["rotate", "run"])

    def test_another_chip(self):
        self.init()
        shutil.copy(self.kw.at("chips/trustflex.chip"),
                    self.kw.at("chips/other.chip"))
        self.assertEqual(
            self.next("--chip", "sim:other", "resources", "make"),
            ["--chip", "sim:other", "rotate", "run"])


class Width(kw.Case):
    def test_tables_fit_a_terminal(self):
        outputs = [self.kw.run("init").out]
        outputs.append(self.kw.run("--workspace", "x", "init").out)
        for chip in ("trustflex", "trustgo", "blank"):
            outputs.append(
                self.kw.run("chip", "slots", "--chip", f"sim:{chip}").out)
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        outputs.append(self.kw.run("chip", "slots").out)
        outputs.append(self.kw.run("keys", "list").out)
        for line in "".join(outputs).splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_slots_say_all_the_same(self):
        self.init()
        text = re.sub(r"\s+", " ", self.kw.run("chip", "slots").out)
        for slot in self.kw.json("chip", "slots")["slots"]:
            self.assertIn(f"{slot['slot']} {slot['purpose']} {slot['read']} "
                          f"{slot['write']} {slot['kind']}", text)
            self.assertIn(f"holds now: {slot['state']}", text)


class Pipes(kw.Case):
    def test_a_reader_that_goes(self):
        self.init()
        for words in (("chip", "slots"), ("chip", "slots", "--json"),
                      ("--help",)):
            with self.subTest(words=words):
                process = self.kw.start_unread(*words)
                err = process.stderr.read()
                process.stderr.close()
                self.assertEqual(process.wait(kw.TIMEOUT), -signal.SIGPIPE)
                self.assertEqual(err, b"")

    def test_the_work_is_done_all_the_same(self):
        self.init()
        process = self.kw.start_unread("resources", "make")
        process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(kw.TIMEOUT), -signal.SIGPIPE)
        self.kw.run("rotate", "run")

    def test_a_failure_is_still_told(self):
        process = self.kw.start_unread("chip", "info")
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(kw.TIMEOUT), 1)
        self.assertIn(b"keywright init", err)

    def test_a_full_disk_is_another_matter(self):
        self.init()
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [self.kw.binary, "chip", "info"], cwd=self.kw.folder,
                env=self.kw.environment, stdout=full, stderr=subprocess.PIPE,
                check=False)
        self.assertEqual(done.returncode, 6)
        self.assertIn(b"stdout", done.stderr)


class Idle(kw.Case):
    """No verb takes an option that does nothing there."""

    def test_options(self):
        for arguments in (("winc", "erase", "--root", "--strict"),
                          ("ota", "check", "--dry-run"),
                          ("ota", "check", "--download-mode")):
            with self.subTest(arguments=arguments):
                self.fails(2, "unknown option", *arguments)


class Files(kw.Case):
    """The wrong file, or a damaged one."""

    def setUp(self):
        super().setUp()
        self.init()

    def rotation(self):
        self.kw.run("resources", "make")
        self.kw.run("rotate", "new-key")
        self.kw.run("rotate", "request", "-o", "a.json")
        self.kw.run("rotate", "authorize", "--request", "a.json", "--yes",
                    "-o", "b.json")

    def test_a_folder(self):
        """It is no input that can be parsed, whoever reads it."""
        self.kw.run("resources", "make")
        for arguments in (("chip", "sha"), ("chip", "run"), ("chip", "trace"),
                          ("chip", "restore"), ("manifest", "show"),
                          ("manifest", "make", "--from"),
                          ("chip", "sign", "0", "--file"),
                          ("rotate", "apply", "--bundle"),
                          ("primitives", "evaluate")):
            with self.subTest(arguments=arguments):
                self.fails(3, "directory|not a file", *arguments, ".")

    def test_of_the_other_kind(self):
        self.rotation()
        document = self.fails(3, "a.json is a request, not a bundle",
                              "rotate", "apply", "--bundle", "a.json")
        self.assertIn("rotate authorize", document["hint"])
        self.fails(3, "a.json is a request", "rotate", "export", "--bundle",
                   "a.json")
        document = self.fails(3, "b.json is a bundle, not a request",
                              "rotate", "authorize", "--request", "b.json")
        self.assertIn("rotate apply", document["hint"])

    def test_words_for_a_request(self):
        (self.kw.folder / "x.json").write_text("{}")
        document = self.kw.json("rotate", "authorize", "--request", "x.json",
                                code=3)
        self.assertNotIn("bundle", document["message"] + document["hint"])
        document = self.kw.json("rotate", "apply", "--bundle", "x.json",
                                code=3)
        self.assertNotIn("request", document["message"] + document["hint"])

    def test_a_damaged_workspace(self):
        self.kw.at("workspace.json").write_text("{")
        self.assertTrue(self.kw.json("chip", "info", code=3)["hint"])

    def test_a_damaged_chip(self):
        self.kw.at("chips/trustflex.chip").write_bytes(b"no chip")
        self.assertIn("backups/",
                      self.kw.json("chip", "info", code=3)["hint"])


class Rehearsals(kw.Case):
    def setUp(self):
        super().setUp()
        self.init()
        self.kw.run("resources", "make")

    def chip(self):
        return self.kw.at("chips/trustflex.chip").read_bytes()

    def test_a_dry_run_of_the_lock(self):
        before = self.chip()
        document = self.kw.json("rotate", "lock-authority", "--dry-run")
        self.assertEqual((document["locked"], document["dry_run"]),
                         (False, True))
        self.assertTrue(document["rehearsal"])
        out = self.kw.run("rotate", "lock-authority", "--dry-run").out
        self.assertTrue(out.endswith("Nothing was changed\n"))
        self.assertEqual(self.chip(), before)
        document = self.kw.json("rotate", "lock-authority", "--yes")
        self.assertEqual((document["locked"], document["dry_run"]),
                         (True, False))

    def test_a_dry_run_of_the_retirement(self):
        before = self.chip()
        self.assertTrue(self.kw.json("chip", "retire",
                                     "--dry-run")["dry_run"])
        out = self.kw.run("chip", "retire", "--dry-run").out
        self.assertTrue(out.endswith("Nothing was changed\n"))
        self.assertEqual(self.chip(), before)

    def test_a_retirement_is_told_once(self):
        out = self.kw.run("chip", "retire", "--yes").out
        rows = re.findall(r"(?m)^  slot +(\d+)  (erased|stays) ", out)
        self.assertEqual([int(slot) for slot, _ in rows], list(range(16)))
        erased = sum(word == "erased" for _, word in rows)
        self.assertIn(f"Done as rehearsed: {erased} slots erased, "
                      f"{16 - erased} stay", out)
        self.assertNotIn("it stays", out)

    def test_what_the_document_says_of_it(self):
        self.assertFalse(self.kw.json("chip", "retire", "--yes")["dry_run"])


class Keys(kw.Case):
    def legend(self, *words):
        return self.kw.run("keys", "list", *words).out.partition("\n\n")[2]

    def test_what_is_not_known(self):
        self.init()
        self.assertNotIn("?", self.kw.run("keys", "list").out)
        self.kw.run("resources", "make")
        self.assertIn("?  not known: no chip shows its secrets",
                      self.legend())
        self.assertIn("?  not known: sim:nobody cannot be asked",
                      self.legend("--chip", "sim:nobody"))
        # It answers, and does not tell.
        self.assertRegex(self.legend("--chip", "sim:blank"),
                         "sim:blank cannot be asked: .*0F.*not locked")

    def test_why_the_chip_does_not_answer(self):
        self.init()
        self.kw.run("resources", "make")
        lock = self.kw.at("chips", "lock")
        lock.unlink()
        lock.mkdir()
        self.assertRegex(self.legend(), "sim:trustflex cannot be asked: "
                         "cannot open chips/lock of .*: Is a directory")

    def test_another_chip(self):
        """What another chip holds is not known, rather than not held."""
        serial = self.init()
        self.kw.run("resources", "make")
        other = "0123" + "00" * 6 + "01"
        shutil.copytree(self.kw.at("keys", serial.upper()),
                        self.kw.at("keys", other))
        legend = self.legend()
        self.assertIn(f"sim:trustflex has serial {serial.upper()}", legend)
        for row in self.kw.json("keys", "list")["keys"]:
            if row["serial"] == other:
                self.assertIsNone(row["in_chip"])


class Documents(unittest.TestCase):
    """Pages and documents say what the program does."""

    def test_statuses(self):
        """Each status that docs/cli.md lists is one of core/status.h, in
        its words; and none of the chip's is left out."""
        text = (kw.ROOT / "core/status.h").read_text().replace("\\\n", " ")
        table = text[text.index("#define KW_STATUS_TABLE"):
                     text.index("#define KW_STATUS_ENUM")]
        classes = dict(re.findall(r"KW_CLASS_(\w+) = (\d)", text))
        known = {}
        for name, reason, words in re.findall(
                r"X\(KW_\w+,\s*KW_CLASS_(\w+),\s*(\w+),((?:\s*\"[^\"]*\")+)",
                table):
            status = int(classes[name]) << 12 | int(reason, 0)
            known[status] = "".join(re.findall(r'"([^"]*)"', words))
        listed = {int(status, 16): words for status, words in re.findall(
            r"(?m)^\| `(0x\w{4})` \| (.*) \|$",
            (kw.ROOT / "docs/cli.md").read_text())}
        self.assertGreater(len(listed), 30)
        for status, words in listed.items():
            self.assertEqual(words, known.get(status), hex(status))
        self.assertEqual([hex(status) for status in known
                          if status >> 12 == 5 and status not in listed], [])

    @unittest.skipIf(shutil.which("scdoc") is None, "scdoc is not there")
    def test_rendered_pages_keep_their_backslashes(self):
        """scdoc takes a single backslash away: what is in a literal block
        of the source with two must be in the page with one, and what looks
        like \\n of printf must not have lost it."""
        for page in sorted((kw.ROOT / "man").glob("*.scd")):
            rendered = subprocess.run(
                ["scdoc"], input=page.read_bytes(), capture_output=True,
                check=True).stdout.decode()
            with self.subTest(page=page.name):
                for line in rendered.splitlines():
                    if line.startswith("printf "):
                        self.assertIn(r"\n", line)
                lost = re.findall(r"(?<!\\)\\(?=[a-zA-Z0-9])",
                                  page.read_text())
                self.assertEqual(lost, [])


if __name__ == "__main__":
    kw.main()
