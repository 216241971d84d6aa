"""keywright ota: the reference example's update from end to end, against
the real openssl s_server; lists, words, and what was interrupted."""

import json
import signal
import subprocess
import threading
import time

from cryptography import x509

import kw
from ota_case import Case
from winc_case import certificate, der, ec_key, golden, key_pem, name, pem, \
    rsa_key


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

    def test_stopped(self):
        """SIGINT while a server is slow: at once, and nothing was changed."""
        asked = threading.Event()

        def respond(path):
            asked.set()
            time.sleep(10)
            return b""

        port = self.answer(self.cert_pem, self.key_pem, respond)
        before = self.images()
        process = self.kw.start(*self.arguments(port, self.write_list()))
        self.assertTrue(asked.wait(30))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 7, err)
        self.assertIn(b"nothing was changed", err)
        self.assertEqual(self.images(), before)

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
