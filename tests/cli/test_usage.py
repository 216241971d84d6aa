"""The command line itself: options, exit codes, help, errors."""

import re
import signal
import socket
import unittest

import kw

VERBS = {
    "init": [],
    "chip": ["info", "slots", "read", "write", "lock", "random", "genkey",
             "sign", "verify", "sha", "mac", "counter", "config", "explain",
             "trace", "snapshot", "restore", "run", "retire"],
    "resources": ["make"],
    "rotate": ["new-key", "request", "authorize", "apply", "verify", "run",
               "status", "resume", "rollback", "export", "set-authority",
               "lock-authority"],
    "keys": ["list", "retire"],
    "board": ["serve"],
    "certs": ["custom", "vendor", "backup", "restore", "resume", "show",
              "verify", "export", "compress", "expand"],
    "lab": ["asymmetric", "accessory"],
    "manifest": ["make", "verify", "show", "split", "merge", "diff",
                 "export"],
    "primitives": ["list", "show", "graph", "matrix", "closure", "lint",
                   "evaluate", "close", "what-if", "diff", "cross",
                   "evidence"],
}


class Help(kw.Case):
    def test_of_the_command(self):
        result = self.kw.run("--help")
        for noun in VERBS:
            self.assertRegex(result.out, rf"(?m)\b{noun}\b")
        for option in ("--workspace", "--chip", "--json", "--quiet",
                       "--trace", "--yes", "--help", "--version"):
            self.assertIn(option, result.out)
        self.assertEqual(result.err, "")

    def test_of_each_noun(self):
        for noun, verbs in VERBS.items():
            with self.subTest(noun=noun):
                result = self.kw.run(noun, "--help")
                self.assertEqual(result.err, "")
                self.assertIn(noun, result.out)
                for verb in verbs:
                    self.assertRegex(result.out, rf"\b{verb}\b")
                self.assertEqual(self.kw.run("--help", noun).out, result.out)

    def test_of_each_verb(self):
        for noun, verbs in VERBS.items():
            for verb in verbs:
                with self.subTest(noun=noun, verb=verb):
                    result = self.kw.run(noun, verb, "--help")
                    self.assertEqual(result.err, "")
                    self.assertIn(verb, result.out)

    def test_names_the_options_of_a_verb(self):
        for words, options in (
                (("init",), ["--model"]),
                (("chip", "retire"), ["--dry-run", "--authority"]),
                (("resources", "make"), ["--firmware", "--authority"]),
                (("rotate", "request"), ["--fleet", "-o"]),
                (("rotate", "authorize"),
                 ["--request", "--authority", "--sequence",
                  "--accept-old-key", "--expect-serial", "--expect-key",
                  "-o"]),
                (("rotate", "apply"), ["--bundle"]),
                (("rotate", "run"), ["--authority", "--accept-old-key"]),
                (("rotate", "export"), ["--c-header", "--as-upstream",
                                        "--bundle", "-o"]),
                (("board", "serve"), ["--tcp", "--watchdog"])):
            with self.subTest(words=words):
                text = self.kw.run(*words, "--help").out
                for option in options:
                    self.assertIn(option, text)

    def test_makes_nothing(self):
        self.kw.run("init", "--help")
        self.assertFalse(self.kw.workspace.exists())

    def test_fits_the_terminal(self):
        for words in [(), *((noun,) for noun in VERBS)]:
            for line in self.kw.run(*words, "--help").out.splitlines():
                self.assertLessEqual(len(line), 100, line)


class Version(kw.Case):
    def test_version(self):
        out = self.kw.run("--version").out
        self.assertRegex(out, r"^keywright \d+\.\d+\.\d+\n$")
        self.assertEqual(self.kw.run("chip", "info", "--version").out, out)


