"""keywright manifest with a log signer in a PKCS#11 token, and the chain of
an own PKI in the chip."""

import json

from cryptography import x509

import kw
import manifest_oracle as oracle
import test_certs_token as token

FILE = "keywright.d/manifest/TFLXTLS_devices_manifest.json"


class LogSigner(token.Token):
    # The fixture alone: its tests run where they belong.
    for name in [name for name in vars(token.Token)
                 if name.startswith("test")]:
        locals()[name] = None
    del name

    def test_log_signer_in_a_token(self):
        self.kw.run("resources", "make")
        ca = self.folder / "log.crt"
        self.kw.run("manifest", "make", "--log-signer",
                    self.with_pin("token=keys;object=signer"), "--ca", ca)
        entry, = json.loads((self.kw.folder / FILE).read_text())
        oracle.verify_entry(
            entry, x509.load_pem_x509_certificate(ca.read_bytes()))
        self.kw.run("manifest", "verify", FILE, "--ca", ca)


class Custom(kw.Case):
    def test_an_own_chain_in_the_chip(self):
        self.init()
        self.kw.run("resources", "make")
        made = self.kw.json("certs", "custom", "--org", "test",
                            "--yes")
        self.kw.run("manifest", "make")
        entry, = json.loads((self.kw.folder / FILE).read_text())
        root, = (self.kw.path(made["folder"])).glob("root*.crt")
        oracle.verify_entry(
            entry,
            x509.load_pem_x509_certificate(
                self.kw.at("manifest", "manifest_ca.crt").read_bytes()),
            x509.load_pem_x509_certificate(root.read_bytes()))
        self.kw.run("manifest", "verify", FILE, "--root", root)
        self.kw.json("manifest", "verify", FILE, "--root", self.kw.at(
            "certs", "simulated-vendor", "root.crt"), code=1,
            schema="manifest-verify")


if __name__ == "__main__":
    kw.main()
