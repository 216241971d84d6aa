"""cmake --install: what lands where, and that it works there.

KEYWRIGHT_BUILD names the build folder that is installed."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("KEYWRIGHT_BUILD", "."))
CMAKE = os.environ.get("CMAKE", "cmake")
NOUNS = ("init", "chip", "resources", "rotate", "keys", "board", "certs",
         "manifest", "winc", "ota", "primitives", "lab")

EMBEDDER = r"""
#include <stdio.h>

#include "core/status.h"

int main(void) {
    puts(kw_status_text(KW_NO_SIGNATURE));
    return 0;
}
"""


def run(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          **options).stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="keywright-"))
        cls.prefix = cls.folder / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def one(self, pattern):
        found = list(self.prefix.glob(pattern))
        self.assertEqual(len(found), 1, pattern)
        return found[0]

    def test_command(self):
        binary = self.one("bin/keywright")
        self.assertRegex(run(binary, "--version"), r"^keywright \d")

    def test_main_job_where_it_is_installed(self):
        binary = self.one("bin/keywright")
        for words in (("init",), ("resources", "make"), ("rotate", "run"),
                      ("rotate", "verify")):
            run(binary, *words, "--workspace", self.folder / "workspace")

    def test_manual(self):
        pages = {path.name for path in
                 self.prefix.glob("share/man/man1/*.1")}
        if shutil.which("scdoc") is None:
            self.skipTest("scdoc is not installed")
        self.assertEqual(pages, {"keywright.1", *(
            f"keywright-{noun}.1" for noun in NOUNS)})
        for page in pages:
            text = (self.prefix / "share/man/man1" / page).read_text()
            for heading in ("NAME", "EXAMPLES", "EXIT STATUS", "FILES",
                            "SEE ALSO"):
                self.assertIn(f".SH {heading}\n", text, page)

    def test_completion(self):
        completion = self.one("share/bash-completion/completions/keywright")

        def complete(*words):
            quoted = " ".join(f"'{word}'" for word in words)
            return run("bash", "-c", f"source {completion}; "
                       f"COMP_WORDS=({quoted}); "
                       "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
                       "_keywright 2>/dev/null; "
                       "printf '%s\\n' \"${COMPREPLY[@]}\"",
                       cwd=self.folder).split()

        self.assertEqual(complete("keywright", ""), list(NOUNS))
        self.assertEqual(complete("keywright", "rotate", "re"),
                         ["request", "resume"])
        self.assertEqual(complete("keywright", "--json", "chip", "in"),
                         ["info"])
        self.assertIn("--bundle",
                      complete("keywright", "rotate", "apply", "--"))
        self.assertEqual(complete("keywright", "init", "--model", "60"),
                         ["608a", "608b"])
        run(self.prefix / "bin/keywright", "init", "--workspace",
            self.folder / "keywright.d")
        self.assertIn("sim:trustflex",
                      complete("keywright", "--chip", ""))
        self.assertEqual(
            complete("keywright", "--chip", "sim", ":", "trustf"),
            ["trustflex"])

    def test_schemas(self):
        source = pathlib.Path(__file__).parents[2] / "data/schemas"
        self.assertEqual(
            {path.name for path in
             self.prefix.glob("share/keywright/schemas/*")},
            {path.name for path in source.glob("*.json")})
        json.loads(self.one("share/keywright/schemas/error.json").read_text())

    def test_documents(self):
        for name in ("README.md", "CHANGELOG.md", "LICENSE"):
            self.one(f"share/doc/keywright/{name}")

    def test_core_is_embeddable(self):
        pc = self.one("**/pkgconfig/keywright.pc")
        environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}
        flags = run("pkg-config", "--cflags", "--libs", "keywright",
                    env=environment).split()
        self.assertIn(f"-I{self.prefix}/include/keywright",
                      [os.path.normpath(flag) for flag in flags])
        source = self.folder / "embedder.c"
        source.write_text(EMBEDDER)
        run("cc", "-o", self.folder / "embedder", source, *flags)
        self.assertEqual(run(self.folder / "embedder"),
                         "the signature does not match\n")

    def test_every_public_header_stands_alone(self):
        for header in self.prefix.glob("include/keywright/core/*.h"):
            with self.subTest(header=header.name):
                run("cc", "-std=c17", "-fsyntax-only", "-x", "c",
                    "-I", self.prefix / "include/keywright", header)

    def test_destdir(self):
        stage = self.folder / "stage"
        run(CMAKE, "--install", BUILD, "--prefix", "/usr",
            env={**os.environ, "DESTDIR": str(stage)})
        self.assertTrue((stage / "usr/bin/keywright").exists())
        self.assertEqual([path.name for path in stage.iterdir()], ["usr"])


if __name__ == "__main__":
    if not (BUILD / "cmake_install.cmake").exists():
        sys.exit("KEYWRIGHT_BUILD must name a build folder; ctest sets it")
    unittest.main(verbosity=2)
