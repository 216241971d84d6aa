"""What the tests of updates share: the five files of the reference example,
the server that it starts, and servers that get something wrong."""

import json

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
