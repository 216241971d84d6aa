"""A second encoder of the module's stores, written from their published
layouts; never called by the C code, nor made from it.

It uses python3-cryptography for X.509 alone; the hash of a name and every
byte of the stores are made here.
"""

import hashlib
import struct

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

ROOT_SIZE, TLS_AT, TLS_SIZE = 4096, 0x5000, 8192
V0 = bytes.fromhex("01f102f203f304f405f506f607f708f8")
V1 = bytes.fromhex("11f112f213f314f415f516f617f718f8")
MAGIC = bytes.fromhex("abfe185b70c34692")


def element(data, at):
    """Content's start and end of the DER element at an offset."""
    size, start = data[at + 1], at + 2
    if size >= 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start:start + count], "big")
        start += count
    return start, start + size


def children(data, at):
    start, end = element(data, at)
    while start < end:
        yield start
        start = element(data, start)[1]


def name_hash(name):
    der = name.public_bytes()
    sha = hashlib.sha1()
    for part in children(der, 0):
        for pair in children(der, part):
            start, end = element(der, list(children(der, pair))[1])
            sha.update(der[start:start + ((end - start) & 0xFF)])
    return sha.digest()


def up(size):
    return (size + 3) // 4 * 4


def number(value):
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def date(moment):
    return struct.pack("<HBBBBBB", moment.year, moment.month, moment.day,
                       moment.hour, moment.minute, moment.second, 0)


def text_date(moment):
    form = "%y%m%d%H%M%SZ" if 1950 <= moment.year < 2050 else "%Y%m%d%H%M%SZ"
    return moment.strftime(form).encode().ljust(20, b"\0")


def root_entry(cert, version):
    key = cert.public_key()
    head = name_hash(cert.subject)
    first, last = cert.not_valid_before, cert.not_valid_after
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        n, e = number(numbers.n), number(numbers.e)
        kind, sizes = 1, struct.pack("<HH", len(n), len(e))
        body = (n + e).ljust(up(len(n)) + up(len(e)), b"\xff")
    else:
        numbers = key.public_numbers()
        kind, sizes = 2, struct.pack("<HH", 23, 32)
        body = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    if version == 0:
        return head + sizes + text_date(first) + text_date(last) + body
    return head + date(first) + date(last) + struct.pack("<I", kind) + \
        sizes + body


def root_store(certs, version=1):
    entries = b"".join(root_entry(cert, version) for cert in certs)
    return ((V1 if version else V0) + struct.pack("<I", len(certs)) +
            entries).ljust(ROOT_SIZE, b"\xff")


def private_key(key, address):
    """The module's form of an RSA key, at this flash address."""
    numbers = key.private_numbers()
    public = numbers.public_numbers
    parts = [number(value) for value in (
        public.n, public.e, numbers.d, numbers.p, numbers.q, numbers.dmp1,
        numbers.dmq1, numbers.iqmp)]
    sizes = struct.pack("<8H", *map(len, parts)) + bytes(4)
    pointers, at = b"", address + 52
    for part in parts:
        pointers += struct.pack("<I", at)
        at += up(len(part))
    return sizes + pointers + b"".join(
        part.ljust(up(len(part)), b"\0") for part in parts)


def serial(cert):
    der = cert.public_bytes(Encoding.DER)
    fields = list(children(der, element(der, 0)[0]))
    at = fields[1] if der[fields[0]] == 0xA0 else fields[0]
    start, end = element(der, at)
    return der[start:end].hex()


def chain_files(certs, key=None):
    """(name, content or key) in the order in which they are written."""
    files = [("CERT_" + serial(cert), cert.public_bytes(Encoding.DER))
             for cert in certs]
    names = [name for name, _ in files]
    if key is not None:
        files.append(("PRIV_" + serial(certs[0]), key))
        names.insert(0, files[-1][0])
    files.append(("RSA.lst" if key is not None else "ECDSA.lst",
                  b"".join(name.encode().ljust(48, b"\0") for name in names)))
    return files


def tls_store(files, header=468):
    """Files whose name comes again replace their content in place."""
    merged = {}
    for name, content in files:
        merged[name] = content
    at, rows, body = TLS_AT + header, b"", b""
    for name, content in merged.items():
        if not isinstance(content, bytes):
            content = private_key(content, at)
        rows += name.encode().ljust(48, b"\0") + struct.pack(
            "<II", len(content), at)
        body += content.ljust(up(len(content)), b"\xff")
        at += up(len(content))
    head = MAGIC + struct.pack("<II", len(merged), at) + rows
    return (head.ljust(header, b"\xff") + body).ljust(TLS_SIZE, b"\xff")
