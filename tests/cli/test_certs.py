"""`keywright certs`: an own PKI and the vendor's, in a chip and out of it."""

import base64
import hashlib
import json
import re
import subprocess
import time

import kw
from certs_case import (certificate, chain_files, openssl, openssl_verify,
                        parsed_begin)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)


class Custom(kw.Case):
    """An own PKI, in an emulated chip."""

    def setUp(self):
        super().setUp()
        self.serial = self.init().upper()

    def custom(self, *options, **more):
        return self.kw.json("certs", "custom", "--org", "test", "--yes",
                            *options, **more)

    def slots(self):
        """Slots 10, 11 and 12, as they are."""
        name = f"slots-{len(list(self.kw.folder.glob('slots-*')))}.bin"
        self.kw.json("certs", "backup", "-o", name)
        return (self.kw.folder / name).read_bytes()

    def chain(self, document):
        return [certificate(self.kw.path(document[name]["file"]))
                for name in ("root", "signer", "device")]

    def test_openssl_accepts_the_chain(self):
        document = self.custom()
        openssl_verify(*chain_files(self.kw.path(document["folder"])))
        request = self.kw.path(document["folder"]) / "signer_FFFF.csr"
        openssl("req", "-in", request, "-noout", "-verify")
        parsed = x509.load_pem_x509_csr(request.read_bytes())
        signer = certificate(self.kw.path(document["signer"]["file"]))
        self.assertEqual(parsed.subject, signer.subject)
        self.assertEqual(parsed.public_key().public_numbers(),
                         signer.public_key().public_numbers())
        self.assertEqual(
            [extension.oid for extension in parsed.extensions],
            [extension.oid for extension in signer.extensions])
        *same, own = [extension.value for extension in parsed.extensions]
        self.assertEqual(
            same, [extension.value for extension in signer.extensions][:-1])
        self.assertEqual(
            own.key_identifier, x509.SubjectKeyIdentifier.from_public_key(
                parsed.public_key()).digest)

    def test_lines_of_the_vendors_tool(self):
        out = self.kw.run("certs", "custom", "--org", "test", "--yes").out
        key = certificate(self.kw.at(
            "certs", "custom-0001", f"device_{self.serial}.crt")).public_key()
        point = key.public_bytes(Encoding.X962,
                                 PublicFormat.UncompressedPoint)[1:]
        thing = hashlib.sha1(b"\4" + point).hexdigest()
        lines = iter(out.splitlines())
        for line in (
                "Custom Certs processing...",
                "Building new root certificate",
                "Building new signer csr certificate",
                "Building new signer certificate",
                f"Read device serial number...OK (SN: {self.serial})",
                "Read device public key from slot 0...OK (Public Key: "
                f"{point.hex().upper()})",
                "Generating device certificate...OK (saved to "
                f"device_{self.serial}.crt)",
                "Saving signer certificate to device...OK",
                "Saving device certificate to device...OK",
                f"Thing ID {thing}",
                "Custom certificate generation and provisioning - SUCCESS",
                "Validate root certificate...OK",
                "Validate signer certificate...OK",
                "Validate device certificate...OK"):
            self.assertIn(line, lines)  # in this order

    def test_names_extensions_times(self):
        root, signer, device = self.chain(self.custom())
        self.assertEqual(root.subject.rfc4514_string(),
                         "CN=Crypto Authentication Root CA 002,O=test")
        self.assertEqual(signer.subject.rfc4514_string(),
                         "CN=Crypto Authentication Signer FFFF,O=test")
        self.assertEqual(device.subject.rfc4514_string(),
                         f"CN=sn{self.serial},O=test")
        self.assertEqual(signer.issuer, root.subject)
        self.assertEqual(device.issuer, signer.subject)
        for each, years in ((root, 40), (signer, 31), (device, 28)):
            begin = each.not_valid_before
            self.assertEqual((begin.minute, begin.second), (0, 0))
            self.assertEqual(each.not_valid_after.year - begin.year, years)
        order = [[extension.oid._name for extension in each.extensions]
                 for each in (root, signer, device)]
        ids = ["subjectKeyIdentifier", "authorityKeyIdentifier"]
        self.assertEqual(order, [ids + ["basicConstraints"],
                                 ["keyUsage", "basicConstraints"] + ids,
                                 ["basicConstraints", "keyUsage"] + ids])

    def test_serial_numbers_come_from_key_and_dates(self):
        _, signer, device = self.chain(self.custom())
        slots = self.slots()
        for each, compressed in ((device, slots[:72]), (signer, slots[144:])):
            numbers = each.public_key().public_numbers()
            message = (numbers.x.to_bytes(32, "big") +
                       numbers.y.to_bytes(32, "big") + compressed[64:67])
            digest = bytearray(hashlib.sha256(message).digest()[:16])
            digest[0] = digest[0] & 0x7F | 0x40
            self.assertEqual(each.serial_number, int.from_bytes(digest, "big"))
            self.assertEqual(compressed[67:69], b"\xff\xff")
        self.assertEqual([slots[69], slots[144 + 69]], [0x20, 0x10])

    def test_chip_is_backed_up_and_restored_byte_for_byte(self):
        before = self.slots()
        document = self.custom()
        self.assertEqual(self.kw.path(document["backup"]).read_bytes(), before)
        self.assertNotEqual(self.slots(), before)
        self.assertTrue(self.kw.json("certs", "restore", "--yes")["changed"])
        self.assertEqual(self.slots(), before)
        self.assertFalse(self.kw.json("certs", "restore")["changed"])
        self.assertEqual(self.kw.json("certs", "vendor")["chain"], "vendor")

    def test_the_way_back_that_is_told_leads_back(self):
        """`restore` alone brings the vendor's back, whatever was replaced."""
        self.custom()
        own = self.slots()
        out = self.kw.run("certs", "custom", "--org", "two", "--yes").out
        back, = re.findall(r"^  keywright (certs restore .*)$", out, re.M)
        document = self.kw.json(*back.split(), "--yes")
        self.assertEqual(self.slots(), own)
        self.assertEqual(self.kw.json("certs", "restore", "--yes", "--backup",
                                      document["kept"])["changed"], True)
        root = self.kw.json("certs", "show")["certificates"][0]
        self.assertIn("O = two", root["subject"])
        self.assertIsNone(self.kw.json("certs", "restore", "--backup",
                                       document["kept"])["kept"])

    def test_folders_are_told(self):
        """The keys are not where the certificates are."""
        out = self.kw.run("certs", "custom", "--org", "test", "--yes").out
        self.assertIn("Certificates: keywright.d/certs/custom-0001\n", out)
        self.assertIn("not for production: keywright.d/keys/custom-0001\n",
                      out)
        keys = self.kw.path(self.custom()["keys"])
        self.assertTrue((keys / "root_key.key").is_file())
        foreign = self.custom("--authority", keys / "root_key.key",
                              "--signer-key", keys / "signer_FFFF.key",
                              "--renew")
        self.assertIsNone(foreign["keys"])

    def test_backup_is_not_made_twice(self):
        first = self.kw.json("certs", "backup")
        second = self.kw.json("certs", "backup")
        self.assertEqual(first["file"], second["file"])
        self.assertEqual([first["reused"], second["reused"]], [False, True])

    def test_what_is_reused_is_said(self):
        first = self.custom()
        second = self.custom()
        self.assertEqual(second["generation"], 1)
        for name in ("root", "signer", "device"):
            self.assertFalse(first[name]["reused"])
            self.assertTrue(second[name]["reused"])
        text = self.kw.run("certs", "custom", "--org", "test").out
        for name in ("root", "signer", "device"):
            self.assertIn(f"Using cached {name} certificate", text)

    def test_a_request_that_a_cut_left(self):
        """It is kept when it is of the same key and name, else refused."""
        document = self.custom()
        folder = self.kw.path(document["folder"])
        request = (folder / "signer_FFFF.csr").read_bytes()

        def forget():  # what a cut leaves: root, request, no certificates
            for name in ("signer_FFFF.crt", f"device_{self.serial}.crt"):
                (folder / name).unlink(missing_ok=True)
        forget()
        self.assertEqual(self.custom()["generation"], 1)
        self.assertEqual((folder / "signer_FFFF.csr").read_bytes(), request)
        forget()
        self.fails(1, "signer_FFFF.csr is of another key or name", "certs",
                   "custom", "--yes", "--org", "test", "--signer-cn", "S %H")
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                self.kw.folder / "other.key")
        self.fails(1, "signer_FFFF.csr is of another key or name", "certs",
                   "custom", "--yes", "--org", "test", "--signer-key",
                   "other.key")
        self.assertEqual((folder / "signer_FFFF.csr").read_bytes(), request)
        self.assertEqual(
            self.custom("--renew", "--signer-key", "other.key")["generation"],
            2)
        self.kw.json("certs", "verify")

    def test_renew_and_other_names_begin_a_generation(self):
        first = self.custom()
        files = self.kw.files()
        self.assertEqual(self.custom("--renew")["generation"], 2)
        other = self.kw.json("certs", "custom", "--org", "other", "--yes")
        self.assertEqual(other["generation"], 3)
        self.assertEqual(
            self.custom("--validity", "30,20,10")["generation"], 4)
        now = self.kw.files()
        for path in files:
            if "custom-0001" in path.parts:
                self.assertEqual(now[path], files[path])
        self.assertEqual(first["generation"], 1)

    def test_names_as_asked_for(self):
        document = self.kw.json(
            "certs", "custom", "--yes", "--org", "Grün & Söhne, 24 chars!!",
            "--root-cn", "R", "--signer-cn", "S", "--device-cn", "dev-%S-x",
            "--signer-id", "0a1b")
        root, signer, device = self.chain(document)
        self.assertIn("CN=R", root.subject.rfc4514_string())
        self.assertIn("CN=S", signer.subject.rfc4514_string())
        self.assertIn(f"CN=dev-{self.serial}-x",
                      device.subject.rfc4514_string())
        self.assertEqual(self.slots()[67:69], b"\x0a\x1b")
        self.kw.json("certs", "verify")

    def test_refuses_names(self):
        for options in (["--org", "x" * 25], ["--org", ""],
                        ["--org", "a\nb"], ["--org", "o", "--root-cn",
                                            "x" * 65],
                        ["--org", "o", "--signer-id", "12"],
                        ["--org", "o", "--validity", "1,2"],
                        ["--org", "o", "--validity", "1,2,128"], []):
            with self.subTest(options=options):
                self.fails(2, "must have|takes|missing", "certs", "custom",
                           *options)

    def test_verify_proves_the_key(self):
        self.custom()
        first = self.kw.json("certs", "verify")
        second = self.kw.json("certs", "verify")
        self.assertNotEqual(first["challenge"], second["challenge"])
        self.assertTrue(first["verified"])
        key = x509.load_pem_x509_certificate(
            first["certificates"][2]["pem"].encode()).public_key()
        response = bytes.fromhex(first["response"])
        key.verify(
            utils.encode_dss_signature(int.from_bytes(response[:32], "big"),
                                       int.from_bytes(response[32:], "big")),
            bytes.fromhex(first["challenge"]),
            ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        self.assertEqual(
            first["thing_id"],
            x509.SubjectKeyIdentifier.from_public_key(key).digest.hex())

    def test_another_root_is_refused(self):
        document = self.custom()
        self.custom("--renew")
        old = self.kw.path(document["root"]["file"])
        self.fails(1, "does not come from the root", "certs", "verify",
                   "--root", old)
        self.kw.json("certs", "verify", "--root",
                     old.parents[1] / "custom-0002" / "root_crt.crt")

    def write_slots(self, command, data):
        """Writes slots 10, 11 and 12 without asking what they mean."""
        script = command.folder / "script"
        script.write_text("".join(
            f"chip write {slot} --hex {data[at:at + 72].hex()}\n"
            for slot, at in ((10, 0), (11, 72), (12, 144))))
        command.run("chip", "run", script, "--yes")

    def test_damaged_slot_is_found(self):
        self.custom()
        good = self.slots()[:216]
        for position in (0, 40, 64, 72 + 4, 144 + 3, 144 + 66):
            with self.subTest(position=position):
                damaged = bytearray(good)
                damaged[position] ^= 1
                self.write_slots(self.kw, damaged)
                self.fails(1, "no root", "certs", "verify")
        self.write_slots(self.kw, good)
        self.kw.json("certs", "verify")

    def test_a_cloned_certificate_is_refused(self):
        """Slots 10-12 of one chip in another: its own key does not fit."""
        self.custom()
        other = self.another("other")
        other.run("init")
        self.write_slots(other, self.slots()[:216])
        document = other.json("certs", "verify", code=1)
        self.assertIn("no root", document["message"])
        root = self.kw.at("certs", "custom-0001", "root_crt.crt")
        other.json("certs", "verify", "--root", root, code=1)

    def test_a_backup_says_whose_it_is(self):
        data = self.slots()
        self.assertEqual(len(data), 257)
        self.assertEqual(data[216:225].hex().upper(), self.serial)
        self.assertEqual(data[225:], hashlib.sha256(data[:225]).digest())
        for slot, at in ((10, 0), (11, 72), (12, 144)):
            self.assertEqual(self.kw.json("chip", "read", slot)["data"],
                             data[at:at + 72].hex())

    def test_a_backup_of_another_chip_is_refused(self):
        self.slots()
        other = self.another("other")
        other.run("init")
        before = other.json("certs", "show")
        document = other.json("certs", "restore", "--yes", "--backup",
                              self.kw.folder / "slots-0.bin", code=1)
        self.assertEqual(document["status"], "0x1003")
        self.assertIn(self.serial, document["message"])
        self.assertEqual(other.json("certs", "show"), before)

    def test_a_damaged_backup_is_refused(self):
        data = self.slots()
        for position in (0, 100, 216, 230):
            bad = bytearray(data)
            bad[position] ^= 0x10
            (self.kw.folder / "bad").write_bytes(bad)
            self.fails(3, "checksum", "certs", "restore", "--yes", "--backup",
                       "bad")

    def test_asks_before_it_replaces(self):
        """Without a terminal and --yes: refused, and nothing was made."""
        before = self.slots()
        files = set(self.kw.files())
        self.fails(2, "replace the certificates", "certs", "custom", "--org",
                   "test")
        self.assertEqual(set(self.kw.files()), files)
        self.assertEqual(self.slots(), before)
        self.custom()
        own = self.slots()
        # What is in the chip already is not asked for.
        self.kw.json("certs", "custom", "--org", "test")
        self.fails(2, "replace the certificates", "certs", "custom", "--org",
                   "test", "--renew")
        self.fails(2, "replace the certificates", "certs", "restore")
        self.assertEqual(self.slots(), own)
        text = self.kw.run("certs", "restore", "--yes").out
        self.assertIn("keywright certs restore --backup keywright.d/backups/"
                      f"certs-{self.serial}-0002.bin\n", text)
        self.assertIn(f"CN = sn{self.serial}", text)
        self.assertIn("O = test, CN = Crypto Authentication Signer FFFF", text)
        kept = self.kw.at("backups", f"certs-{self.serial}-0002.bin")
        self.assertEqual(kept.read_bytes(), own)

    def interrupt(self, before, after, now):
        """The journal and the slots that a cut leaves."""
        self.write_slots(self.kw, now)
        numbers = len(list(self.kw.at("journal").glob("certs-*")))
        path = self.kw.at("journal",
                          f"certs-{self.serial}-{numbers + 1:04}.ndjson")
        path.write_text(json.dumps({
            "event": "begin", "verb": "custom", "serial": self.serial.lower(),
            "time": "2026-11-20T00:00:00Z", "before": before.hex(),
            "after": after.hex()}) + "\n")

    def test_an_interrupted_change(self):
        """tests/powercut cuts everywhere; here the words and codes."""
        before = self.slots()[:216]
        self.custom()
        after = self.slots()[:216]
        half = before[:72 + 32] + after[72 + 32:]
        self.assertFalse(self.kw.json("certs", "resume")["resumed"])
        for words in (("show",), ("verify",), ("vendor",), ("export",),
                      ("backup",)):
            self.interrupt(before, after, half)
            self.fails(7, "certs resume", "certs", *words)
            self.assertEqual(
                {key: value for key, value in self.kw.json(
                    "certs", "resume").items() if key in ("resumed", "old")},
                {"resumed": True, "old": False})
            self.assertEqual(self.slots()[:216], after)
        self.interrupt(before, after, half)
        self.assertTrue(self.kw.json("certs", "resume", "--old")["old"])
        self.assertEqual(self.slots()[:216], before)
        self.interrupt(before, after, half)
        text = self.kw.run("certs", "custom", "--org", "test").out
        self.assertIn("that was interrupted", text)
        self.assertEqual(self.slots()[:216], after)
        self.interrupt(before, after, half)
        self.kw.json("certs", "restore", "--yes")
        self.assertEqual(self.slots()[:216], before)

    def test_what_a_change_does_not_explain_is_kept(self):
        before = self.slots()[:216]
        self.custom()
        after = self.slots()[:216]
        strange = bytes([0x5A]) * 216
        self.interrupt(before, after, strange)
        self.kw.json("certs", "resume")
        self.assertEqual(self.slots()[:216], after)
        kept = [path.read_bytes()[:216]
                for path in self.kw.at("backups").glob("certs-*")]
        self.assertIn(strange, kept)

    def test_existing_ca(self):
        """The root may be an intermediate of another CA."""
        folder = self.kw.folder
        for name in ("ca", "sub"):
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                    "-out", folder / f"{name}.key")
        openssl("req", "-x509", "-new", "-key", folder / "ca.key", "-subj",
                "/C=DE/O=Existing CA/CN=Top", "-days", "9000", "-out",
                folder / "ca.pem")
        (folder / "ext").write_text(
            "basicConstraints=critical,CA:TRUE,pathlen:1\n"
            "keyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
            "authorityKeyIdentifier=keyid\n")
        openssl("req", "-new", "-key", folder / "sub.key", "-subj",
                "/C=DE/O=Existing CA/CN=Sub", "-out", folder / "sub.csr")
        openssl("x509", "-req", "-in", folder / "sub.csr", "-CA",
                folder / "ca.pem", "-CAkey", folder / "ca.key", "-days",
                "5000", "-extfile", folder / "ext", "-out",
                folder / "sub.pem", "-CAcreateserial")
        document = self.custom("--authority", "sub.key", "--authority-cert",
                               "sub.pem")
        root, signer, device = chain_files(self.kw.path(document["folder"]))
        later = str(int(time.time()) + 7200)
        if time.time() < parsed_begin(document):
            self.assertFalse(self.kw.json("certs", "show")["verified"])
            self.fails(1, "not valid yet", "certs", "verify")
        both = folder / "both.pem"
        both.write_bytes(root.read_bytes() + signer.read_bytes())
        openssl("verify", "-CAfile", folder / "ca.pem", "-untrusted", both,
                "-attime", later, device)
        parsed = [certificate(path) for path in (root, signer, device)]
        for upper, lower in zip(parsed, parsed[1:]):
            self.assertGreaterEqual(lower.not_valid_before,
                                    upper.not_valid_before)
            self.assertLessEqual(lower.not_valid_after, upper.not_valid_after)
            self.assertEqual(lower.not_valid_before.minute, 0)
        # Below a root with a key usage extension even a strict verifier
        # finds nothing.
        openssl("x509", "-in", folder / "sub.pem", "-noout", "-ext",
                "keyUsage")
        openssl("verify", "-x509_strict", "-partial_chain", "-CAfile", root,
                "-untrusted", signer, "-attime", later, device)
        text = self.kw.run("certs", "custom", "--org", "test", "--yes",
                           "--renew", "--authority", "sub.key",
                           "--authority-cert", "sub.pem").out
        self.assertRegex(text, "The signer certificate is shortened")
        if certificate(folder / "sub.pem").not_valid_before.second != 0:
            self.assertRegex(text, "begins with its issuer, at .*:00:00Z")
        shortened = document["signer"]["not_after"][:4]
        self.assertLess(int(shortened), time.gmtime().tm_year + 31)
        self.fails(2, "--authority", "certs", "custom", "--org", "o",
                   "--authority-cert", "sub.pem")
        self.fails(1, "not the one of the certificate", "certs", "custom",
                   "--yes", "--org", "o", "--renew", "--authority", "ca.key",
                   "--authority-cert", "sub.pem")

    def test_a_ca_that_ends_too_soon(self):
        """Nothing is made below a CA that has less than a year left."""
        folder = self.kw.folder
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                "-out", folder / "e.pem")
        openssl("req", "-x509", "-new", "-key", folder / "e.pem", "-subj",
                "/O=Existing CA/CN=Short", "-days", "90", "-out",
                folder / "ec.pem")
        end = certificate(folder / "ec.pem").not_valid_after.strftime(
            "%Y-%m-%dT%H:%M:%SZ")
        words = ("certs", "custom", "--yes", "--org", "o", "--authority",
                 "e.pem", "--authority-cert", "ec.pem")
        self.kw.run("chip", "info")
        before = self.kw.files()
        for more in ((), ("--renew",), ("--renew", "--validity", "0,0,0")):
            document = self.fails(1, f"your CA's.*ec.pem ends at {end}",
                                  *words, *more)
            self.assertNotIn("--renew", document["hint"])
            self.assertEqual(set(self.kw.files()), set(before))
            self.assertFalse(list(self.kw.at("keys").glob("custom-*")))
        # One that is long enough is taken afterwards.
        openssl("req", "-x509", "-new", "-key", folder / "e.pem", "-subj",
                "/O=Existing CA/CN=Long", "-days", "800", "-out",
                folder / "long.pem")
        self.assertEqual(
            self.custom("--authority", "e.pem", "--authority-cert",
                        "long.pem")["generation"], 1)

    def test_secrets_stay_secret(self):
        self.custom()
        self.kw.run("certs", "show")
        for path in self.kw.at("keys", "custom-0001").iterdir():
            self.assertEqual(kw.mode(path), 0o600)
        self.kw.secrets()

    def test_locked_part_keeps_its_certificates(self):
        def files():
            return {path: data for path, data in self.kw.files().items()
                    if "run" not in path.parts and "chips" not in path.parts}
        before = files()
        self.fails(1, "slot 10 cannot be written", "--chip", "sim:trustgo",
                   "certs", "custom", "--org", "o")
        self.assertFalse(list(self.kw.at("certs").glob("custom-*")))
        self.assertEqual(before, files())
        self.assertEqual(self.kw.json("--chip", "sim:trustgo", "certs",
                                      "verify")["chain"], "vendor")


