#!/usr/bin/env python3
"""Usage: make_stores.py FOLDER

Writes NAME-before.bin and NAME-after.bin for each job of powercut_winc: the
root store and the TLS store of a module with many entries, 12288 bytes from
0x4000 on, made by the second encoder.
"""

import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import golden  # noqa: E402  (its folder is known only now)

NOW = datetime.datetime(2026, 1, 1)
ERASED = b"\xff" * (golden.ROOT_SIZE + golden.TLS_SIZE)


def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def certificate(subject, key, issuer=None, issuer_key=None, days=3650):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    above = name if issuer is None else issuer.subject
    return (x509.CertificateBuilder().subject_name(name).issuer_name(above)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + datetime.timedelta(days))
            .sign(issuer_key or key, hashes.SHA256()))


def chain(key, ca, ca_key):
    """A module's own RSA chain: its files."""
    leaf = certificate("module.example", key, ca, ca_key)
    return golden.chain_files([leaf, ca], key)


def stores(roots, files):
    return golden.root_store(roots) + golden.tls_store(files)


def make():
    small = [certificate(f"Small {i}", ec.generate_private_key(
        ec.SECP256R1())) for i in range(8)]
    keys = [rsa_key() for _ in range(8)]
    large = [certificate(f"Root {i}", key) for i, key in enumerate(keys)]
    roots = large[:4] + small + large[4:]
    other = certificate("Root 1", rsa_key(3072))
    renewed = certificate("Root 6", keys[6], days=9000)
    ca_key = rsa_key()
    ca = certificate("Issuer", ca_key)
    old, new = chain(keys[0], ca, ca_key), chain(keys[1], ca, ca_key)
    ecc = golden.chain_files([certificate(
        "module.example", ec.generate_private_key(ec.SECP256R1()), ca,
        ca_key), ca])
    both = old + ecc
    now = stores(roots, both)
    return {
        "add": (stores(roots[:-1], both), now),
        "replace": (now, stores([other if root is large[1] else root
                                 for root in roots], both)),
        "renew": (now, stores([renewed if root is large[6] else root
                               for root in roots], both + new)),
        "remove": (now, stores(roots[:2] + roots[3:], both)),
        "chain": (stores(roots, ecc), now),
        "erase": (now, ERASED),
    }


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (before, after) in make().items():
        for when, image in (("before", before), ("after", after)):
            if len(image) != len(ERASED):
                sys.exit(f"{name}: {len(image)} bytes")
            (folder / f"{name}-{when}.bin").write_bytes(image)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
