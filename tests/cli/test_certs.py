"""`keywright certs`: an own PKI and the vendor's, in a chip and out of it."""

import base64
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import time

import kw
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)

VECTORS = kw.ROOT / "tests" / "vectors"
KNOWN = dict(
    re.findall(r"(\w+)_der_len=.* comp_cert=(\w+)",
               (VECTORS / "manual_compcerts.txt").read_text()))


def certificate(path):
    """A certificate file, read by an independent program."""
    return x509.load_pem_x509_certificate(pathlib.Path(path).read_bytes())


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *map(str, arguments)], check=True,
                          capture_output=True, input=input).stdout


class Manual(kw.Case):
    """The chain that the vendor's manual prints."""

    ISSUERS = {"device": "signer", "signer": "root"}

    def compress(self, name):
        return self.kw.json(
            "certs", "compress", VECTORS / f"manual_{name}.pem",
            "--write-definition", f"{name}.json", "-o", f"{name}.bin")

    def key_file(self, name):
        key = certificate(VECTORS / f"manual_{name}.pem").public_key()
        path = self.kw.folder / f"{name}.pub"
        path.write_bytes(key.public_bytes(Encoding.PEM,
                                          PublicFormat.SubjectPublicKeyInfo))
        return path

    def expand(self, name, compressed, *options, **more):
        return self.kw.json(
            "certs", "expand", compressed, "--definition", f"{name}.json",
            "--public-key", self.key_file(name), "--issuer",
            VECTORS / f"manual_{self.ISSUERS[name]}.pem", *options, **more)

    def test_compresses_to_known_bytes(self):
        self.assertEqual(set(KNOWN), {"device", "signer"})
        for name, known in KNOWN.items():
            with self.subTest(name=name):
                document = self.compress(name)
                self.assertEqual(document["compressed"], known)
                self.assertEqual(document["serial_source"], 10)
                self.assertEqual(document["format"], 0)
                self.assertEqual(
                    (self.kw.folder / f"{name}.bin").read_bytes().hex(), known)

    def test_comes_back_from_hex_and_from_a_file(self):
        for name, known in KNOWN.items():
            self.compress(name)
            original = (VECTORS / f"manual_{name}.pem").read_text()
            options = ["--device", "01233E8A1491F2A601"]
            for compressed in (known, f"{name}.bin"):
                with self.subTest(name=name, compressed=compressed):
                    document = self.expand(name, compressed, *options)
                    self.assertEqual(document["pem"].split(),
                                     original.split())

    def test_template_is_free_of_what_is_filled_in(self):
        """Whatever stands at an element's place comes from the inputs."""
        self.compress("device")
        path = self.kw.folder / "device.json"
        definition = json.loads(path.read_text())
        template = bytearray.fromhex(definition["template"])
        self.assertEqual(len(definition["elements"]), 9)
        for offset, size in definition["elements"].values():
            template[offset:offset + size] = bytes(size)
        definition["template"] = template.hex()
        path.write_text(json.dumps(definition))
        document = self.expand("device", KNOWN["device"], "--device",
                               "01233E8A1491F2A601")
        self.assertEqual(document["pem"].split(),
                         (VECTORS / "manual_device.pem").read_text().split())

    def test_says_what_is_missing(self):
        self.compress("device")
        self.fails(2, "serial number", "certs", "expand", KNOWN["device"],
                   "--definition", "device.json", "--public-key",
                   self.key_file("device"), "--issuer",
                   VECTORS / "manual_signer.pem")
        self.fails(2, "issuer", "certs", "expand", KNOWN["device"],
                   "--definition", "device.json", "--public-key",
                   self.key_file("device"), "--device", "01233e8a1491f2a601")
        self.fails(2, "--definition", "certs", "expand", KNOWN["device"])

    def test_der_does_as_well(self):
        for name, known in KNOWN.items():
            path = self.kw.folder / f"{name}.der"
            path.write_bytes(certificate(
                VECTORS / f"manual_{name}.pem").public_bytes(Encoding.DER))
            self.assertEqual(
                self.kw.json("certs", "compress", path)["compressed"], known)

    def test_refuses_bytes_of_another_template(self):
        self.compress("device")
        self.compress("signer")
        self.expand("device", KNOWN["signer"], "--device",
                    "01233E8A1491F2A601", code=3)
        self.expand("device", KNOWN["device"][:-2], code=6)

    def test_refuses_a_definition_of_another_certificate(self):
        self.compress("signer")
        self.fails(1, "byte|cannot be compressed", "certs", "compress",
                   VECTORS / "manual_device.pem", "--definition",
                   "signer.json", "--device", "01233E8A1491F2A601")

    def test_refuses_damaged_definitions(self):
        self.compress("device")
        good = json.loads((self.kw.folder / "device.json").read_text())
        for change in ({"extra": 1}, {"template": "30"}, {"template": "3"},
                       {"template_id": 16}, {"serial_source": -1},
                       {"schema": "keywright/other/1"},
                       {"elements": {"public_key": [400, 64]}},
                       {"elements": {"public_key": [0, 63]}},
                       {"elements": {"public_key": [-1, 64]}},
                       {"elements": {"colour": [0, 1]}},
                       {"elements": {"serial_number": [0, 33]}}):
            with self.subTest(change=change):
                (self.kw.folder / "device.json").write_text(
                    json.dumps({**good, **change}))
                self.expand("device", KNOWN["device"], "--device",
                            "01233E8A1491F2A601", code=3)


