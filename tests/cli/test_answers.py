"""keywright: what a command says of its own work: that it is done although
nobody can read the answer, what a question is about, and command lines that
work when they are copied."""

import json
import os
import pathlib
import pty
import re
import select
import shlex
import subprocess
import time

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


if __name__ == "__main__":
    kw.main()
