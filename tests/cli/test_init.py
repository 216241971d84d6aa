"""keywright init: the workspace and its chips."""

import json
import os
import signal
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import kw


class Init(kw.Case):
    def test_document(self):
        document = self.kw.json("init")
        self.assertEqual(document["model"], "608b")
        self.assertTrue(os.path.samefile(
            self.kw.folder / document["workspace"], self.kw.workspace))
        chips = {chip["name"]: chip for chip in document["chips"]}
        self.assertEqual(list(chips), ["trustflex", "trustgo", "blank"])
        for name, chip in chips.items():
            self.assertEqual(chip["link"], "sim:" + name)
            self.assertEqual(chip["part"], name)
            self.assertTrue(chip["serial"].startswith("0123"))
        self.assertTrue(chips["trustflex"]["serial"].endswith("01"))
        self.assertTrue(chips["trustgo"]["serial"].endswith("01"))
        self.assertTrue(chips["blank"]["serial"].endswith("ee"))
        self.assertEqual(
            len({chip["serial"] for chip in chips.values()}), 3)

    def test_text_leads_on(self):
        result = self.kw.run("init")
        self.assertIn("sim:trustflex", result.out)
        self.assertIn("resources make", result.out)
        self.assertEqual(result.err, "")

    def test_workspace_file(self):
        self.init()
        document = json.loads(self.kw.at("workspace.json").read_text())
        kw.validate(document)
        self.assertEqual(document["chips"], ["trustflex", "trustgo", "blank"])

    def test_modes(self):
        self.init()
        self.kw.run("chip", "info")
        self.assertEqual(kw.mode(self.kw.workspace), 0o700)
        for path in self.kw.workspace.rglob("*"):
            top = path.relative_to(self.kw.workspace).parts[0]
            if path.is_dir():
                wanted = 0o700
            elif top == "workspace.json" or top == "certs":
                wanted = 0o644
            else:
                wanted = 0o600
            self.assertEqual(oct(kw.mode(path)), oct(wanted), path)

    def test_modes_under_any_umask(self):
        for umask in (0o000, 0o077):
            with self.subTest(umask=oct(umask)):
                there = self.another(f"umask-{umask}")
                old = os.umask(umask)
                self.addCleanup(os.umask, old)
                there.run("init")
                os.umask(old)
                self.assertEqual(kw.mode(there.workspace), 0o700)
                for path in there.at("keys").rglob("*.pem"):
                    self.assertEqual(kw.mode(path), 0o600)

    def test_nothing_temporary_is_left(self):
        self.init()
        self.assertEqual(list(self.kw.workspace.rglob(".tmp-*")), [])

    def test_models(self):
        self.assertEqual(self.kw.json("init", "--model", "608a")["model"],
                         "608a")
        self.assertEqual(self.kw.json("chip", "info")["revision"],
                         "00006002")
        other = self.another("b")
        other.run("init", "--model", "608b")
        self.assertEqual(other.json("chip", "info")["revision"], "00006003")

    def test_chips_differ_from_one_workspace_to_the_next(self):
        self.assertNotEqual(
            self.init(), self.another("b").json("init")["chips"][0]["serial"])

    def test_existing_workspace(self):
        self.init()
        before = self.kw.files()
        self.fails(1, "keywright.d", "init")
        self.fails(1, "keywright.d", "init", "--model", "608a")
        self.assertEqual(self.kw.files(), before)

    def test_a_folder_with_other_things(self):
        """Somebody's folder is not taken over without a word."""
        self.kw.workspace.mkdir()
        self.kw.at("thesis.txt").write_text("mine")
        self.kw.run("init", code=None)
        self.assertEqual(self.kw.at("thesis.txt").read_text(), "mine")

    def test_newer_version(self):
        self.init()
        path = self.kw.at("workspace.json")
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "version": 2}))
        for words in (("chip", "info"), ("init",), ("keys", "list")):
            with self.subTest(words=words):
                self.fails(3, "version", *words)

    def test_damaged_workspace_file(self):
        self.init()
        for text in ("", "{", "[]", "{}", '{"version": "1"}'):
            with self.subTest(text=text):
                self.kw.at("workspace.json").write_text(text)
                self.fails(3, r"workspace\.json", "chip", "info")

    def test_not_writable(self):
        self.kw.workspace.write_text("a file where the folder would be")
        self.kw.json("init", code=6)
        self.fails(6, "none", "--workspace", "none/such/folder", "init")


