"""`keywright certs` with keys in a PKCS#11 token: SoftHSM2."""

import os
import pathlib
import pty
import shutil
import subprocess
import unittest

import kw
from test_certs import certificate, chain_files, openssl, openssl_verify

PIN = "90210-pin"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so",
           "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib64/pkcs11/libsofthsm2.so")
MODULE = next((path for path in MODULES if os.path.exists(path)), None)


@unittest.skipIf(shutil.which("softhsm2-util") is None or MODULE is None,
                 "softhsm2 is not installed")
class Token(kw.Case):
    def setUp(self):
        super().setUp()
        self.folder = self.kw.folder
        (self.folder / "tokens").mkdir()
        config = self.folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {self.folder}/tokens\n"
                          "objectstore.backend = file\nlog.level = ERROR\n")
        self.kw.environment["SOFTHSM2_CONF"] = str(config)
        self.token("keys")
        self.key("ca", "keys", "ca", "01")
        self.key("signer", "keys", "signer", "02")
        self.pin = self.folder / "pin"
        self.pin.write_text(PIN + "\n")
        self.pin.chmod(0o600)
        self.init()

    def util(self, *arguments):
        subprocess.run(["softhsm2-util", *arguments], check=True,
                       capture_output=True, env=self.kw.environment)

    def token(self, label):
        self.util("--init-token", "--free", "--label", label, "--pin", PIN,
                  "--so-pin", "so-" + PIN)

    def key(self, name, token, label, number, curve="P-256"):
        path = self.folder / f"{name}.p8"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                f"ec_paramgen_curve:{curve}", "-out", path)
        self.util("--import", path, "--token", token, "--label", label,
                  "--id", number, "--pin", PIN)

    def uri(self, rest, *query):
        query = [f"module-path={MODULE}", *query]
        return f"pkcs11:{rest}?{'&'.join(query)}"

    def with_pin(self, rest):
        return self.uri(rest, f"pin-source=file:{self.pin}")

    def custom(self, authority, *options):
        return ("certs", "custom", "--yes", "--org", "test", "--authority",
                authority, *options)

    def test_root_and_signer_in_a_token(self):
        document = self.kw.json(*self.custom(
            self.with_pin("token=keys;object=ca"), "--signer-key",
            self.with_pin("token=keys;id=%02")))
        folder = self.kw.path(document["folder"])
        openssl_verify(*chain_files(folder))
        keys = [certificate(path).public_key().public_numbers()
                for path in chain_files(folder)[:2]]
        for name, numbers in zip(("ca", "signer"), keys):
            xy = kw.public_key(self.folder / f"{name}.p8")
            self.assertEqual(xy, numbers.x.to_bytes(32, "big") +
                             numbers.y.to_bytes(32, "big"))
        self.assertEqual(list(self.kw.at("keys", "custom-0001").iterdir()), [])
        openssl("req", "-in", folder / "signer_FFFF.csr", "-noout", "-verify")
        self.kw.json("certs", "verify")

    def test_pin_from_the_environment_and_modules_of_p11_kit(self):
        self.kw.environment["KEYWRIGHT_PIN"] = PIN
        if not pathlib.Path(
                "/usr/share/p11-kit/modules/softhsm2.module").exists():
            self.skipTest("p11-kit does not know SoftHSM2")
        self.kw.json(*self.custom("pkcs11:token=keys;object=ca"))

    def test_pin_from_the_terminal(self):
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [self.kw.binary, *self.custom(self.uri("token=keys;object=ca"))],
            cwd=self.folder, env=self.kw.environment, stdin=follower,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(
                0, __import__("termios").TIOCSCTTY, 0))
        os.close(follower)
        asked = b""
        while b"PIN" not in asked or not asked.rstrip().endswith(b":"):
            asked += os.read(leader, 1024)
        os.write(leader, PIN.encode() + b"\n")
        out, err = process.communicate(timeout=kw.TIMEOUT)
        echoed = b""
        try:
            echoed = os.read(leader, 1024)
        except OSError:
            pass  # the other side is closed
        os.close(leader)
        self.assertEqual(process.returncode, 0, err)
        self.assertNotIn(PIN.encode(), asked + echoed + out + err)

    def test_pin_on_the_command_line_is_refused(self):
        self.fails(2, "pin-value", *self.custom(
            self.uri("token=keys;object=ca", f"pin-value={PIN}")))
        for output in self.kw.outputs:
            self.assertNotIn(PIN, output)

    def test_pin_that_others_may_read_is_refused(self):
        for mode in (0o640, 0o604, 0o644):
            self.pin.chmod(mode)
            self.fails(1, "chmod 600", *self.custom(
                self.with_pin("token=keys;object=ca")))

    def test_no_pin(self):
        self.fails(2, "KEYWRIGHT_PIN", *self.custom(
            self.uri("token=keys;object=ca")))
        self.fails(2, "not run", *self.custom(
            self.uri("token=keys;object=ca", "pin-source=%7ccat%20pin")))
        self.fails(6, "no-such-file", *self.custom(
            self.uri("token=keys;object=ca", "pin-source=file:no-such-file")))

    def test_wrong_pin_is_tried_once(self):
        self.pin.write_text("0000000")
        self.fails(1, "refuses the PIN", *self.custom(
            self.with_pin("token=keys;object=ca")))
        self.assertFalse(list(self.kw.at("certs").glob("custom-*")))

    def test_what_does_not_fit(self):
        self.token("other")
        self.key("twin", "keys", "ca", "03")
        self.key("wide", "keys", "wide", "04", curve="P-384")
        for code, words, uri in (
                (4, "no token", "token=none;object=ca"),
                (4, "no private EC key", "token=keys;object=none"),
                (2, "several keys", "token=keys;object=ca"),
                (2, "2 tokens", "object=ca"),
                (3, "P-256", "token=keys;object=wide"),
                (2, "cannot be read", "token=keys;colour=red"),
                (2, "cannot be read", "token=%zz")):
            with self.subTest(uri=uri):
                self.fails(code, words, *self.custom(self.with_pin(uri)))
        self.kw.json(*self.custom(self.with_pin("token=keys;id=%01")))

    def test_no_module(self):
        self.fails(4, "cannot load", *self.custom(
            "pkcs11:token=keys?module-path=/nowhere.so"))

    def test_rotation_with_the_authority_in_a_token(self):
        """The authority of chips is the same one: slot 13's key."""
        self.kw.json("resources", "make")
        serial = self.kw.json("chip", "info")["serial"]
        self.util("--import", str(self.kw.newest(
            serial, "slot_13_ecc_key_pair.pem")), "--token", "keys", "--label",
                  "slot13", "--id", "0d", "--pin", PIN)
        self.kw.json("rotate", "run", "--authority",
                     self.with_pin("token=keys;object=slot13"))
        self.kw.json("rotate", "verify")


if __name__ == "__main__":
    kw.main()
