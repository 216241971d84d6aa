"""keywright chip: info, slots, run, retire; and who has a chip."""

import fcntl
import hashlib
import json
import os
import select
import struct
import subprocess
import time

import kw

ADDRESSES = {"trustflex": ("6c", "36"), "trustgo": ("6a", "35"),
             "blank": ("c0", "60")}
SIZES = [36] * 8 + [416] + [72] * 7


class Info(kw.Case):
    def test_each_chip(self):
        chips = self.kw.json("init")["chips"]
        for chip in chips:
            with self.subTest(chip=chip["name"]):
                info = self.kw.json("chip", "info", "--chip", chip["link"])
                self.assertEqual(info["link"], chip["link"])
                self.assertEqual(info["serial"], chip["serial"])
                self.assertEqual(info["part"], chip["name"])
                self.assertEqual(info["model"], "608b")
                self.assertEqual(info["revision"], "00006003")
                self.assertEqual(
                    (info["i2c_address"], info["i2c_address_7bit"]),
                    ADDRESSES[chip["name"]])
                locked = chip["name"] != "blank"
                self.assertEqual(info["config_locked"], locked)
                self.assertEqual(info["data_locked"], locked)
                self.assertEqual(info["counters"], [0, 0])
                self.assertEqual(info["slots_locked"], [])

    def test_text(self):
        serial = self.init()
        text = self.kw.run("chip", "info").out
        self.assertIn(serial.upper(), text.upper())
        self.assertRegex(text, r"(?i)6C")
        self.assertRegex(text, r"(?i)36")
        self.assertRegex(text, r"(?i)trustflex")

    def test_asking_changes_nothing(self):
        self.init()
        before = self.kw.at("chips", "trustflex.chip").read_bytes()
        self.kw.run("chip", "info")
        self.kw.run("chip", "slots")
        self.assertEqual(
            self.kw.at("chips", "trustflex.chip").read_bytes(), before)


class Slots(kw.Case):
    def slots(self, *words):
        document = self.kw.json("chip", "slots", *words)
        self.assertEqual([slot["slot"] for slot in document["slots"]],
                         list(range(16)))
        self.assertEqual([slot["size"] for slot in document["slots"]], SIZES)
        return document["slots"]

    def test_new(self):
        self.init()
        slots = self.slots()
        self.assertFalse(any(slot["locked"] for slot in slots))
        for number in (0, 1, 2, 3, 4):
            self.assertIn("private", slots[number]["kind"])
            self.assertRegex(slots[number]["fingerprint"], "[0-9a-f]{64}")
        self.assertEqual(
            len({slots[number]["fingerprint"] for number in range(5)}), 5)
        for number in (5, 6, 7, 8, 9, 10, 12):
            self.assertNotIn("fingerprint", slots[number])

    def test_fingerprints_after_resources(self):
        serial = self.init()
        self.kw.run("resources", "make")
        slots = self.slots()
        for number in (13, 14, 15):
            self.assertEqual(
                slots[number]["fingerprint"],
                fingerprint(self.kw.newest(
                    serial, f"slot_{number}_ecc_key_pair.pem")))

    def test_state_of_slot_14(self):
        self.init()
        states = [self.slots()[14]["state"]]
        self.kw.run("resources", "make")
        states.append(self.slots()[14]["state"])
        self.kw.run("rotate", "run")
        states.append(self.slots()[14]["state"])
        self.assertEqual(len(set(states)), 3, states)
        self.assertNotRegex(states[1], r"^valid")
        self.assertRegex(states[2], r"^valid")

    def test_a_slot_that_is_locked(self):
        self.init()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "lock-authority", "--yes")
        slots = self.slots()
        self.assertEqual([slot["slot"] for slot in slots if slot["locked"]],
                         [13])
        self.assertEqual(self.kw.json("chip", "info")["slots_locked"], [13])

    def test_other_parts(self):
        self.init()
        for name in ("trustgo", "blank"):
            self.slots("--chip", "sim:" + name)

    def test_text_has_each_slot(self):
        self.init()
        text = self.kw.run("chip", "slots").out
        for number in range(16):
            self.assertRegex(text, rf"(?m)^\s*(slot\s+)?{number}\b")


