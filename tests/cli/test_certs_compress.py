"""`keywright certs compress`, `expand`: certificates to 72 bytes and back."""

import datetime
import hashlib
import json

import kw
from certs_case import KNOWN, VECTORS, certificate, openssl
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)


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
        self.fails(2, "serial number(.|\n)*with --device", "certs", "expand",
                   KNOWN["device"],
                   "--definition", "device.json", "--public-key",
                   self.key_file("device"), "--issuer",
                   VECTORS / "manual_signer.pem")
        self.fails(2, "issuer(.|\n)*with --issuer", "certs", "expand",
                   KNOWN["device"],
                   "--definition", "device.json", "--public-key",
                   self.key_file("device"), "--device", "01233e8a1491f2a601")
        self.fails(2, "--definition", "certs", "expand", KNOWN["device"])

    def test_a_file_that_is_no_compressed_certificate(self):
        self.compress("device")
        for size in (0, 71, 73, 1360, 70000):
            with self.subTest(size=size):
                (self.kw.folder / "wrong.bin").write_bytes(bytes(size))
                self.assertRegex(
                    self.expand("device", "wrong.bin", code=3)["message"],
                    "neither 72 bytes nor 144 hex digits")

    def test_both_outputs_are_free_before_one_is_made(self):
        (self.kw.folder / "there").write_text("mine")
        for options in (("--write-definition", "there", "-o", "new"),
                        ("--write-definition", "new", "-o", "there")):
            with self.subTest(options=options):
                result = self.kw.run("certs", "compress",
                                     VECTORS / "manual_device.pem", *options,
                                     code=1)
                self.assertRegex(result.err, "there is there already")
                self.assertEqual(result.out, "")
                self.assertFalse((self.kw.folder / "new").exists())
        self.assertEqual((self.kw.folder / "there").read_text(), "mine")

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


if __name__ == "__main__":
    kw.main()