class Interrupted(kw.Case):
    def complete(self, there):
        document = there.json("init")
        serials = {chip["name"]: chip["serial"]
                   for chip in document["chips"]}
        for name, serial in serials.items():
            info = there.json("chip", "info", "--chip", "sim:" + name)
            self.assertEqual((info["serial"], info["part"]), (serial, name))
        self.assertEqual(list(there.workspace.rglob(".tmp-*")), [])
        there.run("resources", "make")

    def test_empty_folder(self):
        self.kw.workspace.mkdir(mode=0o700)
        self.complete(self.kw)

    def test_before_the_workspace_file(self):
        """All is there except the file that is written last."""
        serial = self.init()
        self.kw.at("workspace.json").unlink()
        self.complete(self.kw)
        self.assertEqual(self.kw.json("chip", "info")["serial"], serial)

    def test_each_file_missing(self):
        self.init()
        files = [path.relative_to(self.kw.workspace)
                 for path in self.kw.files()
                 if path.name != "workspace.json"
                 and "run" not in path.parts]
        for path in files:
            with self.subTest(path=path):
                there = self.another(str(path).replace("/", "-"))
                subprocess.run(["cp", "-a", self.kw.workspace,
                                there.workspace], check=True)
                there.at("workspace.json").unlink()
                there.at(path).unlink()
                self.complete(there)

    def test_killed_at_any_time(self):
        for delay in range(12):
            there = self.another(f"killed-{delay}")
            process = there.start("init")
            time.sleep(delay / 400)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if there.at("workspace.json").exists():
                there.json("chip", "info")
            else:
                self.complete(there)


class Vendor(kw.Case):
    def load(self, name):
        return x509.load_pem_x509_certificate(
            self.kw.at("certs", "simulated-vendor", name).read_bytes())

    def issued(self, child, parent):
        parent.public_key().verify(
            child.signature, child.tbs_certificate_bytes,
            ec.ECDSA(child.signature_hash_algorithm))
        self.assertEqual(child.issuer, parent.subject)

    def test_chain(self):
        document = self.kw.json("init")
        root, signer = self.load("root.crt"), self.load("signer.crt")
        self.issued(root, root)
        self.issued(signer, root)
        serials = {chip["name"]: chip["serial"].upper()
                   for chip in document["chips"]}
        for name in ("trustflex", "trustgo"):
            device = self.load(serials[name] + ".crt")
            self.issued(device, signer)
            self.assertIn(serials[name], device.subject.rfc4514_string())
        self.assertFalse(self.kw.at(
            "certs/simulated-vendor", serials["blank"] + ".crt").exists())

    def test_says_that_it_is_simulated(self):
        self.init()
        self.assertRegex(
            self.load("root.crt").subject.rfc4514_string().lower(),
            "simulated")

    def test_keys_belong_to_the_certificates(self):
        self.init()
        for name in ("root", "signer"):
            point = self.load(name + ".crt").public_key().public_numbers()
            self.assertEqual(
                kw.public_key(self.kw.at("keys/simulated-vendor",
                                         name + ".pem")),
                point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big"))

    def test_no_secret_is_shown(self):
        self.init()
        self.kw.run("init", code=1)
        self.kw.run("chip", "slots", "--trace")
        self.kw.secrets()


if __name__ == "__main__":
    kw.main()
