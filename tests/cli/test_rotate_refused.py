"""What keywright rotate refuses, and what fails under it: the reason in
words is the true one, and nothing has changed."""

import contextlib
import fcntl
import json
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import threading

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import chip_client
import kw
import rotation_case
import rotation_oracle as oracle
from rotation_case import At

VALIDATE = (0x45, 0x03, 14)
WRITE_1 = (0x12, 0x82, 0x0170)
COUNT = (0x24, 0x01, 1)
FLIPS = 200


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Refused(rotation_case.Case):
    """A chip whose slot 14 is validated, and a bundle for it."""

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.key = self.authority()
        _, self.about = self.request()
        self.new = oracle.Key.read(self.key_file())
        self.good = oracle.make_bundle(self.key, self.about, self.new, 2)

    def refused(self, code, words, text, verb="apply"):
        """The file is refused, and leaves no trace."""
        path = self.write("in.json", text)
        with self.nothing_changes():
            if verb == "apply":
                return self.fails(code, words, "rotate", "apply", "--bundle",
                                  path)
            return self.fails(code, words, "rotate", "authorize",
                              "--request", path, "--yes")

    def refused_bundle(self, code, words, journalled=False, **changes):
        """The same for a bundle that the authority itself signed. What is
        found only by checking its parts with the chip is kept, with a
        journal that is closed."""
        bundle = self.good.but(**changes)
        if "proof" not in changes:
            bundle.proof = self.new.sign(bundle.proof_digest)
        text = bundle.text(self.key)
        if not journalled:
            return self.refused(code, words, text)
        with self.chip_is_left_alone():
            document = self.fails(code, words, "rotate", "apply", "--bundle",
                                  self.write("in.json", text))
        self.assertEqual(self.outcomes()[-1], "refused")
        return document

    def good_is_accepted(self):
        path = self.write("good.json", self.good.text(self.key))
        document = self.kw.json("rotate", "apply", "--bundle", path)
        self.assertEqual(document["new_key"], self.new.fingerprint)
        self.kw.run("rotate", "verify")


