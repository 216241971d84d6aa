"""What README.md shows is what happens."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import unittest

import kw

BUILD = pathlib.Path(os.environ.get("KEYWRIGHT_BUILD", "."))


def sections():
    """{heading: [(who, command, lines that it shows)]}; who is the word
    before the prompt: a machine, or nothing."""
    text = (kw.ROOT / "README.md").read_text().replace("\\\n", "")
    found, shown = {}, None
    for line in text.splitlines():
        heading = re.match(r"## (.*)", line)
        command = re.match(r"    (\w*)\$ +(.*)", line)
        if heading:
            shown = found.setdefault(heading[1], [])
        elif command and shown is not None:
            shown.append((command[1], command[2], []))
        elif line.startswith("    ") and shown:
            shown[-1][2].append(line[4:])
    return found


def masked(text):
    """Without what is another each time: serials, fingerprints."""
    text = re.sub(r"\b01[0-9A-F]{14}(?:01|EE)\b", "SERIAL", text)
    return re.sub(r"\b[0-9a-f]{16}\b", "FINGERPRINT", text)


class Readme(kw.Case):
    def says(self, command, said, lines):
        said = [masked(line).rstrip() for line in said.splitlines()]
        for line in lines:
            beginning = masked(line).removesuffix("...").rstrip()
            self.assertTrue(any(line.startswith(beginning) for line in said),
                            f"{command} does not say: {line}")

    def play(self, heading, who=""):
        """Runs a section's commands in an empty folder; answers them."""
        commands = []
        for where, command, lines in sections()[heading]:
            words = shlex.split(command)
            if where == who and words[0] == "keywright":
                result = self.kw.run(*words[1:])
                self.says(command, result.out + result.err, lines)
                commands.append(command)
        return commands

    def test_five_minutes(self):
        self.assertEqual(len(self.play("Five minutes")), 11)
        self.assertEqual(self.kw.json("rotate", "status")["counter"], 2)

    def test_two_machines(self):
        self.init()
        self.kw.run("resources", "make")
        authority = self.kw.folder / "authority"
        authority.mkdir()
        machines = {"device": self.kw, "authority": kw.Keywright(authority)}
        shutil.move(next(self.kw.at("keys").rglob("slot_13_*.pem")), authority)
        played = 0
        for who, command, _ in sections()["Five minutes"]:
            if not who:
                continue
            # Nobody is there to be asked.
            machines[who].run(*shlex.split(command)[1:], "--yes")
            for machine in machines.values():
                for name in ("next.request.json", "next.bundle.json"):
                    path = machine.folder / name
                    if path.exists():
                        for other in machines.values():
                            if other is not machine:
                                shutil.copy(path, other.folder)
            played += 1
        self.assertEqual(played, 6)
        self.assertEqual(self.kw.json("rotate", "status")["counter"], 1)

    def test_from_nothing_to_a_verified_manifest(self):
        commands = self.play("From nothing to a verified manifest")
        self.assertEqual(
            [command.split()[1:3] for command in commands],
            [["init"], ["resources", "make"], ["manifest", "make"],
             ["manifest", "verify"]])
        self.assertRegex(self.kw.outputs[-1], "1 good, 0 wrong, 0 unreadable")

    def test_certificates(self):
        self.kw.run("init")
        self.assertEqual(len(self.play("Certificates of your own")), 3)
        self.kw.json("certs", "vendor")

    def test_labs(self):
        self.kw.run("init")
        self.kw.run("resources", "make")
        self.assertEqual(len(self.play("Learn a use case")), 2)

    def test_what_it_needs(self):
        """Each library that the build demands is named."""
        text = (kw.ROOT / "README.md").read_text().split("It needs a C17")[1]
        wanted = re.findall(r"REQUIRED IMPORTED_TARGET ([a-z0-9]+)",
                            (kw.ROOT / "cmake/host.cmake").read_text())
        self.assertGreaterEqual(len(wanted), 4)
        for library in wanted:
            self.assertIn(library, text)

    @unittest.skipIf(os.environ.get("KEYWRIGHT_INSTRUMENT"),
                     "a sanitizer wants to be loaded first")
    def test_a_board(self):
        path = f"{BUILD}:{os.environ['PATH']}:/usr/sbin"
        if shutil.which("i2ctransfer", path=path) is None:
            self.skipTest("i2ctransfer is not there")
        self.init()
        (self.kw.folder / "build").mkdir()
        (self.kw.folder / "build/release").symlink_to(BUILD)
        script = ["exec 2>&1; trap 'kill %1' EXIT"]
        commands = sections()["A board without a board"]
        for _, command, _ in commands:
            script.append(f"echo '== {command}'\n{command}")
            if command.endswith("&"):
                script.append("until [ -S bus ] && [ -L kit ]; "
                              "do sleep 0.1; done")
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)], cwd=self.kw.folder,
            env={**self.kw.environment, "PATH": path}, timeout=kw.TIMEOUT,
            stdout=subprocess.PIPE, text=True, check=False)
        for _, command, lines in commands:
            said = done.stdout.split(f"== {command}\n")[1].split("\n== ")[0]
            self.says(command, said, lines)
        self.assertIn("Trust&GO", said)


if __name__ == "__main__":
    kw.main()
