"""scripts/check-rules: each of its rules can be broken, and is then told."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import kw

# A file, a line that breaks a rule there, and the rule. The lines are in
# pieces so that they break none here.
OFFENCES = (
    ("core/chip.c", '#include "host/' 'key.h"', "core includes nobody"),
    ("core/chip.c", "#include <std" "io.h>", "core includes nobody"),
    ("sim/atecc608/mac.c", '#include "host/' 'key.h"', "sim knows core"),
    ("host/key.c", '#include "cli/' 'cli.h"', "host knows neither"),
    ("cli/keys.c", '#include "sim/' 'nvm/nvm.h"', "sim is included by"),
    ("firmware/apps/core_tests/main.c", '#include "host/' 'key.h"',
     "firmware knows core"),
    ("preload/i2c.c", '#include "core/' 'bytes.h"', "preload knows nobody"),
    ("cli/keys.c", '#include "server/' 'http.h"', "cli and server do not"),
    ("README.md", "/ho" "me/somebody", "no path of one machine"),
    ("README.md", ".." "/shared/notes", "no file outside"),
    ("host/key.c", "/* TO" "DO */", "nothing is left for later"),
    ("host/key.c", "int number = ato" 'i("1");', "no call that is better"),
    ("README.md", "core/" "nothing.c", "each file that is named"),
    ("README.md", "docs/formats.md" ', "Nowhere"', "each section of docs"),
    ("core/ne" "w.h", "/* core/ne" "w.h: new. */", "each header says"),
    ("core/sha1.h", '#include "core/' 'packet.h"', "each header says"),
    ("core/packet.h", "    KW_OP_NEW = 0x99,", "has a row for each opcode"),
    ("docs/chip.md", "`test_" "nothing`", "each test that docs/chip.md names"),
    ("tests/unit/test_chip_ne" "w.c", "", "names each test of the chip"),
)


class Rules(unittest.TestCase):
    def setUp(self):
        if shutil.which("git") is None:
            self.skipTest("git is not there")
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={kw.ROOT}", "ls-files", "-z"],
            cwd=kw.ROOT, capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            self.skipTest("this is no clone")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keywright-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in listed.stdout.split("\0"):
            source, path = kw.ROOT / name, self.folder / name
            if source.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, path)
        self.git("init", "-q")
        self.git("add", "-A")

    def git(self, *words):
        subprocess.run(["git", *words], cwd=self.folder, check=True,
                       capture_output=True)

    def check(self):
        return subprocess.run([self.folder / "scripts/check-rules"],
                              capture_output=True, text=True, check=False)

    def test_the_tree_keeps_them(self):
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        for line in done.stdout.splitlines():
            self.assertTrue(line.startswith("ok  "), line)

    def breaks(self, offences):
        """Checks a tree with these offences; answers the rules told of."""
        for name, line, _ in offences:
            with (self.folder / name).open("a") as file:
                file.write(line + "\n")
        self.git("add", "-A")
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stdout)
        return [line for line in done.stdout.splitlines()
                if line.endswith(":") and " " in line]

    def test_each_can_be_broken(self):
        told = self.breaks(OFFENCES)
        for _, line, rule in OFFENCES:
            self.assertTrue(any(rule in words for words in told), line)

    def test_one_is_enough(self):
        for offence in OFFENCES[0], OFFENCES[-1]:
            with self.subTest(line=offence[1]):
                self.setUp()
                told = self.breaks([offence])
                self.assertEqual(len(told), 1, told)
                self.assertIn(offence[2], told[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