class Run(kw.Case):
    def script(self, text, code=0):
        self.kw.folder.joinpath("script").write_text(text)
        return self.kw.json("chip", "run", "script", code=code,
                            schema="chip-run")

    def test_lines(self):
        serial = self.init()
        lines = self.script("# a comment\n\nchip info\nresources make # x\n"
                            "rotate run\nrotate verify\n")["lines"]
        self.assertEqual([line["line"] for line in lines], [3, 4, 5, 6])
        self.assertEqual([line["exit"] for line in lines], [0] * 4)
        self.assertEqual(
            [line["result"]["schema"] for line in lines],
            ["keywright/chip-info/1", "keywright/resources-make/1",
             "keywright/rotate-run/1", "keywright/rotate-verify/1"])
        for line in lines:
            kw.validate(line["result"])
            self.assertEqual(line["result"]["serial"], serial)
        self.assertTrue(lines[3]["result"]["verified"])

    def test_stops_at_the_first_failure(self):
        self.init()
        lines = self.script("chip info\nrotate apply --bundle none\n"
                            "resources make\n", code=6)["lines"]
        self.assertEqual([line["exit"] for line in lines], [0, 6])
        error = lines[1]["result"]
        kw.validate(error)
        self.assertEqual(error["schema"], "keywright/error/1")
        self.assertFalse(any(self.kw.at("keys").glob("*/prototype-*")))

    def test_a_bad_line(self):
        self.init()
        self.assertEqual(self.script("chip inof\n", code=2)
                         ["lines"][0]["exit"], 2)
        self.script('keys list "open\n', code=2)

    def test_quotes(self):
        self.init()
        folder = self.kw.folder / "a folder"
        folder.mkdir()
        self.script('resources make\nrotate new-key\n'
                    'rotate request -o "a folder/r.json"\n')
        self.assertTrue((folder / "r.json").exists())

    def test_standard_input(self):
        serial = self.init()
        lines = self.kw.json("chip", "run", "-",
                             input="chip info\n")["lines"]
        self.assertEqual(lines[0]["result"]["serial"], serial)

    def test_global_options_hold_for_each_line(self):
        chips = {chip["name"]: chip["serial"]
                 for chip in self.kw.json("init")["chips"]}
        lines = self.kw.json("--chip", "sim:trustgo", "chip", "run", "-",
                             input="chip info\nchip slots\n")["lines"]
        for line in lines:
            self.assertEqual(line["result"]["serial"], chips["trustgo"])

    def test_no_such_script(self):
        self.init()
        self.fails(6, "none", "chip", "run", "none")

    def test_text(self):
        serial = self.init()
        result = self.kw.run("chip", "run", "-",
                             input="chip info\nchip info\n")
        self.assertEqual(result.out.upper().count(serial.upper()), 2)

    def test_a_line_is_answered_before_the_next_one(self):
        """Whoever drives `chip run -` waits for the answer."""
        self.init()
        process = self.kw.start("chip", "run", "-", stdin=subprocess.PIPE)
        self.addCleanup(process.kill)
        for number in range(2):
            process.stdin.write(b"chip counter %d\n" % number)
            process.stdin.flush()
            answer = b""
            while b"Counter %d: 0" % number not in answer:
                self.assertTrue(select.select([process.stdout], [], [], 30)[0],
                                answer)
                part = os.read(process.stdout.fileno(), 4096)
                self.assertTrue(part, answer)
                answer += part
        process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(process.returncode, 0)


