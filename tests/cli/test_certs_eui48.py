"""A part with an EUI-48 in its names: a chip personalised and certified by
this program alone, from the facts; `certs` must find the chain in it."""

import datetime
import hashlib

import kw
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding

CODE = b"KQp2ZkD8"  # the OTP code of such a part
EUI48 = "0004A3123ABC"
CURVE = ec.SECP256R1()
USAGE = dict(digital_signature=False, content_commitment=False,
             key_encipherment=False, data_encipherment=False,
             key_agreement=False, key_cert_sign=False, crl_sign=False,
             encipher_only=False, decipher_only=False)


def point_of(key):
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def name(common):
    return x509.Name([
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def dates_of(begin, years):
    return (begin.year % 100 << 19 | begin.month << 15 | begin.day << 10 |
            begin.hour << 5 | years).to_bytes(3, "big")


def serial_of(key, dates):
    digest = bytearray(hashlib.sha256(point_of(key) + dates).digest()[:16])
    digest[0] = digest[0] & 0x7F | 0x40
    return int.from_bytes(digest, "big")


class Eui48(kw.Case):
    CHIP = ("--chip", "sim:blank", "--yes")
    BEGIN = datetime.datetime(2026, 7, 1, 6)

    def chip(self, *words):
        return self.kw.json(*self.CHIP, "chip", *words)

    def write(self, zone, data):
        self.chip("write", zone, "--hex", data.hex())

    def personalise(self):
        """A configuration as TrustFLEX has it, but slot 5 open."""
        self.kw.json("init")
        config = bytearray.fromhex(self.kw.json("chip", "read",
                                                "config")["data"])
        config[30:32] = b"\x0f\x0f"
        config[106:108] = b"\x3c\0"
        self.chip("write", "config", "--hex", config.hex(), "--despite-lint")
        self.chip("lock", "config", "--despite-lint")
        info = self.chip("info")
        self.key = ec.EllipticCurvePublicKey.from_encoded_point(
            CURVE, b"\4" + bytes.fromhex(
                self.chip("genkey", "0")["public_key"]))
        return info["serial"].upper()

    def issue(self, subject, issuer, key, signing, years, extensions):
        dates = dates_of(self.BEGIN, years)
        builder = x509.CertificateBuilder(
            name(issuer), name(subject), key, serial_of(key, dates),
            self.BEGIN, self.BEGIN.replace(year=self.BEGIN.year + years))
        ids = [(x509.SubjectKeyIdentifier.from_public_key(key), False),
               (x509.AuthorityKeyIdentifier.from_issuer_public_key(
                   signing.public_key()), False)]
        for extension, critical in extensions + ids:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signing, hashes.SHA256())

    @staticmethod
    def compress(certificate, template, years):
        r, s = utils.decode_dss_signature(certificate.signature)
        return (r.to_bytes(32, "big") + s.to_bytes(32, "big") +
                dates_of(Eui48.BEGIN, years) + b"\xff\xff" +
                bytes([template << 4, 0xA0, 0]))

    def certify(self, serial, eui48):
        """Root, signer and device; what the chip is to hold of them."""
        keys = [ec.generate_private_key(CURVE) for _ in range(2)]
        root = self.issue(
            "EUI Root CA 002", "EUI Root CA 002", keys[0].public_key(),
            keys[0], 40, [(x509.BasicConstraints(True, None), True)])
        signer = self.issue(
            "EUI Signer FFFF", "EUI Root CA 002", keys[1].public_key(),
            keys[0], 31,
            [(x509.KeyUsage(**{**USAGE, "digital_signature": True,
                               "key_cert_sign": True, "crl_sign": True}),
              True), (x509.BasicConstraints(True, 0), True)])
        other_name = x509.SubjectAlternativeName([x509.DirectoryName(
            x509.Name([x509.NameAttribute(x509.NameOID.SERIAL_NUMBER,
                                          f"eui48_{eui48}")]))])
        device = self.issue(
            f"sn{serial}", "EUI Signer FFFF", self.key, keys[1], 28,
            [(other_name, False), (x509.BasicConstraints(False, None), True),
             (x509.KeyUsage(**{**USAGE, "digital_signature": True,
                               "key_agreement": True}), True)])
        point = point_of(keys[1].public_key())
        return (root, signer, device), {
            10: self.compress(device, 3, 28),
            11: bytes(4) + point[:32] + bytes(4) + point[32:],
            12: self.compress(signer, 1, 31)}

    def prepare(self, eui48):
        chain, slots = self.certify(self.personalise(), eui48)
        self.write("otp", CODE + bytes(56))
        self.write(5, EUI48.encode() + bytes(24))
        for slot, data in slots.items():
            self.write(slot, data)
        self.chip("lock", "data")
        (self.kw.folder / "root.pem").write_bytes(
            chain[0].public_bytes(Encoding.PEM))
        return chain

    def test_a_chip_with_an_eui48(self):
        chain = self.prepare(EUI48)
        document = self.kw.json(*self.CHIP, "certs", "verify", "--root",
                                "root.pem")
        self.assertEqual(document["chain"], "root-file")
        self.assertEqual(
            [x509.load_pem_x509_certificate(each["pem"].encode())
             for each in document["certificates"]], list(chain))
        self.kw.json(*self.CHIP, "certs", "export", "--der", "--root",
                     "root.pem", "-o", "out")
        self.assertEqual((self.kw.folder / "out/device.der").read_bytes(),
                         chain[2].public_bytes(Encoding.DER))
        self.kw.json(*self.CHIP, "lab", "asymmetric", "--root", "root.pem")
        # An own chain has none, and the vendor's comes back.
        self.kw.json(*self.CHIP, "certs", "custom", "--org", "test")
        self.kw.json(*self.CHIP, "certs", "verify")
        self.kw.json(*self.CHIP, "certs", "restore")
        self.kw.json(*self.CHIP, "certs", "verify", "--root", "root.pem")

    def test_another_eui48_than_the_certificates(self):
        self.prepare("0004A3123ABD")
        self.kw.json(*self.CHIP, "certs", "verify", "--root", "root.pem",
                     code=1)


if __name__ == "__main__":
    kw.main()