class Refused(kw.Case):
    """Certificates that 72 bytes cannot hold."""

    def make(self, *options, curve="P-256", days=None):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                f"ec_paramgen_curve:{curve}", "-out",
                self.kw.folder / "key.pem")
        openssl("req", "-x509", "-new", "-key", self.kw.folder / "key.pem",
                "-subj", "/O=o/CN=c", "-out", self.kw.folder / "cert.pem",
                *options)
        return self.kw.folder / "cert.pem"

    def test_seconds_in_a_time(self):
        self.fails(1, "full hour|whole years", "certs", "compress",
                   self.make("-days", "365"))

    def test_another_curve(self):
        self.fails(3, "P-256", "certs", "compress", self.make(curve="P-384"))

    def test_another_signature(self):
        self.fails(3, "ecdsa and sha-256", "certs", "compress",
                   self.make("-sha384"))

    def test_another_kind_of_key(self):
        key, cert = self.kw.folder / "rsa.key", self.kw.folder / "rsa.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                key, "-subj", "/CN=c", "-out", cert)
        self.fails(3, "p-256", "certs", "compress", cert)

    def test_no_certificate(self):
        path = self.kw.folder / "none.pem"
        path.write_text("nothing\n")
        self.fails(3, "no certificate", "certs", "compress", path)
        self.fails(6, "none.der", "certs", "compress", "none.der")


