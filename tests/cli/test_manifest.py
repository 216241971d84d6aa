"""keywright manifest: made, and verified by a second program; taken apart,
put together, exported."""

import csv
import io
import json
import stat

from cryptography import x509

import kw
import manifest_oracle as oracle

FILE = "keywright.d/manifest/TFLXTLS_devices_manifest.json"
SLOTS = ["0", "1", "2", "3", "4", "13", "14", "15"]


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


class Make(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()
        self.kw.run("resources", "make")
        self.file = self.kw.folder / FILE

    def verified(self, file=None):
        """The payloads, as the second program finds them good."""
        log = load(self.kw.at("manifest", "manifest_ca.crt"))
        root = load(self.kw.at("certs", "simulated-vendor", "root.crt"))
        entries = json.loads((file or self.file).read_text("ascii"))
        return [oracle.verify_entry(entry, log, root) for entry in entries]

    def test_from_nothing_to_verified_in_four_commands(self):
        # init and resources make are the first two.
        made = self.kw.json("manifest", "make")
        self.assertEqual((made["added"], made["replaced"], made["entries"]),
                         (1, 0, 1))
        document = self.kw.json("manifest", "verify", FILE)
        self.assertEqual(document["entries"], 1)
        self.assertEqual(document["findings"], [])

    def test_the_second_program_agrees(self):
        self.kw.run("manifest", "make")
        payload, = self.verified()
        self.assertEqual(payload["uniqueId"], self.serial)
        self.assertEqual(payload["model"], "ATECC608B")
        self.assertEqual(payload["partNumber"], "ATECC608B-TFLXTLS")
        self.assertEqual([key["kid"] for key in
                          payload["publicKeySet"]["keys"]], SLOTS)

    def test_byte_for_byte(self):
        self.kw.run("manifest", "make")
        text = self.file.read_text("ascii")
        entries = json.loads(text)
        # The vendor's tools: json.dump(..., indent=2) and json.dumps().
        self.assertEqual(text, json.dumps(entries, indent=2))
        raw = oracle.unb64url(entries[0]["payload"]).decode()
        self.assertEqual(raw, json.dumps(json.loads(raw)))
        self.assertEqual(list(json.loads(raw)), [
            "version", "model", "partNumber", "manufacturer", "provisioner",
            "distributor", "provisioningTimestamp", "uniqueId",
            "publicKeySet"])
        head = oracle.unb64url(entries[0]["protected"]).decode()
        self.assertEqual(head, json.dumps(json.loads(head)))

    def test_public_keys_are_the_chips(self):
        self.kw.run("manifest", "make")
        payload, = self.verified()
        keys = {key["kid"]: oracle.unb64url(key["x"]) +
                oracle.unb64url(key["y"])
                for key in payload["publicKeySet"]["keys"]}
        for slot in (13, 14, 15):
            path = self.kw.newest(self.serial, f"slot_{slot}_ecc_key_pair.pem")
            self.assertEqual(keys[str(slot)], kw.public_key(path))

    def test_again_replaces(self):
        self.kw.run("manifest", "make")
        first = self.file.read_bytes()
        made = self.kw.json("manifest", "make")
        self.assertEqual((made["added"], made["replaced"], made["entries"]),
                         (1, 1, 1))
        self.assertNotEqual(self.file.read_bytes(), first)
        self.assertEqual(len(self.verified()), 1)
        self.assertEqual(list(self.file.parent.glob("*.journal")), [])
        self.assertEqual(list(self.file.parent.glob("*.rewritten")), [])

    def test_trust_and_go(self):
        self.kw.run("manifest", "make", "--chip", "sim:trustgo")
        payload, = self.verified(
            self.file.with_name("TNGTLS_devices_manifest.json"))
        self.assertEqual(payload["partNumber"], "ATECC608B-TNGTLS")
        self.assertEqual([key["kid"] for key in
                          payload["publicKeySet"]["keys"]], SLOTS[:5])

    def test_608a_says_so(self):
        other = self.another("old")
        other.run("init", "--model", "608a")
        other.run("resources", "make")
        other.run("manifest", "make")
        entry, = json.loads((other.folder / FILE).read_text())
        payload = json.loads(oracle.unb64url(entry["payload"]))
        self.assertEqual(payload["model"], "ATECC608A")
        self.assertEqual(payload["partNumber"], "ATECC608A-TFLXTLS")

    def test_the_log_signers_key_is_a_secret(self):
        self.kw.run("manifest", "make")
        key = self.kw.at("keys", "log-signer", "manifest_ca.key")
        self.assertEqual(kw.mode(key), stat.S_IRUSR | stat.S_IWUSR)
        certificate = load(self.kw.at("manifest", "manifest_ca.crt"))
        self.assertEqual([extension.oid._name for extension in
                          certificate.extensions],
                         ["subjectKeyIdentifier", "basicConstraints"])
        self.assertNotIn("Microchip", certificate.subject.rfc4514_string())
        self.kw.secrets()

    def test_another_log_signer(self):
        paths = oracle.Fleet().write(self.kw.folder)
        self.kw.run("manifest", "make", "--log-signer", paths["key"], "--ca",
                    paths["log"], "-o", "own.json")
        entry, = json.loads((self.kw.folder / "own.json").read_text())
        oracle.verify_entry(entry, load(paths["log"]))
        self.assertFalse(self.kw.at("manifest", "manifest_ca.crt").exists())
        self.fails(2, "belong together", "manifest", "make", "--log-signer",
                   paths["key"])
        self.fails(1, "not the certificate of the log signer's key",
                   "manifest", "make", "--log-signer", paths["key"], "--ca",
                   paths["root"])
        made = self.kw.folder / "made.crt"
        self.kw.run("manifest", "make", "--log-signer", paths["key"], "--ca",
                    made, "-o", "made.json")
        self.kw.run("manifest", "verify", "made.json", "--ca", made)

    def test_a_log_signer_is_made_for_entries_alone(self):
        """And told when it is made, even when a later record is wrong."""
        empty = self.another("empty")
        empty.run("init")
        empty.json("manifest", "make", code=1)
        (empty.folder / "none").write_text("")
        empty.json("manifest", "make", "--from", "none", code=1)
        self.assertFalse(empty.at("keys", "log-signer").exists())
        self.assertFalse(empty.at("manifest", "manifest_ca.crt").exists())
        records = json.dumps(oracle.Fleet().chip()) + "\n{}\n"
        result = empty.run("manifest", "make", "--from", "-", input=records,
                           code=None)
        self.assertNotEqual(result.code, 0)
        self.assertIn("line 2", result.err)
        self.assertIn("Made a log signer for prototypes", result.out)
        self.assertTrue(empty.at("manifest", "manifest_ca.crt").exists())
        again = empty.run("manifest", "make", "--from", "-",
                          input=records.split("\n", 1)[0] + "\n").out
        self.assertNotIn("log signer", again)

    def test_a_lost_log_signer(self):
        self.kw.run("manifest", "make")
        self.kw.at("keys", "log-signer", "manifest_ca.key").unlink()
        self.fails(1, "manifest_ca.key is missing", "manifest", "make")

    def test_chips_without_a_manifest(self):
        self.fails(1, "no trustflex or trust&go", "manifest", "make",
                   "--chip", "sim:blank")
        other = self.another("empty")
        other.run("init")
        result = other.run("manifest", "make", code=1)
        self.assertRegex(result.err, "slot 1[345] holds no public key")

    def test_without_certificate_files(self):
        folder = self.kw.at("certs", "simulated-vendor")
        device, = folder.glob(f"{self.serial.upper()}*.crt")
        moved = self.kw.folder / "device.crt"
        device.rename(moved)
        self.fails(1, "no certificate file of the device", "manifest", "make")
        self.fails(1, "not the device's certificate", "manifest", "make",
                   "--device-cert", folder / "signer.crt")
        self.kw.run("manifest", "make", "--device-cert", moved)
        self.assertEqual(len(self.verified()), 1)

    def test_a_file_that_cannot_be_read_is_left_alone(self):
        for text in ("{}", "[", '[{"payload": 1}]', "[] x", "[{}, ]"):
            with self.subTest(text=text):
                (self.kw.folder / "bad.json").write_text(text)
                self.fails(3, "bad.json", "manifest", "make", "-o",
                           "bad.json")
                self.assertEqual((self.kw.folder / "bad.json").read_text(),
                                 text)

    def test_other_layouts_grow_too(self):
        self.kw.run("manifest", "make")
        entry, = json.loads(self.file.read_text())
        other = oracle.Fleet().entry()
        for text in (json.dumps([other]), json.dumps([other], indent=4) +
                     "\n\n", "[\r\n]\r\n", "[ ]"):
            with self.subTest(text=text[:9]):
                path = self.kw.folder / "other.json"
                path.write_text(text)
                self.kw.run("manifest", "make", "-o", path)
                entries = json.loads(path.read_text())
                self.assertEqual(entries[-1]["header"], entry["header"])
                self.assertEqual(entries[:-1], json.loads(text))


class Records(kw.Case):
    def setUp(self):
        super().setUp()
        self.init()
        self.fleet = oracle.Fleet()
        self.paths = self.fleet.write(self.kw.folder)
        self.signer = ("--log-signer", self.paths["key"], "--ca",
                       self.paths["log"])
        self.records = [self.fleet.chip() for _ in range(5)]

    def make(self, records, *words, code=0, text=None):
        path = self.kw.folder / "records.ndjson"
        path.write_text(text if text is not None else "".join(
            json.dumps(record) + "\n" for record in records))
        return self.kw.json("manifest", "make", "--from", path, *self.signer,
                            "-o", "m.json", *words, code=code)

    def entries(self):
        return json.loads((self.kw.folder / "m.json").read_text())

    def test_many(self):
        made = self.make(self.records)
        self.assertEqual((made["added"], made["entries"]), (5, 5))
        for entry, record in zip(self.entries(), self.records):
            payload = oracle.verify_entry(entry, self.fleet.log,
                                          self.fleet.root)
            # The second program makes the very same bytes.
            self.assertEqual(entry["payload"],
                             self.fleet.entry(record)["payload"])
            self.assertEqual(payload["uniqueId"], record["serial"])
        document = self.kw.json("manifest", "verify", "m.json", "--ca",
                                self.paths["log"], "--root",
                                self.paths["root"])
        self.assertEqual(document["entries"], 5)

    def test_replaces_by_unique_id(self):
        self.make(self.records)
        before = self.entries()
        again = self.fleet.chip(self.records[1]["serial"])
        new = self.fleet.chip()
        made = self.make([again, new])
        self.assertEqual((made["added"], made["replaced"], made["entries"]),
                         (2, 1, 6))
        after = self.entries()
        self.assertEqual(after[:4], before[:1] + before[2:])
        self.assertEqual([entry["header"]["uniqueId"] for entry in after[4:]],
                         [again["serial"], new["serial"]])
        for entry in after:
            oracle.verify_entry(entry, self.fleet.log, self.fleet.root)

    def test_all_or_nothing(self):
        self.make(self.records)
        before = (self.kw.folder / "m.json").read_bytes()
        good = json.dumps(self.fleet.chip())
        for name, line, code, words in self.bad_lines():
            with self.subTest(name=name):
                document = self.make(None, text=f"{good}\n{line}\n", code=code)
                self.assertRegex(document["message"],
                                 rf"^line 2 of .*{words}")
                self.assertEqual((self.kw.folder / "m.json").read_bytes(),
                                 before)
                self.assertFalse(
                    (self.kw.folder / "m.json.journal").exists())

    def bad_lines(self):
        record = self.fleet.chip()

        def changed(**members):
            return json.dumps({**record, **members})
        other = self.fleet.chip()
        keys = dict(record["keys"])
        del keys["14"]
        foreign = oracle.Fleet("Others").chip()
        yield "no JSON", "{", 3, "no JSON"
        yield "part", changed(part="trust"), 3, "part"
        yield "model", changed(model="508a"), 3, "model"
        yield "serial", changed(serial="0123"), 3, "serial"
        yield "no digits", changed(serial="0123GBCDEF01234501"), 3, "serial"
        yield "a key is missing", changed(keys=keys), 3, "in this order"
        yield "key 0", changed(device=other["device"]), 1, "key 0"
        yield "name", changed(serial=other["serial"]), 1, "names another"
        yield "signer", changed(signer=foreign["signer"]), 1, "issuer"
        yield "base64", changed(device="AA=A"), 3, "base64"
        yield "twice", good_twice(record), 3, "no JSON"
        yield "unknown", changed(more=1), 3, "no record has"
        yield "long", '{"part": "' + "x" * 70000 + '"}', 3, "65536"

    def test_serial_in_upper_case(self):
        """As texts show it; the entry has it in lower case all the same."""
        record = self.fleet.chip()
        serial = record["serial"]
        self.make([{**record, "serial": serial.upper()}])
        entry, = self.kw.json("manifest", "show", "m.json")["entries"]
        self.assertEqual(entry["unique_id"], serial)

    def test_parts_are_not_mixed(self):
        trustgo = self.fleet.chip()
        trustgo["part"] = "trustgo"
        trustgo["keys"] = {slot: trustgo["keys"][slot] for slot in SLOTS[:5]}
        document = self.make([self.records[0], trustgo], code=1)
        self.assertIn("among", document["message"])
        self.assertFalse((self.kw.folder / "m.json").exists())

    def test_no_record(self):
        self.assertIn("no record", self.make([], code=1)["message"])

    def test_stdin(self):
        self.kw.run("manifest", "make", "--from", "-", *self.signer, "-o",
                    "m.json", input=json.dumps(self.records[0]))
        self.assertEqual(len(self.entries()), 1)


def good_twice(record):
    text = json.dumps(record)
    return text[:-1] + ', "part": "trustflex"}'


class Files(kw.Case):
    def setUp(self):
        super().setUp()
        self.fleet = oracle.Fleet()
        self.paths = self.fleet.write(self.kw.folder)
        self.all = [self.fleet.entry() for _ in range(5)]
        self.write("a.json", self.all)

    def write(self, name, entries):
        (self.kw.folder / name).write_text(json.dumps(entries, indent=2))

    def read(self, name):
        text = (self.kw.folder / name).read_text()
        entries = json.loads(text)
        self.assertEqual(text, json.dumps(entries, indent=2))
        return entries

    def test_show(self):
        document = self.kw.json("manifest", "show", "a.json")
        self.assertEqual([entry["unique_id"] for entry in
                          document["entries"]],
                         [entry["header"]["uniqueId"] for entry in self.all])
        one = document["entries"][2]["unique_id"]
        entry, = self.kw.json("manifest", "show", "a.json", one)["entries"]
        self.assertEqual(entry["entry"], 3)
        self.assertEqual([key["slot"] for key in entry["keys"]],
                         [int(slot) for slot in SLOTS])
        self.assertEqual(entry["device"], "sn" + one.upper())
        self.fails(1, "no entry", "manifest", "show", "a.json", "0" * 18)
        # As a text for people shows it.
        document = self.kw.json("manifest", "show", "a.json", one.upper())
        self.assertEqual(document["entries"], [entry])
        self.fails(2, "18 hex", "manifest", "show", "a.json", "0123")

    def test_show_of_a_pipe(self):
        text = (self.kw.folder / "a.json").read_text()
        result = self.kw.run("manifest", "show", "/dev/stdin", "--json",
                             input=text)
        document = json.loads(result.out)
        kw.validate(document)
        self.assertEqual(len(document["entries"]), 5)

    def test_show_of_what_cannot_be_read(self):
        """An error, not half a document."""
        text = (self.kw.folder / "a.json").read_text()
        (self.kw.folder / "b.json").write_text(text[:-4])
        document = self.kw.json("manifest", "show", "b.json", code=3)
        self.assertIn("ends inside entry 5", document["message"])

    def test_a_manifest_from_a_pipe(self):
        text = (self.kw.folder / "a.json").read_text()
        for verb, *words in (("show",), ("split", "--every", 9, "-o", "p"),
                             ("merge", "b.json", "-o", "c.json"),
                             ("export", "--csv", "-o", "a.csv")):
            with self.subTest(verb=verb):
                (self.kw.folder / "b.json").write_text("[]")
                self.kw.json("manifest", verb, "/dev/stdin", *words,
                             input=text)
        self.kw.json("manifest", "diff", "a.json", "/dev/stdin", input=text)
        self.fails(3, "not a file: it is read twice", "manifest", "diff",
                   "/dev/stdin", "a.json", input=text)
        self.assertEqual(self.read("p-0001.json"), self.all)
        self.assertEqual(self.read("c.json"), self.all)

    def test_split_and_merge(self):
        document = self.kw.json("manifest", "split", "a.json", "--every", 2)
        self.assertEqual([file["entries"] for file in document["files"]],
                         [2, 2, 1])
        names = [file["file"] for file in document["files"]]
        self.assertEqual(names, [f"a-000{n}.json" for n in (1, 2, 3)])
        merged = self.kw.json("manifest", "merge", *names, "-o", "b.json")
        self.assertEqual(merged["entries"], 5)
        self.assertEqual(self.read("b.json"), self.all)
        self.kw.run("manifest", "diff", "a.json", "b.json")
        self.fails(1, "there already", "manifest", "split", "a.json",
                   "--every", 2)
        document = self.fails(1, "there already", "manifest", "merge",
                              "a.json", "b.json", "-o", "b.json")
        self.assertNotIn("split", document["hint"])

    def test_merge_of_the_same(self):
        self.fails(1, "in a file before it", "manifest", "merge", "a.json",
                   "a.json", "-o", "b.json")
        self.assertFalse((self.kw.folder / "b.json").exists())
        document = self.kw.json("manifest", "merge", "a.json", "a.json",
                                "--latest", "-o", "b.json")
        self.assertEqual((document["entries"], document["replaced"]), (5, 5))
        self.assertEqual(self.read("b.json"), self.all)

    def test_diff(self):
        again = self.fleet.sign(json.loads(
            oracle.unb64url(self.all[1]["payload"])))
        other = self.fleet.entry(self.fleet.chip(
            self.all[2]["header"]["uniqueId"]))
        new = self.fleet.entry()
        self.write("b.json", [self.all[0], again, other, self.all[3], new])
        document = self.kw.json("manifest", "diff", "a.json", "b.json",
                                code=1, schema="manifest-diff")

        def ids(*entries):
            return [entry["header"]["uniqueId"] for entry in entries]
        self.assertEqual(document["only_first"], ids(self.all[4]))
        self.assertEqual(document["only_second"], ids(new))
        self.assertEqual(document["changed"], ids(other))
        self.assertEqual(document["signed_anew"], ids(again))

    def export(self, how):
        self.kw.json("manifest", "export", "a.json", how, "-o", "out")
        return (self.kw.folder / "out").read_bytes().decode("ascii")

    def test_export_aws(self):
        lines = self.export("--aws").splitlines()
        for line, entry in zip(lines, self.all, strict=True):
            parameters = json.loads(line)
            self.assertEqual(list(parameters), [
                "ThingName", "SerialNumber", "CertificatePem"])
            device = x509.load_pem_x509_certificate(
                parameters["CertificatePem"].encode())
            ski = device.extensions.get_extension_for_class(
                x509.SubjectKeyIdentifier).value.digest
            self.assertEqual(parameters["ThingName"], ski.hex())
            self.assertEqual(parameters["SerialNumber"],
                             entry["header"]["uniqueId"].upper())

    def test_export_azure(self):
        lines = self.export("--azure").splitlines()
        self.assertEqual([json.loads(line) for line in lines], [{
            "id": "sn" + entry["header"]["uniqueId"].upper(),
            "importMode": "create", "status": "enabled",
            "authentication": {"type": "certificateAuthority"},
        } for entry in self.all])

    def test_export_csv(self):
        text = self.export("--csv")
        self.assertEqual(text.count("\r\n"), 6)
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([row["uniqueId"] for row in rows],
                         [entry["header"]["uniqueId"] for entry in self.all])
        self.assertEqual(rows[0]["partNumber"], "ATECC608B-TFLXTLS")

    def test_export_golden_files(self):
        golden = kw.ROOT / "tests" / "cli" / "golden"
        for how in ("aws", "azure", "csv"):
            with self.subTest(how=how):
                self.kw.run("manifest", "export", golden / "manifest.json",
                            f"--{how}", "-o", f"{how}.out")
                self.assertEqual(
                    (self.kw.folder / f"{how}.out").read_bytes(),
                    (golden / f"manifest.{how}").read_bytes())

    def test_what_a_verb_needs(self):
        self.fails(2, "--every N is missing", "manifest", "split", "a.json")
        self.fails(2, "--output FILE is missing", "manifest", "merge",
                   "a.json", "a.json")
        for verb in ("make", "verify", "show", "split", "merge", "diff",
                     "export"):
            text = self.kw.run("manifest", verb, "--help").out
            self.assertIn("Example:\n  keywright manifest " + verb, text)
        self.assertIn("merge FILE... --output FILE [options]",
                      self.kw.run("manifest", "merge", "--help").out)

    def test_export_usage(self):
        self.fails(2, "retired", "manifest", "export", "a.json", "--gcp")
        self.fails(2, "one of", "manifest", "export", "a.json")
        self.fails(2, "one of", "manifest", "export", "a.json", "--aws",
                   "--csv", "-o", "x")


if __name__ == "__main__":
    kw.main()