class Chip(kw.Case):
    """Keys in slots of another chip: what they sign others verify."""

    def setUp(self):
        super().setUp()
        self.init()

    def public_key(self, link, slot):
        return bytes.fromhex(self.kw.json(
            "--chip", link, "chip", "genkey", slot, "--public")["public_key"])

    @staticmethod
    def key_of(path):
        numbers = certificate(path).public_key().public_numbers()
        return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    def test_root_and_signer_in_a_chip(self):
        document = self.kw.json(
            "certs", "custom", "--yes", "--org", "test", "--authority",
            "chip:sim:trustgo#2", "--signer-key", "chip:sim:trustgo#3")
        folder = self.kw.path(document["folder"])
        root, signer, device = chain_files(folder)
        openssl_verify(root, signer, device)
        openssl("req", "-in", folder / "signer_FFFF.csr", "-noout", "-verify")
        self.assertEqual(self.key_of(root), self.public_key("sim:trustgo", 2))
        self.assertEqual(self.key_of(signer),
                         self.public_key("sim:trustgo", 3))
        self.assertEqual(self.key_of(device),
                         self.public_key("sim:trustflex", 0))
        self.assertEqual(
            list(self.kw.at("keys", "custom-0001").glob("*.key")), [])
        self.kw.json("certs", "verify")

    def test_a_chip_below_itself(self):
        """One open chip for both: it does not wait for itself."""
        document = self.kw.json(
            "certs", "custom", "--yes", "--org", "test", "--authority",
            "chip:sim:trustflex#2", "--signer-key", "chip:sim:trustflex#3")
        openssl_verify(*chain_files(self.kw.path(document["folder"])))
        self.assertTrue(self.kw.json("certs", "verify")["verified"])
        self.kw.json("resources", "make")
        self.kw.json("manifest", "make", "--log-signer",
                     "chip:sim:trustflex#2", "--ca", "log.crt", "-o", "m.json")
        point = self.public_key("sim:trustflex", 2)
        stored = bytes(4) + point[:32] + bytes(4) + point[32:]
        self.kw.json("chip", "write", "13", "--hex", stored.hex(),
                     "--yes")
        self.kw.json("rotate", "run", "--authority", "chip:sim:trustflex#2")
        self.kw.json("rotate", "verify")
        self.fails(5, "no private key", "certs", "custom", "--yes", "--org",
                   "o", "--authority", "chip:sim:trustflex#8")

    def test_a_manifest_signed_by_a_chip(self):
        self.assertIn("chip:LINK#SLOT",
                      self.kw.run("manifest", "make", "--help").out)
        self.kw.json("resources", "make")
        document = self.kw.json(
            "manifest", "make", "--log-signer", "chip:sim:trustgo#2", "--ca",
            "log.crt", "-o", "m.json")
        self.assertEqual(document["added"], 1)
        self.assertEqual(self.key_of(self.kw.folder / "log.crt"),
                         self.public_key("sim:trustgo", 2))
        verified = self.kw.json("manifest", "verify", "m.json", "--ca",
                                "log.crt")
        self.assertEqual(verified["wrong"], 0)
        entry = json.loads((self.kw.folder / "m.json").read_text())[0]
        signature = base64.urlsafe_b64decode(entry["signature"] + "==")
        certificate(self.kw.folder / "log.crt").public_key().verify(
            utils.encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                       int.from_bytes(signature[32:], "big")),
            f"{entry['protected']}.{entry['payload']}".encode(),
            ec.ECDSA(hashes.SHA256()))

    def test_a_rotation_authorised_by_a_chip(self):
        self.kw.json("resources", "make")
        point = self.public_key("sim:trustgo", 2)
        stored = bytes(4) + point[:32] + bytes(4) + point[32:]
        self.kw.json("chip", "write", "13", "--hex", stored.hex(),
                     "--yes")
        self.fails(1, "another authority", "rotate", "run", "--authority",
                   "chip:sim:trustgo#3")
        self.kw.json("rotate", "run", "--authority", "chip:sim:trustgo#2")
        self.kw.json("rotate", "verify")

    def test_what_names_no_key(self):
        for text, code, words in (
                ("chip:sim:trustgo", 2, "chip:LINK#SLOT"),
                ("chip:sim:trustgo#16", 2, "chip:LINK#SLOT"),
                ("chip:sim:trustgo#1x", 2, "chip:LINK#SLOT"),
                ("chip:#1", 2, "chip:LINK#SLOT"),
                ("chip:nowhere:1#1", 2, "names no link"),
                ("chip:sim:none#1", 4, "no such chip"),
                ("chip:sim:blank#0", 5, "no private key|locked"),
                ("chip:sim:trustgo#8", 5, "no private key")):
            with self.subTest(text=text):
                self.fails(code, words, "certs", "custom", "--yes", "--org",
                           "o", "--authority", text)
                self.assertEqual(
                    list(self.kw.at("certs").glob("custom-*")), [])

    def test_a_slot_that_may_not_sign_for_others(self):
        """Slot 1 signs what the chip itself states, and nothing else."""
        self.fails(5, "did not sign", "certs", "custom", "--yes", "--org", "o",
                   "--authority", "chip:sim:trustgo#1")