class Sources(kw.Case):
    """Certificates by another program, of each source of serial number."""

    DEVICE = bytes.fromhex("0123112233445566ee")

    def make(self, serial, begin, end, issuer="CA 0A1B", more=None):
        """A device's certificate; `serial` makes a number of its key."""
        signer = ec.generate_private_key(ec.SECP256R1())
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        numbers = key.public_numbers()
        point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

        def name(text):
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME,
                                                 text)])
        builder = x509.CertificateBuilder().subject_name(
            name("unit " + self.DEVICE.hex().upper())).issuer_name(
            name(issuer)).not_valid_before(begin).not_valid_after(
            end).serial_number(int.from_bytes(serial(point), "big")
                               ).public_key(key).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key), False)
        if more is not None:
            builder = builder.add_extension(more, False)
        made = builder.sign(signer, hashes.SHA256())
        path = self.kw.folder / "made.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM))
        (self.kw.folder / "key").write_bytes(point)
        return path

    @staticmethod
    def dates(begin, end):
        return (begin.year % 100 << 19 | begin.month << 15 | begin.day << 10 |
                begin.hour << 5 | end.year - begin.year).to_bytes(3, "big")

    def there_and_back(self, source, path, *options):
        (self.kw.folder / "made.json").unlink(missing_ok=True)
        document = self.kw.json("certs", "compress", path, "--device",
                                self.DEVICE.hex(), "--write-definition",
                                "made.json")
        self.assertEqual(document["serial_source"], source)
        back = self.kw.json("certs", "expand", document["compressed"],
                            "--definition", "made.json", "--public-key", "key",
                            "--device", self.DEVICE.hex(), *options)
        self.assertEqual(back["pem"], path.read_text())
        return document

    def test_each_source(self):
        begin = datetime.datetime(2020, 7, 1, 6)
        end = datetime.datetime(2048, 7, 1, 6)
        dates = self.dates(begin, end)

        def hashed(of_key, keep, top):
            def serial(point):
                data = bytearray(hashlib.sha256(
                    (point if of_key else self.DEVICE) + dates).digest()[:16])
                data[0] = data[0] & keep | top
                return bytes(data)
            return serial
        for source, serial in (
                (0xA, hashed(True, 0x7F, 0x40)),
                (0xB, hashed(False, 0x7F, 0x40)),
                (0x8, lambda _: b"\x40" + self.DEVICE),
                (0x9, lambda _: b"\x40\x0a\x1b")):
            with self.subTest(source=source):
                document = self.there_and_back(
                    source, self.make(serial, begin, end))
                self.assertEqual(document["signer_id"], "0A1B")

    def test_sources_that_a_definition_names(self):
        """C to F hash as A and B do and keep other bits: which of them it
        was cannot be seen when those bits agree, so the definition says."""
        for source, of_key, keep in ((0xC, True, 0x7F), (0xD, False, 0x7F),
                                     (0xE, True, 0xFF), (0xF, False, 0xFF)):
            for hour in range(24):  # until the number is positive
                begin = datetime.datetime(2020, 7, 1, hour)
                end = begin.replace(year=2048)
                dates, seen = self.dates(begin, end), []

                def serial(point):
                    seen.append(hashlib.sha256(
                        (point if of_key else self.DEVICE) +
                        dates).digest()[:16])
                    return bytes([seen[0][0] & keep or 1]) + seen[0][1:]
                path = self.make(serial, begin, end)
                if 0 < seen[0][0] & keep < 0x80:
                    break
            with self.subTest(source=source):
                (self.kw.folder / "named.json").unlink(missing_ok=True)
                self.kw.json("certs", "compress", path, "--device",
                             self.DEVICE.hex(), "--write-definition",
                             "named.json")
                named = self.kw.folder / "named.json"
                definition = json.loads(named.read_text())
                named.write_text(json.dumps(
                    {**definition, "serial_source": source}))
                document = self.kw.json("certs", "compress", path,
                                        "--definition", "named.json",
                                        "--device", self.DEVICE.hex())
                self.assertEqual(document["serial_source"], source)
                self.assertEqual(
                    bytes.fromhex(document["compressed"])[70], source << 4)
                back = self.kw.json(
                    "certs", "expand", document["compressed"], "--definition",
                    "named.json", "--public-key", "key", "--device",
                    self.DEVICE.hex())
                self.assertEqual(back["pem"], path.read_text())
                # Another source gives another number, and that is found.
                named.write_text(json.dumps(
                    {**definition, "serial_source": source ^ 1}))
                self.kw.json("certs", "compress", path, "--definition",
                             "named.json", "--device", self.DEVICE.hex(),
                             code=1)

    def test_a_number_that_is_stored_elsewhere(self):
        begin = datetime.datetime(2020, 7, 1, 6)
        path = self.make(lambda _: b"\x12\x34", begin,
                         begin.replace(year=2048))
        self.kw.json("certs", "compress", path, "--device", self.DEVICE.hex(),
                     "--write-definition", "made.json")
        made = self.kw.folder / "made.json"
        definition = json.loads(made.read_text())
        made.write_text(json.dumps({**definition, "serial_source": 7}))
        document = self.kw.json("certs", "compress", path, "--definition",
                                "made.json", "--device", self.DEVICE.hex())
        self.assertEqual(document["serial_source"], 7)
        back = self.kw.json("certs", "expand", document["compressed"],
                            "--definition", "made.json", "--public-key", "key",
                            "--device", self.DEVICE.hex(), "--serial-number",
                            "1234")
        self.assertEqual(back["pem"], path.read_text())

    def test_an_eui48_in_the_names(self):
        """subjectAltName of newer Trust&GO parts; it is not in 72 bytes."""
        begin = datetime.datetime(2020, 7, 1, 6)
        name = x509.Name([x509.NameAttribute(
            x509.NameOID.SERIAL_NUMBER, "eui48_0123456789AB",
            _type=x509.name._ASN1Type.UTF8String)])
        path = self.make(
            lambda _: b"\x12", begin, begin.replace(year=2048),
            more=x509.SubjectAlternativeName([x509.DirectoryName(name)]))
        document = self.there_and_back(0, path, "--serial-number", "12",
                                       "--eui48", "0123456789AB")
        definition = json.loads((self.kw.folder / "made.json").read_text())
        offset, size = definition["elements"]["eui48"]
        template = bytes.fromhex(definition["template"])
        self.assertEqual(template[offset:offset + size], b"0123456789AB")
        self.fails(2, "eui-?48", "certs", "expand",
                   document["compressed"], "--definition", "made.json",
                   "--public-key", "key", "--device",
                   self.DEVICE.hex(), "--serial-number", "12")

    def test_stored(self):
        begin = datetime.datetime(2040, 2, 29, 6)
        path = self.make(lambda _: b"\x12\x34", begin, begin.replace(
            year=2044))
        document = self.there_and_back(0, path, "--serial-number", "1234")
        self.assertEqual(document["format"], 1)
        self.assertEqual(document["serial_number"], "1234")
        self.fails(2, "serial number", "certs", "expand",
                   document["compressed"], "--definition", "made.json",
                   "--public-key", "key", "--device", self.DEVICE.hex())

    def test_a_short_number_is_not_a_hash_by_chance(self):
        begin = datetime.datetime(2020, 7, 1, 6)
        end = begin.replace(year=2048)
        dates = self.dates(begin, end)

        def serial(point):
            return bytes([hashlib.sha256(point + dates).digest()[0] & 0x7F
                          or 1])
        path = self.make(serial, begin, end)
        number = f"{certificate(path).serial_number:02x}"
        self.there_and_back(0, path, "--serial-number", number)

    def test_signatures_with_leading_zeros(self):
        """R and S are 32 bytes in the 72, and shorter in a certificate."""
        begin = datetime.datetime(2020, 7, 1, 6)
        wanted = {(32, 0), (0, 32)}
        while wanted:
            path = self.make(lambda _: b"\x12", begin,
                             begin.replace(year=2048))
            pair = utils.decode_dss_signature(certificate(path).signature)
            sizes = [(number.bit_length() + 7) // 8 for number in pair]
            zeros = {(32, 0)} if sizes[0] < 32 else set()
            zeros |= {(0, 32)} if sizes[1] < 32 else set()
            if zeros & wanted:
                wanted -= zeros
                document = self.there_and_back(0, path, "--serial-number",
                                               "12")
                self.assertEqual(
                    document["compressed"][:128],
                    "".join(number.to_bytes(32, "big").hex()
                            for number in pair))

    def test_never_ends(self):
        for begin in (2020, 2060):
            path = self.make(lambda _: b"\x12",
                             datetime.datetime(begin, 2, 3, 4),
                             datetime.datetime(9999, 12, 31, 23, 59, 59))
            document = self.there_and_back(0, path, "--serial-number", "12")
            self.assertEqual(document["years"], 0)

    def test_what_72_bytes_cannot_hold(self):
        for begin, end, words in (
                ((2020, 1, 1, 0, 1), (2021, 1, 1, 0, 1), "full hour"),
                ((1999, 1, 1), (2001, 1, 1), "2000"),
                ((2020, 1, 1), (2021, 1, 2), "whole years"),
                ((2020, 1, 1), (2020, 6, 1), "whole years"),
                ((2020, 1, 1), (2148, 1, 1), "127 years"),
                ((2024, 2, 29), (2025, 2, 28), "29 february")):
            with self.subTest(begin=begin, end=end):
                path = self.make(lambda _: b"\x12",
                                 datetime.datetime(*begin),
                                 datetime.datetime(*end))
                self.fails(1, words, "certs", "compress", path)


def chain_files(folder):
    """Root, signer, device of a folder that `custom` or `export` wrote."""
    names = {path.name: path for path in pathlib.Path(folder).iterdir()}
    for root, signer, device in (
            ("root_crt.crt", r"signer_....\.crt", r"device_.*\.crt"),
            ("root.pem", r"signer\.pem", r"device\.pem")):
        if root in names:
            return [names[root]] + [
                next(path for name, path in names.items()
                     if re.fullmatch(pattern, name))
                for pattern in (signer, device)]
    raise AssertionError(f"no chain in {folder}")


def parsed_begin(document):
    """When the signer of a `custom` begins."""
    return datetime.datetime.fromisoformat(
        document["signer"]["not_before"].replace("Z", "+00:00")).timestamp()


def openssl_verify(root, signer, device, *options):
    """What `openssl verify` says; raises unless it is OK."""
    return openssl("verify", "-CAfile", root, "-untrusted", signer, *options,
                   device)


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
        for certificate, years in ((root, 40), (signer, 31), (device, 28)):
            begin = certificate.not_valid_before
            self.assertEqual((begin.minute, begin.second), (0, 0))
            self.assertEqual(certificate.not_valid_after.year - begin.year,
                             years)
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
            "--root-cn", "R", "--signer-cn", "S", "--device-cn", "dev-%S-x", "--signer-id",
            "0a1b")
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

    def test_a_manifest_signed_by_a_chip(self):
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
        self.kw.json("chip", "write", "13", "--hex", stored.hex())
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