class WrongUsage(kw.Case):
    def test_nothing_said(self):
        result = self.kw.run(code=2)
        self.assertEqual(result.out, "")
        self.assertIn("keywright", result.err)

    def test_a_noun_without_a_verb(self):
        for noun, verbs in VERBS.items():
            if verbs:
                with self.subTest(noun=noun):
                    result = self.kw.run(noun, code=2)
                    self.assertEqual(result.out, "")
                    self.assertIn(f"keywright {noun} --help", result.err)

    def test_unknown_noun(self):
        document = self.fails(2, "rotate", "rotat", "run")
        self.assertIn("rotat", document["message"])

    def test_unknown_verb(self):
        document = self.fails(2, "status", "rotate", "statsu")
        self.assertIn("statsu", document["message"])

    def test_unknown_option(self):
        document = self.fails(2, "--quiet", "chip", "info", "--quite")
        self.assertIn("--quite", document["message"])

    def test_unknown_option_with_a_value(self):
        document = self.fails(2, "--workspace", "chip", "info",
                              "--workspce", "x")
        self.assertIn("--workspce", document["message"])

    def test_option_of_another_verb(self):
        self.init()
        self.kw.run("chip", "info", "--fleet", code=2)

    def test_nothing_near(self):
        self.kw.run("xyzzy", code=2)

    def test_option_without_its_value(self):
        self.init()
        for words in (("chip", "info", "--workspace"),
                      ("chip", "info", "--chip"),
                      ("rotate", "apply", "--bundle"),
                      ("resources", "make", "--firmware")):
            with self.subTest(words=words):
                self.kw.run(*words, code=2)

    def test_missing_option(self):
        self.init()
        self.fails(2, "--request", "rotate", "authorize")
        self.fails(2, "--bundle", "rotate", "apply")

    def test_too_many_words(self):
        self.init()
        self.kw.run("chip", "info", "more", code=2)
        self.kw.run("init", "more", code=2)

    def test_missing_word(self):
        self.init()
        self.kw.run("chip", "run", code=2)
        self.kw.run("keys", "retire", code=2)
        self.kw.run("keys", "retire", "0123" + "00" * 7, code=2)

    def test_a_name_that_is_none(self):
        """The same for every verb: no file called "-", none without a
        name."""
        self.init()
        for words in (("rotate", "request"), ("chip", "genkey", "2"),
                      ("rotate", "export", "--bundle", "b.json"),
                      ("manifest", "export", "a.json", "--csv"),
                      ("primitives", "page")):
            for option in (("-o", "-"), ("-o-",), ("--output=-",)):
                self.fails(2, "'-' is none(.|\n)*stdout", *words, *option)
            for option in (("-o", ""), ("--output=",)):
                self.fails(2, "not an empty word", *words, *option)
        self.fails(2, "--authority takes file, not an empty word", "rotate",
                   "run", "--authority", "")
        self.fails(2, "--workspace takes dir", "rotate", "run",
                   "--workspace", "")
        self.assertEqual([path.name for path in self.kw.folder.iterdir()],
                         ["keywright.d"])

    def test_bad_values(self):
        self.kw.run("init", "--model", "608c", code=2)
        self.assertFalse(self.kw.workspace.exists())
        self.init()
        self.kw.run("board", "serve", "--tcp", "70000", code=2)
        self.kw.run("board", "serve", "--tcp", "x", code=2)
        self.kw.run("keys", "retire", "0123" + "00" * 7, "one", code=2)
        self.kw.run("keys", "retire", "0123" + "00" * 7, "1", "16", code=2)

    def test_text_goes_to_stderr(self):
        result = self.kw.run("rotat", "run", code=2)
        self.assertEqual(result.out, "")
        self.assertIn("rotat", result.err)


