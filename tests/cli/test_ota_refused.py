"""keywright ota: everything that a server, and what it serves, can get
wrong: a clear error, and the flash as it was."""

import os
import time

from cryptography.hazmat.primitives.asymmetric import ec

import kw
import winc_case
from ota_case import HEAD, Case
from winc_case import (certificate, der, ec_key, golden, key_pem, name, pem,
                       rsa_key, rsa_public)


class Server(Case):
    """What a server can get wrong: a clear error, the flash as it was."""

    def test_missing_file(self):
        (self.kw.folder / "files" / "NMA_Root.cer").unlink()
        self.refused("200 with an error text", self.www(), 3)

    def test_an_authority_of_an_unsigned_list(self):
        self.fails(2, "contradict", *self.arguments(
            self.www(), self.write_list()), "--authority", "owner.pem")

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

    def test_chain_too_long(self):
        self.list = [("TLS_RSA_CERT", 7, "winc_rsa.key")] + [
            ("TLS_RSA_CERT", 0, "WincRootCA.cer")] * 7
        self.refused("1 to 6 certificates.*8 files", self.www(), 1)

    def test_what_is_not_what_the_list_says(self):
        """A key where a root is named, and a certificate where a key is."""
        for at, file_name in ((0, "winc_rsa.key"), (2, "winc_rsa.cer")):
            kind, chain, right = self.list[at]
            self.list[at] = (kind, chain, file_name)
            self.refused("whole", self.www(), 3)
            self.list[at] = (kind, chain, right)

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
                name(f"CN={i}"), rsa_public(4096)) for i in range(7)]):
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


if __name__ == "__main__":
    kw.main()
