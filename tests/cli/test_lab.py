"""`keywright lab`: what host and chip say is checked by other programs:
certificates and signatures by `cryptography`, MACs by hashlib."""

import datetime
import hashlib
import os
import re

import kw
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

STEPS = {"asymmetric": ["rebuild", "chain", "challenge", "response", "verify"],
         "accessory": ["identify", "challenge", "mac", "compare"]}
ATTACKS = {"asymmetric": ["clone", "foreign-root", "expired", "replay"],
           "accessory": ["wrong-accessory", "replay"]}


def values(part):
    return {value["name"]: bytes.fromhex(value["hex"])
            for value in part["values"]}


def by_name(document):
    """{name: values} of the steps and of the attacks."""
    return ({part["name"]: values(part) for part in document["steps"]},
            {part["name"]: values(part) for part in document["attacks"]})


def words(document, name):
    """Why an attack was refused."""
    return next(part["refused"] for part in document["attacks"]
                if part["name"] == name)


def is_signed_by(subject, issuer):
    try:
        issuer.public_key().verify(
            subject.signature, subject.tbs_certificate_bytes,
            ec.ECDSA(subject.signature_hash_algorithm))
    except InvalidSignature:
        return False
    return True


def responds(device, challenge, response):
    """Is the response by the certificate's key, over this challenge?"""
    signature = utils.encode_dss_signature(
        int.from_bytes(response[:32], "big"),
        int.from_bytes(response[32:], "big"))
    try:
        device.public_key().verify(
            signature, challenge,
            ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def chain_of(part):
    return [x509.load_der_x509_certificate(part[name])
            for name in ("root", "signer", "device")]


class Asymmetric(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def play(self, *options, **more):
        return self.kw.json("lab", "asymmetric", *options, **more)

    def test_from_a_fresh_workspace(self):
        document = self.play()
        self.assertEqual(document["serial"], self.serial)
        self.assertEqual([part["name"] for part in document["steps"]],
                         STEPS["asymmetric"])
        self.assertEqual([part["name"] for part in document["attacks"]],
                         ATTACKS["asymmetric"])

    def test_the_proof_holds_elsewhere(self):
        steps, _ = by_name(self.play("--attack", "none"))
        root, signer, device = chain_of(steps["chain"])
        trusted = x509.load_pem_x509_certificate(
            self.kw.at("certs", "simulated-vendor", "root.crt").read_bytes())
        self.assertEqual(root, trusted)
        self.assertTrue(is_signed_by(signer, root))
        self.assertTrue(is_signed_by(device, signer))
        self.assertTrue(responds(device, steps["challenge"]["challenge"],
                                 steps["response"]["response"]))
        numbers = device.public_key().public_numbers()
        self.assertEqual(steps["verify"]["public_key"],
                         numbers.x.to_bytes(32, "big") +
                         numbers.y.to_bytes(32, "big"))

    def test_clone(self):
        document = self.play("--attack", "clone")
        steps, attacks = by_name(document)
        *_, device = chain_of(steps["chain"])
        clone = attacks["clone"]
        self.assertFalse(responds(device, clone["challenge"],
                                  clone["response"]))
        self.assertNotEqual(clone["challenge"], steps["challenge"]["challenge"])
        self.assertRegex(words(document, "clone"), "not by the key")
        self.assertIn("host verify cert chain...OK",
                      document["attacks"][0]["lines"])

    def test_foreign_root(self):
        document = self.play("--attack", "foreign-root")
        steps, attacks = by_name(document)
        true_root, true_signer, _ = chain_of(steps["chain"])
        root, signer, device = chain_of(attacks["foreign-root"] | {
            "root": steps["chain"]["root"]})
        self.assertTrue(is_signed_by(device, signer))
        self.assertFalse(is_signed_by(signer, root))
        self.assertEqual(signer.subject, true_signer.subject)
        self.assertEqual(signer.issuer, true_root.subject)
        name = x509.ExtensionOID.AUTHORITY_KEY_IDENTIFIER
        self.assertEqual(
            signer.extensions.get_extension_for_oid(name).value,
            true_signer.extensions.get_extension_for_oid(name).value)
        now = datetime.datetime.utcnow()
        self.assertLess(signer.not_valid_before, now)
        self.assertGreater(signer.not_valid_after, now)
        self.assertRegex(words(document, "foreign-root"), "signer.*signature")

    def test_expired(self):
        document = self.play("--attack", "expired")
        _, attacks = by_name(document)
        root, signer, device = chain_of(attacks["expired"])
        self.assertTrue(is_signed_by(root, root))
        self.assertTrue(is_signed_by(signer, root))
        self.assertTrue(is_signed_by(device, signer))
        now = datetime.datetime.utcnow()
        self.assertGreater(root.not_valid_after, now)
        self.assertLess(device.not_valid_after, now)
        self.assertRegex(words(document, "expired"), "expired")

    def test_replay(self):
        document = self.play("--attack", "replay")
        steps, attacks = by_name(document)
        *_, device = chain_of(steps["chain"])
        replay = attacks["replay"]
        self.assertEqual(replay["response"], steps["response"]["response"])
        self.assertFalse(responds(device, replay["challenge"],
                                  replay["response"]))

    def test_every_challenge_is_new(self):
        seen = []
        for _ in range(2):
            steps, attacks = by_name(self.play())
            seen += [steps["challenge"]["challenge"],
                     attacks["clone"]["challenge"],
                     attacks["replay"]["challenge"]]
        self.assertEqual(len(set(seen)), 6)

    def test_an_own_chain_and_another_root(self):
        custom = self.kw.json("certs", "custom", "--org", "test", "--yes")
        self.play()
        root = self.kw.path(custom["root"]["file"])
        self.play("--root", root)
        document = self.play(
            "--root", self.kw.at("certs", "simulated-vendor", "root.crt"),
            code=1)
        self.assertRegex(document["message"], "does not come from the root")

    def test_a_chip_with_anothers_certificates(self):
        """A clone, not only played: slots 10-12 of one chip in another."""
        self.kw.json("certs", "custom", "--org", "test", "--yes")
        other = self.another("other")
        other.run("init")
        slots = self.kw.folder / "slots.bin"
        self.kw.json("certs", "backup", "-o", slots)
        data = slots.read_bytes()
        (other.folder / "script").write_text("".join(
            f"chip write {slot} --hex {data[i:i + 72].hex()}\n"
            for slot, i in ((10, 0), (11, 72), (12, 144))))
        other.run("chip", "run", "script", "--yes")
        other.json("lab", "asymmetric", "--root",
                   self.kw.at("certs", "custom-0001", "root_crt.crt"), code=1)

    def test_lines_of_the_design_suite(self):
        out = self.kw.run("lab", "asymmetric").out
        for line in ("client rebuild certificates...",
                     "host verify cert chain...",
                     "host generate challenge...OK(Challenge: ",
                     "client generate response...OK(Response: ",
                     "CLIENT: Rebuilt Signer Certificate:",
                     "CLIENT: Rebuilt Device Certificate:",
                     "HOST: Signer certificate verified against root public "
                     "key!",
                     "HOST: Device certificate verified against signer public "
                     "key!",
                     "HOST: Device response to challenge verified!",
                     "Node has associated private key!",
                     "Node authentication completed successfully."):
            self.assertRegex(out, f"(?m)^{re.escape(line)}")
        self.assertEqual(len(re.findall("(?m)^Refused: ", out)), 4)

    def test_nothing_is_changed(self):
        self.kw.json("resources", "make")
        def files():
            return {path: data for path, data in self.kw.files().items()
                    if not {"run", "chips"} & set(path.parts)}
        before, slots = files(), self.kw.json("chip", "slots")
        self.play()
        self.kw.json("lab", "accessory")
        self.assertEqual(files(), before)
        self.assertEqual(self.kw.json("chip", "slots"), slots)

    def test_other_links_without_a_workspace(self):
        """A host elsewhere that has the root and the secret, no more."""
        self.kw.json("resources", "make")
        secret = self.kw.newest(self.serial, "slot_5_secret_key.pem")
        root = self.kw.at("certs", "simulated-vendor", "root.crt")
        board = self.kw.start("board", "serve", "--json", "--kit-pty", "kit")
        try:
            board.stdout.readline()  # the document: it is ready
            away = self.another("away")
            for link in (f"unix:{self.kw.at('run', 'trustflex.sock')}",
                         f"kit:{self.kw.folder / 'kit'}@6C"):
                with self.subTest(link=link):
                    for lab, *options in (
                            ("asymmetric", "--root", root),
                            ("accessory", "--key-file", secret)):
                        document = away.json("--chip", link, "lab", lab,
                                             *options)
                        self.assertEqual(document["serial"], self.serial)
                        self.assertEqual(
                            [part["name"] for part in document["attacks"]],
                            ATTACKS[lab])
        finally:
            board.terminate()
            board.communicate(timeout=kw.TIMEOUT)

    def test_no_such_attack(self):
        self.fails(2, "clone, foreign-root, expired, replay, none", "lab",
                   "asymmetric", "--attack", "clones")

    def test_trustgo_and_both_models(self):
        self.kw.json("--chip", "sim:trustgo", "lab", "asymmetric")
        place = self.another("608a")
        place.run("init", "--model", "608a")
        place.json("lab", "asymmetric")

    def test_a_blank_chip(self):
        self.kw.json("--chip", "sim:blank", "lab", "asymmetric", code=5)


class Accessory(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = bytes.fromhex(self.init())

    def play(self, *options, **more):
        return self.kw.json("lab", "accessory", *options, **more)

    def secret(self):
        return kw.symmetric_key(self.kw.newest(
            self.serial.hex(), "slot_5_secret_key.pem").read_bytes())

    def mac(self, secret, random, num_in):
        """As the facts have it: MAC mode 41 over a nonce of both sides."""
        serial = self.serial
        nonce = hashlib.sha256(random + num_in + b"\x16\0\0").digest()
        return hashlib.sha256(
            secret + nonce + bytes.fromhex("08410500") + bytes(11) +
            serial[8:] + serial[4:8] + serial[:2] + serial[2:4]).digest()

    def test_the_mac_is_right(self):
        self.kw.json("resources", "make")
        document = self.play()
        steps, attacks = by_name(document)
        self.assertEqual(
            steps["mac"]["mac"],
            self.mac(self.secret(), steps["challenge"]["random"],
                     steps["challenge"]["num_in"]))
        for name in ATTACKS["accessory"]:
            attack = attacks[name]
            self.assertNotEqual(
                attack["mac"], self.mac(self.secret(), attack["random"],
                                        attack["num_in"]))
            self.assertRegex(words(document, name), "not by the host's secret")
        self.assertEqual(attacks["replay"]["mac"], steps["mac"]["mac"])
        self.assertEqual(attacks["replay"]["random"],
                         steps["challenge"]["random"])
        self.kw.secrets()

    def test_every_challenge_is_new(self):
        self.kw.json("resources", "make")
        seen = []
        for _ in range(2):
            steps, attacks = by_name(self.play())
            seen += [steps["challenge"]["num_in"],
                     attacks["wrong-accessory"]["num_in"],
                     attacks["replay"]["num_in"]]
        self.assertEqual(len(set(seen)), 6)
        self.assertNotIn(bytes(20), seen)

    def test_the_wire_says_the_same(self):
        """Mode 41, slot 5, and a nonce of mode 00: from the frames."""
        self.kw.json("resources", "make")
        trace = self.kw.trace("lab", "accessory", "--attack", "none")
        self.assertRegex(trace, r"(?i)> Nonce\b")
        self.assertRegex(trace, r"(?i)> MAC\b.*41.*5")

    def test_lines_of_the_design_suite(self):
        self.kw.run("resources", "make")
        out = self.kw.run("lab", "accessory").out
        for line in ("MAC received from device:", "MAC calculated on Host:",
                     "Accessory device authenticated successfully",
                     "Accessory device not authenticated"):
            self.assertRegex(out, f"(?m)^{line}$")
        received, calculated = (
            re.search(f"{title}\n([0-9A-F]{{64}})\n", out)[1]
            for title in ("MAC received from device:",
                          "MAC calculated on Host:"))
        self.assertEqual(received, calculated)

    def test_a_fresh_workspace_says_what_is_missing(self):
        self.fails(1, "resources make", "lab", "accessory")

    def test_another_secret(self):
        self.kw.run("resources", "make")
        (self.kw.folder / "other").write_bytes(os.urandom(32))
        self.fails(1, "not by the host's secret", "lab", "accessory",
                   "--key-file", "other")
        self.play("--key-file", self.kw.newest(self.serial.hex(),
                                               "slot_5_secret_key.pem"))

    def test_the_newest_secret_is_taken(self):
        self.kw.json("resources", "make")
        self.kw.json("resources", "make", "--yes")
        self.play()

    def test_no_such_attack(self):
        self.kw.run("resources", "make")
        self.fails(2, "wrong-accessory, replay, none", "lab", "accessory",
                   "--attack", "clone")


if __name__ == "__main__":
    kw.main()
