"""`keywright certs`: compress and expand, without a chip."""

import json
import pathlib
import re
import subprocess
import unittest

import kw
from cryptography import x509
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

    def test_no_certificate(self):
        path = self.kw.folder / "none.pem"
        path.write_text("nothing\n")
        self.fails(3, "no certificate", "certs", "compress", path)
        self.fails(6, "none.der", "certs", "compress", "none.der")


if __name__ == "__main__":
    kw.main()
