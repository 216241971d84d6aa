"""keywright winc: the stores byte for byte, and what is refused."""

import signal
import socket
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.x509.oid import NameOID

import kw
import winc_case
from winc_case import (certificate, der, ec_key, golden, key_der, key_pem,
                       name, pem, rsa_key, rsa_public)


class Roots(winc_case.Case):
    def add(self, *certs, **options):
        paths = [self.write(f"root-{i}.cer", der(cert))
                 for i, cert in enumerate(certs)]
        return self.kw.json("winc", "root", "add", *paths, *options)

    def test_bytes(self):
        certs = [certificate(name("O=Prowl", "CN=PROWL Root"), rsa_public()),
                 certificate(name("O=NMA"), ec_key()),
                 certificate(name("CN=Large"), rsa_public(4096), days=20000)]
        document = self.add(*certs)
        self.assertEqual(self.roots(), golden.root_store(certs))
        self.assertEqual([root["hash"] for root in document["roots"]],
                         [golden.name_hash(cert.subject).hex()
                          for cert in certs])
        self.assertEqual([root["subject"] for root in document["roots"]],
                         ["O=Prowl, CN=PROWL Root", "O=NMA", "CN=Large"])
        self.assertEqual(document["erases"], 1)
        self.assertIs(self.kw.json("winc", "verify")["whole"], True)

    def test_many(self):
        certs = [certificate(name(f"CN=Root {i}"), key) for i, key in
                 enumerate([rsa_public() for _ in range(8)] +
                           [ec_key() for _ in range(14)])]
        self.add(*certs)
        self.assertEqual(self.roots(), golden.root_store(certs))
        self.kw.run("winc", "root", "remove", "root-3.cer", "root-12.cer")
        del certs[12], certs[3]
        self.assertEqual(self.roots(), golden.root_store(certs))

    def test_other_keys_are_named(self):
        signer = ec_key()
        for key, words in ((ec_key(ec.SECP384R1()), "secp384r1"),
                           (ec_key(ec.SECP521R1()), "secp521r1"),
                           (ec_key(ec.SECP256K1()), "secp256k1"),
                           (ec_key(ec.BrainpoolP256R1()), "brainpoolp256r1"),
                           (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
                           (rsa_public(4160), "rsa, 4160 bits")):
            cert = certificate(name("CN=A"), key, issuer_key=signer)
            path = self.write("other.cer", der(cert))
            with self.subTest(words=words):
                document = self.unchanged(1, words, "winc", "root", "add",
                                          path)
                self.assertIn("P-256", document["hint"])

    def test_v0(self):
        self.kw.run("winc", "new", "--module", "old", "--firmware", "19.4.4")
        certs = [certificate(name("CN=A"), rsa_public()),
                 certificate(name("CN=B"), rsa_public(), days=20000)]
        paths = [self.write(f"{i}.pem", pem(cert))
                 for i, cert in enumerate(certs)]
        self.kw.run("winc", "root", "add", *paths, "--module", "old")
        self.kw.run("winc", "dump", "old.bin", "--module", "old")
        flash = (self.kw.folder / "old.bin").read_bytes()
        self.assertEqual(flash[0x4000:0x5000], golden.root_store(certs, 0))
        path = self.write("ec.pem", pem(certificate(name("CN=E"), ec_key())))
        self.fails(1, "rsa", "winc", "root", "add", path, "--module", "old")

    def test_folder(self):
        certs = [certificate(name(f"CN={i}"), ec_key()) for i in range(3)]
        for i, cert in enumerate(certs):
            self.write(f"binary/{i}.cer", der(cert))
        self.write("binary/readme.txt", b"no certificate")
        self.kw.run("winc", "root", "add", "binary")
        self.assertEqual(self.roots(), golden.root_store(certs))

    def test_renewal_changes_the_dates_in_place(self):
        key, other = rsa_public(), certificate(name("CN=Other"), ec_key())
        old = certificate(name("CN=A"), key, days=10)
        new = certificate(name("CN=A"), key, days=500)
        self.add(old, other)
        self.add(new)
        self.assertEqual(self.roots(), golden.root_store([new, other]))

    def test_new_key_of_the_same_subject_moves_the_rest(self):
        other = certificate(name("CN=Other"), ec_key())
        for bits in (4096, 2048):
            old = certificate(name(f"CN=A{bits}"), rsa_public(3072))
            new = certificate(name(f"CN=A{bits}"), rsa_public(bits))
            before = [old, other]
            self.kw.run("winc", "erase", "--root", "--yes")
            self.add(*before)
            self.add(new)
            self.assertEqual(self.roots(), golden.root_store([new, other]))

    def test_two_names_of_one_hash(self):
        first = certificate(name("O=AB", "CN=C"), ec_key())
        second = certificate(name("O=A", "CN=BC"), ec_key())
        self.assertEqual(golden.name_hash(first.subject),
                         golden.name_hash(second.subject))
        a, b = self.write("a.cer", der(first)), self.write("b.cer",
                                                           der(second))
        self.unchanged(1, "name hash", "winc", "root", "add", a, b)
        self.kw.run("winc", "root", "add", a)
        self.unchanged(1, "--rekeyed", "winc", "root", "add", b)
        self.kw.run("winc", "root", "add", b, "--rekeyed")
        self.assertEqual(self.roots(), golden.root_store([second]))

    def test_a_record_of_another_store_does_not_count(self):
        """What `winc load` brings, the record of subjects does not know."""
        old = certificate(name("CN=A"), ec_key())
        new = certificate(name("CN=A"), ec_key())
        self.add(old)
        self.write("image.bin", self.flash())
        self.kw.run("winc", "load", "image.bin", "--yes")
        path = self.write("new.cer", der(new))
        self.assertIsNone(self.kw.json("winc", "list")["roots"][0]["subject"])
        self.unchanged(1, "--rekeyed", "winc", "root", "add", path)
        self.kw.run("winc", "root", "add", path, "--rekeyed")
        self.assertEqual(self.roots(), golden.root_store([new]))

    def test_full_by_replacing(self):
        """A larger key for a name that is there: the rest must fit still."""
        certs = [certificate(name(f"CN={i}"), rsa_public()) for i in range(13)]
        self.add(*certs)
        path = self.write("large.cer", der(certificate(name("CN=4"),
                                                       rsa_public(4096))))
        document = self.unchanged(
            1, r"256 bytes are needed, 124 are free", "winc", "root", "add",
            path)
        self.assertRegex(document["hint"], "remove")

    def test_full_whatever_is_removed(self):
        for i in range(38):
            self.write(f"many/{i}.cer", der(certificate(name(f"CN={i}"),
                                                        ec_key())))
        document = self.unchanged(
            1, r"\(error\) root certificate flash is full", "winc", "root",
            "add", "many")
        self.assertIn("empty store", document["hint"])

    def test_full_is_said_before_anything_is_touched(self):
        old = certificate(name("CN=Expired"), ec_key(), first=-20, days=-10)
        certs = [certificate(name(f"CN={i}"), rsa_public(4096))
                 for i in range(7)]
        for i, cert in enumerate([old, *certs]):
            self.write(f"many/{i}.cer", der(cert))
        self.kw.run("winc", "root", "add", "many")
        more = self.write("more.cer", der(certificate(name("CN=More"),
                                                      ec_key())))
        document = self.unchanged(
            1, r"\(error\) root certificate flash is full", "winc", "root",
            "add", more)
        self.assertIn(golden.name_hash(old.subject).hex()[:12] +
                      " (expired)", document["hint"])

    def test_remove(self):
        certs = [certificate(name(f"CN={i}"), key) for i, key in
                 enumerate((rsa_public(), ec_key(), rsa_public()))]
        self.add(*certs)
        digits = golden.name_hash(certs[1].subject).hex()[:10]
        self.kw.run("winc", "root", "remove", digits)
        self.assertEqual(self.roots(),
                         golden.root_store([certs[0], certs[2]]))
        self.kw.run("winc", "root", "remove", "root-0.cer")
        self.assertEqual(self.roots(), golden.root_store([certs[2]]))
        self.unchanged(1, "names no root", "winc", "root", "remove", digits)

    def test_refused(self):
        good = der(certificate(name("CN=A"), ec_key()))
        curve = certificate(name("CN=P"), ec_key(ec.SECP384R1()))
        multi = x509.Name([x509.RelativeDistinguishedName([
            x509.NameAttribute(NameOID.COMMON_NAME, "A"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "B")])])
        for data, code, words in (
                (b"", 3, "certificate"), (b"not a certificate", 3, "whole"),
                (good[:-1], 3, "whole"), (good + b"x", 3, "whole"),
                (key_pem(ec_key()), 3, "whole"),
                (der(curve), 1, "secp384r1"),
                (der(certificate(multi, ec_key())), 1, "several")):
            path = self.write("bad.cer", data)
            with self.subTest(words=words):
                self.unchanged(code, words, "winc", "root", "add", path)

    def test_cut_at_each_byte(self):
        """A body is whole or refused: DER and PEM, cut anywhere."""
        cert = certificate(name("CN=A"), ec_key())
        for whole, least in ((der(cert), None),
                             (pem(cert), len(pem(cert).rstrip()))):
            for size in range(0, len(whole), 7):
                path = self.write("cut.cer", whole[:size])
                result = self.kw.run("winc", "root", "add", path,
                                     "--dry-run", code=None)
                wanted = 0 if least is not None and size >= least else 3
                self.assertEqual(result.code, wanted, (size, result.err))

    def test_expired(self):
        path = self.write("old.cer", der(certificate(
            name("CN=Old"), ec_key(), first=-20, days=-10)))
        self.unchanged(1, "expired", "winc", "root", "add", path, "--strict")
        self.assertIn("expired", self.kw.run("winc", "root", "add", path).err)

    def test_foreign_store(self):
        self.add(certificate(name("CN=A"), ec_key()))
        flash = bytearray(self.flash())
        flash[0x4000] ^= 0x40
        self.write("foreign.bin", bytes(flash))
        self.kw.run("winc", "load", "foreign.bin", "--yes")
        self.unchanged(1, "foreign", "winc", "root", "add", "root-0.cer")
        self.fails(1, "foreign", "winc", "verify")
        document = self.kw.json("winc", "erase", "--root", "--yes")
        saved = self.kw.path(document["saved"][0])
        self.assertEqual(saved.read_bytes(), bytes(flash[0x4000:0x5000]))
        self.assertEqual(kw.mode(saved), 0o600)
        self.kw.run("winc", "root", "add", "root-0.cer")

    def test_an_erased_store_comes_back(self):
        certs = [certificate(name("CN=A"), ec_key()),
                 certificate(name("CN=B"), rsa_public())]
        self.add(*certs)
        before = self.flash()
        saved = self.kw.json("winc", "erase", "--root", "--yes")["saved"][0]
        self.unchanged(2, "--yes", "winc", "load", saved)
        document = self.kw.json("winc", "load", saved, "--yes")
        self.assertEqual(document["sectors"], 1)
        self.assertEqual(self.flash(), before)
        self.assertEqual(list(self.kw.at("journal").glob("winc-*")), [])
        self.assertEqual(
            self.kw.json("winc", "load", saved, "--yes")["sectors"], 0)
        # Whose subjects these are, nobody knows any more.
        self.assertIsNone(self.kw.json("winc", "list")["roots"][0]["subject"])

    def test_what_is_no_store_is_not_loaded(self):
        self.add(certificate(name("CN=A"), ec_key()))
        damaged = bytearray(self.roots())
        damaged[0] ^= 1
        for data, words in ((damaged, "root store"), (bytes(8192), "tls store"),
                            (self.roots()[:-1], "winc erase")):
            path = self.write("no.bin", bytes(data))
            self.unchanged(3, words, "winc", "load", path, "--yes")

    def test_dry_erase_asks_and_writes_nothing(self):
        self.add(certificate(name("CN=A"), ec_key()))
        before = self.flash()
        document = self.kw.json("winc", "erase", "--root", "--tls",
                                "--dry-run")
        self.assertEqual((document["saved"], document["dry_run"]), ([], True))
        self.assertEqual(document["mode"], "reset")
        for stores, words in (
                (["--root"], "erase what is trusted of module"),
                (["--tls"], "erase the own certificates and keys of module"),
                (["--root", "--tls"], "trusted and the own certificates")):
            self.fails(2, words, "winc", "erase", *stores)
        self.assertEqual(document["erases"], 1)
        self.assertEqual(list(self.kw.at("backups").glob("winc-*")), [])
        self.assertEqual(self.flash(), before)

    def test_words_too_many(self):
        for words in (("root", "list", "foo"), ("tls", "list", "foo"),
                      ("tls", "compact", "foo")):
            self.fails(2, "'foo' is one word too many", "winc", *words)


class Tls(winc_case.Case):
    def setUp(self):
        super().setUp()
        self.ca_key = rsa_key()
        self.ca = certificate(name("CN=WINCRootCA"), self.ca_key)
        self.write("ca.cer", der(self.ca))

    def leaf(self, key, **options):
        return certificate(name("CN=*.winc.atmel.com"), key,
                           self.ca.subject, self.ca_key, ca=False, **options)

    def test_bytes(self):
        key = rsa_key()
        leaf = self.leaf(key)
        self.write("leaf.cer", pem(leaf))
        forms = [key_pem(key), key_der(key),
                 key_pem(key, PrivateFormat.TraditionalOpenSSL),
                 key_der(key, PrivateFormat.TraditionalOpenSSL)]
        wanted = golden.tls_store(golden.chain_files([leaf, self.ca], key))
        for form in forms:
            self.kw.run("winc", "erase", "--tls", "--yes")
            self.write("key", form)
            self.kw.json("winc", "tls", "add", "leaf.cer", "ca.cer",
                         "--key", "key")
            self.assertEqual(self.tls(), wanted)

    def test_an_erased_store_comes_back(self):
        key = rsa_key()
        self.write("leaf.cer", pem(self.leaf(key)))
        self.write("key", key_pem(key))
        self.kw.run("winc", "tls", "add", "leaf.cer", "ca.cer", "--key", "key")
        before = self.flash()
        saved = self.kw.json("winc", "erase", "--tls", "--yes")["saved"][0]
        self.assertNotEqual(self.flash(), before)
        self.kw.json("winc", "load", saved, "--yes")
        self.assertEqual(self.flash(), before)
        self.assertEqual(list(self.kw.at("journal").glob("winc-*")), [])

    def test_header_of_19_5(self):
        self.kw.run("winc", "new", "--module", "old", "--firmware", "19.5.4")
        key = rsa_key()
        leaf = self.leaf(key)
        self.write("leaf.cer", der(leaf))
        self.write("key", key_pem(key))
        self.kw.run("winc", "tls", "add", "leaf.cer", "--key", "key",
                    "--module", "old")
        self.kw.run("winc", "dump", "old.bin", "--module", "old")
        self.assertEqual(
            (self.kw.folder / "old.bin").read_bytes()[0x5000:0x7000],
            golden.tls_store(golden.chain_files([leaf], key), 464))

    def test_renewal_updates_the_list(self):
        key, second = rsa_key(), rsa_key()
        old, new = self.leaf(key), self.leaf(second)
        self.write("old.cer", der(old))
        self.write("new.cer", der(new))
        self.write("old.key", key_pem(key))
        self.write("new.key", key_pem(second))
        self.kw.run("winc", "tls", "add", "old.cer", "ca.cer", "--key",
                    "old.key")
        self.kw.run("winc", "tls", "add", "new.cer", "ca.cer", "--key",
                    "new.key")
        self.assertEqual(self.tls(), golden.tls_store(
            golden.chain_files([old, self.ca], key) +
            golden.chain_files([new, self.ca], second)))
        document = self.kw.json("winc", "tls", "compact")
        self.assertEqual([file["name"] for file in document["files"]],
                         ["CERT_" + golden.serial(self.ca), "RSA.lst",
                          "CERT_" + golden.serial(new),
                          "PRIV_" + golden.serial(new)])
        self.kw.run("winc", "verify")

    def test_renewal_of_a_chain_of_the_chip(self):
        """ECDSA.lst names the new certificate; the old one stays until it is
        asked to go."""
        vendor = next(self.kw.at("certs", "simulated-vendor").glob("01*.crt"))
        public = x509.load_pem_x509_certificate(
            vendor.read_bytes()).public_key()
        chip = next(f"sim:{chip}" for chip in ("trustflex", "trustgo")
                    if self.kw.json("chip", "info", "--chip",
                                    f"sim:{chip}")["serial"]
                    == vendor.stem.lower())
        old, new = self.leaf(public), self.leaf(public)
        self.write("old.cer", der(old))
        self.write("new.cer", der(new))
        for file_name in ("old.cer", "new.cer"):
            self.kw.run("winc", "tls", "add", file_name, "ca.cer", "--chip",
                        chip)
        self.assertEqual(self.tls(), golden.tls_store(
            golden.chain_files([old, self.ca]) +
            golden.chain_files([new, self.ca])))
        other = self.write("other.cer", der(self.leaf(ec_key())))
        self.unchanged(1, "slot 0", "winc", "tls", "add", other, "ca.cer",
                       "--chip", chip)

    def test_a_serial_that_makes_a_name_too_long(self):
        for digits, code in ((40, 0), (44, 1)):
            key, cert = f"{digits}.key", f"{digits}.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                 "-keyout", key, "-out", cert, "-subj", "/CN=Long",
                 "-set_serial", "0x" + "7" * digits],
                cwd=self.kw.folder, check=True, stderr=subprocess.DEVNULL)
            arguments = ("winc", "tls", "add", cert, "--key", key)
            if code == 0:
                self.kw.run(*arguments)
            else:
                self.unchanged(code, "47", *arguments)

    def test_a_key_that_the_firmware_does_not_work_with(self):
        for bits in (2048, 3072):
            key = rsa_key(bits)
            self.write("leaf.cer", der(self.leaf(key)))
            self.write("key", key_pem(key))
            err = self.kw.run("winc", "tls", "add", "leaf.cer", "--key",
                              "key").err
            self.assertEqual("RSA key of 3072 bits" in err, bits == 3072, err)

    def test_full_in_bytes(self):
        keys = [rsa_key(), rsa_key()]
        for i, key in enumerate(keys):
            self.write(f"{i}.cer", der(self.leaf(key, bulk=1800)))
            self.write(f"{i}.key", key_pem(key))
        self.kw.run("winc", "tls", "add", "0.cer", "ca.cer", "--key", "0.key")
        document = self.unchanged(1, "do not fit", "winc", "tls", "add",
                                  "1.cer", "ca.cer", "--key", "1.key")
        self.assertIn("compact", document["hint"])

    def test_expired(self):
        key = rsa_key()
        self.write("leaf.cer", der(self.leaf(key, first=-20, days=-10)))
        self.write("key", key_pem(key))
        arguments = ("winc", "tls", "add", "leaf.cer", "--key", "key")
        self.unchanged(1, "expired", *arguments, "--strict")
        self.assertIn("expired", self.kw.run(*arguments).err)

    def test_a_store_of_the_vendors_tools(self):
        """Residue behind names, pointers of another machine, a checksum of
        unknown kind: read, and kept or left out as the firmware allows."""
        keys = [rsa_key(), rsa_key()]
        leaves = [self.leaf(key) for key in keys]
        store = bytearray(golden.tls_store(golden.chain_files(
            [leaves[0], self.ca], keys[0])))
        rows = {bytes(store[at:at + 48]).rstrip(b"\0"): at
                for at in range(16, 16 + 4 * 56, 56)}
        at = rows[b"RSA.lst"]
        store[at + 8:at + 48] = b"residue" * 5 + b"x" * 5
        store[464:468] = b"\x12\x34\x56\x78"
        at = rows[b"PRIV_" + golden.serial(leaves[0]).encode()]
        size, address = (int.from_bytes(store[at + part:at + part + 4],
                                        "little") for part in (48, 52))
        at = address - golden.TLS_AT
        store[at + 20:at + 52] = bytes(range(32))
        flash = bytearray(self.flash())
        flash[golden.TLS_AT:golden.TLS_AT + len(store)] = store
        self.write("image.bin", bytes(flash))
        self.kw.run("winc", "load", "image.bin", "--yes")
        self.kw.run("winc", "verify")
        self.assertEqual(self.kw.json("winc", "tls", "list")["files"][3]
                         ["name"], "RSA.lst")
        self.write("new.cer", der(leaves[1]))
        self.write("new.key", key_pem(keys[1]))
        self.kw.run("winc", "tls", "add", "new.cer", "ca.cer", "--key",
                    "new.key")
        wanted = bytearray(golden.tls_store(
            golden.chain_files([leaves[0], self.ca], keys[0]) +
            golden.chain_files([leaves[1], self.ca], keys[1])))
        wanted[at:at + size] = store[at:at + size]
        self.assertEqual(self.tls(), bytes(wanted))

    def test_limits(self):
        keys = [rsa_key() for _ in range(4)]
        for i, key in enumerate(keys):
            self.write(f"{i}.cer", der(self.leaf(key)))
            self.write(f"{i}.key", key_pem(key))
        for i in range(3):
            self.kw.run("winc", "tls", "add", f"{i}.cer", "ca.cer", "--key",
                        f"{i}.key")
        self.unchanged(1, "compact", "winc", "tls", "add", "3.cer", "ca.cer",
                       "--key", "3.key")
        self.kw.run("winc", "tls", "add", "3.cer", "ca.cer", "--key",
                    "3.key", "--compact")

    def test_refused(self):
        key = rsa_key()
        self.write("leaf.cer", der(self.leaf(key)))
        self.write("key", key_pem(key))
        self.write("other", key_pem(rsa_key()))
        self.write("stranger.cer", der(certificate(name("CN=S"), rsa_key())))
        self.write("twin.cer", der(certificate(self.ca.subject, rsa_key())))
        for words, arguments in (
                ("match", ("leaf.cer", "--key", "other")),
                ("order", ("ca.cer", "leaf.cer", "--key", "key")),
                ("not issued", ("leaf.cer", "stranger.cer", "--key", "key")),
                ("not issued", ("leaf.cer", "twin.cer", "--key", "key"))):
            with self.subTest(words=words):
                self.unchanged(1, words, "winc", "tls", "add", *arguments)
        self.unchanged(3, "rsa key", "winc", "tls", "add", "leaf.cer",
                       "--key", "leaf.cer")
        self.kw.run("winc", "tls", "add", "leaf.cer", "--key", "key")
        self.unchanged(1, "list", "winc", "tls", "remove",
                       "CERT_" + golden.serial(self.leaf_of("leaf.cer")))

    def leaf_of(self, file_name):
        return x509.load_der_x509_certificate(
            (self.kw.folder / file_name).read_bytes())

    def test_no_secret_in_any_output(self):
        key = rsa_key()
        self.write("leaf.cer", der(self.leaf(key)))
        self.write("key", key_pem(key))
        self.kw.run("winc", "tls", "add", "leaf.cer", "--key", "key",
                    "--trace")
        secret = key.private_numbers().p.to_bytes(128, "big")
        for text in self.kw.outputs:
            self.assertFalse(kw.shows(text.encode(), secret))
        self.assertEqual(list(self.kw.at("journal").glob("winc-*")), [])


