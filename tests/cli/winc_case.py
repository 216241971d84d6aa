"""What the tests of the module's stores share: certificates, servers, and
the second encoder (tests/winc/golden.py)."""

import datetime
import json
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat)
from cryptography.x509.oid import NameOID

import kw

sys.path.insert(0, str(kw.ROOT / "tests" / "winc"))
import golden  # noqa: E402  (its folder is known only now)

ROOT_AT, TLS_AT = 0x4000, 0x5000
NOW = datetime.datetime.utcnow().replace(microsecond=0)


def name(*parts):
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME}
    return x509.Name([x509.NameAttribute(oids[part.split("=")[0]],
                                         part.split("=", 1)[1])
                      for part in parts])


class Pool:
    """RSA keys cost seconds: each test takes them from the start, all of
    them different."""

    keys = {}
    taken = {}

    @classmethod
    def take(cls, bits):
        keys = cls.keys.setdefault(bits, [])
        at = cls.taken[bits] = cls.taken.get(bits, -1) + 1
        if at == len(keys):
            keys.append(rsa.generate_private_key(65537, bits))
        return keys[at]


def rsa_key(bits=2048):
    return Pool.take(bits)


def ec_key(curve=None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def rsa_public(bits=2048):
    """An RSA public key that nobody has the other half of: made at once."""
    modulus = 1 << (bits - 1) | secrets.randbits(bits - 1) | 1
    return rsa.RSAPublicNumbers(65537, modulus).public_key()


def certificate(subject, key, issuer=None, issuer_key=None, serial=None,
                first=-1, days=365, ca=True, host=None, bulk=0):
    """Self-signed unless an issuer is named, or there is no private key;
    bulk bytes larger."""
    builder = (x509.CertificateBuilder()
               .subject_name(subject).issuer_name(issuer or subject)
               .public_key(key.public_key() if hasattr(key, "public_key")
                           else key)
               .serial_number(serial or x509.random_serial_number())
               .not_valid_before(NOW + datetime.timedelta(days=first))
               .not_valid_after(NOW + datetime.timedelta(days=days))
               .add_extension(x509.BasicConstraints(ca, None), True))
    if host is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), False)
    if bulk:
        builder = builder.add_extension(x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), bytes(bulk)), False)
    signer = issuer_key or (key if hasattr(key, "private_bytes") else ec_key())
    edwards = isinstance(signer, ed25519.Ed25519PrivateKey)
    return builder.sign(signer, None if edwards else hashes.SHA256())


def der(cert):
    return cert.public_bytes(Encoding.DER)


def pem(cert):
    return cert.public_bytes(Encoding.PEM)


def key_pem(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def key_der(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.DER, form, NoEncryption())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Case(kw.Case):
    """A workspace with an erased module."""

    def setUp(self):
        super().setUp()
        Pool.taken.clear()
        self.init()
        self.about = self.kw.json("winc", "new")

    def write(self, file_name, data):
        path = self.kw.folder / file_name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def flash(self):
        """The bytes of the whole flash."""
        path = self.kw.folder / f"dump-{time.monotonic_ns()}"
        document = self.kw.json("winc", "dump", path)
        data = path.read_bytes()
        self.assertEqual(document["size"], len(data))
        return data

    def images(self):
        """The files that hold the flash, for a quick comparison."""
        return {path.name: path.read_bytes()
                for path in self.kw.at("winc", "winc").glob("block-*")}

    def fault(self, module="winc", **members):
        """Adds faults to a module's flash, or takes them away (None)."""
        path = self.kw.at("winc", module, "module.json")
        about = json.loads(path.read_text())
        about.update(members)
        path.write_text(json.dumps({key: value for key, value in about.items()
                                    if value is not None}))

    def roots(self):
        return self.flash()[ROOT_AT:ROOT_AT + golden.ROOT_SIZE]

    def tls(self):
        return self.flash()[TLS_AT:TLS_AT + golden.TLS_SIZE]

    def unchanged(self, code, words, *arguments):
        """The command is refused with these words, and the flash is as it
        was."""
        before = self.flash()
        document = self.fails(code, words, *arguments)
        self.assertEqual(self.flash(), before)
        self.assertEqual(list(self.kw.at("journal").glob("winc-*")), [])
        return document

    def serve(self, *options, folder=None):
        """openssl s_server on a free port, until the test ends."""
        port = free_port()
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", str(port), *map(str, options)],
            cwd=folder or self.kw.folder, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port
            except OSError:
                time.sleep(0.02)
        raise AssertionError("openssl s_server does not listen")

    def answer(self, certificate_file, key_file, respond, abrupt=False):
        """A server that answers each request with respond(path), raw bytes,
        and closes the connection; abrupt: without TLS's own farewell."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate_file, key_file)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def loop():
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(raw, server_side=True) as link:
                        request = b""
                        while b"\r\n\r\n" not in request:
                            part = link.recv(4096)
                            if not part:
                                break
                            request += part
                        words = request.split(b" ")
                        if len(words) > 1:
                            link.sendall(respond(words[1].decode()))
                            if not abrupt:
                                link.unwrap()
                except (OSError, ssl.SSLError):
                    pass

        threading.Thread(target=loop, daemon=True).start()
        return listener.getsockname()[1]
