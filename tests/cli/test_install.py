"""cmake --install: what lands where, and that it works there.

KEYWRIGHT_BUILD names the build folder that is installed."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("KEYWRIGHT_BUILD", "."))
CMAKE = os.environ.get("CMAKE", "cmake")
NOUNS = ("init", "chip", "resources", "rotate", "keys", "board", "certs",
         "manifest", "winc", "ota", "primitives", "lab")

# As README.md begins it. A rotation without a chip fails, and says why.
EMBEDDER = r"""
#include <core/rotate.h>
#include <core/sha256.h>
#include <stdio.h>

static kw_status nobody(void *self) {
    (void)self;
    return KW_ABSENT;
}

int main(void) {
    static const struct kw_link_ops ops = {.wake = nobody};
    struct kw_chip chip;
    struct kw_rotate_state state;
    kw_chip_init(&chip, (struct kw_link){&ops, NULL});
    puts(kw_status_text(kw_rotate_read_state(&chip, &state)));
    return 0;
}
"""


PROMPT = b"prompt> "


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

    def test_documents_that_are_named(self):
        """Each file that they link to, and that the program names, is
        there."""
        documents = self.one("share/doc/*/README.md").parent
        pages = [documents / "README.md", *documents.glob("docs/*.md")]
        self.assertGreater(len(pages), 10)
        for page in pages:
            for link in re.findall(r"\]\(([^):#]+)[^):]*\)", page.read_text()):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())
        text = self.one("bin/keywright").read_bytes()
        named = set(re.findall(rb"\(docs/[a-z]+\.md", text))
        self.assertGreater(len(named), 1)
        for name in named:
            self.assertTrue((documents / name[1:].decode()).exists(), name)

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

    @unittest.skipIf(shutil.which("groff") is None, "groff is not installed")
    def test_manual_renders_without_a_warning(self):
        pages = list(self.prefix.glob("share/man/man1/*.1"))
        done = subprocess.run(
            ["groff", "-man", "-ww", "-z", "-Tutf8", "-Kutf8", *pages],
            capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")

    def said_up_to(self, words, terminal):
        """A shell that has not prompted yet lets the terminal echo what is
        typed, tabs included."""
        said = b""
        while words not in said:
            self.assertTrue(select.select([terminal], [], [], 30)[0], said)
            said += os.read(terminal, 4096)
        return said

    def test_completion(self):
        """In a bash on a terminal, as a tab key asks for it; test_tables
        has what it proposes."""
        completion = self.one("share/bash-completion/completions/keywright")
        leader, follower = pty.openpty()
        shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"], stdin=follower,
            stdout=follower, stderr=follower, cwd=self.folder,
            start_new_session=True, env={
                **os.environ, "TERM": "dumb", "INPUTRC": "/dev/null",
                "PS1": PROMPT.decode(),
                "PATH": f"{self.prefix}/bin:{os.environ['PATH']}"})
        os.close(follower)
        try:
            self.said_up_to(PROMPT, leader)
            os.write(leader, f"source {completion}\n".encode())
            self.said_up_to(PROMPT, leader)
            os.write(leader, b"keywright rota\tver\t--js\t; exit\n")
            self.assertIn(b"keywright rotate verify --json ; exit",
                          self.said_up_to(b"exit\r", leader))
        finally:
            shell.kill()
            shell.wait()
            os.close(leader)

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
                         "no device there\n")

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
