"""keywright resources make: prototype keys in the vendor's order and in the
vendor's files."""

import base64
import hashlib
import json
import re
import shutil
import subprocess

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, encode_dss_signature)

import kw

ORDER = [0, 1, 2, 3, 4, 6, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15]
SECRETS = {5: 32, 6: 32, 9: 64}
PAIRS = (13, 14, 15)

# The lines that the vendor's notebook prints for each slot.
LINES = {
    **{slot: f"Slot {slot} is a private key slot, no action required"
       for slot in range(5)},
    **{slot: f"Slot {slot} is a secret key, created "
       f"slot_{slot}_secret_key.pem and programmed" for slot in SECRETS},
    7: "Slot 7 is a secureboot digest slot, slot can only be written "
       "through secureboot command",
    8: "Slot 8 is a general purpose slot of size 416 bytes, no action "
       "required",
    **{slot: f"Slot {slot} is a certificate slot, no action required now, "
       "will be updated as part of Generate Certificates"
       for slot in (10, 11, 12)},
    **{slot: f"Slot {slot} is a public key slot, created "
       f"slot_{slot}_ecc_key_pair.pem and programmed" for slot in PAIRS},
}

HEADER = [("validated_nonce", 32), ("validated_signature", 64),
          ("invalidated_nonce", 32), ("invalidated_signature", 64),
          ("rotating_digest", 32), ("rotating_signature", 64),
          ("public_key", 64)]

# SlotConfig[14] and KeyConfig[14] of a TrustFLEX part.
SLOT_CONFIG_14 = bytes.fromhex("0d1f")
KEY_CONFIG_14 = bytes.fromhex("1200")


def c_array(name, data):
    """An array in the vendor's layout."""
    rows = "\n".join(
        "".join(f"0x{byte:02X}, " for byte in data[start:start + 16])
        for start in range(0, len(data), 16))
    return f"uint8_t {name}[] = {{\n{rows}\n}};"


def read_arrays(text):
    """The arrays of a header: [(name, bytes)]."""
    found = re.findall(r"(\w+)\[(\d*)\]\s*=\s*\{(.*?)\}", text, re.S)
    arrays = []
    for name, size, body in found:
        data = bytes(int(word, 16)
                     for word in re.findall(r"0x([0-9A-Fa-f]{2})", body))
        if size and int(size) != len(data):
            raise AssertionError(f"{name}[{size}] holds {len(data)} bytes")
        arrays.append((name, data))
    return arrays


def symmetric_pem(secret):
    size = len(secret)
    key = (bytes.fromhex("300906072A8648CE4C0301")
           + bytes([3, size + 2, 0, 4]) + secret)
    text = base64.b64encode(bytes([0x30, len(key)]) + key).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN SYMMETRIC KEY-----", *lines,
                      "-----END SYMMETRIC KEY-----"]).encode()


def public(point):
    return ec.EllipticCurvePublicNumbers(
        int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"),
        ec.SECP256R1()).public_key()