class Export(kw.Case):
    """C definitions: a C program rebuilds the certificates from them."""

    REBUILD = r"""
#include <stdio.h>
#include <string.h>
#include "cust_def_1_signer.h"
#include "cust_def_2_device.h"

static void show(const char *name, const atcacert_def_t *def) {
    printf("%s type %d template %d chain %d source %d key %d %d comp %d "
           "years %d tbs %d %d ca %d\n", name, def->type, def->template_id,
           def->chain_id, def->sn_source, def->public_key_dev_loc.slot,
           def->public_key_dev_loc.count, def->comp_cert_dev_loc.slot,
           def->expire_years, def->tbs_cert_loc.offset,
           def->tbs_cert_loc.count, def->ca_cert_def != NULL);
    for (int i = 0; i < STDCERT_NUM_ELEMENTS; i++) {
        printf("std %d %d\n", def->std_cert_elements[i].offset,
               def->std_cert_elements[i].count);
    }
    for (int i = 0; i < def->cert_elements_count; i++) {
        printf("%s %d %d %d %d\n", def->cert_elements[i].id,
               def->cert_elements[i].cert_loc.offset,
               def->cert_elements[i].cert_loc.count,
               def->cert_elements[i].device_loc.offset,
               def->cert_elements[i].device_loc.count);
    }
    printf("template ");
    for (int i = 0; i < def->cert_template_size; i++) {
        printf("%02x", def->cert_template[i]);
    }
    printf("\n");
}

int main(void) {
    show("signer", &g_cert_def_1_signer);
    show("device", &g_cert_def_2_device);
    printf("ca ");
    for (int i = 0; i < 64; i++) {
        printf("%02x", g_cert_ca_public_key_1_signer[i]);
    }
    printf("\n");
    return 0;
}
"""

    # The names of the vendor library's public header, in a few lines.
    HEADER = r"""
#pragma once
#include <stddef.h>
#include <stdint.h>
#define FALSE 0
#define TRUE 1
typedef enum { CERTTYPE_X509 } atcacert_cert_type_t;
typedef int atcacert_cert_sn_src_t;
typedef enum { DEVZONE_CONFIG = 0, DEVZONE_OTP = 1, DEVZONE_DATA = 2,
               DEVZONE_NONE = 7 } atcacert_device_zone_t;
typedef enum { DATEFMT_ISO8601_SEP, DATEFMT_RFC5280_UTC,
               DATEFMT_POSIX_UINT32_BE, DATEFMT_POSIX_UINT32_LE,
               DATEFMT_RFC5280_GEN } atcacert_date_format_t;
typedef enum { TF_NONE, TF_REVERSE, TF_BIN2HEX_UC } atcacert_transform_t;
enum { STDCERT_PUBLIC_KEY, STDCERT_SIGNATURE, STDCERT_ISSUE_DATE,
       STDCERT_EXPIRE_DATE, STDCERT_SIGNER_ID, STDCERT_CERT_SN,
       STDCERT_AUTH_KEY_ID, STDCERT_SUBJ_KEY_ID, STDCERT_NUM_ELEMENTS };
typedef struct { atcacert_device_zone_t zone; uint16_t slot;
                 uint8_t is_genkey; uint16_t offset; uint16_t count;
               } atcacert_device_loc_t;
typedef struct { uint16_t offset; uint16_t count; } atcacert_cert_loc_t;
typedef struct { char id[25]; atcacert_device_loc_t device_loc;
                 atcacert_cert_loc_t cert_loc;
                 atcacert_transform_t transforms[2];
               } atcacert_cert_element_t;
typedef struct atcacert_def_s {
    atcacert_cert_type_t type; uint8_t template_id; uint8_t chain_id;
    uint8_t private_key_slot; atcacert_cert_sn_src_t sn_source;
    atcacert_device_loc_t cert_sn_dev_loc;
    atcacert_date_format_t issue_date_format;
    atcacert_date_format_t expire_date_format;
    atcacert_cert_loc_t tbs_cert_loc; uint8_t expire_years;
    atcacert_device_loc_t public_key_dev_loc;
    atcacert_device_loc_t comp_cert_dev_loc;
    atcacert_cert_loc_t std_cert_elements[STDCERT_NUM_ELEMENTS];
    const atcacert_cert_element_t *cert_elements; uint8_t cert_elements_count;
    const uint8_t *cert_template; uint16_t cert_template_size;
    const struct atcacert_def_s *ca_cert_def;
} atcacert_def_t;
"""

    def definitions(self, folder):
        """Compiles and runs: what the definitions hold."""
        (folder / "atcacert").mkdir()
        (folder / "atcacert" / "atcacert_def.h").write_text(self.HEADER)
        (folder / "main.c").write_text(self.REBUILD)
        subprocess.run(
            ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror",
             "-Wno-sign-compare", "-I.", "-o", "show", "main.c",
             "cust_def_1_signer.c", "cust_def_2_device.c"],
            cwd=folder, check=True)
        out = subprocess.run([folder / "show"], check=True,
                             capture_output=True, text=True).stdout
        found, current = {}, None
        for line in out.splitlines():
            words = line.split()
            if words[0] in ("signer", "device"):
                current = {"std": [], "elements": [], **dict(
                    zip(words[1::2], words[2::2]))}
                current["tbs"] = [int(words[words.index("tbs") + 1]),
                                  int(words[words.index("tbs") + 2])]
                found[words[0]] = current
            elif words[0] == "std":
                current["std"].append((int(words[1]), int(words[2])))
            elif words[0] == "template":
                current["template"] = bytes.fromhex(words[1])
            elif words[0] == "ca":
                found["ca"] = bytes.fromhex(words[1])
            else:
                current["elements"].append([int(word) for word in words[1:]])
        return found

    @staticmethod
    def dates(compressed):
        bits = int.from_bytes(compressed[64:67], "big")
        begin = [bits >> 19, bits >> 15 & 15, bits >> 10 & 31, bits >> 5 & 31]
        text = "".join(f"{part:02}" for part in begin[1:]) + "0000Z"
        return (f"{begin[0]:02}{text}".encode(),
                f"{2000 + begin[0] + (bits & 31)}{text}".encode())

    def rebuild(self, definition, compressed, key, ca_key, config):
        """As firmware does it: fill the template in, sign-off with R, S."""
        def identifier(point):
            return hashlib.sha1(b"\4" + point).digest()
        begin, end = self.dates(compressed)
        serial = bytearray(hashlib.sha256(
            key + compressed[64:67]).digest()[:16])
        serial[0] = serial[0] & 0x7F | 0x40
        filled = bytearray(definition["template"])
        for (offset, count), value in zip(definition["std"], (
                key, None, begin, end, compressed[67:69].hex().upper().encode(),
                bytes(serial), identifier(ca_key), identifier(key))):
            if value is not None and count > 0:
                self.assertEqual(len(value), count)
                filled[offset:offset + count] = value
        for offset, count, at, size in definition["elements"]:
            value = config[at:at + size].hex().upper().encode()
            self.assertEqual(len(value), count)
            filled[offset:offset + count] = value
        offset, count = definition["tbs"]
        signature = utils.encode_dss_signature(
            int.from_bytes(compressed[:32], "big"),
            int.from_bytes(compressed[32:64], "big"))
        bits = b"\3" + bytes([len(signature) + 1, 0]) + signature
        at = definition["std"][1][0]
        body = bytes(filled[offset:at]) + bits
        self.assertEqual(count, at - offset - 12)
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def rebuilds(self, place, config, name):
        """What a C program holds gives what the chip holds."""
        out = place.folder / f"out-{name}"
        place.json("certs", "export", "--c-def", "--der", "-o", out)
        place.json("certs", "backup", "-o", f"slots-{name}")
        slots = (place.folder / f"slots-{name}").read_bytes()
        found = self.definitions(out)
        device = x509.load_der_x509_certificate(
            (out / "device.der").read_bytes())
        numbers = device.public_key().public_numbers()
        key = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        signer_key = slots[76:108] + slots[112:144]
        self.assertEqual(
            self.rebuild(found["signer"], slots[144:216], signer_key,
                         found["ca"], config),
            (out / "signer.der").read_bytes())
        self.assertEqual(
            self.rebuild(found["device"], slots[:72], key, signer_key,
                         config),
            (out / "device.der").read_bytes())
        self.assertEqual(found["device"]["template"][:2], b"\x30\x82")
        self.assertEqual(found["device"]["ca"], "1")
        self.assertEqual(found["signer"]["ca"], "0")

    @staticmethod
    def config_of(serial):
        return serial[:4] + bytes(4) + serial[4:]

    def test_rebuilds_the_certificates(self):
        config = self.config_of(bytes.fromhex(self.init()))
        for number in range(4):  # signatures of several lengths
            with self.subTest(number=number):
                self.kw.json("certs", "custom", "--org", "test", "--renew",
                             "--yes")
                self.rebuilds(self.kw, config, number)

    def test_rebuilds_the_vendors_certificates(self):
        for model in ("608a", "608b"):
            with self.subTest(model=model):
                place = self.another(model)
                serial = place.json("init", "--model", model)["chips"][0][
                    "serial"]
                self.rebuilds(place, self.config_of(bytes.fromhex(serial)),
                              model)

    def test_exports_nothing_over_a_file(self):
        self.init()
        self.kw.json("certs", "export", "-o", "out")
        openssl_verify(*chain_files(self.kw.folder / "out"))
        self.kw.run("certs", "export", "-o", "out", code=1)


if __name__ == "__main__":
    kw.main()
