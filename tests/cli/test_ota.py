"""keywright ota: the reference example's update from end to end, against
the real openssl s_server, and everything that a server can get wrong."""

import json
import subprocess
import unittest

from cryptography import x509

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
        out = self.kw.run(*self.arguments(self.www(), self.write_list()),
                          "--log", "seed").out
        for line in ("start_download: sending HTTP request...",
                     "http_client_callback: received response 200",
                     ">> WINC entered into download mode",
                     "---> Start Certificate Upload on WINC",
                     ">>>\tAddTrust External CA Root",
                     "--- Root Certificate written to SPI flash ---",
                     ">> All the certificates written",
                     "main: please re-init WINC to start wifi operations."):
            self.assertIn(line, out)

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

    def test_wrong_key(self):
        self.files["winc_rsa.key"] = key_pem(rsa_key())
        self.refused("match", self.responds(self.from_files), 1)

    def test_chain_out_of_order(self):
        self.list[3], self.list[4] = self.list[4], self.list[3]
        self.refused("order", self.www(), 1)


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
        self.write("files/NMA_Root.cer", der(certificate(name("CN=Z"),
                                                         ec_key())))
        third = self.write("third", second.read_bytes())
        self.unchanged(1, "sha-256", *self.arguments(port, third)[:-1])


class Interrupted(Case):
    def test_nothing_to_resume(self):
        self.assertFalse(self.kw.json("ota", "resume")["resumed"])

    def test_full_disk(self):
        """A file-size limit stops the journal: the flash is as it was."""
        path = self.write("a.cer", self.files["NMA_Root.cer"])
        before = self.flash()
        result = subprocess.run(
            ["bash", "-c", 'ulimit -f 8; exec "$0" "$@"', self.kw.binary,
             "winc", "root", "add", str(path)], cwd=self.kw.folder,
            capture_output=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 6, result.stderr)
        self.assertEqual(self.flash(), before)
        self.kw.run("winc", "root", "add", path)


if __name__ == "__main__":
    kw.main()