class Files(Refused):
    def broken(self, payload, signature):
        """(what, text) of files that are no envelope of these."""
        whole = oracle.envelope(payload, signature)
        members = json.loads(whole)
        p, s = members["payload"], members["signature"]

        def file(payload, signature=s):
            return json.dumps({"payload": payload, "signature": signature})

        last = s[-1]
        spare = "BCDEFGHIJKLMNOP"[0] if last == "A" else chr(ord(last) + 1)
        yield "empty", ""
        yield "one byte", "{"
        yield "half", whole[:len(whole) // 2]
        yield "all but the last byte", whole[:-1]
        yield "no JSON", "KWB1" + whole
        yield "binary", payload + signature
        yield "twice", whole + whole
        yield "more behind it", whole + "x"
        yield "a NUL behind it", whole + "\0"
        yield "a mark before it", "\ufeff" + whole
        yield "an array", f'["{p}","{s}"]'
        yield "null", "null"
        yield "a member more", json.dumps({**members, "note": ""})
        yield "no signature", json.dumps({"payload": p})
        yield "no payload", json.dumps({"signature": s})
        yield "another name", json.dumps({"Payload": p, "signature": s})
        yield "a member twice", (f'{{"payload":"{p}","payload":"{p}",'
                                 f'"signature":"{s}"}}')
        yield "a number", json.dumps({"payload": 1, "signature": s})
        yield "padding", file(p + "=" * (-len(p) % 4), s + "==")
        yield "padded signature", file(p, s + "==")
        yield "base64", file(p[:-1] + "+", s)
        yield "a newline within", file(p[:40] + "\n" + p[40:])
        yield "spare bits", file(p, s[:-1] + spare)
        yield "short payload", file(oracle.base64url(payload[:-1]))
        yield "long payload", file(oracle.base64url(payload + b"\0"))
        yield "no bytes", file("", "")
        yield "short signature", file(p, oracle.base64url(signature[:-1]))
        yield "long signature", file(p, oracle.base64url(signature + b"\0"))
        yield "large", whole + " " * 5000

    def test_bundles(self):
        for what, text in self.broken(self.good.pack(),
                                      self.key.sign(self.good.digest)):
            with self.subTest(what=what):
                self.refused(3, "in.json", text)
        self.good_is_accepted()

    def test_requests(self):
        for what, text in self.broken(self.about.pack(),
                                      self.about.signature):
            with self.subTest(what=what):
                self.refused(3, "in.json", text, "authorize")

    def test_one_for_the_other(self):
        self.refused(3, "in.json", self.about.text(self.new))
        self.refused(3, "in.json", self.good.text(self.key), "authorize")

    def test_no_file(self):
        self.kw.folder.joinpath("folder").mkdir()
        os.mkfifo(self.kw.folder / "fifo")
        for name, code in (("none.json", 6), ("folder", 3), ("fifo", 3),
                           ("/dev/zero", 3)):
            for words in (("apply", "--bundle"),
                          ("authorize", "--yes", "--request"),
                          ("export", "--bundle")):
                with self.subTest(name=name, words=words), \
                        self.nothing_changes():
                    self.fails(code, name, "rotate", *words, name)

    def test_flipped_bits(self):
        """A bundle with any one bit changed is refused."""
        chosen = random.Random(20)
        text = self.good.text(self.key).encode()
        path = self.kw.folder / "in.json"
        with self.nothing_changes():
            for bit in chosen.sample(range(8 * len(text)), FLIPS):
                flipped = bytearray(text)
                flipped[bit // 8] ^= 1 << bit % 8
                path.write_bytes(flipped)
                result = self.kw.run("rotate", "apply", "--bundle", path,
                                     code=None)
                self.assertIn(result.code, (1, 3), (bit, result.err))
                self.assertEqual(result.out, "")
                self.assertTrue(result.err)
        self.good_is_accepted()

    def test_flipped_bits_of_a_request(self):
        """What the proof covers cannot be changed; what it does not cover,
        the device's own word, is counter, state and authority."""
        chosen = random.Random(14)
        payload = self.about.pack()
        free = {*range(8 * 8, 12 * 8), 4 * 8 + 2,
                *range(224 * 8, 288 * 8)}
        for bit in chosen.sample(sorted(set(range(288 * 8)) - free), 40):
            flipped = bytearray(payload)
            flipped[bit // 8] ^= 1 << bit % 8
            path = self.write("in.json", oracle.envelope(
                bytes(flipped), self.about.signature))
            with self.nothing_changes():
                result = self.kw.run("rotate", "authorize", "--request",
                                     path, "--yes", code=None)
            self.assertIn(result.code, (1, 3), (bit, result.err))


class Bundles(Refused):
    """Bundles that the authority signed, and that are wrong."""

    def test_layout(self):
        for code, words, changes in (
                (3, "another kind", {"magic": b"KWR1"}),
                (3, "another kind", {"magic": b"KWB2"}),
                (1, "another slot", {"slot": 15}),
                (1, "another slot", {"slot": 13}),
                (3, "must be zero", {"reserved_6": b"\1\0"}),
                (3, "must be zero", {"reserved_6": b"\0\x80"}),
                (3, "must be zero", {"reserved_21": b"\0\0\1"}),
                (3, "must be zero", {"sequence": 2**21}),
                (3, "must be zero", {"sequence": 2**32 - 1}),
                (3, "must be zero", {"flags": 7 | 8}),
                (3, "must be zero", {"flags": 7 | 128}),
                (3, "must be zero", {"flags": 1}),
                (3, "must be zero", {"flags": 5}),
                (3, "must be zero", {"flags": 3}),
                (3, "must be zero", {"flags": 6})):
            with self.subTest(changes=changes):
                self.refused_bundle(code, words, **changes)

    def test_another_authority(self):
        bundle = self.good.text(oracle.Key())
        document = self.refused(1, "not signed by the authority", bundle)
        self.assertIn("slot 13", document["hint"])
        # Though every pair in it is the true authority's.
        zeros = oracle.envelope(self.good.pack(), bytes(64))
        self.refused(1, "not signed by the authority", zeros)

    def test_another_chip(self):
        serial = bytearray(self.about.serial)
        serial[4] ^= 1
        self.refused_bundle(1, "another chip", serial=bytes(serial))

    def test_another_configuration(self):
        digest = oracle.sha256(self.good.configuration_digest)
        document = self.refused_bundle(1, "another configuration",
                                       configuration_digest=digest)
        self.assertIn("lock", document["hint"])

    def test_another_old_key(self):
        about = self.about.but(old_key=oracle.Key().public)
        bundle = oracle.make_bundle(self.key, about, self.new, 2)
        document = self.refused(1, "another key than the one in the chip",
                                bundle.text(self.key))
        self.assertIn("changed since the request", document["hint"])
        # Nor one that knows of no key.
        about = self.about.but(old_key=oracle.NO_KEY,
                               flags=oracle.FLAG_SERIAL)
        bundle = oracle.make_bundle(self.key, about, self.new, 2)
        self.refused(1, "another key than the one in the chip",
                     bundle.text(self.key))

    def test_no_old_pairs(self):
        about = self.about.but(
            flags=oracle.FLAG_SERIAL | oracle.FLAG_OLD_KEY)
        bundle = oracle.make_bundle(self.key, about, self.new, 2)
        self.refused(1, "no pair to invalidate", bundle.text(self.key))

    def test_same_key(self):
        old = oracle.Key.read(self.key_file(14, -2))
        bundle = oracle.make_bundle(self.key, self.about, old, 2)
        self.refused(1, "the new key is the old key", bundle.text(self.key))

    def test_sequence(self):
        for sequence, words in ((0, "used before"), (1, "used before"),
                                (18, "more than 16 ahead"),
                                (2**21 - 1, "more than 16 ahead")):
            with self.subTest(sequence=sequence):
                self.refused_bundle(1, words, sequence=sequence)
        document = self.refused_bundle(1, "ahead", sequence=18)
        self.assertIn("--sequence", document["hint"])
        self.good = self.good.but(sequence=17)
        self.good_is_accepted()
        self.assertEqual(self.status()["counter"], 17)

    def test_replayed(self):
        """The bundle that brought the present key, after it was rotated
        away; and the one that brings a key back."""
        texts = [self.good.text(self.key)]
        self.good_is_accepted()
        for sequence in (3, 4):
            bundle = self.oracle_bundle(sequence)
            texts.append(bundle.text(self.key))
            self.kw.run("rotate", "apply", "--bundle",
                        self.write("next.json", texts[-1]))
        for text in texts[:-1]:
            self.refused(1, "used before", text)

    def pairs(self, key, invalidate):
        """Pairs that are not the authority's for this key and purpose."""
        configuration = self.about.configuration
        serial = self.about.serial
        good = configuration.pair(self.key, serial, key, invalidate)
        locked = oracle.Configuration(
            configuration.slot_configs, configuration.key_configs, 1)
        yield "for the other purpose", configuration.pair(
            self.key, serial, key, not invalidate)
        yield "another authority's", configuration.pair(
            oracle.Key(), serial, key, invalidate)
        yield "for another key", configuration.pair(
            self.key, serial, oracle.Key().public, invalidate)
        yield "for another kind of chip", configuration.pair(
            self.key, serial[:8] + b"\xee", key, invalidate)
        yield "for a locked slot", locked.pair(self.key, serial, key,
                                               invalidate)
        yield "another nonce", bytes(32) + good[32:]
        yield "R and S exchanged", good[:32] + good[64:] + good[32:64]
        yield "zeros", bytes(96)

    def test_pair_of_the_new_key(self):
        for what, pair in self.pairs(self.new.public, False):
            with self.subTest(what=what):
                self.refused_bundle(1, "pair that validates the new key",
                                    True, new_validate=pair)
        self.good_is_accepted()

    def test_pair_that_invalidates(self):
        for what, pair in self.pairs(self.about.old_key, True):
            with self.subTest(what=what):
                self.refused_bundle(1, "pair that invalidates the old key",
                                    True, old_invalidate=pair)

    def test_pair_that_brings_the_old_key_back(self):
        """It is needed only when a rotation fails, and checked before."""
        for what, pair in self.pairs(self.about.old_key, False):
            with self.subTest(what=what):
                self.refused_bundle(1, "pair that validates the old key",
                                    True, old_validate=pair)

    def test_proof(self):
        wrong = self.good.but(sequence=3)
        for what, proof in (
                ("another key's", oracle.Key().sign(wrong.proof_digest)),
                ("the authority's", self.key.sign(wrong.proof_digest)),
                ("over something else", self.new.sign(wrong.digest)),
                ("for a fleet", self.new.sign(oracle.proof_digest(
                    False, wrong.serial, wrong.configuration_digest,
                    wrong.old_key, wrong.new_key))),
                ("for another old key", self.new.sign(oracle.proof_digest(
                    True, wrong.serial, wrong.configuration_digest,
                    oracle.Key().public, wrong.new_key))),
                ("zeros", bytes(64))):
            with self.subTest(what=what):
                self.refused_bundle(1, "proof", True, proof=proof)
        self.good_is_accepted()

    def test_no_point(self):
        """A new key that is not on the curve is not written."""
        key = bytes(31) + b"\5" + bytes(31) + b"\1"
        pair = self.about.configuration.pair(self.key, self.about.serial, key)
        self.refused_bundle(1, "proof", True, new_key=key,
                            new_validate=pair)


class Requests(Refused):
    def refused_request(self, code, words, new=None, **changes):
        request = self.about.but(**changes)
        return self.refused(code, words, request.text(new or self.new),
                            "authorize")

    def test_layout(self):
        for code, words, changes in (
                (3, "another kind", {"magic": b"KWB1"}),
                (1, "another slot", {"slot": 13}),
                (3, "must be zero", {"reserved_6": b"\0\1"}),
                (3, "must be zero", {"reserved_22": b"\1\0"}),
                (3, "must be zero", {"reserved_94": b"\0\1"}),
                (3, "must be zero", {"counter": 2**21}),
                (3, "must be zero", {"counter": 2**32 - 1}),
                (3, "must be zero", {"lock_bits": 7}),
                (3, "must be zero", {"flags": 7 | 16}),
                (3, "must be zero", {"flags": 5}),
                (3, "must be zero", {"flags": 1}),
                (3, "must be zero", {"flags": 6})):
            with self.subTest(changes=changes):
                self.refused_request(code, words, **changes)

    def test_slot_that_cannot_rotate(self):
        """The authority signs nothing about a chip whose slot 14 is not a
        rotating key under slot 13."""
        slots, keys = self.about.slot_configs, self.about.key_configs
        for what, slot_configs, key_configs in (
                ("under slot 12", slots[:28] + b"\x0c\x1f" + slots[30:], keys),
                ("secret", slots[:28] + b"\x8d\x1f" + slots[30:], keys),
                ("written always", slots[:28] + b"\x0d\x0f" + slots[30:],
                 keys),
                ("without validity", slots,
                 keys[:34] + b"\x10\x00" + keys[36:]),
                ("nothing", bytes(32), bytes(38))):
            with self.subTest(what=what):
                self.refused_request(1, "chip is of the wrong type|slot 14",
                                     slot_configs=slot_configs,
                                     key_configs=key_configs)

    def test_proof(self):
        document = self.refused_request(1, "proof", oracle.Key())
        self.assertIn("rotate request", document["hint"])
        self.refused_request(1, "proof", new_key=bytes(63) + b"\1")

    def test_same_key(self):
        old = oracle.Key.read(self.key_file(14, -2))
        self.refused_request(1, "the new key is the old key", old,
                             new_key=old.public)

    def test_counter_near_its_end(self):
        """No bundle is made that the counter cannot reach."""
        last = 2**21 - 1
        request = self.about.but(counter=last - 1)
        path = self.write("near.json", request.text(self.new))
        authorize = ("rotate", "authorize", "--request", path, "--yes")
        document = self.kw.json(*authorize)
        self.assertEqual(document["sequence"], last)
        with self.nothing_changes():
            self.fails(1, f"next sequence is {last + 1}.*{last} to {last}",
                       *authorize)
        self.refused_request(1, "counter 1 .* at its end", counter=last)

    def test_way_out_when_the_register_is_far_ahead(self):
        """Answers that nobody applied count; --sequence leads back."""
        path = self.kw.at("bundles").glob("*.request.json").__next__()
        authorize = ("rotate", "authorize", "--request", path, "--yes")
        for _ in range(16):
            document = self.kw.json(*authorize)
        self.assertEqual(document["sequence"], 17)
        words = "next sequence is 18(.|\n)*2 to 17, at most 16 ahead" \
            "(.|\n)*apply a bundle(.|\n)*--sequence n"
        with self.nothing_changes():
            self.fails(1, words, *authorize)
            self.fails(1, words, "rotate", "run")
        document = self.kw.json(*authorize, "--sequence", 17)
        self.kw.run("rotate", "apply", "--bundle", document["bundle"])
        self.kw.run("rotate", "run")
        self.assertEqual(self.status()["counter"], 18)

    def test_way_out_of_a_register_with_a_sequence_that_nobody_takes(self):
        path = self.kw.at("bundles").glob("*.request.json").__next__()
        authorize = ("rotate", "authorize", "--request", path, "--yes")
        register = self.kw.at("bundles", "register.ndjson")
        text = register.read_text(encoding="utf-8")
        register.write_text(text.replace('"sequence": 1,', '"sequence": 99,')
                            .replace('"sequence":1,', '"sequence":99,'),
                            encoding="utf-8")
        self.assertNotEqual(register.read_text(encoding="utf-8"), text)
        with self.nothing_changes():
            self.fails(1, "next sequence is 100(.|\n)*rotate authorize "
                       "--request file --sequence n`, n from 2 to 17",
                       "rotate", "run")
            self.fails(1, "next sequence is 100", *authorize)
        result = self.kw.run(*authorize, "--sequence", 2, "-o", "two.json")
        self.assertIn("last sequence of this serial is 99", result.err)
        self.kw.run("rotate", "apply", "--bundle", "two.json")
        self.assertEqual(self.status()["counter"], 2)


class Keys(rotation_case.Case):
    """The authority's key file cannot be used."""

    def bad_files(self):
        authority = self.key_file(13, 0).read_bytes()
        key = self.authority()
        self.kw.folder.joinpath("folder").mkdir()
        yield "none.pem", None, 6, "none.pem"
        yield "folder", None, 3, "folder"
        for name, data in (
                ("empty.pem", b""),
                ("damaged.pem", authority.replace(b"MIG", b"MIH")),
                ("half.pem", authority[:100]),
                ("rsa.pem", pem(rsa.generate_private_key(65537, 1024))),
                ("p384.pem", pem(ec.generate_private_key(ec.SECP384R1()))),
                ("password.pem", key.pem(b"password")),
                ("public.pem", key.private.public_key().public_bytes(
                    serialization.Encoding.PEM,
                    serialization.PublicFormat.SubjectPublicKeyInfo)),
                ("der.pem", key.private.private_bytes(
                    serialization.Encoding.DER,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption()))):
            yield name, data, 3, name + "(.|\n)*p-256"

    def test_named(self):
        document, _ = self.request()
        for name, data, code, words in self.bad_files():
            if data is not None:
                self.write(name, data)
            with self.subTest(name=name):
                with self.nothing_changes():
                    self.fails(code, words, "rotate", "run", "--authority",
                               name)
                    self.fails(code, words, "rotate", "authorize", "--yes",
                               "--request", document["file"], "--authority",
                               name)
                    self.fails(code, words, "rotate", "export", "--c-header",
                               "--authority", name)
        self.kw.run("rotate", "run")

    def test_another_key(self):
        self.write("other.pem", oracle.Key().pem())
        with self.nothing_changes():
            self.fails(1, "another authority", "rotate", "run",
                       "--authority", "other.pem")

    def test_a_token_that_is_not_there(self):
        with self.nothing_changes():
            self.fails(4, "no token|no pkcs#11 module", "rotate", "run",
                       "--authority", "pkcs11:token=x")
        self.kw.run("rotate", "run")

    def test_gone(self):
        self.key_file(13).unlink()
        with self.nothing_changes():
            document = self.fails(1, "no private key for the authority",
                                  "rotate", "run")
        self.assertIn("--authority", document["hint"])

    def test_damaged_in_the_workspace(self):
        path = self.key_file(13)
        whole = path.read_bytes()
        path.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
        with self.nothing_changes():
            for verb in (("run",), ("lock-authority", "--yes")):
                self.fails(3, "slot_13_ecc_key_pair.pem", "rotate", *verb)
        path.write_bytes(whole)
        self.kw.run("rotate", "run")

    def test_newest_key_is_damaged(self):
        """It is named; `run` makes another one."""
        self.kw.run("rotate", "new-key")
        path = self.key_file()
        path.write_bytes(b"damaged")
        key = self.status()["key"]
        with self.nothing_changes():
            for verb in (("request",), ("export", "--c-header")):
                self.fails(3, "prototype-0002/slot_14_ecc_key_pair.pem",
                           "rotate", *verb)
        self.rotated(self.kw.json("rotate", "run"), key, 1)
        path.unlink()


class Chips(rotation_case.Case):
    """There is no chip, the wrong one, or one that is not ready."""

    make_resources = False
    VERBS = (("new-key",), ("request",), ("verify",), ("run",), ("status",),
             ("resume",), ("rollback",), ("export", "--c-header"),
             ("lock-authority", "--yes"))

    def test_wrong_type(self):
        for name in ("blank", "trustgo"):
            for verb in self.VERBS:
                with self.subTest(name=name, verb=verb), \
                        self.nothing_changes():
                    self.fails(1, "TrustFLEX(.|\n)*--chip", "rotate", *verb,
                               "--chip", "sim:" + name)

    def test_not_there(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for link in (f"tcp:127.0.0.1:{port}", "unix:none.sock"):
            for verb in self.VERBS:
                with self.subTest(link=link, verb=verb), \
                        self.nothing_changes():
                    document = self.fails(
                        4, "Can't connect(.|\n)*check", "rotate", *verb,
                        "--chip", link)
                    self.assertIn("board serve", document["hint"])
        result = self.kw.run("rotate", "run", "--chip", "unix:none.sock",
                             code=4)
        self.assertRegex(result.err, "(?s)Can't connect.*check")
        self.assertEqual(result.out, "")

    def test_no_such_name(self):
        with self.nothing_changes():
            self.fails(4, "Can't connect.*nosuch|nosuch", "rotate", "run",
                       "--chip", "sim:nosuch")

    def test_no_such_link(self):
        for link in ("nonsense", ""):
            with self.nothing_changes():
                self.fails(2, "link", "rotate", "run", "--chip", link)

    def test_real_parts_that_are_not_there(self):
        for link in ("i2c:99", "hid:", "kit:/dev/none", "swi:/dev/none"):
            with self.nothing_changes():
                self.fails(4, "can't connect(.|\n)*check", "rotate", "run",
                           "--chip", link)

    def test_listener_that_is_no_board(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            def answer():
                with contextlib.suppress(OSError):
                    connection, _ = other.accept()
                    with connection:
                        connection.recv(100)
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n")
            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            with self.nothing_changes():
                self.fails(4, "garbled|answering", "rotate", "run", "--chip",
                           f"tcp:127.0.0.1:{other.getsockname()[1]}")
            thread.join(30)

    def test_no_resources(self):
        for verb in (("run",), ("lock-authority", "--yes"),
                     ("export", "--c-header")):
            with self.subTest(verb=verb), self.nothing_changes():
                self.fails(1, "slot 13(.|\n)*resources make", "rotate",
                           *verb)
        self.kw.run("rotate", "new-key")
        with self.nothing_changes():
            self.fails(1, "slot 13(.|\n)*resources make", "rotate",
                       "request")
            self.fails(1, "slot 14 is blank(.|\n)*resources make", "rotate",
                       "verify")
        self.assertEqual(self.status()["state"], "blank")

    def test_no_workspace(self):
        command = self.another("empty")
        for verb in self.VERBS:
            document = command.json("rotate", *verb, code=1)
            self.assertIn("keywright init", document["hint"])
        self.assertEqual(list(command.folder.iterdir()), [])


class Retirement(rotation_case.Case):
    """`chip retire` through a proxy."""

    def test_slot_14_cannot_be_invalidated(self):
        """Then slot 13 must stay: nothing else could ever invalidate it."""
        self.kw.run("rotate", "run")
        board = self.serve()
        proxy = self.proxy(At(b"\x01", 0x45, 0x07, 14))
        with self.nothing_changes():
            self.fails(1, "slot 14 is validated and cannot be invalidated"
                       "(.|\n)*nothing was changed", "chip", "retire", "--yes",
                       "--chip", proxy.link)
        proxy.close()
        self.end(board)
        self.kw.run("rotate", "verify")
        self.kw.json("chip", "retire", "--yes")
        self.assertEqual(self.slot(13), bytes(72))


class OtherAuthority(rotation_case.Case):
    """Slot 13 holds a key that this workspace does not have."""

    def test_locked(self):
        """The chip belongs to another workspace, whose authority is in
        slot 13 for ever."""
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "lock-authority", "--yes")
        self.serve()
        other = self.another("other")
        other.run("init")
        other.run("resources", "make")
        mine = self.status()
        link = ("--chip", self.address())
        own = oracle.Key.read(
            next(other.at("keys").rglob("slot_13_ecc_key_pair.pem")))
        (other.folder / "own.pem").write_bytes(own.pem())
        for words, verb in (
                ("no private key for the authority in slot 13", ("run",)),
                ("slot 13 of the device holds another authority",
                 ("run", "--authority", "own.pem"))):
            with self.nothing_changes(), \
                    self.nothing_changes(command=other):
                document = other.json("rotate", *verb, *link, code=1)
            self.assertRegex(document["message"], words)
            self.assertIn(mine["authority"][:16], document["message"])
        with self.nothing_changes():
            document = other.json("resources", "make", "--yes", *link, code=1)
        self.assertRegex(document["message"].lower(), "slot 13.*lock")
        self.assertEqual(self.status(), mine)
        self.assertIsNone(
            other.json("rotate", "status", *link)["journal"])
        # A bundle of the other authority, for this very chip.
        _, request = self.request()
        path = self.write("foreign.json", oracle.make_bundle(
            own, request, request.signature, 2).text(own))
        with self.nothing_changes():
            self.fails(1, "not signed by the authority", "rotate", "apply",
                       "--bundle", path)
        self.kw.run("rotate", "run")

    def test_exchanged(self):
        """Somebody wrote another key into slot 13 while it could be
        written: its bundles work, and the old authority's do not."""
        self.kw.run("rotate", "run")
        _, request = self.request()
        old = oracle.make_bundle(self.authority(), request,
                                 request.signature, 2)
        old = self.write("old.json", old.text(self.authority()))
        thief = oracle.Key()
        board = self.serve()
        stored = chip_client.stored_key(thief.public)
        for block in range(3):
            self.look("write_block", 13, block,
                      stored[32 * block:32 * block + 32])
        self.end(board)
        self.assertEqual(self.status()["authority"], thief.fingerprint)
        with self.nothing_changes():
            self.fails(1, "no private key for the authority", "rotate",
                       "run")
        with self.nothing_changes():
            self.fails(1, "not signed by the authority", "rotate", "apply",
                       "--bundle", old)


class Stopped(rotation_case.Case):
    """Signals, and a device that vanishes, while a run is under way."""

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.board = self.serve()
        self.before = self.status()

    def run_and(self, act, *command, words=("run",)):
        """A run through a proxy; `act(process)` comes when the chip is
        about to get that command, and answers as a rule does. Returns exit
        code, document or None, stderr."""
        ready = threading.Event()
        started = []

        def what():
            ready.wait(30)
            return act(started[0])

        proxy = self.proxy(At(what, *command))
        process = self.kw.start("rotate", *words, "--json", "--chip",
                                proxy.link)
        started.append(process)
        ready.set()
        out, err = process.communicate(timeout=kw.TIMEOUT)
        proxy.close()
        self.kw.outputs.append(out.decode() + err.decode())
        document = json.loads(out) if out else None
        if document is not None:
            kw.validate(document)
        return process.returncode, document, err.decode()

    def finish(self, words=("resume",)):
        counter = self.before["counter"] + 1
        document = self.kw.json("rotate", *words)
        self.rotated(document if document["resumed"] and
                     "new_key" in document else None,
                     self.before["key"], counter)
        self.assertNotIn(None, self.outcomes())
        self.before = self.status()

    def test_signals(self):
        for number, command in ((signal.SIGINT, WRITE_1),
                                (signal.SIGTERM, VALIDATE)):
            with self.subTest(command=command):
                code, document, err = self.run_and(
                    lambda process, number=number:
                    process.send_signal(number), *command)
                self.finish()
                self.assertEqual(code, 7)
                self.assertEqual(document["exit"], 7)
                self.assertEqual(document["message"],
                                 "the rotation was interrupted")
                self.assertIn("rotate resume", err)

    def test_signal_during_the_last_proof(self):
        """The rotation is done; to run it again would make another one."""
        code, document, err = self.run_and(
            lambda process: process.send_signal(signal.SIGINT), *COUNT)
        self.finish()
        self.assertEqual(code, 7)
        self.assertRegex(document["message"], "rotation is done.*interrupted")
        self.assertIn("rotate verify", err)

    def test_signal_before_the_first_change(self):
        image = self.eeprom()
        code, document, _ = self.run_and(
            lambda process: process.send_signal(signal.SIGINT), 0x45, 0x22)
        self.assertEqual(code, 7)
        self.assertEqual(document["exit"], 7)
        self.assertEqual(self.eeprom(), image)
        self.finish(("run",))

    def test_signal_while_resuming(self):
        self.interrupted_run(At("cut", *WRITE_1))
        code, _, _ = self.run_and(
            lambda process: process.send_signal(signal.SIGINT), *VALIDATE,
            words=("resume",))
        self.assertEqual(code, 7)
        self.finish()

    def test_killed(self):
        for command in ((0x02,), (0x45, 0x20, 13), WRITE_1, VALIDATE, COUNT):
            with self.subTest(command=command):
                code, document, _ = self.run_and(
                    lambda process: process.kill(), *command)
                self.assertEqual((code, document), (-signal.SIGKILL, None))
                self.finish(("run",))

    def test_board_is_killed(self):
        """The chip loses its power with the board."""
        for command in (WRITE_1, VALIDATE):
            def act(_process):
                self.board.kill()
                self.board.wait(30)
                return "cut"
            with self.subTest(command=command):
                code, document, _ = self.run_and(act, *command)
                self.assertEqual(code, 4)
                self.assertIn("stopped answering", document["message"])
                self.assertIn("rotate resume", document["hint"])
                self.assertEqual(document["status"][:3], "0x4")
                # Without the board the chip is reached directly.
                self.finish()
                self.board = self.serve()

    def test_chip_is_another_one_afterwards(self):
        """A run is finished at its own chip; another chip's run is its
        own matter."""
        self.interrupted_run(At("cut", *WRITE_1))
        before = self.journals()
        other = self.another("other")
        other.run("init")
        other.run("resources", "make")
        board = other.start("board", "serve", "--json")
        self.addCleanup(self.end, board)
        self.document(board)
        link = "unix:" + str(other.at("run", "trustflex.sock"))
        document = self.kw.json("rotate", "resume", "--chip", link)
        self.assertFalse(document["resumed"])
        self.assertEqual(self.journals(), before)
        self.finish()


class FullDisk(rotation_case.Case):
    """No room for a file: exit 6, nothing is lost, and with room again it
    goes on. The chip is behind a board, whose files have room."""

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.serve()
        self.address_of_chip = ("--chip", self.address())

    def limited(self, size, *words):
        """The command with no file larger than `size`."""
        process = self.kw.start(
            *words, "--json", preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (size, size)))
        out, err = process.communicate(timeout=kw.TIMEOUT)
        self.kw.outputs.append(out.decode() + err.decode())
        document = json.loads(out)
        kw.validate(document)
        return process.returncode, document

    def nothing_is_lost(self, before):
        after = self.kept("chips")
        for path, data in before.items():
            if path in after or "chips" not in path:
                self.assertEqual(after[path][:len(data)], data, path)
        self.assertFalse([path for path in after if "/.tmp-" in path])
        for journal in self.journals():
            for event in journal:
                self.assertIn("event", event)
        self.register()

    def test_each_size(self):
        """From no byte at all to room for all files."""
        codes = []
        counter = 1
        for size in (0, 40, 90, 150, 220, 250, 300, 400, 600, 700, 900,
                     1000, 1300, 2000):
            with self.subTest(size=size):
                before = self.kept("chips")
                status = self.status()
                code, document = self.limited(
                    size, "rotate", "run", *self.address_of_chip)
                codes.append(code)
                self.nothing_is_lost(before)
                if code == 0:
                    counter = document["sequence"]
                    continue
                self.assertEqual(code, 6)
                self.assertEqual(document["exit"], 6)
                self.assertRegex(document["message"],
                                 "File too large|cannot")
                self.assertEqual(self.status()["key"], status["key"])
                self.assertEqual(self.status()["counter"],
                                 status["counter"])
                if self.status()["journal"] is not None:
                    document = self.kw.json("rotate", "resume")
                    counter = document["sequence"]
                    self.rotated(document, status["key"], counter)
                else:
                    document = self.kw.json("rotate", "run")
                    counter = document["sequence"]
                    self.assertFalse(document["resumed"])
                    self.rotated(document, status["key"], counter)
        self.assertIn(6, codes)
        self.assertEqual(set(codes) - {0, 6}, set())

    def test_full_while_the_chip_changes(self):
        """What the journal should say comes too late: the chip has the
        new key, and the next run only notes it."""
        for command in (WRITE_1, VALIDATE, COUNT):
            before = self.status()
            ready = threading.Event()
            started = []

            def fill():
                ready.wait(30)
                resource.prlimit(started[0].pid, resource.RLIMIT_FSIZE,
                                 (0, 0))

            proxy = self.proxy(At(fill, *command))
            files = self.kept("chips")
            process = self.kw.start("rotate", "run", "--json", "--chip",
                                    proxy.link)
            started.append(process)
            ready.set()
            out, _ = process.communicate(timeout=kw.TIMEOUT)
            proxy.close()
            with self.subTest(command=command):
                self.assertEqual(process.returncode, 6)
                self.assertIn("journal", json.loads(out)["message"])
                self.nothing_is_lost(files)
                status = self.status()
                self.assertEqual(status["state"], "validated")
                self.assertNotEqual(status["key"], before["key"])
                self.assertIsNotNone(status["journal"])
                document = self.kw.json("rotate", "resume")
                self.assertTrue(document["already_applied"])
                self.rotated(document, before["key"],
                             before["counter"] + 1)

    def test_two_machines(self):
        for size in (0, 100, 500):
            with self.subTest(size=size):
                with self.nothing_changes("keys"):
                    self.assertEqual(self.limited(
                        min(size, 100), "rotate", "new-key",
                        *self.address_of_chip)[0], 6)
                self.kw.run("rotate", "new-key")
                with self.nothing_changes():
                    self.assertEqual(self.limited(
                        min(size, 400), "rotate", "request",
                        *self.address_of_chip)[0], 6)
                self.kw.run("rotate", "request")
                request = sorted(self.kw.at("bundles").glob(
                    "*.request.json"))[-1]
                before = self.kept()
                self.assertEqual(self.limited(
                    size, "rotate", "authorize", "--request", request,
                    "--yes")[0], 6)
                self.nothing_is_lost(before)

    def limited_apply(self, size):
        bundle = self.write("in.json", self.oracle_bundle().text(
            self.authority()))
        status = self.status()
        image = self.eeprom()
        self.assertEqual(self.limited(
            size, "rotate", "apply", "--bundle", bundle,
            *self.address_of_chip)[0], 6)
        self.assertEqual(self.eeprom(), image)
        return bundle, status

    def test_apply(self):
        for size in (0, 50, 100, 500):
            with self.subTest(size=size):
                bundle, status = self.limited_apply(size)
                document = self.kw.json("rotate", "apply", "--bundle", bundle)
                self.rotated(document, status["key"], status["counter"] + 1)

    def test_resources(self):
        """Every file is on the disk before the chip is touched, but the mark
        that all of it is in the chip: the validated key stays validated."""
        image = self.write("app.bin", bytes(3000))
        status = self.status()
        for size in (0, 100, 200, 300, 1000, 2000, 10000):
            with self.subTest(size=size):
                with self.nothing_changes("bundles"):
                    code, document = self.limited(
                        size, "resources", "make", "--yes", "--firmware",
                        image, *self.address_of_chip)
                self.assertEqual(code, 6)
                self.assertIn("File too large", document["message"])
                self.assertIn("the chip is as it was", document["hint"])
                self.assertEqual(self.status(), status)
                self.kw.run("rotate", "verify")
        code, _ = self.limited(100000, "resources", "make", "--yes",
                               "--firmware", image, *self.address_of_chip)
        self.assertEqual(code, 0)

    def test_retirement(self):
        """No slot is erased without a record that was begun, and room for
        its end."""
        for size in (0, 100, 1000, 3000, 6000):
            with self.subTest(size=size), self.nothing_changes():
                code, document = self.limited(
                    size, "chip", "retire", "--yes", *self.address_of_chip)
                self.assertEqual(code, 6)
                self.assertRegex(document["message"],
                                 "cannot write .*retired-.*too large")
                self.assertIn("the chip is as it was", document["hint"])
        self.kw.run("rotate", "verify")
        # A disk that gets full in the middle no longer matters.
        proxy = self.proxy(At(self.leave_8_kib, 0x12, 0x82, 0x0030))
        self.process = self.kw.start("chip", "retire", "--yes", "--json",
                                     "--chip", proxy.link)
        document = json.loads(self.process.communicate(timeout=60)[0])
        proxy.close()
        self.assertEqual(self.process.returncode, 0)
        record = json.loads(self.kw.path(document["record"]).read_text())
        self.assertEqual(record["slots"], document["slots"])
        self.assertIsNotNone(record["ended"])

    def leave_8_kib(self):
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE,
                         (8192, 8192))

    def test_a_retirement_is_interrupted(self):
        """The record says what was going to be done, and is not believed."""
        proxy = self.proxy(At("cut", 0x12, 0x82, 0x0030))
        self.kw.run("chip", "retire", "--yes", "--chip", proxy.link, code=4)
        proxy.close()
        first, = self.kw.at("journal").glob("retired-*")
        record = json.loads(first.read_text())
        self.assertIsNone(record["ended"])
        self.assertEqual(len(record["slots"]), 16)
        self.fails(1, "needed", "keys", "retire", self.serial, 1, 5, "--yes")
        document = self.kw.json("chip", "retire", "--yes")
        self.assertNotEqual(self.kw.path(document["record"]), first)
        self.kw.run("keys", "retire", self.serial, 1, 5, "--yes")

    def test_resources_are_not_marked(self):
        proxy = self.proxy(At(self.fill, 0x12, 0x82, 0x0078))
        self.process = self.kw.start("resources", "make", "--yes", "--json",
                                     "--chip", proxy.link)
        document = json.loads(self.process.communicate(timeout=60)[0])
        proxy.close()
        self.assertEqual(self.process.returncode, 6)
        self.assertRegex(document["hint"], "every key is in the chip")
        self.assertRegex(self.kw.run("rotate", "status").err,
                         "resources make` was interrupted")
        self.kw.run("resources", "make", "--yes")

    def fill(self):
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, 0))

    def test_resume_of_an_apply(self):
        """It is no run: it makes no key of its own."""
        self.limited_apply(100)
        generations = self.kw.generations(self.serial)
        with self.chip_is_left_alone():
            self.kw.run("rotate", "resume", code=None)
        self.assertEqual(self.kw.generations(self.serial), generations)

    def test_stdout_is_full(self):
        """What was printed is lost, the rotation is not."""
        with open("/dev/full", "wb") as full:
            process = subprocess.run(
                [self.kw.binary, "rotate", "run"], cwd=self.kw.folder,
                env=self.kw.environment, stdin=subprocess.DEVNULL,
                stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(process.returncode, 6)
        self.assertIn(b"stdout", process.stderr)
        self.assertEqual(self.status()["counter"], 2)
        self.kw.run("rotate", "verify")


class SmallDisk(rotation_case.Case):
    """A file system that is full in earnest. Needs the right to mount."""

    def init(self, *options):
        disk = self.kw.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "none", disk],
            capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mount is not permitted here: "
                          + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.kw.folder = disk
        self.kw.workspace = disk / "keywright.d"
        return super().init(*options)

    def fill(self, pages):
        """Takes all room but that many pages."""
        filler = self.kw.folder / "filler"
        with open(filler, "wb", buffering=0) as file, \
                contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        size = filler.stat().st_size // 4096 * 4096
        os.truncate(filler, max(size - 4096 * pages, 0))
        return filler

    def test_each_page(self):
        codes = []
        for pages in range(8):
            with self.subTest(pages=pages):
                status = self.status()
                before = self.kept("chips")
                filler = self.fill(pages)
                result = self.kw.run("rotate", "run", "--json", code=None)
                document = json.loads(result.out)
                code = result.code
                codes.append(code)
                after = self.kept("chips")
                filler.unlink()
                for path, data in before.items():
                    if "filler" not in path:
                        self.assertEqual(after[path][:len(data)], data)
                if code == 0:
                    self.rotated(document, status["key"],
                                 document["sequence"])
                    continue
                self.assertIn("space", document["message"])
                document = self.kw.json("rotate", "run")
                self.rotated(document, status["key"], document["sequence"])
        self.assertEqual(set(codes), {0, 6})


