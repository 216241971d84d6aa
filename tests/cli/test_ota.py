"""keywright ota: the reference example's update from end to end, against
the real openssl s_server, and everything that a server can get wrong."""

import json
import os
import subprocess
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import kw
import winc_case
from winc_case import (certificate, der, ec_key, golden, key_pem, name, pem,
                       rsa_key)

HEAD = b"HTTP/1.0 200 ok\r\nContent-type: text/plain\r\n\r\n"


class Case(winc_case.Case):
    def setUp(self):
        super().setUp()
        # As the reference demo makes it: self-signed, without a usable name.
        self.server_key = rsa_key()
        self.server = certificate(name("O=Internet Widgits Pty Ltd"),
                                  self.server_key)
        self.cert_pem = self.write("cert.pem", pem(self.server))
        self.key_pem = self.write("key.pem", key_pem(self.server_key))
        self.files = self.five_files()
        for file_name, data in self.files.items():
            self.write("files/" + file_name, data)

    def five_files(self):
        """PROWL_Root.cer, NMA_Root.cer, and a chain."""
        self.prowl_key, self.leaf_key = rsa_key(), rsa_key()
        self.ca_key = ca_key = rsa_key()
        self.prowl = certificate(name("O=Prowl"), self.prowl_key)
        self.nma = certificate(name("CN=AddTrust External CA Root"),
                               ec_key())
        self.ca = certificate(name("CN=WINCRootCA"), ca_key)
        self.leaf = certificate(name("CN=*.winc.atmel.com"), self.leaf_key,
                                self.ca.subject, ca_key, ca=False)
        self.list = [("ROOT_CERT", 0, "PROWL_Root.cer"),
                     ("ROOT_CERT", 0, "NMA_Root.cer"),
                     ("TLS_RSA_CERT", 2, "winc_rsa.key"),
                     ("TLS_RSA_CERT", 0, "winc_rsa.cer"),
                     ("TLS_RSA_CERT", 0, "WincRootCA.cer")]
        return {"PROWL_Root.cer": der(self.prowl),
                "NMA_Root.cer": der(self.nma),
                "winc_rsa.key": key_pem(self.leaf_key),
                "winc_rsa.cer": der(self.leaf),
                "WincRootCA.cer": der(self.ca)}

    def write_list(self, items=None, file_name="list.json"):
        return self.write(file_name, json.dumps(
            [{"type": kind, "numOfChainCert": chain, "filename": file}
             for kind, chain, file in items or self.list]).encode())

    def www(self):
        """Exactly as the reference demo starts it."""
        return self.serve("-key", self.key_pem, "-cert", self.cert_pem,
                          "-WWW", folder=self.kw.folder / "files")

    def arguments(self, port, file_list, verb="update", ca=None,
                  host="127.0.0.1"):
        return ("ota", verb, "--url", f"https://{host}:{port}/",
                "--server-ca", ca or self.cert_pem, "--list", file_list,
                "--unsigned")

    def update(self, port, file_list, *options, verb="update"):
        return self.kw.json(*self.arguments(port, file_list, verb), *options)

    def expected(self):
        return (golden.root_store([self.prowl, self.nma]),
                golden.tls_store(golden.chain_files([self.leaf, self.ca],
                                                    self.leaf_key)))


