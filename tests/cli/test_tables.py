"""The program's tables, docs/cli.md, the manual pages and the completion
name the same nouns, verbs and options. Help is made from the tables."""

import functools
import re
import shlex
import subprocess

import kw

OPTION = r"(?<![\w-])--[a-z0-9][a-z0-9-]*"


def names(text):
    """The first words below "Nouns:" or "Verbs:"."""
    block = re.search(r"(?:Nouns|Verbs):\n((?:  .*\n)+)", text)
    return re.findall(r"(?m)^  ([a-z][a-z-]*)", block[1]) if block else []


def options(text):
    """The options that a help text lists."""
    return re.findall(r"(?m)^  (?:-., )?(--[a-z0-9-]+)", text)


@functools.cache
def chapters():
    """docs/cli.md: {noun: text}."""
    text = (kw.ROOT / "docs/cli.md").read_text()
    return {part.split("\n")[0]: part for part in re.split(r"(?m)^## ", text)}


def rows(noun):
    """The signatures of a noun's verbs in docs/cli.md: {verb: text}. They
    are headings, or the first cells of a table."""
    found = {}
    for line in chapters()[noun].splitlines():
        heading = re.match(rf"### {noun} ([a-z-]+)(.*)", line)
        row = re.match(r"\| `([a-z][a-z-]+)((?:[^`])*)` \| ", line)
        if heading or row:
            verb, signature = (heading or row).groups()
            found[verb] = signature
    return found


@functools.cache
def taken(binary):
    """What the program takes: its nouns, the global options, and
    {(noun, verb): options}; the verb is "" where a noun has none."""
    def said(*words):
        return subprocess.run([binary, "help", *words], check=True,
                              capture_output=True, text=True).stdout

    nouns = names(said())
    return nouns, set(options(said())), {
        (noun, verb): set(options(said(noun, *verb.split())))
        for noun in nouns for verb in names(said(noun)) or [""]}


