"""What README.md shows is what happens."""

import re
import shlex

import kw


def sections():
    """{heading: [(command, lines that it shows)]}."""
    found, shown = {}, None
    for line in (kw.ROOT / "README.md").read_text().splitlines():
        heading = re.match(r"## (.*)", line)
        command = re.match(r"    \$ (.*)", line)
        if heading:
            shown = found.setdefault(heading[1], [])
        elif command and shown is not None:
            shown.append((command[1], []))
        elif line.startswith("    ") and shown:
            shown[-1][1].append(line[4:])
    return found


class Readme(kw.Case):
    def play(self, heading):
        """Runs a section's commands in an empty folder; answers them."""
        commands = sections()[heading]
        for command, lines in commands:
            words = shlex.split(command)
            self.assertEqual(words[0], "keywright")
            out = self.kw.run(*words[1:]).out.splitlines()
            for line in lines:
                beginning = line.removesuffix("...").rstrip()
                self.assertTrue(
                    any(said.startswith(beginning) for said in out),
                    f"{command} does not say: {line}")
        return [command for command, _ in commands]

    def test_from_nothing_to_a_verified_manifest(self):
        commands = self.play("From nothing to a verified manifest")
        self.assertEqual(
            [command.split()[1:3] for command in commands],
            [["init"], ["resources", "make"], ["manifest", "make"],
             ["manifest", "verify"]])
        self.assertRegex(self.kw.outputs[-1], "1 good, 0 wrong, 0 unreadable")

    def test_status_and_lint(self):
        """What Five minutes shows after a rotation."""
        commands = dict(sections()["Five minutes"])
        for command in ("init", "resources make", "rotate run"):
            self.assertIn("keywright " + command, commands)
            self.kw.run(*command.split())
        said = self.kw.run("rotate", "status")
        shown = [line for line in commands["keywright rotate status"]
                 if re.match(" *(Counter|Journal|warning|by)", line)]
        self.assertEqual(len(shown), 4)
        for line in shown:
            self.assertIn(line.rstrip(), (said.out + said.err).splitlines())
        made = [command.split()[1:] for command in commands
                if "config.bin" in command]
        self.assertEqual(len(made), 2)
        for words in made:
            self.kw.run(*words)

    def test_certificates(self):
        self.kw.run("init")
        self.assertEqual(len(self.play("Certificates of your own")), 3)
        self.kw.json("certs", "vendor")

    def test_labs(self):
        self.kw.run("init")
        self.kw.run("resources", "make")
        self.assertEqual(len(self.play("Learn a use case")), 2)


if __name__ == "__main__":
    kw.main()
