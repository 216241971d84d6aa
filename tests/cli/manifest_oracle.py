"""Manifests made and verified by a second program, which shares no line with
the first: python3-cryptography and Python's json."""

import base64
import datetime
import hashlib
import json
import os
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    if "=" in text:
        raise ValueError("padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(
        minute=0, second=0, microsecond=0, tzinfo=None)


def name(organisation, common_name):
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def point(key):
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def certificate(subject, key, issuer, issuer_key, ca, begin=None, days=3650):
    """A certificate as the vendor's chain has it, near enough."""
    begin = begin or now() - HOUR
    builder = (x509.CertificateBuilder().subject_name(subject)
               .issuer_name(issuer).public_key(key)
               .serial_number(x509.random_serial_number())
               .not_valid_before(begin)
               .not_valid_after(begin + datetime.timedelta(days=days))
               .add_extension(x509.BasicConstraints(ca, None), True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key),
                              False)
               .add_extension(x509.AuthorityKeyIdentifier
                              .from_issuer_public_key(
                                  issuer_key.public_key()), False))
    return builder.sign(issuer_key, hashes.SHA256())


class Fleet:
    """A root, a signer, a log signer, and chips made up on the way."""

    def __init__(self, organisation="Test fleet"):
        self.root_key, self.signer_key, self.log_key = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        root = name(organisation, "Test Root")
        signer = name(organisation, "Test Signer FFFF")
        log = name(organisation, "Test Log Signer")
        self.signer_name = signer
        self.root = certificate(root, self.root_key.public_key(), root,
                                self.root_key, True)
        self.signer = certificate(signer, self.signer_key.public_key(), root,
                                  self.root_key, True)
        self.log = certificate(log, self.log_key.public_key(), log,
                               self.log_key, True)
        self.organisation = organisation

    def chip(self, serial=None):
        """A record, as make --from takes it."""
        serial = serial or f"0123{secrets.token_hex(6)}01"
        keys = [ec.generate_private_key(ec.SECP256R1()).public_key()
                for _ in range(8)]
        device = certificate(
            name(self.organisation, "sn" + serial.upper()), keys[0],
            self.signer_name, self.signer_key, False)
        return {
            "part": "trustflex", "model": "608b", "serial": serial,
            "keys": {str(slot): point(key).hex() for slot, key in
                     zip((0, 1, 2, 3, 4, 13, 14, 15), keys)},
            "device": base64.b64encode(der(device)).decode(),
            "signer": base64.b64encode(der(self.signer)).decode(),
        }

    def payload(self, record):
        model = "ATECC" + record["model"].upper()
        who = {"organizationName": "Microchip Technology Inc",
               "organizationalUnitName": "Secure Products Group"}
        device = x509.load_der_x509_certificate(
            base64.b64decode(record["device"]))
        keys = []
        for kid, xy in record["keys"].items():
            xy = bytes.fromhex(xy)
            key = {"kid": kid, "kty": "EC", "crv": "P-256",
                   "x": b64url(xy[:32]), "y": b64url(xy[32:])}
            if kid == "0":
                key["x5c"] = [record["device"], record["signer"]]
            keys.append(key)
        return {
            "version": 1, "model": model,
            "partNumber": model + ("-TFLXTLS" if record["part"] == "trustflex"
                                   else "-TNGTLS"),
            "manufacturer": who, "provisioner": who,
            "distributor": dict(who, organizationalUnitName="Microchip Direct"),
            "provisioningTimestamp":
                device.not_valid_before.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "uniqueId": record["serial"], "publicKeySet": {"keys": keys},
        }

    def head(self, **changes):
        ski = self.log.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier).value.digest
        head = {"typ": "JWT", "alg": "ES256", "kid": b64url(ski),
                "x5t#S256": b64url(hashlib.sha256(der(self.log)).digest())}
        head.update(changes)
        return head

    def sign(self, payload, head=None, unique_id=None, raw=None):
        """An entry; raw: the payload's bytes, whatever they are."""
        payload_text = b64url(raw if raw is not None
                              else json.dumps(payload).encode())
        head_text = b64url(json.dumps(head or self.head()).encode())
        r, s = utils.decode_dss_signature(self.log_key.sign(
            f"{head_text}.{payload_text}".encode(),
            ec.ECDSA(hashes.SHA256())))
        return {"payload": payload_text, "protected": head_text,
                "header": {"uniqueId": unique_id or payload["uniqueId"]},
                "signature": b64url(r.to_bytes(32, "big") +
                                    s.to_bytes(32, "big"))}

    def entry(self, record=None):
        return self.sign(self.payload(record or self.chip()))

    def write(self, folder):
        """The files that the command is given."""
        paths = {}
        for what in ("root", "log"):
            paths[what] = folder / f"{what}.crt"
            paths[what].write_bytes(pem(getattr(self, what)))
        paths["key"] = folder / "log.key"
        paths["key"].write_bytes(self.log_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        os.chmod(paths["key"], 0o600)
        return paths


def verify_entry(entry, log, root=None):
    """Raises unless everything about the entry is right. Returns its
    payload."""
    assert set(entry) == {"payload", "protected", "header", "signature"}
    head = json.loads(unb64url(entry["protected"]))
    ski = log.extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier).value.digest
    assert list(head) == ["typ", "alg", "kid", "x5t#S256"], list(head)
    assert head["typ"] == "JWT" and head["alg"] == "ES256"
    assert unb64url(head["kid"]) == ski
    assert unb64url(head["x5t#S256"]) == hashlib.sha256(der(log)).digest()
    signature = unb64url(entry["signature"])
    assert len(signature) == 64
    log.public_key().verify(
        utils.encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                   int.from_bytes(signature[32:], "big")),
        f"{entry['protected']}.{entry['payload']}".encode(),
        ec.ECDSA(hashes.SHA256()))
    payload = json.loads(unb64url(entry["payload"]))
    assert payload["uniqueId"] == entry["header"]["uniqueId"]
    verify_chain(payload, root)
    return payload


def issued(below, above):
    above.public_key().verify(below.signature, below.tbs_certificate_bytes,
                              ec.ECDSA(hashes.SHA256()))
    assert below.issuer == above.subject


def verify_chain(payload, root):
    key = payload["publicKeySet"]["keys"][0]
    device, signer = (x509.load_der_x509_certificate(base64.b64decode(text))
                      for text in key["x5c"])
    issued(device, signer)
    if root is not None:
        issued(signer, root)
    assert point(device.public_key()) == \
        unb64url(key["x"]) + unb64url(key["y"])
    assert payload["provisioningTimestamp"] == \
        device.not_valid_before.strftime("%Y-%m-%dT%H:%M:%S.000Z")