class Tables(kw.Case):
    def setUp(self):
        super().setUp()
        self.nouns, self.shared, self.table = taken(self.kw.binary)

    def of(self, noun):
        return {verb: taken for (name, verb), taken in self.table.items()
                if name == noun}

    def test_there_is_something_to_compare(self):
        self.assertGreater(len(self.table), 60)
        self.assertGreater(len(set().union(*self.table.values())), 80)
        self.assertIn("--bundle", self.table["rotate", "apply"])

    def test_documented_nouns_and_verbs(self):
        for noun in self.nouns:
            with self.subTest(noun=noun):
                self.assertIn(noun, chapters())
                wanted = {verb for verb in self.of(noun) if verb}
                self.assertEqual(set(rows(noun)) & wanted, wanted)
                # What a table of something else begins with.
                others = set(rows(noun)) - wanted
                self.assertFalse({word for word in others if not re.search(
                    rf"(?m)^\| `{word}[ =]?[^`]*` \|", chapters()[noun])})

    def test_documented_options(self):
        for noun in self.nouns:
            text = chapters()[noun]
            known = set().union(*self.of(noun).values()) | self.shared
            with self.subTest(noun=noun):
                self.assertEqual(set(re.findall(OPTION, text)) - known, set())
            prose = re.sub(r"(?m)^(\||###).*$", "", text)
            for verb, taken in self.of(noun).items():
                with self.subTest(noun=noun, verb=verb):
                    signature = rows(noun).get(verb, text)
                    said = set(re.findall(OPTION, signature))
                    self.assertEqual(said - taken - self.shared, set())
                    own = re.search(
                        rf"(?m)^(\| `{verb}[ `].*|### {noun} {verb}\b[^#]*)",
                        text)
                    near = (own[0] if own else "") + prose + \
                        signature.replace("-o ", "--output ")
                    if "-o" in signature or re.search("`-o`", prose):
                        near += " --output"
                    self.assertEqual(
                        taken - set(re.findall(OPTION, near)), set())

    def test_global_options(self):
        text = chapters()["Global options"]
        self.assertEqual(set(re.findall(r"(?m)^\| `(--[a-z]+)", text)),
                         self.shared)
        page = (kw.ROOT / "man/keywright.1.scd").read_text()
        self.assertEqual(
            self.shared - set(re.findall(OPTION, page)), set())

    def test_manual(self):
        for noun in self.nouns:
            with self.subTest(noun=noun):
                page = (kw.ROOT / f"man/keywright-{noun}.1.scd").read_text()
                page = page.replace("\\", "")
                known = set().union(*self.of(noun).values())
                if re.search(r"\*-o\*|-o _", page):
                    page += " --output"
                said = set(re.findall(OPTION, page))
                self.assertEqual(known - said, set())
                self.assertEqual(said - known - self.shared, set())
                for verb in filter(None, self.of(noun)):
                    self.assertRegex(page, rf"(?m)^\*keywright {noun} {verb}")
        main = (kw.ROOT / "man/keywright.1.scd").read_text()
        for noun in self.nouns:
            self.assertIn(f"*keywright-{noun}*(1)", main)

    def complete(self, *lines):
        """What bash proposes at the end of each line."""
        program = [f"source {shlex.quote(str(COMPLETION))}"]
        for words in lines:
            program.append(
                f"COMP_WORDS=({shlex.join(words)}); "
                "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); "
                "_keywright; echo ${COMPREPLY[*]}")
        done = subprocess.run(
            ["bash", "-c", "\n".join(program)], cwd=self.kw.folder,
            env=self.kw.environment, capture_output=True, check=True,
            text=True)
        self.assertEqual(done.stderr, "")
        return [line.split() for line in done.stdout.splitlines()]

    def test_completion_of_all(self):
        binary = self.kw.binary
        lines = [(binary, "")] + [(binary, noun, "") for noun in self.nouns
                                  if "" not in self.of(noun)]
        wanted = [[*self.nouns, "help"]] + [list(self.of(noun)) for noun in self.nouns
                                 if "" not in self.of(noun)]
        for noun, verb in self.table:
            lines.append((binary, noun, *verb.split(), "--"))
            wanted.append(sorted(self.table[noun, verb] | self.shared))
        for line, want, got in zip(lines, wanted, self.complete(*lines),
                                   strict=True):
            with self.subTest(line=line):
                self.assertEqual(sorted(got), sorted(want))

    def test_completion_of_values(self):
        serial = self.init().upper()
        self.kw.run("resources", "make")
        (self.kw.folder / "next.json").write_text("{}")
        wanted = {
            ("init", "--model", "60"): ["608a", "608b"],
            ("--json", "chip", "in"): ["info"],
            ("chip", "lock", ""): ["config", "data", "slot"],
            ("chip", "lock", "--dry-run", "sl"): ["slot"],
            ("chip", "read", "1"): ["1", *map(str, range(10, 16))],
            ("chip", "read", "o"): ["otp"],
            ("chip", "read", "14", ""): [],
            ("chip", "info", ""): [],
            ("rotate", "apply", "--bundle", "n"): ["next.json"],
            ("rotate", "apply", "--bundle", "=", "n"): ["next.json"],
            ("rotate", "request", "-o", "n"): ["next.json"],
            ("rotate", "authorize", "--sequence", ""): [],
            ("manifest", "merge", "a.json", "b.json", "n"): ["next.json"],
            ("manifest", "diff", "a.json", "b.json", "n"): [],
            ("winc", "root", "--journal", ""): ["file", "flash"],
            ("winc", "root", "--journal", "file", "a"): ["add"],
            ("winc", "root", "--journal", "=", "file", "a"): ["add"],
            ("winc", "root", "add", "n"): ["next.json"],
            ("winc", "root", "add", "x", "n"): ["next.json"],
            ("ota", "sign", "--files", "k"): ["keywright.d"],
            ("lab", "accessory", "--attack", "w"): ["wrong-accessory"],
            ("keys", "retire", ""): [serial],
            ("keys", "retire", serial, ""): ["1"],
            ("--chip", ""): [
                "sim:blank", "sim:trustflex", "sim:trustgo", "unix:",
                "fleet:", "tcp:127.0.0.1:8608", "kit:", "hid:", "i2c:",
                "swi:"],
            ("--chip", "sim", ":", "trustf"): ["trustflex"],
            ("--chip", "sim", ":", "trustflex", "chip", "inf"): ["info"],
            ("nonsense", ""): [],
            ("he",): ["help"],
            ("help", "rot"): ["rotate"],
            ("help", "he"): [],
            ("help", "rotate", "res"): ["resume"],
            ("--json", "help", "rotate", "res"): ["resume"],
            ("help", "chip", "explain", ""): [],
            ("chip", "explain", "1"): ["1", *map(str, range(10, 16))],
            ("primitives", "list", "s"): ["standards"],
            ("board", "serve", "--timing", ""): ["limits", "none"],
            ("lab", "asymmetric", "--attack", "w"): [],
        }
        got = self.complete(*((self.kw.binary, *line) for line in wanted))
        for (line, want), said in zip(wanted.items(), got, strict=True):
            with self.subTest(line=line):
                self.assertEqual(said, want)


COMPLETION = kw.ROOT / "completions/keywright.bash"

if __name__ == "__main__":
    kw.main()
