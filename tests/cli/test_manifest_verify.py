"""keywright manifest verify: whatever is wrong names its entry, and the rest
is still checked."""

import base64
import datetime
import json

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import kw
import manifest_oracle as oracle

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Verify(kw.Case):
    def setUp(self):
        super().setUp()
        self.fleet = oracle.Fleet()
        self.paths = self.fleet.write(self.kw.folder)

    def write(self, text):
        path = self.kw.folder / "m.json"
        path.write_text(text if isinstance(text, str)
                        else json.dumps(text, indent=2), "utf-8")

    def verify(self, text, *words, code=0):
        self.write(text)
        return self.kw.json("manifest", "verify", "m.json", "--ca",
                            self.paths["log"], *words, code=code,
                            schema="manifest-verify")

    def finds(self, bad, words, code, *options, unreadable=None):
        """The bad entry stands between good ones; both are checked, and it
        alone is named."""
        if unreadable is None:
            unreadable = code == 3
        entries = [self.fleet.entry(), bad, self.fleet.entry()]
        text = entries if isinstance(bad, dict) else "[{}, {}, {}]".format(
            json.dumps(entries[0]), bad, json.dumps(entries[2]))
        for jobs in (1, 3):
            document = self.verify(text, *options, "--jobs", jobs, code=code)
            self.assertEqual(document["entries"], 3, words)
            finding, = document["findings"]
            self.assertEqual(finding["entry"], 2)
            self.assertRegex(finding["words"], words)
            self.assertEqual(finding["readable"], not unreadable)
        line = self.kw.run("manifest", "verify", "m.json", "--ca",
                           self.paths["log"], *options, code=code)
        self.assertRegex(line.out, rf"(?m)^entry 2\b.*{words}")
        return document

    def payload(self, **changes):
        return {**self.fleet.payload(self.fleet.chip()), **changes}

    def test_good(self):
        entries = [self.fleet.entry() for _ in range(70)]
        for jobs in (1, 2, 5):
            document = self.verify(entries, "--root", self.paths["root"],
                                   "--jobs", jobs)
            self.assertEqual(document["findings"], [])
            self.assertIs(document["root_checked"], True)
        for text in ("[]", " [\n]\n"):
            self.assertEqual(self.verify(text)["entries"], 0)

    def test_nothing_against_nothing(self):
        self.write([self.fleet.entry()])
        self.fails(2, "nothing is verified against nothing", "manifest",
                   "verify", "m.json")
        self.kw.run("init")
        self.fails(2, "nothing is verified against nothing", "manifest",
                   "verify", "m.json")
        self.fails(2, "a number from 1", "manifest", "verify", "m.json",
                   "--ca", self.paths["log"], "--jobs", "0")

    def test_algorithms(self):
        for alg in ("none", "HS256", "RS256", "es256", ""):
            with self.subTest(alg=alg):
                self.finds(self.fleet.sign(self.payload(),
                                           self.fleet.head(alg=alg)),
                           "alg is not ES256", 1)
        self.finds(self.fleet.sign(self.payload(), self.fleet.head(typ="X")),
                   "typ is not JWT", 1)
        self.finds(self.fleet.sign(self.payload(),
                                   self.fleet.head(crit=["x"])), "crit", 1)
        head = self.fleet.head()
        del head["alg"]
        self.finds(self.fleet.sign(self.payload(), head), "lacks", 1)

    def test_another_log_signer(self):
        other = oracle.Fleet()
        self.finds(other.entry(), "kid does not match", 1)
        self.finds(other.sign(other.payload(other.chip()), self.fleet.head()),
                   "did not sign this entry", 1)
        digest = oracle.b64url(bytes(32))
        self.finds(self.fleet.sign(self.payload(), self.fleet.head(
            **{"x5t#S256": digest})), "x5t#S256 does not match", 1)

    def test_signatures(self):
        entry = self.fleet.entry()
        raw = oracle.unb64url(entry["signature"])

        def signed(r, s):
            return dict(entry, signature=oracle.b64url(
                r.to_bytes(32, "big") + s.to_bytes(32, "big")))
        r = int.from_bytes(raw[:32], "big")
        s = int.from_bytes(raw[32:], "big")
        for pair in ((0, s), (r, 0), (0, 0), (ORDER, s), (r, ORDER),
                     (r, s ^ 1), (s, r), (2 ** 256 - 1, 2 ** 256 - 1)):
            with self.subTest(pair=pair):
                self.finds(signed(*pair), "did not sign this entry", 1)
        self.finds(dict(entry, signature=oracle.b64url(raw[:63])),
                   "64 bytes", 3)

    def test_base64url(self):
        entry = self.fleet.entry()
        for member in ("payload", "protected", "signature"):
            text = entry[member]
            for bad in (text + "=", text[:-1] + "!", text[:-1] + "+",
                        text[:5] + " " + text[6:], text + "A" * (
                            5 - len(text) % 4)):
                with self.subTest(member=member, bad=bad[-3:]):
                    self.finds(dict(entry, **{member: bad}), member, 3)
        # 64 bytes leave four spare bits, which must be zero.
        last = entry["signature"][-1]
        spare = chr(ord(last) + 1) if last not in "Zz9-_" else "-"
        self.finds(dict(entry, signature=entry["signature"][:-1] + spare),
                   "signature", 3)

    def test_members(self):
        entry = self.fleet.entry()
        text = json.dumps(entry)
        for member in entry:
            less = {name: value for name, value in entry.items()
                    if name != member}
            self.finds(less, "missing", 3)
        self.finds(dict(entry, more=1), "no manifest has", 3)
        self.finds(text[:-1] + ', "payload": "AA"}', "twice", 3)
        self.finds(text[:-1] + ', "pay\\u006coad": "AA"}', "twice", 3)
        self.finds(dict(entry, payload=1), "manifest's form", 3)
        self.finds(dict(entry, header={}), "lacks uniqueId", 3)
        raw = json.dumps(self.payload())
        # Wrong (another uniqueId), and unreadable behind it.
        self.finds(self.fleet.sign(None, unique_id="01" * 9, raw=(
            raw[:-1] + ', "version": 1}').encode()), "twice", 3)
        self.finds(self.fleet.sign(None, unique_id="01" * 9,
                                   raw=raw.encode()[:-1]), "payload", 3)
        self.finds(self.fleet.sign(None, unique_id="01" * 9,
                                   raw=b"\xff" + raw.encode()), "payload", 3)

    def test_other_json(self):
        for text in ("1", '"x"', "null", "[[]]", "{}", "[]", "tru", "",
                     "{} {}", '{"payload": }'):
            with self.subTest(text=text):
                self.finds(text, "manifest's form|missing", 3)
        for text in ("{}}", "}"):
            with self.subTest(text=text):
                self.finds(text, "without its {", 3)

    def test_unique_ids(self):
        payload = self.payload()
        self.finds(self.fleet.sign(payload, unique_id="0123" + "00" * 7),
                   "payload is not the header's", 1)
        for bad in ("0123", payload["uniqueId"].upper(), "x" * 18):
            self.finds(self.fleet.sign(payload, unique_id=bad),
                       "18 lower-case hex", 3)

    def test_payloads(self):
        payload = self.payload()
        self.finds(self.fleet.sign(dict(payload, version=2)), "version", 1)
        self.finds(self.fleet.sign(dict(payload, publicKeySet={"keys": []})),
                   "no key of slot 0", 1)

        def keys(change):
            copy = json.loads(json.dumps(payload))
            change(copy["publicKeySet"]["keys"])
            return self.fleet.sign(copy)

        def swap(keys_):
            keys_[0]["x"], keys_[0]["y"] = keys_[1]["x"], keys_[1]["y"]
        self.finds(keys(swap), "kid 0 is not the key", 1)
        self.finds(keys(lambda all_: all_[1].update(kid="0")), "same kid", 1)
        self.finds(keys(lambda all_: all_[1].update(kid="16")), "no slot", 3)
        self.finds(keys(lambda all_: all_[1].update(crv="P-384")), "crv", 1)
        self.finds(keys(lambda all_: all_[1].update(kty="RSA")), "kty", 1)
        self.finds(keys(lambda all_: all_[1].update(x="AA")), "32 bytes", 3)
        self.finds(keys(lambda all_: all_[0]["x5c"].pop()), "x5c lacks", 1)
        self.finds(keys(lambda all_: all_[1].update(x5c=all_[0]["x5c"])),
                   "more than one key", 1)
        self.finds(keys(lambda all_: all_[0].pop("x5c")), "slot 0 with", 1)
        self.finds(keys(lambda all_: all_[0]["x5c"].__setitem__(0, "AA=")),
                   "no base64", 3)
        self.finds(keys(lambda all_: all_[0]["x5c"].__setitem__(0, "AAAA")),
                   "device's certificate cannot be read", 3)
        self.finds(keys(lambda all_: all_[0]["x5c"].__setitem__(1, "AAAA")),
                   "signer's certificate cannot be read", 3)

    def test_chains(self):
        other = oracle.Fleet()
        record = self.fleet.chip()
        record["signer"] = base64.b64encode(oracle.der(other.signer)).decode()
        self.finds(self.fleet.entry(record), "did not sign|issuer|key id", 1)
        # A signer of the same name and with another key.
        key = ec.generate_private_key(ec.SECP256R1())
        fake = oracle.certificate(self.fleet.signer_name, key.public_key(),
                                  self.fleet.root.subject,
                                  self.fleet.root_key, True)
        record["signer"] = base64.b64encode(oracle.der(fake)).decode()
        self.finds(self.fleet.entry(record), "key|sign", 1)
        # A signature that was damaged.
        record = self.fleet.chip()
        device = bytearray(base64.b64decode(record["device"]))
        device[-1] ^= 1
        record["device"] = base64.b64encode(device).decode()
        self.finds(self.fleet.entry(record),
                   "signer did not sign the device", 1)

    def device_entry(self, record, subject, begin=None, days=3650):
        """An entry whose device has another certificate for its key."""
        old = x509.load_der_x509_certificate(
            base64.b64decode(record["device"]))
        made = oracle.certificate(
            subject or old.subject, old.public_key(), self.fleet.signer_name,
            self.fleet.signer_key, False, begin, days)
        record["device"] = base64.b64encode(oracle.der(made)).decode()
        return self.fleet.entry(record)

    def test_names_of_devices(self):
        """The vendor's two forms of a name hold the serial number."""
        other = "0123FFEEDDCCBBAA01"
        for form in ("sn{}", "{} ATECC"):
            record = self.fleet.chip()
            named = form.format(record["serial"].upper())
            entry = self.device_entry(record, oracle.name("Any", named))
            self.assertEqual(self.verify([entry])["findings"], [])
            self.finds(self.device_entry(
                self.fleet.chip(), oracle.name("Any", form.format(other))),
                "names another serial number", 1)
        for free in ("sn" + other + "0", "thermostat 7", other + " atecc"):
            entry = self.device_entry(self.fleet.chip(),
                                      oracle.name("Any", free))
            self.assertEqual(self.verify([entry])["findings"], [])

    def test_validity_of_devices(self):
        day = datetime.timedelta(days=1)
        for begin in (oracle.now() - 9 * day, oracle.now() + day):
            self.finds(self.device_entry(self.fleet.chip(), None, begin, 3),
                       "device's certificate is not valid now", 1)

    def test_validity_of_issuers(self):
        day = datetime.timedelta(days=1)
        fleet = self.fleet
        good = fleet.root, fleet.signer
        for begin in (oracle.now() - 9 * day, oracle.now() + day):
            fleet.root, fleet.signer = good
            record = fleet.chip()
            signer = oracle.certificate(
                fleet.signer_name, fleet.signer_key.public_key(),
                fleet.root.subject, fleet.root_key, True, begin, 3)
            record["signer"] = base64.b64encode(oracle.der(signer)).decode()
            self.finds(fleet.entry(record),
                       "signer's certificate is not valid now", 1)
            fleet.root = oracle.certificate(
                fleet.root.subject, fleet.root_key.public_key(),
                fleet.root.subject, fleet.root_key, True, begin, 3)
            fleet.write(self.kw.folder)
            document = self.verify([fleet.entry()], "--root",
                                   self.paths["root"], code=1)
            self.assertRegex(document["findings"][0]["words"],
                             "root is not valid now")

    def test_roots(self):
        other = oracle.Fleet()
        entries = [self.fleet.entry(), self.fleet.entry()]
        self.assertIs(self.verify(entries)["root_checked"], False)
        (self.kw.folder / "other.crt").write_bytes(oracle.pem(other.root))
        document = self.verify(entries, "--root",
                               self.kw.folder / "other.crt", code=1)
        self.assertEqual(document["wrong"], 2)

    def test_log_signers_validity(self):
        for begin, days in ((oracle.now() - datetime.timedelta(days=9), 3),
                            (oracle.now() + datetime.timedelta(days=2), 3)):
            log = self.fleet.log
            self.fleet.log = oracle.certificate(
                log.subject, self.fleet.log_key.public_key(), log.subject,
                self.fleet.log_key, True, begin, days)
            self.fleet.write(self.kw.folder)
            self.write([self.fleet.entry()])
            self.fails(1, "log signer", "manifest", "verify", "m.json",
                       "--ca", self.paths["log"])

    def test_twice(self):
        first, second = self.fleet.chip(), self.fleet.chip()
        again = self.fleet.chip(first["serial"])
        entries = [self.fleet.entry(record)
                   for record in (first, second, again)]
        document = self.verify(entries, code=1)
        finding, = document["findings"]
        self.assertEqual((finding["entry"], finding["first"],
                          finding["unique_id"]), (3, 1, first["serial"]))
        self.assertRegex(finding["words"], "uniqueId is there already")

    def test_keys_twice(self):
        first, second = self.fleet.chip(), self.fleet.chip()
        for slot in ("13", "14", "15"):
            second["keys"][slot] = first["keys"][slot]
        document = self.verify([self.fleet.entry(record)
                                for record in (first, second)])
        self.assertEqual(document["twice"], 0)
        second["keys"]["3"] = first["keys"]["2"]
        document = self.verify([self.fleet.entry(record)
                                for record in (first, second)], code=1)
        finding, = document["findings"]
        self.assertEqual((finding["entry"], finding["first"]), (2, 1))
        self.assertRegex(finding["words"], "a key of slots 0 to 4")

    def test_truncated(self):
        """What was whole is checked, and the entry named that is not."""
        entries = [self.fleet.entry() for _ in range(3)]
        entries[0]["signature"] = "A" * 86
        text = json.dumps(entries, indent=2)
        for size, entry, words in (
                (len(text) - 1, 4, "behind entry 3: no ]"),
                (len(text) - 2, 4, "behind entry 3: no ]"),
                (len(text) - 30, 3, "ends inside entry 3"),
                (len(text) // 2, 2, "ends inside entry 2")):
            with self.subTest(size=size):
                document = self.verify(text[:size], code=3)
                self.assertEqual([finding["entry"] for finding in
                                  document["findings"]], [1, entry])
                self.assertIn("did not sign",
                              document["findings"][0]["words"])
                self.assertIn(words, document["findings"][1]["words"])
                self.assertEqual(document["unreadable"], 1)
                line = self.kw.run("manifest", "verify", "m.json", "--ca",
                                   self.paths["log"], code=3)
                self.assertIn(words, line.out)
        for size, words in ((5, "ends inside entry 1"), (3, "no ] there"),
                            (1, "no ] there")):
            finding, = self.verify(text[:size], code=3)["findings"]
            self.assertIn(words, finding["words"])
        document = self.verify(text + ",", code=3)
        self.assertIn("goes on", document["findings"][1]["words"])
        for other in ("", "{}", "x"):
            self.write(other)
            self.fails(3, "m.json is no manifest", "manifest", "verify",
                       "m.json", "--ca", self.paths["log"])

    def test_a_raw_line_end_in_a_string(self):
        entry = json.dumps(self.fleet.entry(), indent=2)
        at = entry.index('",\n')
        self.finds(entry[:at] + entry[at + 1:], "line end|manifest's form", 3)

    def test_a_very_long_string(self):
        path = self.kw.folder / "m.json"
        first, last = (json.dumps(self.fleet.entry()) for _ in range(2))
        with open(path, "w", encoding="ascii") as file:
            file.write(f'[{first}, {{"payload": "')
            for _ in range(100):
                file.write("A" * 1000000)
            file.write(f'"}}, {last}]')
        document = self.kw.json("manifest", "verify", "m.json", "--ca",
                                self.paths["log"], code=3,
                                schema="manifest-verify")
        finding, = document["findings"]
        self.assertEqual((finding["entry"], document["entries"]), (2, 3))
        self.assertRegex(finding["words"], "longer than 65536")

    def test_both_kinds(self):
        """Unreadable beats wrong."""
        bad = dict(self.fleet.entry(), signature="A" * 86)
        document = self.verify([bad, {}], code=3)
        self.assertEqual((document["wrong"], document["unreadable"]), (1, 1))

    def test_what_others_write_is_read(self):
        """Escapes, other spaces, other orders, members nobody knows."""
        entry = self.fleet.entry()
        payload = self.payload(groupId="x", modelInfo={"a": [1, -2.5e3]})
        raw = json.dumps(payload, separators=(",", ":"), sort_keys=True)
        raw = raw.replace("/", "\\/").replace("+", "\\u002B")
        other = self.fleet.sign(None, unique_id=payload["uniqueId"],
                                raw=raw.encode())
        text = json.dumps([dict(reversed(entry.items())), other], indent="\t")
        self.assertEqual(self.verify(text.replace("\n", "\r\n"))["findings"],
                         [])


if __name__ == "__main__":
    kw.main()