class Module(winc_case.Case):
    def test_images(self):
        data = bytes(i * 7 & 0xFF for i in range(4096)) * 128
        self.write("image.bin", data)
        self.kw.run("winc", "load", "image.bin", "--yes")
        self.assertEqual(self.flash(), data)
        self.write("short.bin", data[:-1])
        self.fails(3, "whole flash", "winc", "load", "short.bin", "--yes")

    def listen(self):
        """A server that takes connections and never says a word."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        return listener, listener.getsockname()[1]

    def test_a_silent_server(self):
        _, port = self.listen()
        self.fails(4, "does not answer in 10 s", "winc", "connect",
                   "127.0.0.1", port)

    def test_a_silent_server_and_a_signal(self):
        listener, port = self.listen()
        process = self.kw.start("winc", "connect", "127.0.0.1", port)
        listener.settimeout(kw.TIMEOUT)
        with listener.accept()[0] as link:
            self.assertTrue(link.recv(1))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=5)
        self.assertEqual(process.returncode, 7)
        self.assertIn(b"interrupted", err)

    def test_a_server_that_hangs_up(self):
        listener, port = self.listen()
        process = self.kw.start("winc", "connect", "127.0.0.1", port)
        listener.settimeout(kw.TIMEOUT)
        with listener.accept()[0] as link:
            link.recv(4096)
        _, err = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(process.returncode, 1, err)

    def test_nobody_to_connect_to(self):
        self.fails(4, "nobody listens", "winc", "connect", "127.0.0.1",
                   winc_case.free_port())
        self.fails(4, "cannot resolve nohost.invalid", "winc", "connect",
                   "nohost.invalid", 443)
        for port in ("https", "0", "65536", "-1", "4 43", ""):
            self.fails(2, "port|option", "winc", "connect", "127.0.0.1", port)

    def test_no_module(self):
        self.fails(4, "winc new", "winc", "list", "--module", "none")
        self.fails(1, "already", "winc", "new")

    def test_info(self):
        document = self.kw.json("winc", "info")
        self.assertEqual(document["chip_id"], "1503a0")
        self.assertFalse(document["interrupted"])
        self.kw.json("winc", "reset")


if __name__ == "__main__":
    kw.main()