class Global(kw.Case):
    def test_anywhere_on_the_line(self):
        self.init()
        wanted = self.kw.json("chip", "info")
        folder = self.kw.workspace
        self.kw.workspace.rename(self.kw.folder / "elsewhere")
        for words in (("--workspace", "elsewhere", "chip", "info"),
                      ("chip", "--workspace", "elsewhere", "info"),
                      ("chip", "info", "--workspace", "elsewhere"),
                      ("--chip", "sim:trustflex", "chip", "--workspace",
                       "elsewhere", "info")):
            with self.subTest(words=words):
                self.assertEqual(self.kw.json(*words), wanted)
        self.assertFalse(folder.exists())

    def test_workspace_from_the_environment(self):
        self.kw.environment["KEYWRIGHT_WORKSPACE"] = str(
            self.kw.folder / "named")
        self.kw.run("init")
        self.assertTrue((self.kw.folder / "named/workspace.json").exists())
        self.kw.run("--workspace", "other", "init")
        self.assertTrue((self.kw.folder / "other/workspace.json").exists())
        self.assertFalse(self.kw.workspace.exists())

    def test_no_workspace(self):
        for words in (("chip", "info"), ("keys", "list"),
                      ("rotate", "status")):
            with self.subTest(words=words):
                self.fails(1, "keywright init", *words)
                self.assertFalse(self.kw.workspace.exists())

    def test_quiet(self):
        self.assertEqual(self.kw.run("init", "--quiet").out, "")
        self.assertEqual(self.kw.run("chip", "info", "--quiet").out, "")

    def test_quiet_errors_are_still_told(self):
        self.assertNotEqual(
            self.kw.run("chip", "info", "--quiet", code=1).err, "")

    def test_json_stays_alone_beside_trace(self):
        self.init()
        self.kw.json("chip", "info", "--trace")

    def test_trace(self):
        self.init()
        trace = self.kw.trace("chip", "info")
        self.assertRegex(trace, r"(?i)info|read")
        self.assertEqual(self.kw.run("chip", "info").err, "")

    def test_no_colour_in_a_pipe(self):
        self.init()
        for words in (("chip", "info"), ("chip", "slots"), ("--help",),
                      ("resources", "make"), ("rotate", "status")):
            result = self.kw.run(*words)
            self.assertNotIn("\x1b", result.out + result.err)

    def test_a_question_without_a_terminal(self):
        self.init()
        self.kw.run("resources", "make")
        before = self.kw.files()
        self.fails(2, "--yes", "rotate", "lock-authority")
        self.fails(2, "--yes", "chip", "retire")
        changed = [path for path, data in self.kw.files().items()
                   if "run" not in path.parts and before.get(path) != data]
        self.assertEqual(changed, [])


class Links(kw.Case):
    def test_real_parts_that_are_not_there(self):
        self.init()
        for link in ("kit:/dev/ttyACM0", "hid:", "i2c:/dev/i2c-1@6C",
                     "swi:/dev/ttyUSB0"):
            with self.subTest(link=link):
                self.fails(4, "check", "chip", "info", "--chip", link)

    def test_unknown_link(self):
        self.init()
        for link in ("usb:1", "trustflex", "", "sim:", "sim:../x"):
            with self.subTest(link=link):
                self.kw.json("chip", "info", "--chip", link, code=2)

    def test_no_such_port(self):
        self.init()
        self.kw.json("chip", "info", "--chip", "tcp:127.0.0.1:99999", code=2)

    def test_nothing_there(self):
        self.init()
        self.fails(4, "nobody", "chip", "info", "--chip", "sim:nobody")
        self.fails(4, "none.sock", "chip", "info", "--chip",
                   "unix:none.sock")
        # Port 1 of this machine answers nobody.
        self.fails(4, r"127\.0\.0\.1", "chip", "info", "--chip",
                   "tcp:127.0.0.1:1")


class Errors(kw.Case):
    def test_document(self):
        self.init()
        document = self.kw.json("chip", "info", "--chip", "sim:nobody",
                                code=4)
        self.assertEqual(document["status"][:3], "0x4")
        self.assertGreater(len(document["hint"]), 10)

    def test_words(self):
        """The text says what the document says."""
        document = self.kw.json("chip", "info", code=1)
        err = self.kw.run("chip", "info", code=1).err
        squeezed = re.sub(r"\s+", " ", err)
        for member in ("message", "hint"):
            self.assertIn(re.sub(r"\s+", " ", document[member]), squeezed)

    def test_wrong_usage_is_a_document_too(self):
        self.assertEqual(
            self.kw.json("nonsense", code=2)["status"][:3], "0x2")


class Interrupted(kw.Case):
    def test_a_second_signal_ends_it_at_once(self):
        """The first one waits for the answer to a command, which the chip may
        have obeyed."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            process = self.kw.start(
                "chip", "info", "--chip",
                f"tcp:127.0.0.1:{server.getsockname()[1]}")
            chip = server.accept()[0]
            self.assertEqual(len(chip.recv(1)), 1)
            chip.sendall(bytes.fromhex("04113343"))  # awake
            self.assertGreater(len(chip.recv(64)), 1)
            process.send_signal(signal.SIGINT)
            with self.assertRaises(kw.subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
            process.send_signal(signal.SIGINT)
            process.communicate()
            chip.close()
            self.assertEqual(process.returncode, -signal.SIGINT)


if __name__ == "__main__":
    kw.main()
