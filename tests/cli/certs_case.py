"""What the tests of certificates share: other programs' opinions."""

import datetime
import pathlib
import re
import subprocess

import kw
from cryptography import x509

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
