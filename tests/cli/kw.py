"""The harness of the command-line tests.

Each test starts in a folder of its own, which is the current folder of the
command and holds the workspace `keywright.d`. `self.kw` runs the command:

    class Test(kw.Case):
        def test_it(self):
            self.kw.run("init")
            info = self.kw.json("chip", "info")

The environment names the binary (KEYWRIGHT) and may name the folder of the
schemas (KEYWRIGHT_SCHEMAS).
"""

import base64
import collections
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import jsonschema
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = pathlib.Path(
    os.environ.get("KEYWRIGHT_SCHEMAS", ROOT / "data" / "schemas"))
TIMEOUT = 120  # seconds for one command, sanitizers included

Result = collections.namedtuple("Result", "code out err")


def validate(document):
    """Raises unless the document fits the schema that it names."""
    name, version = re.fullmatch(
        r"keywright/([a-z-]+)/(\d+)", document["schema"]).groups()
    with open(SCHEMAS / (name + ".json"), encoding="utf-8") as file:
        schema = json.load(file)
    if schema["$id"] != f"keywright/{name}/{version}":
        raise AssertionError(f"{name}.json is {schema['$id']}")
    jsonschema.Draft202012Validator(schema).validate(document)


def once(pairs):
    """An object whose members are all different."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise AssertionError(f"a member is there twice: {pairs}")
    return members


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Keywright:
    """The command, in a folder and a workspace of its own."""

    def __init__(self, folder):
        self.binary = os.environ["KEYWRIGHT"]
        self.folder = pathlib.Path(folder)
        self.workspace = self.folder / "keywright.d"
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith("KEYWRIGHT")}
        self.outputs = []

    def start(self, *arguments, **options):
        """Starts the command and returns its Popen."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.Popen(
            [self.binary, *map(str, arguments)], cwd=self.folder,
            env=self.environment, stderr=subprocess.PIPE, **options)

    def start_unread(self, *arguments):
        """Starts the command with a stdout that nobody reads any more."""
        reader, writer = os.pipe()
        os.close(reader)
        try:
            return self.start(*arguments, stdout=writer)
        finally:
            os.close(writer)

    def run(self, *arguments, code=0, input=None):
        """Runs the command to its end. `code` is the exit code that must
        come, or None for any."""
        process = self.start(
            *arguments,
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE)
        try:
            out, err = process.communicate(
                None if input is None else input.encode(), TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(
                f"{arguments} hangs\n{out.decode()}\n{err.decode()}") from None
        result = Result(process.returncode, out.decode(), err.decode())
        self.outputs.append(result.out + result.err)
        if code is not None and result.code != code:
            raise AssertionError(
                f"{' '.join(map(str, arguments))}\nexit code {result.code}, "
                f"not {code}\n--- stdout\n{result.out}\n--- stderr\n"
                f"{result.err}")
        return result

    def json(self, *arguments, code=0, schema=None, input=None):
        """Runs the command with --json and returns its document, which
        holds to its schema and has stdout for itself. Where the command
        fails the document is an error, unless `schema` names another."""
        result = self.run(*arguments, "--json", code=code, input=input)
        document = json.loads(result.out, object_pairs_hook=once)
        if not result.out.endswith("\n"):
            raise AssertionError("the document ends without a newline")
        validate(document)
        name = document["schema"].split("/")[1]
        if schema is None and code != 0:
            schema = "error"
        if schema is not None and name != schema:
            raise AssertionError(f"the document is {name}, not {schema}")
        if name == "error" and document["exit"] != result.code:
            raise AssertionError(
                f"exit {document['exit']} in the document, {result.code}")
        return document

    def trace(self, *arguments, code=0):
        """What --trace says of a command."""
        return self.run(*arguments, "--trace", code=code).err

    def at(self, *parts):
        """A path in the workspace."""
        return self.workspace.joinpath(*parts)

    def path(self, name):
        """A file that a document names: absolute, or below the current
        folder, or below the workspace."""
        for base in (self.folder, self.workspace):
            if (base / name).exists():
                return base / name
        raise AssertionError(f"there is no file {name}")

    def generations(self, serial):
        """The folders of a chip's generations, oldest first."""
        return sorted(self.at("keys", serial.upper()).glob("prototype-*"))

    def newest(self, serial, name):
        """The newest key file of that name."""
        return max(self.at("keys", serial.upper()).glob(f"prototype-*/{name}"))

    def files(self):
        """Every file of the workspace with its bytes."""
        return {path: path.read_bytes() for path in self.workspace.rglob("*")
                if path.is_file()}

    def own_secrets(self):
        """The secret bytes in the workspace's key files."""
        found = {}
        for path in self.at("keys").rglob("*.pem"):
            text = path.read_bytes()
            if b"SYMMETRIC KEY" in text:
                found[path] = symmetric_key(text)
            elif b"PRIVATE KEY" in text:
                number = load_pem_private_key(
                    text, None).private_numbers().private_value
                found[path] = number.to_bytes(32, "big")
        return found

    def secrets(self):
        """Raises when an output so far, or a file that is no key file,
        shows a secret of the workspace: as bytes, in hex or in base64."""
        texts = [("an output", text.encode()) for text in self.outputs]
        texts += [(str(path), data) for path, data in self.files().items()
                  if not {"keys", "chips"} & set(
                      path.relative_to(self.workspace).parts)]
        known = self.own_secrets()
        for where, data in texts:
            forms = forms_of(data)
            for path, secret in known.items():
                if forms_show(forms, secret):
                    raise AssertionError(f"{where} shows {path}")


def symmetric_key(pem):
    """The key in a SYMMETRIC KEY file."""
    lines = pem.decode().splitlines()
    return base64.b64decode("".join(lines[1:-1]))[17:]


def shows(data, secret):
    """True when data holds 12 bytes of the secret in a row, in any of the
    forms in which bytes are written."""
    return forms_show(forms_of(data), secret)


def forms_of(data):
    """The data as it is, and what of it can be hex and base64."""
    hexadecimal = re.sub(rb"0x|[^0-9a-f]", b"", data.lower())
    base = re.sub(rb"[^A-Za-z0-9+/]", b"",
                  data.translate(bytes.maketrans(b"-_", b"+/")))
    return data, hexadecimal, base


def forms_show(forms, secret):
    """The same as shows, for many secrets in the same data."""
    data, hexadecimal, base = forms
    for start in range(0, len(secret) - 11, 4):
        part = secret[start:start + 12]
        if part in data or part.hex().encode() in hexadecimal:
            return True
        # In base64 the text depends on the position modulo 3; the ends of
        # each form depend on the neighbours and are cut off.
        for shift in range(3):
            text = base64.b64encode(bytes(shift) + part)
            if text[-(-shift * 4 // 3):(shift + 12) * 4 // 3 - 1] in base:
                return True
    return False


class Case(unittest.TestCase):
    """A test with a command in a folder of its own."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="keywright-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.kw = Keywright(folder)

    def another(self, name):
        """A second folder with a command, in the same test."""
        folder = self.kw.folder / name
        folder.mkdir()
        return Keywright(folder)

    def init(self, *options):
        """Makes the workspace; returns the serial of sim:trustflex."""
        document = self.kw.json("init", *options)
        return next(chip["serial"] for chip in document["chips"]
                    if chip["name"] == "trustflex")

    def fails(self, code, words, *arguments, **options):
        """The command fails with that code, and its message or hint has
        the words (a regular expression). Returns the document."""
        document = self.kw.json(*arguments, code=code, **options)
        text = document["message"] + "\n" + document.get("hint", "")
        self.assertRegex(text.lower(), words.lower())
        return document


def public_key(private_pem):
    """X and Y of a private key file, 64 bytes."""
    key = load_pem_private_key(pathlib.Path(private_pem).read_bytes(), None)
    if not isinstance(key.curve, ec.SECP256R1):
        raise AssertionError(f"{private_pem} is not on P-256")
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def main():
    if "KEYWRIGHT" not in os.environ:
        sys.exit("KEYWRIGHT must name the binary; ctest sets it")
    unittest.main(verbosity=2)
