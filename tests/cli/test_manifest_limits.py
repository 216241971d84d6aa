"""keywright manifest with a full disk and with little memory: nothing is
lost, and no file is held in memory."""

import json
import os
import resource
import unittest

import kw
import manifest_oracle as oracle


def limited(size):
    """Files end at this size, as on a disk that is full then."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Full(kw.Case):
    def setUp(self):
        super().setUp()
        self.fleet = oracle.Fleet()
        self.paths = self.fleet.write(self.kw.folder)
        self.all = [self.fleet.entry() for _ in range(3)]
        self.file = self.kw.folder / "a.json"
        self.file.write_text(json.dumps(self.all, indent=2))
        self.whole = self.file.read_bytes()

    def full(self, size, *words):
        """The command fails, and says which file could not be written."""
        process = self.kw.start("manifest", *words, preexec_fn=limited(size))
        _, err = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(process.returncode, 6, (size, words, err))
        self.assertRegex(err.decode(), "cannot (write|create) .*: File too")

    def names(self):
        return {path.name for path in self.kw.folder.iterdir()}

    def sizes(self, whole):
        """Cuts of a file of this size, and of a journal."""
        return (0, 50, 200, whole // 3, whole - 1)

    def test_make(self):
        self.kw.run("init")
        record = self.kw.folder / "records.ndjson"
        words = ("make", "--from", record, "--log-signer", self.paths["key"],
                 "--ca", self.paths["log"], "-o", "a.json")
        again = self.all[1]["header"]["uniqueId"]
        for serial in (None, again):  # appends; replaces
            record.write_text(json.dumps(self.fleet.chip(serial)))
            before = self.names()
            for size in self.sizes(len(self.whole)) + (
                    len(self.whole) + 1000,):
                with self.subTest(serial=serial, size=size):
                    self.full(size, *words)
                    # What could not be put back is, by whoever comes next.
                    self.kw.run("manifest", "show", "a.json")
                    self.assertEqual(self.file.read_bytes(), self.whole)
                    self.assertEqual(self.names(), before)
        self.kw.run("manifest", *words)
        self.assertEqual(len(json.loads(self.file.read_text())), 3)

    def test_new_files(self):
        before = self.names()
        for words in (("merge", "a.json", "b.json", "-o", "out"),
                      ("split", "a.json", "--every", 3, "-o", "out"),
                      ("export", "a.json", "--aws", "-o", "out")):
            (self.kw.folder / "b.json").write_text(
                json.dumps([self.fleet.entry()]))
            for size in self.sizes(2000):
                with self.subTest(verb=words[0], size=size):
                    self.full(size, *words)
                    self.assertEqual(self.names(), before | {"b.json"})
            self.kw.run("manifest", *words)
            for name in self.names() - before:
                (self.kw.folder / name).unlink()

    def test_stdout(self):
        for words in (("export", "a.json", "--csv"), ("show", "a.json"),
                      ("show", "a.json", "--json"),
                      ("verify", "a.json", "--ca", self.paths["log"])):
            with self.subTest(words=words), \
                    open("/dev/full", "wb") as full:
                process = self.kw.start("manifest", *words, stdout=full)
                _, err = process.communicate(timeout=kw.TIMEOUT)
                self.assertEqual(process.returncode, 6)
                self.assertIn(b"written to stdout", err)

    def test_the_mode_of_a_file_stays(self):
        self.kw.run("init")
        self.file.chmod(0o640)
        record = self.kw.folder / "records.ndjson"
        record.write_text(json.dumps(
            self.fleet.chip(self.all[0]["header"]["uniqueId"])))
        made = self.kw.json(
            "manifest", "make", "--from", record, "--log-signer",
            self.paths["key"], "--ca", self.paths["log"], "-o", "a.json")
        self.assertEqual(made["replaced"], 1)
        self.assertEqual(kw.mode(self.file), 0o640)


@unittest.skipIf(os.environ.get("KEYWRIGHT_INSTRUMENT"),
                 "instruments take memory of their own")
class Memory(kw.Case):
    COUNT = 20000
    MOST = 12 * 1024 * 1024  # bytes of data; the manifest has 86 million

    def setUp(self):
        super().setUp()
        entry = json.dumps(oracle.Fleet().entry(), indent=2)
        with open(self.kw.folder / "a.json", "w", encoding="ascii") as file:
            file.write("[" + entry)
            for _ in range(self.COUNT - 1):
                file.write(",\n" + entry)
            file.write("]")

    def little(self, *words):
        """The command's output, with little memory to make it in."""
        with open(self.kw.folder / "out", "wb") as out:
            process = self.kw.start(
                "manifest", *words, stdout=out,
                preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_DATA, (self.MOST, self.MOST)))
            _, err = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual((process.returncode, err), (0, b""))
        return (self.kw.folder / "out").read_text()

    def test_export(self):
        self.assertEqual(
            self.little("export", "a.json", "--aws").count("\n"), self.COUNT)
        self.little("export", "a.json", "--csv", "-o", "b.csv", "--json")
        self.assertEqual((self.kw.folder / "b.csv").read_text().count("\n"),
                         self.COUNT + 1)

    def test_show(self):
        document = json.loads(self.little("show", "a.json", "--json"))
        self.assertEqual(len(document["entries"]), self.COUNT)
        self.little("show", "a.json")


if __name__ == "__main__":
    kw.main()