class Vendor(kw.Case):
    def test_both_models(self):
        for model, name in (("608a", r"^O = .*, CN = [0-9A-F]{18} ATECC$"),
                            ("608b", r"^O = .*, CN = sn[0-9A-F]{18}$")):
            with self.subTest(model=model):
                place = self.another(model)
                place.run("init", "--model", model)
                document = place.json("certs", "vendor")
                self.assertRegex(document["certificates"][2]["subject"], name)
                slots = self.kw.folder / f"{model}.bin"
                place.json("certs", "backup", "-o", slots)
                data = slots.read_bytes()
                self.assertEqual(
                    [data[69], data[144 + 69]],
                    {"608a": [0x20, 0x10], "608b": [0x30, 0x10]}[model])
                code = place.json("chip", "read", "otp")["data"][:16]
                self.assertEqual(bytes.fromhex(code), {
                    "608a": b"wdNxAjae", "608b": b"MKMwyhP1"}[model])
                inferred = any("infer" in remark
                               for remark in document["remarks"])
                self.assertEqual(inferred, model == "608b")
                place.json("certs", "verify", "--root", place.at(
                    "certs", "simulated-vendor", "root.crt"))
                for chip in ("trustflex", "trustgo"):
                    out = self.kw.folder / f"{model}-{chip}"
                    place.json("--chip", f"sim:{chip}", "certs", "export",
                               "-o", out)
                    chain = chain_files(out)
                    openssl_verify(*chain)
                    strict = subprocess.run(
                        ["openssl", "verify", "-x509_strict", "-CAfile",
                         chain[0], "-untrusted", chain[1], chain[2]],
                        capture_output=True, text=True, check=False)
                    self.assertEqual(
                        re.findall("error [0-9]+ at [0-9]+", strict.stderr),
                        ["error 92 at 2"])

    def test_a_backup_of_another_size(self):
        self.init()
        (self.kw.folder / "short").write_bytes(bytes(216))
        self.fails(3, "216 bytes", "certs", "restore", "--backup", "short")
        self.fails(1, "no backup", "certs", "restore")


if __name__ == "__main__":
    kw.main()