def verify(point, signature, digest):
    public(point).verify(
        encode_dss_signature(int.from_bytes(signature[:32], "big"),
                             int.from_bytes(signature[32:], "big")),
        digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def message(point, nonce, serial, invalidate):
    """The 55 bytes that an authority signs (docs/formats.md)."""
    digest = hashlib.sha256(
        nonce + b"\x40" + bytes(3) + serial[8:9] + serial[:2] + bytes(25)
        + point).digest()
    text = (digest + b"\x41\x00\x0d\x00" + SLOT_CONFIG_14 + KEY_CONFIG_14
            + b"\x5e\x00\x00" + serial[8:9] + bytes(4) + serial[:2]
            + bytes(2) + b"\x01" + (b"\x01" if invalidate else b"\x00")
            + b"\x00")
    assert len(text) == 55
    return hashlib.sha256(text).digest()


class Make(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def make(self, *options):
        document = self.kw.json("resources", "make", "--yes", *options)
        return document, self.kw.path(document["folder"])

    def kept(self):
        return {path: data for path, data in self.kw.files().items()
                if "run" not in path.parts}

    def test_document(self):
        document, folder = self.make()
        self.assertEqual(document["serial"], self.serial)
        self.assertEqual(document["generation"], 1)
        self.assertTrue(folder.samefile(
            self.kw.at("keys", self.serial.upper(), "prototype-0001")))
        self.assertEqual(sorted(document["files"]),
                         sorted(path.name for path in folder.iterdir()))

    def test_order_and_lines(self):
        document, _ = self.make()
        self.assertEqual([slot["slot"] for slot in document["slots"]], ORDER)
        for slot in document["slots"]:
            self.assertEqual(slot["line"], LINES[slot["slot"]])

    def test_text(self):
        out = self.kw.run("resources", "make").out
        at = -1
        for slot in ORDER:
            there = out.find(LINES[slot])
            self.assertGreater(there, at, LINES[slot])
            at = there
        note = out.find("NOTE:")
        self.assertTrue(out.find(LINES[6]) < note < out.find(LINES[5]))
        self.assertRegex(out, r"(?i)prototype")

    def test_files_and_modes(self):
        _, folder = self.make()
        wanted = {"public_key_rotation.h", "programmed"}
        for slot in SECRETS:
            wanted |= {f"slot_{slot}_secret_key.pem",
                       f"slot_{slot}_secret_key.h"}
        wanted |= {f"slot_{slot}_ecc_key_pair.pem" for slot in PAIRS}
        self.assertEqual({path.name for path in folder.iterdir()}, wanted)
        self.assertEqual(kw.mode(folder), 0o700)
        self.assertEqual(kw.mode(folder.parent), 0o700)
        for path in folder.iterdir():
            self.assertEqual(kw.mode(path), 0o600, path)

    def test_secret_key_files(self):
        _, folder = self.make()
        known = set()
        for slot, size in SECRETS.items():
            pem = (folder / f"slot_{slot}_secret_key.pem").read_bytes()
            secret = kw.symmetric_key(pem)
            self.assertEqual(len(secret), size)
            self.assertEqual(pem, symmetric_pem(secret))
            self.assertEqual(
                (folder / f"slot_{slot}_secret_key.h").read_text(),
                c_array(f"slot_{slot}_secret_key", secret))
            self.assertGreater(len(set(secret)), size // 4)
            known.add(secret)
        self.assertEqual(len(known), 3)

    def test_secret_key_file_of_the_vendor(self):
        """The same bytes as the vendor's helper makes for 00..1F."""
        self.assertIn(
            b"MC8wCQYHKoZIzkwDAQMiAAQAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRob"
            b"HB0e\nHw==", symmetric_pem(bytes(range(32))))

    def test_key_pairs(self):
        _, folder = self.make()
        points = set()
        for slot in PAIRS:
            path = folder / f"slot_{slot}_ecc_key_pair.pem"
            self.assertTrue(path.read_bytes().startswith(
                b"-----BEGIN PRIVATE KEY-----\n"))
            subprocess.run(["openssl", "pkey", "-in", path, "-check",
                            "-noout"], check=True, capture_output=True)
            points.add(kw.public_key(path))
        self.assertEqual(len(points), 3)

    def test_the_chip_holds_the_public_keys(self):
        _, folder = self.make()
        slots = self.kw.json("chip", "slots")["slots"]
        for slot in PAIRS:
            point = kw.public_key(folder / f"slot_{slot}_ecc_key_pair.pem")
            self.assertEqual(slots[slot]["fingerprint"],
                             hashlib.sha256(point).hexdigest())

    def test_the_chip_holds_what_it_can_show(self):
        """The image is a file: the clear slots are found in it."""
        _, folder = self.make()
        image = self.kw.at("chips", "trustflex.chip").read_bytes()
        for slot in SECRETS:
            self.assertIn(kw.symmetric_key(
                (folder / f"slot_{slot}_secret_key.pem").read_bytes()), image)
        for slot in (13, 15):
            point = kw.public_key(folder / f"slot_{slot}_ecc_key_pair.pem")
            self.assertIn(bytes(4) + point[:32] + bytes(4) + point[32:],
                          image)
        point = kw.public_key(folder / "slot_14_ecc_key_pair.pem")
        self.assertIn(b"\xa0" + bytes(3) + point[:32] + bytes(4) + point[32:],
                      image)

    def test_header(self):
        _, folder = self.make()
        text = (folder / "public_key_rotation.h").read_text()
        arrays = read_arrays(text)
        self.assertEqual([(name, len(data)) for name, data in arrays], HEADER)
        for name, data in arrays:
            self.assertIn(c_array(name, data).split("= ")[1], text)
        arrays = dict(arrays)
        authority = kw.public_key(folder / "slot_13_ecc_key_pair.pem")
        point = kw.public_key(folder / "slot_14_ecc_key_pair.pem")
        serial = bytes.fromhex(self.serial)
        self.assertEqual(arrays["public_key"], point)
        verify(authority, arrays["validated_signature"],
               message(point, arrays["validated_nonce"], serial, False))
        verify(point, arrays["rotating_signature"],
               arrays["rotating_digest"])

    def test_again(self):
        self.make()
        before = self.kw.files()
        document, folder = self.make()
        self.assertEqual(document["generation"], 2)
        self.assertEqual(folder.name, "prototype-0002")
        after = self.kw.files()
        for path, data in before.items():
            if "keys" in path.parts:
                self.assertEqual(after[path], data, path)
        self.assertEqual(
            len(set(self.kw.own_secrets().values())),
            len(self.kw.own_secrets()))

    def test_again_with_a_validated_key(self):
        """Slot 14 is invalidated with the old authority first."""
        self.make()
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "verify")
        before = self.kw.files()
        _, folder = self.make()
        slots = self.kw.json("chip", "slots")["slots"]
        for slot in PAIRS:
            point = kw.public_key(folder / f"slot_{slot}_ecc_key_pair.pem")
            self.assertEqual(slots[slot]["fingerprint"],
                             hashlib.sha256(point).hexdigest())
        after = self.kw.files()
        for path in before:
            if "keys" in path.parts:
                self.assertEqual(after[path], before[path])
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "verify")

    def test_again_without_the_old_authority(self):
        """The key that could invalidate slot 14 is gone: nothing is
        changed, and the words say what is missing."""
        self.make()
        self.kw.run("rotate", "run")
        self.kw.newest(self.serial, "slot_13_ecc_key_pair.pem").unlink()
        image = self.kw.at("chips", "trustflex.chip").read_bytes()
        self.fails(1, "authority|slot 13", "resources", "make", "--yes")
        self.assertEqual(
            self.kw.at("chips", "trustflex.chip").read_bytes(), image)

    def test_again_with_the_old_authority_elsewhere(self):
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        key = self.kw.generations(self.serial)[0] / "slot_13_ecc_key_pair.pem"
        elsewhere = key.rename(self.kw.folder / "authority.pem")
        self.fails(1, "--authority", "resources", "make", "--yes")
        other = self.kw.newest(self.serial, "slot_14_ecc_key_pair.pem")
        self.fails(1, "another authority", "resources", "make", "--yes",
                   "--authority", other)
        out = self.kw.run("resources", "make", "--yes", "--authority",
                          elsewhere).out
        self.assertIn("the keys in slots 13, 14 and 15 and the secrets in "
                      "slots 5, 6 and 9", out)
        self.kw.run("rotate", "run")

    def test_asks_before_it_replaces(self):
        """Nothing is asked on a new chip; then it is, validated or not."""
        self.kw.run("resources", "make")
        before = self.kept()
        document = self.fails(2, "--yes", "resources", "make")
        self.assertIn("nothing was changed", document["hint"].lower())
        self.assertIn("Replace the keys of this chip?",
                      self.kw.run("resources", "make", code=2).err)
        self.assertEqual(self.kept(), before)
        out = self.kw.run("resources", "make", "--yes").out
        self.assertRegex(out, "keys of this chip were made before")
        self.kw.run("rotate", "run")
        self.fails(2, "--yes", "resources", "make")
        self.assertRegex(self.kw.run("resources", "make", "--yes").out,
                         "Slot 14 holds the validated key")

    def test_asks_before_it_replaces_what_others_made(self):
        self.kw.run("resources", "make")
        shutil.rmtree(self.kw.at("keys", self.serial.upper()))
        self.fails(2, "--yes", "resources", "make")
        self.kw.run("resources", "make", "--yes")

    def test_locked_slot(self):
        self.make()
        self.kw.run("rotate", "lock-authority", "--yes")
        before = self.kw.generations(self.serial)
        self.fails(1, "slot 13.*locked|locked.*slot 13", "resources", "make")
        self.assertEqual(self.kw.generations(self.serial), before)

    def test_other_chips(self):
        for name in ("trustgo", "blank"):
            document = self.fails(1, "trustflex", "resources", "make",
                                  "--chip", "sim:" + name)
            self.assertEqual(document["status"][:3], "0x1")
        self.assertFalse(any(self.kw.at("keys").glob("*/prototype-*")))

    def test_no_secret_is_shown(self):
        self.make("--trace")
        self.kw.run("resources", "make", "--yes", "--trace")
        self.kw.run("chip", "slots", "--trace")
        self.kw.run("keys", "list", "--trace", "--json")
        self.kw.secrets()

    def test_trace_names_the_commands(self):
        trace = self.kw.trace("resources", "make")
        for word in ("Nonce", "GenDig", "Write", "Read"):
            self.assertRegex(trace, rf"(?i)\b{word}\b")


class Firmware(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def sign(self, name, image):
        self.kw.folder.joinpath(name).write_bytes(image)
        document = self.kw.json("resources", "make", "--yes",
                                "--firmware", name)
        return document, self.kw.path(document["folder"])

    def test_signature_by_openssl(self):
        image = bytes(range(256)) * 9 + b"end"
        document, folder = self.sign("app.bin", image)
        for name in ("app_sign.bin", "app_sign.h", "app.h"):
            self.assertIn(name, document["files"])
            self.assertEqual(kw.mode(folder / name), 0o600)
        raw = (folder / "app_sign.bin").read_bytes()
        self.assertEqual(len(raw), 64)
        der = self.kw.folder / "signature.der"
        der.write_bytes(encode_dss_signature(
            int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")))
        key = self.kw.folder / "public.pem"
        subprocess.run(["openssl", "pkey", "-pubout", "-in",
                        folder / "slot_15_ecc_key_pair.pem", "-out", key],
                       check=True)
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", key,
                        "-signature", der, self.kw.folder / "app.bin"],
                       check=True, capture_output=True)

    def test_arrays(self):
        image = b"\x00\x10\xff" * 11
        _, folder = self.sign("app.bin", image)
        self.assertEqual((folder / "app.h").read_text(),
                         c_array("app", image))
        raw = (folder / "app_sign.bin").read_bytes()
        self.assertEqual((folder / "app_sign.h").read_text(),
                         c_array("app_sign", raw))

    def test_names_that_are_none(self):
        """A C compiler takes the headers whatever the image is called, and
        no other file of the generation is in the way."""
        for name, array in (("2026-11 app.v2.bin", "image_2026_11_app_v2"),
                            ("slot_5_secret_key.bin",
                             "image_slot_5_secret_key"),
                            ("public_key_rotation.bin",
                             "image_public_key_rotation"),
                            ("app", "app"), (".bin", "_bin")):
            with self.subTest(name=name):
                _, folder = self.sign(name, b"image")
                headers = sorted(folder.glob("*.h"))
                self.assertIn(folder / f"{array}_sign.h", headers)
                text = "#include <stdint.h>\n" + "".join(
                    f'#include "{header}"\n' for header in headers)
                subprocess.run(
                    ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror",
                     "-fsyntax-only", "-x", "c", "-"],
                    input=text, text=True, check=True, capture_output=True)

    def test_each_signature_has_64_bytes(self):
        """One in 128 signatures has an R or S that is a byte shorter."""
        for round_ in range(6):
            _, folder = self.sign("app.bin", bytes([round_]))
            self.assertEqual(
                len((folder / "app_sign.bin").read_bytes()), 64)

    def test_says_what_it_signed(self):
        self.kw.folder.joinpath("app.bin").write_bytes(b"image")
        out = self.kw.run("resources", "make", "--firmware", "app.bin").out
        folder = self.kw.generations(self.serial)[-1]
        said = re.search("Signed app.bin with the key of slot 15: (.*)", out)
        self.assertTrue(self.kw.path(said[1]).samefile(
            folder / "app_sign.bin"))

    def test_empty_image(self):
        self.kw.folder.joinpath("none.bin").write_bytes(b"")
        self.fails(3, "none.bin is empty", "resources", "make", "--firmware",
                   "none.bin")
        self.assertFalse(any(self.kw.at("keys").glob("*/prototype-*")))

    def test_no_such_image(self):
        self.fails(6, "none.bin", "resources", "make", "--firmware",
                   "none.bin")
        self.assertFalse(any(self.kw.at("keys").glob("*/prototype-*")))


class Json(kw.Case):
    def test_text_and_document_agree(self):
        self.init()
        document = self.kw.json("resources", "make")
        self.assertEqual(json.loads(json.dumps(document)), document)
        out = self.kw.run("resources", "make", "--yes").out
        for slot in document["slots"]:
            self.assertIn(slot["line"], out)


if __name__ == "__main__":
    kw.main()