class Retire(kw.Case):
    def test_rehearsal(self):
        serial = self.init()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        before = {path: data for path, data in self.kw.files().items()
                  if "run" not in path.parts}
        document = self.kw.json("chip", "retire", "--dry-run")
        self.assertEqual(document["serial"], serial)
        self.assertIsNone(document["record"])
        self.assertEqual(
            {path: data for path, data in self.kw.files().items()
             if "run" not in path.parts}, before)
        self.kw.run("rotate", "verify")

    def test_retire(self):
        serial = self.init()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        before = {slot["slot"]: slot.get("fingerprint")
                  for slot in self.kw.json("chip", "slots")["slots"]}
        document = self.kw.json("chip", "retire", "--yes")
        done = {slot["slot"]: slot["done"] for slot in document["slots"]}
        for number in (2, 3, 4, 6, 8, 9, 13, 14, 15):
            self.assertTrue(done[number], number)
        for number in (0, 1):
            self.assertFalse(done[number], number)

        after = {slot["slot"]: slot
                 for slot in self.kw.json("chip", "slots")["slots"]}
        for number in (2, 3, 4):
            self.assertNotEqual(after[number].get("fingerprint"),
                                before[number])
        for number in (0, 1):
            self.assertEqual(after[number]["fingerprint"], before[number])
        for number in (13, 14, 15):
            self.assertNotEqual(after[number].get("fingerprint"),
                                before[number])
        self.assertNotRegex(after[14]["state"], "^valid")

        record = self.kw.path(document["record"])
        self.assertEqual(record.parent, self.kw.at("journal"))
        self.assertEqual(
            record.name, f"retired-{serial.upper()}-0001.json")
        self.assertEqual(kw.mode(record), 0o600)
        json.loads(record.read_text())
        self.assertTrue(record.read_text().endswith("}\n"))
        self.kw.run("rotate", "verify", code=None)
        self.kw.secrets()

    def test_rehearsal_says_what_retire_does(self):
        self.init()
        self.kw.run("resources", "make")
        rehearsed = self.kw.json("chip", "retire", "--dry-run")["slots"]
        done = self.kw.json("chip", "retire", "--yes")["slots"]
        self.assertEqual([(slot["slot"], slot["done"]) for slot in rehearsed],
                         [(slot["slot"], slot["done"]) for slot in done])

    def refused(self, words, *options):
        """Nothing is erased, neither in the rehearsal nor after it."""
        before = {path: data for path, data in self.kw.files().items()
                  if "run" not in path.parts}
        for last in ("--dry-run", "--yes"):
            self.fails(1, words, "chip", "retire", *options, last)
        self.assertEqual(
            {path: data for path, data in self.kw.files().items()
             if "run" not in path.parts}, before)
        self.kw.run("rotate", "verify")

    def authority_elsewhere(self):
        """A device whose authority's key is in a file outside."""
        serial = self.init()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        key = self.kw.generations(serial)[0] / "slot_13_ecc_key_pair.pem"
        return key.rename(self.kw.folder / "authority.pem")

    def test_another_authority(self):
        self.authority_elsewhere()
        other = self.kw.folder / "other.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-out", other],
                       check=True, capture_output=True)
        other.chmod(0o600)
        self.refused("another authority", "--authority", other)

    def test_the_authority_is_elsewhere(self):
        """Once slot 13 is locked only its owner can erase slot 14."""
        key = self.authority_elsewhere()
        self.kw.run("rotate", "lock-authority", "--yes", "--authority", key)
        self.refused("--authority file")
        done = self.kw.json("chip", "retire", "--yes", "--authority", key)
        slots = {slot["slot"]: slot["done"] for slot in done["slots"]}
        self.assertTrue(slots[14])
        self.assertFalse(slots[13])
        self.kw.run("rotate", "verify", code=1)

    def test_without_the_authority(self):
        """Any other will do as long as slot 13 takes it."""
        self.authority_elsewhere()
        rehearsed = self.kw.json("chip", "retire", "--dry-run")
        self.kw.run("rotate", "verify")
        done = self.kw.json("chip", "retire", "--yes")
        self.assertEqual(done["slots"], rehearsed["slots"])
        slots = {slot["slot"]: slot["done"] for slot in done["slots"]}
        self.assertTrue(slots[13] and slots[14])
        self.kw.run("rotate", "verify", code=1)

    def test_an_erased_slot_13_is_no_authority(self):
        self.init()
        self.kw.run("resources", "make")
        self.kw.run("chip", "retire", "--yes")
        self.assertIsNone(self.kw.json("rotate", "status")["authority"])
        self.fails(1, "no validation authority", "rotate", "run")

    def test_twice(self):
        self.init()
        self.kw.run("chip", "retire", "--yes")
        self.kw.run("chip", "retire", "--yes")


class Busy(kw.Case):
    """Whoever opens a chip has it alone."""

    def hold(self, name="trustflex"):
        """Takes the lock of a chip, as docs/formats.md has it."""
        number = 0xCBF29CE484222325
        for byte in name.encode():
            number = (number ^ byte) * 0x100000001B3 % 2**64
        file = open(self.kw.at("chips", "lock"), "r+b")
        self.addCleanup(file.close)
        # struct flock of 64-bit Linux: type, whence, start, length, pid.
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET,
                           number % 2**62, 1, 0)
        fcntl.fcntl(file, 37, lock)  # F_OFD_SETLK
        return file

    def wait_for_owner(self, pid):
        owner = self.kw.at("run", "trustflex.owner")
        for _ in range(400):
            if owner.exists() and str(pid) in owner.read_text():
                return
            time.sleep(0.05)
        raise AssertionError(f"process {pid} never took the chip")

    def test_another_process_has_it(self):
        self.init()
        process = self.kw.start("chip", "run", "-", stdin=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(b"chip info\n")
        process.stdin.flush()
        self.wait_for_owner(process.pid)
        start = time.monotonic()
        document = self.fails(4, rf"\b{process.pid}\b", "chip", "info")
        self.assertIn("sim:trustflex", document["message"])
        self.assertGreater(time.monotonic() - start, 4.5)
        self.assertLess(time.monotonic() - start, 30)
        # The other chips are free.
        self.kw.run("chip", "info", "--chip", "sim:trustgo")
        process.stdin.close()
        process.wait(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.kw.run("chip", "info")

    def test_lock_as_documented(self):
        self.init()
        file = self.hold()
        self.kw.json("chip", "info", code=4)
        self.kw.json("chip", "info", "--chip", "sim:blank")
        file.close()
        self.kw.json("chip", "info")

    def test_waits_for_a_short_while(self):
        self.init()
        file = self.hold()
        process = self.kw.start("chip", "info")
        time.sleep(1.5)
        self.assertIsNone(process.poll())
        file.close()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)


class Damaged(kw.Case):
    def test_image(self):
        self.init()
        path = self.kw.at("chips", "trustflex.chip")
        whole = path.read_bytes()
        for data in (b"", whole[:100], bytes(len(whole)),
                     b"x" * len(whole)):
            with self.subTest(size=len(data)):
                path.write_bytes(data)
                self.fails(3, r"trustflex\.chip", "chip", "info")


def fingerprint(private_pem):
    return hashlib.sha256(kw.public_key(private_pem)).hexdigest()


if __name__ == "__main__":
    kw.main()