class Together(rotation_case.Case):
    """Two processes want the same chip."""

    def test_two_runs(self):
        for _ in range(3):
            before = self.status()
            processes = [self.kw.start("rotate", "run", "--json")
                         for _ in range(2)]
            done = 0
            for process in processes:
                out, err = process.communicate(timeout=kw.TIMEOUT)
                kw.validate(json.loads(out))
                self.assertIn(process.returncode, (0, 4), err)
                if process.returncode == 4:
                    self.assertRegex(err.decode(), "another")
                else:
                    done += 1
            self.assertGreaterEqual(done, 1)
            self.rotated(None, before["key"], before["counter"] + done)
            self.assertNotIn(None, self.outcomes())

    def test_two_runs_through_a_board(self):
        self.serve()
        self.test_two_runs()

    def test_workspace_is_taken(self):
        """Whoever comes second waits five seconds, and then changes
        nothing."""
        bundle = self.write("one", self.oracle_bundle(1).text(
            self.authority()))
        with open(self.kw.at("run", "workspace.lock"), "r+b") as file:
            lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
            with self.nothing_changes():
                processes = [self.kw.start("rotate", *words, "--json")
                             for words in (("run",), ("resume",), ("new-key",),
                                           ("apply", "--bundle", bundle))]
                for process in processes:
                    out, _ = process.communicate(timeout=kw.TIMEOUT)
                    self.assertEqual(process.returncode, 4)
                    document = json.loads(out)
                    kw.validate(document)
                    self.assertIn("another keywright", document["message"])
                    self.assertIn("wait", document["hint"])
        self.kw.run("rotate", "apply", "--bundle", bundle)

    def test_two_bundles_at_once(self):
        """Both fit the chip as it is; one of them is applied."""
        paths = []
        for name in ("one", "two"):
            bundle = self.oracle_bundle(1)
            paths.append(self.write(name, bundle.text(self.authority())))
        processes = [self.kw.start("rotate", "apply", "--json", "--bundle",
                                   path) for path in paths]
        codes = []
        for process in processes:
            out, _ = process.communicate(timeout=kw.TIMEOUT)
            codes.append(process.returncode)
            if process.returncode != 0:
                self.assertIn("used before", json.loads(out)["message"])
        self.assertEqual(sorted(codes), [0, 1])
        self.assertEqual(self.status()["counter"], 1)
        self.assertNotIn(None, self.outcomes())
        self.kw.run("rotate", "verify")


if __name__ == "__main__":
    kw.main()
