"""keywright manifest: changes of a file that were interrupted, and that
others are making."""

import fcntl
import json
import os
import struct
import time
import unittest

import kw
import manifest_oracle as oracle


def ofd_lock(file):
    """As Keywright takes it: F_OFD_SETLK, struct flock of Linux."""
    fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET,
                                      0, 1, 0))


class Interrupted(kw.Case):
    def setUp(self):
        super().setUp()
        self.fleet = oracle.Fleet()
        self.paths = self.fleet.write(self.kw.folder)
        self.write("a.json", [self.fleet.entry() for _ in range(5)])

    def write(self, name, entries):
        (self.kw.folder / name).write_text(json.dumps(entries, indent=2))

    def read(self, name):
        return json.loads((self.kw.folder / name).read_text())

    def interrupt(self, name="a.json", tail=b"\n]"):
        """What a `make` leaves that was cut while it appended."""
        path = self.kw.folder / name
        whole = path.read_bytes()
        kept = len(whole) - len(tail)
        path.write_bytes(whole[:kept] + b',\n  {"payload": "AAA')
        (self.kw.folder / f"{name}.journal").write_text(json.dumps({
            "schema": "keywright/manifest-journal/1", "stage": "append",
            "kept": kept, "size": len(whole), "tail": tail.hex()}))
        return whole

    def test_every_verb_ends_an_interrupted_change(self):
        self.write("b.json", [self.fleet.entry()])
        for verb, *words in (
                ("verify", "a.json", "--ca", self.paths["log"]),
                ("show", "a.json"), ("diff", "a.json", "a.json"),
                ("split", "a.json", "--every", 5),
                ("merge", "b.json", "a.json", "-o", "c.json"),
                ("export", "a.json", "--csv", "-o", "a.csv")):
            with self.subTest(verb=verb):
                whole = self.interrupt()
                result = self.kw.run("manifest", verb, *words)
                self.assertIn("put a.json back after an interrupted",
                              result.err)
                self.assertEqual((self.kw.folder / "a.json").read_bytes(),
                                 whole)
                self.assertFalse((self.kw.folder / "a.json.journal").exists())
        self.assertEqual(len(self.read("c.json")), 6)

    def test_an_interrupted_merge_goes_again(self):
        (self.kw.folder / "c.json").write_text("[")
        (self.kw.folder / "c.json.journal").write_text(json.dumps({
            "schema": "keywright/manifest-journal/1", "stage": "append",
            "kept": 0, "size": 0, "tail": ""}))
        self.write("b.json", [self.fleet.entry()])
        self.kw.run("manifest", "merge", "a.json", "b.json", "-o", "c.json")
        self.assertEqual(len(self.read("c.json")), 6)

    def test_a_journal_that_is_none(self):
        for text in ("{}", "", "[", '{"schema": "x"}'):
            (self.kw.folder / "a.json.journal").write_text(text)
            self.fails(3, "no journal of a manifest", "manifest", "show",
                       "a.json")

    def test_a_change_that_still_goes_on(self):
        """The journal of a process that lives is locked."""
        self.interrupt()
        journal = self.kw.folder / "a.json.journal"
        before = (self.kw.folder / "a.json").read_bytes()
        with open(journal, "r+b") as file:
            ofd_lock(file)
            self.fails(4, "another process is changing", "manifest", "show",
                       "a.json")
        self.assertEqual((self.kw.folder / "a.json").read_bytes(), before)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_an_interrupted_change_of_someone_else(self):
        self.interrupt()
        journal = self.kw.folder / "a.json.journal"
        journal.chmod(0o400)
        self.fails(7, "you may not write", "manifest", "show", "a.json")

    def test_two_at_once(self):
        """One waits for the other, which puts a new file in the place of
        the one that it waits for."""
        records = [self.fleet.chip() for _ in range(4)]
        self.kw.run("init")
        path = self.kw.folder / "a.json"
        new = self.kw.folder / "new.json"
        new.write_text(json.dumps([self.fleet.entry(record)
                                   for record in records[:3]]))
        line = self.kw.folder / "records.ndjson"
        line.write_text(json.dumps(records[3]))
        with open(path, "r+b") as file:
            ofd_lock(file)
            process = self.kw.start(
                "manifest", "make", "--from", line, "--log-signer",
                self.paths["key"], "--ca", self.paths["log"], "-o", "a.json")
            time.sleep(1)
            self.assertIsNone(process.poll())
            new.replace(path)
        _, err = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertEqual([entry["header"]["uniqueId"]
                          for entry in self.read("a.json")],
                         [record["serial"] for record in records])


if __name__ == "__main__":
    kw.main()