class EndToEnd(Case):
    def test_the_five_files(self):
        # A server that only the new root vouches for.
        key = rsa_key()
        server = certificate(name("CN=cloud.example"), key,
                             self.prowl.subject, self.prowl_key, ca=False)
        self.write("cloud.pem", pem(server))
        self.write("cloud.key", key_pem(key))
        cloud = self.serve("-key", "cloud.key", "-cert", "cloud.pem",
                           "-quiet")
        self.fails(1, "no root", "winc", "connect", "127.0.0.1", cloud)
        port, file_list = self.www(), self.write_list()
        checked = self.update(port, file_list, verb="check")
        self.assertEqual((checked["dry_run"], checked["erases"]), (True, 2))
        self.assertEqual(self.roots(), b"\xff" * 4096)
        document = self.update(port, file_list)
        self.assertEqual(document["erases"], 2)
        self.assertEqual((self.roots(), self.tls()), self.expected())
        connected = self.kw.json("winc", "connect", "127.0.0.1", cloud)
        self.assertEqual(connected["root"],
                         golden.name_hash(self.prowl.subject).hex())
        # The same with nothing but the flash.
        self.write("flash.bin", self.flash())
        (self.kw.folder / "empty").mkdir()
        subprocess.run([self.kw.binary, "winc", "connect", "--flash",
                        "../flash.bin", "127.0.0.1", str(cloud)],
                       cwd=self.kw.folder / "empty", check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.kw.run("winc", "root", "remove", "files/PROWL_Root.cer")
        self.fails(1, "no root", "winc", "connect", "127.0.0.1", cloud)

    def test_again_changes_nothing(self):
        port, file_list = self.www(), self.write_list()
        self.update(port, file_list)
        self.assertEqual(self.update(port, file_list)["erases"], 0)

    def test_the_c_array(self):
        rows = ",\n ".join(f'{{{kind},{chain},(uint8_t*)"{file}"}}'
                           for kind, chain, file in self.list)
        file_list = self.write("main.h", (
            "certFileInfo root_tls_certs[5]=\n{" + rows + "\n};\n").encode())
        self.update(self.www(), file_list)
        self.assertEqual((self.roots(), self.tls()), self.expected())

    def test_log_of_the_reference(self):
        """Line by line as the reference prints them; only that a store is
        erased and written once."""
        result = self.kw.run(*self.arguments(self.www(), self.write_list()),
                             "--log", "seed")
        self.assertEqual(result.err, "")
        files = "".join(f"""\
start_download: sending HTTP request...
<APP><INFO>Socket {i} session ID = {i + 1}
http_client_callback: HTTP client socket connected.
http_client_callback: request completed.
http_client_callback: received response 200
store_file_packet: received[{len(data)}]
store_file_packet_complete: file downloaded successfully.
<APP><INFO>Sock to delete <{i}>
http_client_callback: disconnection reason:0
""" for i, data in enumerate(self.files.values()))
        written = """\
\r
>Start erasing...\r
Done\r
\r
>> Writing the {0} Certificate to SPI flash...\r
--- {0} Certificate written to SPI flash ---\r
\r
"""
        found = "\r\n>>>Found Certificate:\n>>>\t{}\n"
        self.assertEqual(result.out.replace("\r", ""), (
            files + """\
>> De-init WINC device to enter into download mode
<APP><INFO>Chip ID 1503a0
>> WINC entered into download mode
---> Start Certificate Upload on WINC
""" + found.format("") + found.format("AddTrust External CA Root") +
            written.format("Root") + found.format("*.winc.atmel.com") +
            found.format("WINCRootCA") + written.format("TLS") + """\
>> All the certificates written
main: please re-init WINC to start wifi operations.
""").replace("\r", ""))
        # Nothing to write: the certificates were found all the same.
        out = self.kw.run(*self.arguments(self.www(), self.write_list()),
                          "--log", "seed").out
        self.assertEqual(out.count(">>>Found Certificate:"), 4)
        self.assertNotIn("erasing", out)
        for option in ("--quiet", "--json"):
            out = self.kw.run(*self.arguments(self.www(), self.write_list()),
                              "--log", "seed", option).out
            self.assertNotIn("Found", out)
        self.fails(2, "--log takes seed", *self.arguments(
            1, self.write_list()), "--log", "tree")

    def test_log_of_a_failure(self):
        self.fault(bad_sector=0x4000)
        self.kw.run("winc", "root", "add", self.write(
            "a.cer", der(certificate(name("CN=A"), ec_key()))))
        out = self.kw.run(*self.arguments(self.www(), self.write_list()),
                          "--log", "seed", code=5).out
        self.assertTrue(out.endswith(">> ERROR in Writing the certificates\n"))
        self.assertNotIn("written to SPI", out)

    def test_client_certificate(self):
        """A server that asks for the module's own certificate: RSA from the
        flash, then ECC from the chip."""
        self.update(self.www(), self.write_list())
        self.write("ca.pem", pem(self.ca))
        self.kw.run("winc", "root", "add", self.cert_pem)
        port = self.serve("-key", self.key_pem, "-cert", self.cert_pem,
                          "-CAfile", "ca.pem", "-Verify", "3",
                          "-verify_return_error", "-quiet")
        document = self.kw.json("winc", "connect", "127.0.0.1", port)
        self.assertEqual(document["identity"], "RSA")
        self.kw.run("winc", "erase", "--tls", "--yes")
        self.kw.json("winc", "connect", "127.0.0.1", port, code=1)
        # The chip's own public key, as its vendor certified it.
        vendor = next(self.kw.at("certs", "simulated-vendor").glob("01*.crt"))
        public = x509.load_pem_x509_certificate(
            vendor.read_bytes()).public_key()
        leaf = certificate(name("CN=ECC module"), public, self.ca.subject,
                           self.ca_key, ca=False)
        self.write("files/ecc.cer", der(leaf))
        file_list = self.write_list([("TLS_ECC_CERT", 2, "ecc.cer"),
                                     ("TLS_ECC_CERT", 0, "WincRootCA.cer")])
        self.kw.json(*self.arguments(self.www(), file_list), "--chip",
                     self.chip_of(vendor.stem))
        self.assertEqual(self.tls(), golden.tls_store(
            golden.chain_files([leaf, self.ca])))
        document = self.kw.json("winc", "connect", "127.0.0.1", port,
                                "--chip", self.chip_of(vendor.stem))
        self.assertEqual(document["identity"], "ECC")

    def chip_of(self, serial):
        return next(f"sim:{name}" for name in ("trustflex", "trustgo")
                    if self.kw.json("chip", "info", "--chip",
                                    f"sim:{name}")["serial"]
                    == serial.lower())


class Server(Case):
    """What a server can get wrong: a clear error, the flash as it was."""

    def refused(self, words, port, code=None, **options):
        before = self.flash()
        result = self.kw.run(*self.arguments(port, self.write_list(),
                                             **options), code=None)
        self.assertNotEqual(result.code, 0)
        if code is not None:
            self.assertEqual(result.code, code, result.err)
        self.assertRegex(result.err.lower(), words)
        self.assertEqual(self.flash(), before)

    def from_files(self, path):
        return HEAD + self.files[path.lstrip("/")]

    def responds(self, respond):
        return self.answer(self.cert_pem, self.key_pem, respond)

    def test_missing_file(self):
        (self.kw.folder / "files" / "NMA_Root.cer").unlink()
        self.refused("200 with an error text", self.www(), 3)

    def test_another_certificate(self):
        port = self.www()
        other = self.write("other.pem", pem(certificate(name("O=X"),
                                                        ec_key())))
        self.refused("not trusted", port, 1, ca=other)

    def test_no_certificate_of_a_server(self):
        port = self.www()
        for data in (b"", b"junk", der(self.server),
                     key_pem(self.server_key)):
            self.refused("holds no certificate in pem", port, 3,
                         ca=self.write("bad.pem", data))
        self.refused("no such file", port, 6, ca="none.pem")

    def test_expired_server(self):
        """Pinned or not: time goes on."""
        self.write("cert.pem", pem(certificate(
            name("O=Old"), self.server_key, first=-20, days=-10)))
        self.refused("expired", self.www(), 1)

    def test_authority_needs_the_name(self):
        key = ec_key()
        ca = certificate(name("CN=Server CA"), key)
        ca_file = self.write("server-ca.pem", pem(ca))
        for host, fine in (("localhost", True), ("other.example", False)):
            server = certificate(name("CN=S"), self.server_key, ca.subject,
                                 key, ca=False, host=host)
            self.write("cert.pem", pem(server))
            port = self.www()
            arguments = self.arguments(port, self.write_list(), "check",
                                       ca_file, "localhost")
            if fine:
                self.kw.run(*arguments)
            else:
                self.fails(1, "another name", *arguments)

    def test_redirect(self):
        self.refused("redirect", self.responds(
            lambda path: b"HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n"), 1)

    def test_too_long(self):
        self.refused("longer", self.responds(
            lambda path: HEAD + b"0" * 20000), 3)

    def test_nobody(self):
        self.refused("cannot fetch", winc_case.free_port(), 4)

    def test_body_cut_off(self):
        for file_name in self.files:
            whole = self.files[file_name]
            for size in (0, 1, len(whole) // 2, len(whole) - 2):
                with self.subTest(file=file_name, size=size):
                    self.refused("whole", self.responds(
                        lambda path: self.from_files(path)[
                            :len(HEAD) + size if file_name in path
                            else None]))

    def test_body_cut_at_each_byte(self):
        """From the server to the command: a certificate in DER and in PEM,
        and an error text behind it. Every fifth byte; all of them with
        KEYWRIGHT_EVERY_BYTE=1; slow instrumented builds take fewer."""
        every = 1 if os.environ.get("KEYWRIGHT_EVERY_BYTE") else \
            31 if os.environ.get("KEYWRIGHT_INSTRUMENT") else 5
        key = ec_key()
        cert_file = self.write("quick.pem", pem(certificate(name("O=X"),
                                                            key)))
        key_file = self.write("quick.key", key_pem(key))
        cert = certificate(name("CN=A"), ec_key())
        self.size = 0
        port = self.answer(cert_file, key_file,
                           lambda path: HEAD + self.body[:self.size])
        file_list = self.write_list([("ROOT_CERT", 0, "a.cer")])
        before = self.images()
        for whole in (der(cert), pem(cert)):
            self.body = whole + b"Error reading 'a.cer'\r\n"
            fine = [len(whole)]
            if whole.startswith(b"-"):
                fine.append(len(whole) - 1)
            for size in (*range(0, len(self.body), every),
                         *(len(whole) + near for near in (-2, -1, 0, 1))):
                self.size = size
                result = self.kw.run(*self.arguments(
                    port, file_list, "check", cert_file), code=None)
                self.assertEqual(result.code, 0 if size in fine else 3,
                                 (size, len(whole), result.err))
        self.assertEqual(self.images(), before)

    def test_connection_lost(self):
        """Less than was announced, and TLS without a farewell: not the same
        as a whole answer, and tried again."""
        whole = self.files["PROWL_Root.cer"]
        head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n"
                            % len(whole))
        self.refused("cannot fetch", self.responds(
            lambda path: head + whole[:-1]), 4)
        self.refused("cannot fetch|whole", self.answer(
            self.cert_pem, self.key_pem,
            lambda path: HEAD + whole[:-1], abrupt=True))

    def test_tried_again(self):
        """The first two tries break off; the third is whole."""
        tries = []
        head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 9999\r\n\r\n")

        def respond(path):
            tries.append(time.monotonic())
            return head + b"0" if len(tries) < 3 else self.from_files(path)

        port = self.responds(respond)
        self.update(port, self.write_list())
        self.assertEqual(len(tries), 2 + len(self.list))
        self.assertGreater(tries[1] - tries[0], 0.19)
        self.assertGreater(tries[2] - tries[1], 0.39)
        # What a server says for sure is not tried again.
        tries.clear()
        tries += [0, 0]
        self.refused("redirect", self.responds(lambda path: (
            tries.append(1),
            b"HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n")[1]), 1)
        self.assertEqual(len(tries), 3)

    def test_timeout(self):
        """A server that says nothing: as long as was allowed, as often as
        was allowed."""
        asked = []

        def respond(path):
            asked.append(path)
            time.sleep(3)
            return HEAD

        port = self.responds(respond)
        before, start = self.images(), time.monotonic()
        self.fails(4, "cannot fetch.*time", *self.arguments(
            port, self.write_list()), "--timeout", "1", "--tries", "1")
        self.assertLess(time.monotonic() - start, 15)
        self.assertEqual((len(asked), self.images()), (1, before))
        for option, value in (("--timeout", "0"), ("--timeout", "x"),
                              ("--tries", "0"), ("--tries", "21")):
            self.fails(2, "number", *self.arguments(port, self.write_list()),
                       option, value)

    def test_wrong_key(self):
        self.files["winc_rsa.key"] = key_pem(rsa_key())
        self.refused("match", self.responds(self.from_files), 1)

    def test_chain_out_of_order(self):
        self.list[3], self.list[4] = self.list[4], self.list[3]
        self.refused("order", self.www(), 1)

    def test_chain_incomplete(self):
        """Leaf and root, and the issuer between them left out."""
        middle_key, key = rsa_key(), rsa_key()
        middle = certificate(name("CN=Middle"), middle_key, self.ca.subject,
                             self.ca_key)
        leaf = certificate(name("CN=Leaf"), key, middle.subject, middle_key,
                           ca=False)
        self.files["winc_rsa.cer"] = der(leaf)
        self.files["winc_rsa.key"] = key_pem(key)
        self.refused("out of order or incomplete",
                     self.responds(self.from_files), 1)

    def put(self, file_name, cert):
        self.files[file_name] = der(cert)
        self.write("files/" + file_name, der(cert))

    def test_a_root_of_another_curve(self):
        self.put("NMA_Root.cer", certificate(name("CN=P"),
                                             ec_key(ec.SECP521R1())))
        self.refused("secp521r1", self.www(), 1)

    def test_two_names_of_one_hash(self):
        first = certificate(name("O=AB", "CN=C"), ec_key())
        second = certificate(name("O=A", "CN=BC"), ec_key())
        self.put("PROWL_Root.cer", first)
        self.put("NMA_Root.cer", second)
        self.refused("same name hash", self.www(), 1)
        # Nor with --rekeyed: one of the two would be lost.
        self.fails(1, "same name hash", *self.arguments(
            self.www(), self.write_list()), "--rekeyed")

    def test_another_key_for_a_hash(self):
        first = certificate(name("O=AB", "CN=C"), ec_key())
        self.kw.run("winc", "root", "add", self.write("first.cer",
                                                      der(first)))
        self.put("NMA_Root.cer", certificate(name("O=A", "CN=BC"), ec_key()))
        self.refused("--rekeyed", self.www(), 1)
        self.kw.run(*self.arguments(self.www(), self.write_list()),
                    "--rekeyed")

    def test_expired(self):
        for file_name in ("NMA_Root.cer", "winc_rsa.cer"):
            with self.subTest(file=file_name):
                old = dict(first=-20, days=-10)
                self.put(file_name, certificate(
                    name("CN=Old"), ec_key(), **old)
                    if file_name == "NMA_Root.cer" else certificate(
                        self.leaf.subject, self.leaf_key, self.ca.subject,
                        self.ca_key, ca=False, **old))
                before = self.images()
                arguments = self.arguments(self.www(), self.write_list())
                self.fails(1, "expired.*--strict", *arguments, "--strict")
                self.assertEqual(self.images(), before)
                self.assertIn(f"{file_name} has expired",
                              self.kw.run(*arguments).err)

    def test_full_root_store(self):
        old = certificate(name("CN=Expired"), ec_key(), first=-20, days=-10)
        for i, cert in enumerate([old] + [certificate(
                name(f"CN={i}"), rsa_key(4096)) for i in range(7)]):
            self.write(f"many/{i}.cer", der(cert))
        self.kw.run("winc", "root", "add", "many")
        self.refused(r"root certificate flash is full(.|\n)*" +
                     golden.name_hash(old.subject).hex()[:12] +
                     r" \(expired\)", self.www(), 1)

    def test_full_tls_store(self):
        for i in range(2):
            key = rsa_key()
            self.write("old.cer", der(certificate(
                name("CN=Old"), key, self.ca.subject, self.ca_key, ca=False)))
            self.write("old.key", key_pem(key))
            self.write("ca.cer", der(self.ca))
            self.kw.run("winc", "tls", "add", "old.cer", "ca.cer", "--key",
                        "old.key")
        # CERT_, PRIV_ twice, the issuer and the list are 6; 3 more are 9.
        key = rsa_key()
        middle = certificate(name("CN=Middle"), key, self.ca.subject,
                             self.ca_key)
        leaf = certificate(name("CN=Leaf"), self.leaf_key, middle.subject,
                           key, ca=False)
        self.put("winc_rsa.cer", leaf)
        self.put("middle.cer", middle)
        self.list[2] = ("TLS_RSA_CERT", 3, "winc_rsa.key")
        self.list.insert(4, ("TLS_RSA_CERT", 0, "middle.cer"))
        self.refused("do not fit(.|\n)*compact", self.www(), 1)
        self.kw.run(*self.arguments(self.www(), self.write_list()),
                    "--compact")
        self.kw.run("winc", "verify")


class Lists(Case):
    def test_refused(self):
        for items, words in (
                ([("ROOT", 0, "a")], "type"),
                ([("ROOT_CERT", 0, "a" * 48)], "47"),
                ([("ROOT_CERT", 0, "../a")], "characters|other"),
                ([("TLS_RSA_CERT", 2, "k"), ("TLS_RSA_CERT", 0, "c")],
                 "incomplete"),
                ([("TLS_RSA_CERT", 0, "k")], "numofchaincert"),
                ([("ROOT_CERT", 0, f"{i}") for i in range(41)], "40")):
            with self.subTest(words=words):
                path = self.write_list(items)
                result = self.kw.run(*self.arguments(1, path), code=None)
                self.assertIn(result.code, (1, 3))
                self.assertRegex(result.err.lower(), words)

    def test_unsigned_needs_a_word(self):
        path = self.write_list()
        self.kw.run("resources", "make")
        self.unchanged(1, "not signed", *self.arguments(1, path)[:-1])

    def sign(self, sequence, *options, output):
        self.kw.json("ota", "sign", self.write_list(), "--files", "files",
                     "--authority", self.authority, "--sequence", sequence,
                     "--output", output, *options)
        return self.kw.folder / output

    def test_signed(self):
        self.kw.run("resources", "make")
        serial = next(self.kw.at("keys").glob("01*")).name
        self.authority = self.kw.newest(serial, "slot_13_ecc_key_pair.pem")
        port = self.www()
        second = self.sign(2, output="second")
        document = self.kw.json(*self.arguments(port, second)[:-1])
        self.assertEqual((document["signed"], document["sequence"]),
                         (True, 2))
        self.kw.json(*self.arguments(port, second)[:-1])
        for sequence, options, words in (
                (1, (), "sequence 1"),
                (2, ("--mac", self.about["mac"]), "another list"),
                (3, ("--mac", "02" * 6), "for another module")):
            other = self.sign(sequence, *options, output=f"list-{words[:9]}")
            self.unchanged(1, words, *self.arguments(port, other)[:-1])
        text = json.loads(second.read_text())
        text["payload"] = text["payload"].replace('"sequence":2',
                                                  '"sequence":9')
        forged = self.write("forged", json.dumps(text).encode())
        self.unchanged(1, "not signed by", *self.arguments(port, forged)[:-1])
        # --unsigned takes a list without a signature, none with a wrong one.
        self.unchanged(1, "not signed by", *self.arguments(port, forged))
        self.write("files/NMA_Root.cer", der(certificate(name("CN=Z"),
                                                         ec_key())))
        third = self.write("third", second.read_bytes())
        self.unchanged(1, "sha-256", *self.arguments(port, third)[:-1])


class Interrupted(Case):
    def test_nothing_to_resume(self):
        self.assertFalse(self.kw.json("ota", "resume")["resumed"])

    def test_full_disk(self):
        """A file-size limit stops the journal: the flash is as it was."""
        port, file_list = self.www(), self.write_list()
        path = self.write("a.cer", self.files["NMA_Root.cer"])
        before = self.flash()
        for arguments in (("winc", "root", "add", path),
                          self.arguments(port, file_list)):
            result = subprocess.run(
                ["bash", "-c", 'ulimit -f 8; exec "$0" "$@"', self.kw.binary,
                 *map(str, arguments)], cwd=self.kw.folder,
                capture_output=True, timeout=60, check=False)
            self.assertEqual(result.returncode, 6, result.stderr)
            self.assertIn(b"make room", result.stderr)
            self.assertEqual(self.flash(), before)
            self.assertEqual(list(self.kw.at("journal").glob("winc-*")), [])
        self.update(port, file_list)

    def test_a_flash_that_fails(self):
        """A sector of the TLS store does not erase: the root store is as it
        was, what differs is named, the journal is kept, and on a better day
        `ota resume` makes the whole new set, `--old` the old one."""
        old_key = rsa_key()
        old_leaf = certificate(name("CN=Old"), old_key, self.ca.subject,
                               self.ca_key, ca=False)
        self.write("old.cer", der(old_leaf))
        self.write("old.key", key_pem(old_key))
        self.kw.run("winc", "tls", "add", "old.cer", "--key", "old.key")
        self.kw.run("winc", "root", "add", self.write("old-root.cer", der(
            certificate(name("CN=Old root"), rsa_key()))))
        port, file_list = self.www(), self.write_list()
        before = self.flash()
        for old in (True, False):
            with self.subTest(old=old):
                self.fault(bad_sector=0x5000)
                result = self.kw.run(*self.arguments(port, file_list), code=5)
                self.assertIn("sector 0x04000 holds its old content",
                              result.err)
                self.assertRegex(result.err, "sector 0x05000: [0-9]+ bytes "
                                             "read back wrong")
                self.assertIn("0x05000 does not take its old content back",
                              result.err)
                now = self.flash()
                self.assertEqual(now[:0x5000], before[:0x5000])
                self.assertEqual(now[0x6000:], before[0x6000:])
                self.assertEqual(kw.mode(self.kw.at(
                    "journal", "winc-winc.journal")), 0o600)
                self.fault(bad_sector=None)
                # What an update finds waiting it finishes first.
                self.fails(7, "interrupted", *self.arguments(
                    port, file_list, "check"))
                if old:
                    self.kw.run("ota", "resume", "--old")
                    self.assertEqual(self.flash(), before)
        out = self.kw.run(*self.arguments(port, file_list)).out
        self.assertIn("An interrupted update was finished first", out)
        self.kw.run("winc", "verify")
        self.assertEqual(self.roots()[16], 3)

    def test_the_list_is_remembered_first(self):
        """What fails in the flash was begun: an older list is refused."""
        self.kw.run("resources", "make")
        serial = next(self.kw.at("keys").glob("01*")).name
        authority = self.kw.newest(serial, "slot_13_ecc_key_pair.pem")
        port = self.www()
        for sequence in (1, 2):
            self.kw.json("ota", "sign", self.write_list(), "--files", "files",
                         "--authority", authority, "--sequence", sequence,
                         "--output", f"{sequence}.list")
        self.fault(bad_sector=0x4000)
        self.kw.run("winc", "root", "add", self.write(
            "a.cer", der(certificate(name("CN=A"), ec_key()))))
        self.kw.run(*self.arguments(port, "2.list")[:-1], code=5)
        self.fault(bad_sector=None)
        self.kw.run("ota", "resume", "--old")
        self.unchanged(1, "sequence 1", *self.arguments(port, "1.list")[:-1])
        self.kw.run(*self.arguments(port, "2.list")[:-1])

    def test_in_the_flash(self):
        self.kw.run("winc", "new", "--module", "big", "--size", "8")
        options = ("--module", "big", "--journal", "flash")
        port, file_list = self.www(), self.write_list()
        self.fault("big", stuck_bit=0x5FFF)
        self.kw.run(*self.arguments(port, file_list), *options, code=5)
        self.assertEqual(list(self.kw.at("journal").glob("winc-*")), [])
        self.assertTrue(self.kw.json("winc", "info", "--module",
                                     "big")["interrupted"])
        self.fault("big", stuck_bit=None)
        self.assertTrue(self.kw.json("ota", "resume", "--module",
                                     "big")["resumed"])
        self.kw.run("winc", "dump", "big.bin", "--module", "big")
        flash = (self.kw.folder / "big.bin").read_bytes()
        self.assertEqual((flash[0x4000:0x5000], flash[0x5000:0x7000]),
                         self.expected())
        self.assertEqual(flash[0x80000:], b"\xff" * 0x80000)


class Words(Case):
    def test_a_terminal(self):
        """A progress bar on a terminal, and none elsewhere."""
        arguments = [str(word) for word in self.arguments(
            self.www(), self.write_list())]
        shown = subprocess.run(
            ["script", "-qec", " ".join([self.kw.binary, *arguments]),
             "/dev/null"], cwd=self.kw.folder, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=60, check=True).stdout.decode()
        self.assertRegex(shown, r"\[#{30}\] 5 of 5 files\r?\n")
        self.assertRegex(shown, r"\[ {30}\] 0 of 5 files\r")
        out = self.kw.run(*arguments).out
        self.assertNotIn("[", out)

    def test_beside_the_reference(self):
        document = self.update(self.www(), self.write_list())
        self.assertEqual((document["erases"], document["reference_erases"]),
                         (2, 3))

    def test_options_that_are_needed(self):
        for left_out in ("--url", "--server-ca", "--list"):
            words = list(self.arguments(1, self.write_list()))
            at = words.index(left_out)
            document = self.fails(2, f"{left_out} .* is missing",
                                  *words[:at], *words[at + 2:])
            self.assertIn("ota update", document["hint"])


if __name__ == "__main__":
    kw.main()
