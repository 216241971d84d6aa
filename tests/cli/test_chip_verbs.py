"""keywright chip: single commands, on a TrustFLEX chip."""

import hashlib
import hmac
import os
import subprocess

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key

import board_case
import chip_client
import kw


class Case(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def file(self, name, data):
        path = self.kw.folder / name
        path.write_bytes(data)
        return path

    def image(self, name="trustflex"):
        return self.kw.at("chips", f"{name}.chip").read_bytes()

    def unchanged(self, code, words, *arguments, **options):
        """The command fails, and the chip is as it was."""
        before = self.image()
        document = self.fails(code, words, *arguments, **options)
        self.assertEqual(self.image(), before)
        return document


class Read(Case):
    def test_config(self):
        document = self.kw.json("chip", "read", "config")
        self.assertEqual(
            (document["zone"], document["slot"], document["offset"],
             document["size"], document["file"]),
            ("config", None, 0, 128, None))
        data = bytes.fromhex(document["data"])
        self.assertEqual((data[0:4] + data[8:13]).hex(), self.serial)

    def test_one_block(self):
        whole = self.kw.json("chip", "read", "config")["data"]
        block = self.kw.json("chip", "read", "config", "--block", 2)
        self.assertEqual(block["offset"], 64)
        self.assertEqual(block["data"], whole[128:192])
        last = self.kw.json("chip", "read", 8, "--block", 12)
        self.assertEqual((last["offset"], last["size"]), (384, 32))
        self.assertEqual(self.kw.json("chip", "read", 10, "--block", 2)
                         ["size"], 8)

    def test_a_slot_into_a_file(self):
        document = self.kw.json("chip", "read", 10, "-o", "ten.bin")
        self.assertEqual((document["data"], document["file"]),
                         (None, "ten.bin"))
        data = (self.kw.folder / "ten.bin").read_bytes()
        self.assertEqual(kw.mode(self.kw.folder / "ten.bin"), 0o600)
        self.assertEqual(data.hex(),
                         self.kw.json("chip", "read", 10)["data"])
        self.fails(1, "there already", "chip", "read", 10, "-o", "ten.bin")

    def test_a_block_has_its_offset(self):
        data = self.kw.json("chip", "read", 10)["data"]
        self.assertEqual(self.kw.run("chip", "read", 10, "--block", 1).out,
                         f"  32  {data[64:128]}\n")

    def test_refusals(self):
        self.unchanged(5, "slot 6 is secret", "chip", "read", 6)
        self.unchanged(5, "private key", "chip", "read", 0)
        self.fails(5, "not locked", "chip", "read", 8, "--chip", "sim:blank")
        self.fails(5, "not locked", "chip", "read", "otp", "--chip",
                   "sim:blank")

    def test_usage(self):
        self.fails(2, "0 to 15", "chip", "read", 16)
        self.fails(2, "0 to 15", "chip", "read", "")
        self.fails(2, "block", "chip", "read", 8, "--block", 13)
        self.fails(2, "block", "chip", "read", 8, "--block", "x")
        key = self.file("key", bytes(32))
        self.fails(2, "-o FILE", "chip", "read", 5, "--key-file", key)
        self.fails(2, "only slots", "chip", "read", "otp", "--key-file", key,
                   "-o", "x")


class Write(Case):
    def test_a_slot(self):
        data = os.urandom(416)
        document = self.kw.json("chip", "write", 8, "--file",
                                self.file("data", data))
        self.assertEqual(
            (document["zone"], document["slot"], document["offset"],
             document["size"], document["encrypted"]),
            ("data", 8, 0, 416, False))
        self.assertEqual(self.kw.json("chip", "read", 8)["data"], data.hex())

    def test_a_slot_in_clear_takes_no_key(self):
        """What would be deciphered is nothing."""
        key = self.file("key", bytes(32))
        self.unchanged(2, "in clear", "chip", "read", 8, "--key-file", key,
                       "-o", "out")
        self.assertFalse((self.kw.folder / "out").exists())
        self.unchanged(5, "clear writes", "chip", "write", 8, "--file", key,
                       "--key-file", key)

    def test_a_block(self):
        out = self.kw.run("chip", "write", 8, "--hex", "0x01, 02 03",
                          "--block", 3).out
        self.assertIn("last block, 29 bytes, is zeros now", out)
        data = self.kw.json("chip", "read", 8)["data"]
        self.assertEqual(data[192:256], "010203" + 29 * "00")
        self.assertEqual(data[:192], 192 * "f")
        self.assertEqual(data[256:], 576 * "f")

    def test_encrypted(self):
        self.kw.run("resources", "make")
        key = self.kw.newest(self.serial, "slot_6_secret_key.pem")
        secret = os.urandom(32)
        path = self.file("secret", secret)
        document = self.kw.json("chip", "write", 5, "--file", path,
                                "--key-file", key, "--yes")
        self.assertTrue(document["encrypted"])
        self.assertTrue(self.kw.json("chip", "mac", 5, "--key-file",
                                     path)["matches"])
        self.unchanged(5, "not the one that the slot's WriteKey", "chip",
                       "write", 5, "--file", path, "--key-file",
                       self.file("wrong", bytes(32)), "--yes")
        self.unchanged(5, "encrypted write", "chip", "write", 5, "--file",
                       path, "--yes")

    def test_refusals(self):
        data = self.file("data", bytes(32))
        self.unchanged(5, "Never", "chip", "write", 7, "--file", data,
                       "--yes")
        self.unchanged(5, "locked", "chip", "write", "otp", "--file", data)
        self.unchanged(5, "PrivWrite", "chip", "write", 2, "--file", data,
                       "--yes")

    def test_the_write_is_explained_not_its_preparation(self):
        """GenDig with the WriteKey is refused first, and is not the reason."""
        data = self.file("data", bytes(31) + b"\1")
        document = self.unchanged(5, "forbids PrivWrite", "chip", "write", 0,
                                  "--file", data, "--key-file", data, "--yes")
        self.assertNotIn("hashing", document["message"])

    def test_keys_are_asked_for(self):
        data = self.file("data", bytes(31) + b"\1")
        for slot, what in ((2, "private key"), (5, "secret"), (6, "secret"),
                           (9, "secret")):
            with self.subTest(slot=slot):
                self.unchanged(
                    2, rf"{what} in slot {slot} for ever\?.*\n.*--yes",
                    "chip", "write", slot, "--file", data)

    def test_another_public_key_is_asked_for(self):
        """Not the first one, not the same one; data never are."""
        key = self.file("key", bytes(4) + os.urandom(68))
        other = self.file("other", os.urandom(72))
        self.kw.run("chip", "write", 13, "--file", key)
        self.kw.run("chip", "write", 13, "--file", key)
        self.unchanged(2, r"the public key in slot 13\?.*\n.*--yes", "chip",
                       "write", 13, "--file", other)
        self.unchanged(2, r"the public key in slot 13\?.*\n.*--yes", "chip",
                       "write", 13, "--hex", "00" * 8, "--block", 2)
        # It begins with a zero, as the key; the padding would not.
        self.unchanged(2, r"the public key in slot 13\?.*\n.*--yes", "chip",
                       "write", 13, "--hex", "00")
        self.kw.run("chip", "write", 13, "--file", other, "--yes")
        for path in (key, other):
            out = self.kw.run("chip", "write", 10, "--file", path).out
            self.assertEqual(out, "Written: 72 bytes\n")

    def test_the_same_configuration(self):
        """A script may write it again; nothing is written, and that is
        said."""
        self.kw.run("chip", "read", "config", "-o", "config")
        before = self.kw.at("chips", "trustflex.chip").read_bytes()
        document = self.kw.json("chip", "write", "config", "--file", "config")
        self.assertFalse(document["changed"])
        out = self.kw.run("chip", "write", "config", "--file", "config").out
        self.assertIn("Nothing to write", out)
        self.assertNotIn("Written", out)
        self.assertEqual(self.kw.at("chips", "trustflex.chip").read_bytes(),
                         before)
        # Nor do counters that have counted since make it another one.
        self.kw.run("chip", "counter", 0, "--increment", "--yes")
        document = self.kw.json("chip", "write", "config", "--file", "config")
        self.assertFalse(document["changed"])
        config = bytearray((self.kw.folder / "config").read_bytes())
        config[18] ^= 0x80
        self.unchanged(5, "is locked", "chip", "write", "config", "--file",
                       self.file("changed", bytes(config)), "--despite-lint")

    def test_secrets_stay_off_the_command_line(self):
        self.unchanged(2, "command line", "chip", "write", 6, "--hex",
                       "00" * 32)
        self.unchanged(2, "command line", "chip", "write", 2, "--hex",
                       "00" * 32)

    def test_usage(self):
        data = self.file("data", bytes(80))
        self.unchanged(2, "one of them", "chip", "write", 8)
        self.unchanged(2, "one of them", "chip", "write", 8, "--file", data,
                       "--hex", "00")
        self.unchanged(3, "room for 72", "chip", "write", 10, "--file", data)
        self.unchanged(3, "room for 8", "chip", "write", 10, "--block", 2,
                       "--hex", "00" * 9)
        self.unchanged(2, "hex", "chip", "write", 8, "--hex", "0g")
        self.unchanged(3, "empty", "chip", "write", 8, "--file",
                       self.file("empty", b""))
        self.kw.json("chip", "write", 8, "--file", "nobody", code=6)


class Keys(Case):
    def public(self, slot):
        name = f"public-{slot}.pem"
        if not (self.kw.folder / name).exists():
            self.kw.run("chip", "genkey", slot, "--public", "-o", name)
        return self.kw.folder / name

    def test_public_key(self):
        document = self.kw.json("chip", "genkey", 0, "--public", "-o",
                                "k.pem")
        self.assertFalse(document["created"])
        numbers = load_pem_public_key(
            (self.kw.folder / "k.pem").read_bytes()).public_numbers()
        key = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.assertEqual(document["public_key"], key.hex())
        self.assertEqual(document["fingerprint"],
                         hashlib.sha256(key).hexdigest())

    def test_new_key(self):
        old = self.kw.json("chip", "genkey", 2, "--public")["public_key"]
        self.unchanged(2, "lost for ever", "chip", "genkey", 2)
        new = self.kw.json("chip", "genkey", 2, "--yes")
        self.assertTrue(new["created"])
        self.assertNotEqual(new["public_key"], old)
        self.assertEqual(
            self.kw.json("chip", "genkey", 2, "--public")["public_key"],
            new["public_key"])

    def test_new_key_refused(self):
        self.unchanged(5, "bit 13", "chip", "genkey", 0, "--yes")
        self.unchanged(5, "not configured", "chip", "genkey", 8, "--yes")

    def test_a_file_that_is_there_costs_no_key(self):
        path = self.file("k.pem", b"")
        self.unchanged(1, "there already", "chip", "genkey", 2, "--yes", "-o",
                       path)

    def test_sign_for_openssl(self):
        message = self.file("message", os.urandom(1000))
        document = self.kw.json("chip", "sign", 0, "--file", message, "-o",
                                "s.der")
        self.assertEqual(document["digest"], hashlib.sha256(
            message.read_bytes()).hexdigest())
        subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", self.public(0),
             "-signature", self.kw.folder / "s.der", message], check=True,
            capture_output=True)

    def test_sign_and_verify_what_comes_from_a_pipe(self):
        text = "of no size beforehand\n" * 10000
        digest = hashlib.sha256(text.encode()).hexdigest()
        document = self.kw.json("chip", "sign", 0, "--file", "/dev/stdin",
                                "-o", "s.der", input=text)
        self.assertEqual(document["digest"], digest)
        document = self.kw.json(
            "chip", "verify", "--public-key", self.public(0), "--signature",
            "s.der", "--file", "/dev/stdin", input=text)
        self.assertTrue(document["verified"])
        self.assertEqual(document["digest"], digest)
        self.fails(3, "1048576 bytes are the limit", "chip", "trace",
                   "/dev/stdin", input=" " * (1 << 20) + "\n")
        # What may be secret or is read twice has to be a file.
        self.fails(3, "not a file", "chip", "verify", "--public-key",
                   self.public(0), "--signature", "/dev/stdin", "--digest",
                   digest, input="00")

    def test_sign_a_digest(self):
        digest = os.urandom(32)
        raw = bytes.fromhex(self.kw.json(
            "chip", "sign", 3, "--digest", digest.hex())["signature"])
        key = load_pem_public_key(self.public(3).read_bytes())
        der = utils.encode_dss_signature(
            int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        key.verify(der, digest, algorithm)
        with self.assertRaises(InvalidSignature):
            key.verify(der, os.urandom(32), algorithm)

    def test_sign_refused(self):
        self.unchanged(5, "external", "chip", "sign", 1, "--digest",
                       "00" * 32)
        self.unchanged(5, "not configured", "chip", "sign", 8, "--digest",
                       "00" * 32)
        self.fails(2, "one of them", "chip", "sign", 0)
        self.fails(2, "64 hex digits", "chip", "sign", 0, "--digest", "00")

    def verify(self, *arguments, code=0):
        return self.kw.json("chip", "verify", *arguments, code=code,
                            schema="chip-verify")

    def test_verify(self):
        """Signatures and keys in every form; of another program too."""
        digest = os.urandom(32)
        document = self.kw.json("chip", "sign", 0, "--digest", digest.hex(),
                                "-o", "s.der")
        raw = self.file("s.raw", bytes.fromhex(document["signature"]))
        text = self.file("s.hex", document["signature"].encode())
        public = self.kw.json("chip", "genkey", 0, "--public")["public_key"]
        key = self.file("k.raw", bytes.fromhex(public))
        for signature in (self.kw.folder / "s.der", raw, text):
            for outer in (self.public(0), key):
                answer = self.verify("--public-key", outer, "--signature",
                                     signature, "--digest", digest.hex())
                self.assertTrue(answer["verified"])
                self.assertIsNone(answer["slot"])

    def test_verify_says_no(self):
        signature = self.file("s", bytes(63) + b"\1" + bytes(31) + b"\1")
        good = self.kw.json("chip", "sign", 0, "--digest", "11" * 32)
        signature.write_bytes(bytes.fromhex(good["signature"]))
        answer = self.verify("--public-key", self.public(0), "--signature",
                             signature, "--digest", "12" * 32, code=1)
        self.assertFalse(answer["verified"])

    def test_verify_with_a_slot(self):
        self.kw.run("resources", "make")
        private = self.kw.newest(self.serial, "slot_15_ecc_key_pair.pem")
        message = self.file("message", b"boot me")
        subprocess.run(["openssl", "dgst", "-sha256", "-sign", private,
                        "-out", self.kw.folder / "s.der", message],
                       check=True)
        answer = self.verify(15, "--signature", "s.der", "--file", message)
        self.assertEqual((answer["slot"], answer["verified"]), (15, True))
        self.fails(5, "validated", "chip", "verify", 14, "--signature",
                   "s.der", "--file", message)

    def test_verify_usage(self):
        signature = self.file("s", bytes(64))
        digest = ("--digest", "00" * 32)
        self.fails(2, "one of them", "chip", "verify", "--signature",
                   signature, *digest)
        self.fails(2, "one of them", "chip", "verify", 15, "--public-key",
                   self.public(0), "--signature", signature, *digest)
        self.fails(2, "--signature", "chip", "verify", 15, *digest)
        self.fails(3, "no P-256 signature", "chip", "verify", 15,
                   "--signature", self.file("bad", b"0\x03\x02\x01\x01"),
                   *digest)
        self.fails(3, "no P-256 public key", "chip", "verify",
                   "--public-key", self.file("nokey", b"-----"),
                   "--signature", signature, *digest)


class Hashes(Case):
    def test_sha(self):
        for size in (0, 1, 63, 64, 65, 128, 1000):
            with self.subTest(size=size):
                data = os.urandom(size)
                document = self.kw.json("chip", "sha",
                                        self.file(f"f{size}", data))
                self.assertEqual(document["digest"],
                                 hashlib.sha256(data).hexdigest())
                self.assertEqual((document["size"], document["slot"]),
                                 (size, None))

    def test_sha_of_stdin(self):
        document = self.kw.json("chip", "sha", "-", input="hello\n")
        self.assertEqual(document["digest"],
                         hashlib.sha256(b"hello\n").hexdigest())

    def test_hmac(self):
        self.kw.run("resources", "make")
        key = kw.symmetric_key(self.kw.newest(
            self.serial, "slot_5_secret_key.pem").read_bytes())
        data = os.urandom(200)
        document = self.kw.json("chip", "sha", self.file("f", data),
                                "--hmac", 5)
        self.assertEqual(document["slot"], 5)
        self.assertEqual(document["digest"],
                         hmac.new(key, data, "sha256").hexdigest())

    def test_sha_refused(self):
        path = self.file("f", b"x")
        self.unchanged(5, "ReqRandom", "chip", "sha", path, "--hmac", 6)
        self.unchanged(5, "NoMac", "chip", "sha", path, "--hmac", 7)
        self.fails(6, "cannot open", "chip", "sha", "nobody")

    def mac_of(self, key, document):
        """DS40002138A table 5-113, with the serial number."""
        serial = bytes.fromhex(self.serial)
        message = (key + bytes.fromhex(document["challenge"]) + b"\x08"
                   + bytes.fromhex(document["mode"])
                   + bytes([document["slot"], 0]) + bytes(11) + serial[8:9]
                   + serial[4:8] + serial[0:2] + serial[2:4])
        return hashlib.sha256(message).hexdigest()

    def test_mac(self):
        self.kw.run("resources", "make")
        for slot, mode in ((5, "40"), (6, "41")):
            with self.subTest(slot=slot):
                path = self.kw.newest(self.serial,
                                      f"slot_{slot}_secret_key.pem")
                document = self.kw.json("chip", "mac", slot, "--key-file",
                                        path)
                self.assertTrue(document["matches"])
                self.assertEqual(document["mode"], mode)
                self.assertEqual(document["mac"], self.mac_of(
                    kw.symmetric_key(path.read_bytes()), document))
                again = self.kw.json("chip", "mac", slot)
                self.assertIsNone(again["matches"])
                self.assertNotEqual(again["challenge"],
                                    document["challenge"])

    def test_mac_of_another_key(self):
        document = self.kw.json("chip", "mac", 5, "--key-file",
                                self.file("key", bytes(32)), code=1,
                                schema="chip-mac")
        self.assertFalse(document["matches"])

    def test_mac_with_a_challenge(self):
        document = self.kw.json("chip", "mac", 5, "--challenge", "ab" * 32)
        self.assertEqual(document["challenge"], "ab" * 32)
        self.fails(2, "ReqRandom", "chip", "mac", 6, "--challenge",
                   "ab" * 32)
        self.fails(2, "64 hex", "chip", "mac", 5, "--challenge", "ab")

    def test_mac_refused(self):
        self.unchanged(5, "NoMac", "chip", "mac", 7)
        self.unchanged(5, "private key", "chip", "mac", 0)
        self.fails(3, "no key of 32 bytes", "chip", "mac", 5, "--key-file",
                   self.file("key", bytes(31)))


class RandomAndCounter(Case):
    def test_random(self):
        documents = [self.kw.json("chip", "random") for _ in range(2)]
        self.assertNotEqual(*(document["random"] for document in documents))
        self.assertTrue(all(document["genuine"] for document in documents))

    def test_random_before_the_lock(self):
        document = self.kw.json("chip", "random", "--chip", "sim:blank")
        self.assertEqual(document["random"], "ffff0000" * 8)
        self.assertFalse(document["genuine"])
        self.assertIn("Not random", self.kw.run(
            "chip", "random", "--chip", "sim:blank").out)

    def test_counter(self):
        self.assertEqual(self.kw.json("chip", "counter", 1),
                         {"schema": "keywright/chip-counter/1", "counter": 1,
                          "value": 0, "incremented": False})
        self.unchanged(2, "--yes", "chip", "counter", 1, "--increment")
        for value in (1, 2):
            document = self.kw.json("chip", "counter", 1, "--increment",
                                    "--yes")
            self.assertEqual(document["value"], value)
        self.assertEqual(self.kw.json("chip", "info")["counters"], [0, 2])
        self.assertIn("from 2 to 3", self.kw.run(
            "chip", "counter", 1, "--increment", "--yes").out)
        self.assertRegex(self.kw.run(
            "chip", "counter", 1, "--increment", "--yes").out,
            "sequence up to 4 that is not applied yet is refused")
        for words in ((0,), (1, "--chip", "sim:trustgo")):
            self.assertNotIn("sequence", self.kw.run(
                "chip", "counter", *words, "--increment", "--yes").out)
        self.fails(2, "0 to 1", "chip", "counter", 2)


class Explain(Case):
    def permissions(self, slot, *options):
        document = self.kw.json("chip", "explain", slot, *options)
        return {row["command"]: (row["permitted"], row["why"])
                for row in document["permissions"]}

    def test_each_slot(self):
        for slot in range(16):
            with self.subTest(slot=slot):
                self.assertGreater(len(self.permissions(slot)), 15)

    def test_private_key(self):
        rows = self.permissions(0)
        self.assertEqual(rows["Sign (external)"][0], "yes")
        self.assertEqual(rows["Read"][0], "no")
        self.assertEqual(rows["GenKey (new key)"][0], "no")
        self.assertIn("bit 13", rows["GenKey (new key)"][1])
        self.assertEqual(self.permissions(2)["GenKey (new key)"][0], "yes")

    def test_lock_state_counts(self):
        self.assertEqual(self.permissions(8, "--chip", "sim:blank")["Read"],
                         ("no", "the configuration zone is not locked yet: "
                          "no slot can be used before"))
        self.assertEqual(self.permissions(8)["Read"][0], "yes")
        self.assertEqual(self.permissions(8)["Lock"][0], "yes")
        self.kw.run("chip", "lock", "slot", 8, "--yes")
        self.assertEqual(self.permissions(8)["Lock"][0], "no")
        self.assertEqual(self.permissions(8)["Write"][0], "no")


class SlotLock(Case):
    def test_rehearsed_shown_asked(self):
        document = self.kw.json("chip", "lock", "slot", 8, "--dry-run")
        self.assertEqual((document["locked"], document["slot"],
                          document["crc"]), (False, 8, None))
        text = " ".join(document["rehearsal"])
        self.assertRegex(text, "slot 8: never again Write")
        self.assertRegex(text, "tried on the copy: .* refused")
        self.unchanged(2, "--yes", "chip", "lock", "slot", 8)
        self.assertTrue(self.kw.json("chip", "lock", "slot", 8,
                                     "--yes")["locked"])
        self.assertEqual(self.kw.json("chip", "info")["slots_locked"], [8])
        self.unchanged(5, "locked", "chip", "write", 8, "--hex", "00")
        self.unchanged(1, "slot 8 is locked already", "chip", "lock", "slot",
                       8, "--dry-run")

    def test_refusals(self):
        self.unchanged(5, "not lockable", "chip", "lock", "slot", 14, "--yes")
        self.unchanged(1, "locked already", "chip", "lock", "config", "--yes")
        self.unchanged(1, "locked already", "chip", "lock", "data", "--yes")

    def test_usage(self):
        self.unchanged(2, "neither", "chip", "lock", "otp")
        self.unchanged(2, "which slot", "chip", "lock", "slot")
        self.unchanged(2, "too many", "chip", "lock", "data", 3)
        self.unchanged(2, "--image", "chip", "lock", "slot", 8, "--image",
                       "x")


class Snapshots(Case):
    def test_there_and_back(self):
        before = self.kw.json("chip", "genkey", 2, "--public")["public_key"]
        snapshot = self.kw.json("chip", "snapshot")
        path = self.kw.path(snapshot["file"])
        self.assertEqual(path.parent, self.kw.at("backups"))
        self.assertEqual(kw.mode(path), 0o600)
        self.assertEqual(snapshot["serial"], self.serial)
        new = self.kw.json("chip", "genkey", 2, "--yes")["public_key"]
        self.unchanged(2, "--yes", "chip", "restore", path)
        document = self.kw.json("chip", "restore", path, "--yes")
        self.assertEqual(
            self.kw.json("chip", "genkey", 2, "--public")["public_key"],
            before)
        # What was there is kept as well.
        self.assertNotEqual(document["kept"], snapshot["file"])
        self.kw.run("chip", "restore", self.kw.path(document["kept"]),
                    "--yes")
        self.assertEqual(
            self.kw.json("chip", "genkey", 2, "--public")["public_key"], new)

    def test_of_another_chip(self):
        path = self.kw.path(self.kw.json("chip", "snapshot", "--chip",
                                         "sim:trustgo")["file"])
        self.unchanged(1, "not of sim:trustflex", "chip", "restore", path,
                       "--yes")

    def test_damaged(self):
        path = self.file("bad.chip", b"no image")
        document = self.unchanged(3, "bad.chip", "chip", "restore", path,
                                  "--yes")
        self.assertIn("chip snapshot", document["hint"])
        self.unchanged(6, "nobody", "chip", "restore", "nobody", "--yes")

    def test_real_chips_have_none(self):
        self.fails(1, "never leaves", "chip", "snapshot", "--chip",
                   "tcp:127.0.0.1:1")
        self.fails(1, "never leaves", "chip", "restore", "x", "--yes",
                   "--chip", "unix:x")


class Trace(Case):
    def frames(self, *lines):
        return self.file("frames", "\n".join(lines).encode())

    def packet(self, *arguments):
        return "> " + chip_client.packet(*arguments).hex()

    def answer(self, data):
        body = bytes([len(data) + 3]) + data
        return "< " + (body + chip_client.crc(body)).hex()

    def texts(self, *arguments):
        document = self.kw.json("chip", "trace", *arguments)
        return [frame["text"] for frame in document["frames"]]

    def test_the_documented_example(self):
        path = self.frames("# the revision", "> wake",
                           "> 07 30 00 00 00 03 5D",
                           "< 07 00 00 60 03 83 BB")
        document = self.kw.json("chip", "trace", path)
        self.assertEqual(
            document["frames"],
            [{"line": 2, "direction": ">", "text": "wake"},
             {"line": 3, "direction": ">",
              "text": "Info(30) param1 00 param2 0000"},
             {"line": 4, "direction": "<", "text": "00006003"}])

    def test_secrets_and_reasons(self):
        config = bytes.fromhex(self.kw.json("chip", "read",
                                            "config")["data"])
        secret, public = os.urandom(32), os.urandom(32)
        path = self.frames(
            self.packet(0x12, 0x82, 6 << 3, secret), self.answer(b"\0"),
            self.packet(0x12, 0x82, 8 << 3, public), self.answer(b"\0"),
            self.packet(0x12, 0x82, 7 << 3, secret), self.answer(b"\x0f"))
        text = "\n".join(self.texts(path, "--config",
                                    self.file("config", config)))
        self.assertIn("<32 bytes, secret of slot 6>", text)
        self.assertIn(public.hex().upper(), text)
        self.assertIn("WriteConfig of slot 7 is Never", text)
        blind = "\n".join(self.texts(path))
        self.assertIn("<32 bytes of slot 8, may be secret>", blind)
        for shown in (text, blind):
            self.assertFalse(kw.shows(shown.encode(), secret))
        self.assertFalse(kw.shows(blind.encode(), public))

    def test_stdin_and_damage(self):
        text = self.kw.run("chip", "trace", "-", input="> 0730\n< 0400\n").out
        self.assertEqual(text, "> damaged command of 2 bytes\n"
                         "< damaged answer of 2 bytes\n")

    def test_what_is_no_frame(self):
        self.fails(3, "line 2", "chip", "trace",
                   self.frames("> wake", "hello"))
        self.fails(3, "neither 128 bytes", "chip", "trace",
                   self.frames("> wake"), "--config",
                   self.file("config", b"00"))


class OverASocket(board_case.Case):
    """Links that know no reasons: they come from the configuration."""

    def test_reasons(self):
        self.serve("--tcp", "0")
        for number in (0, 1):
            link = self.address(number=number)
            for words, arguments in (
                    ("slot 6 is secret", ("read", 6)),
                    ("bit 13", ("genkey", 0, "--yes")),
                    ("external", ("sign", 1, "--digest", "00" * 32)),
                    ("not lockable", ("lock", "slot", 14, "--yes")),
                    ("WriteConfig of slot 7 is Never",
                     ("write", 7, "--file", "zeros", "--yes"))):
                with self.subTest(link=link, words=words):
                    (self.kw.folder / "zeros").write_bytes(bytes(32))
                    self.fails(5, words, "chip", *arguments, "--chip", link)

    def test_what_no_configuration_refuses(self):
        """The chip alone knows it: each cause that is left is named."""
        self.kw.run("chip", "lock", "config", "--chip", "sim:blank", "--yes")
        self.serve()
        link = ("--chip", self.address("blank"))
        (self.kw.folder / "zeros").write_bytes(bytes(32))
        self.fails(5, "no p-256 private key", "chip", "write", 0, "--file",
                   "zeros", "--yes", *link)
        self.fails(5, "holds no private key", "chip", "sign", 0, "--digest",
                   "00" * 32, *link)

    def test_trace_has_them_too(self):
        self.serve()
        trace = self.kw.run("chip", "read", 6, "--trace", code=5).err
        self.assertRegex(trace, r"< 0F\n(>.*\n|<.*\n)*  slot 6 is secret")

    def test_the_same_answers(self):
        self.kw.run("resources", "make")
        self.serve()
        for verb in (("read", 8), ("config",), ("explain", 5),
                     ("genkey", 3, "--public")):
            over = self.kw.json("chip", *verb)
            self.assertEqual(over["schema"],
                             f"keywright/chip-{verb[0]}/1")
        path = self.kw.newest(self.serial, "slot_5_secret_key.pem")
        self.assertTrue(self.kw.json("chip", "mac", 5, "--key-file",
                                     path)["matches"])

    def test_a_snapshot_needs_the_chip(self):
        self.serve()
        self.fails(4, "has the chip", "chip", "snapshot")


if __name__ == "__main__":
    kw.main()
