"""board serve --fault: the same seed gives the same faults, what it says of
them is what a client sees, and our own host ends well over every wire."""

import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

import chip_client
import kw
import rotation_case
import wire_case
from chip_client import AWOKE, ChipError, packet

BUILD = pathlib.Path(os.environ.get("KEYWRIGHT_BUILD", "."))
LIBRARY = BUILD / "libkeywright-i2c.so"
SILENCE = 0.3      # seconds after which a client gives up
STUCK = 4          # seconds that a stuck chip is busy
HOST_WAITS = 3     # and our own host waits
GARBLED_PACKET = "a bit of the packet flips"
GARBLED_RESPONSE = "a bit of the response flips"
LOST = "the response is lost"
NOT_ACKNOWLEDGED = "the chip does not acknowledge it"
NOT_TAKEN = "the chip does not take it"
CUT = "the supply failed while the EEPROM was written"
LINE = re.compile(r"fault (\d+) of (\w+), command ([0-9A-F]{2}): (.*)")


class Case(wire_case.Case):
    def faulty(self, fault, *options):
        self.board = self.serve("--fault", fault, *options)

    def told(self):
        """Ends the board; what it said of faults: chip, opcode, what."""
        self.board.send_signal(signal.SIGTERM)
        _, errors = self.board.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(self.board.returncode, 0)
        lines = errors.decode().splitlines()
        found = [LINE.search(line) for line in lines]
        self.assertNotIn(None, found, lines)
        numbers = {}
        for match in found:
            chip = match[2]
            numbers[chip] = numbers.get(chip, 0) + 1
            self.assertEqual(int(match[1]), numbers[chip])
        return [match.groups()[1:] for match in found]

    def seen(self, chip, request):
        """What a client that knows nothing of faults makes of an answer."""
        chip.connection.settimeout(SILENCE)
        try:
            data = chip.raw(request)
        except chip_client.NoAnswer as error:
            return "cut short" if error.args[0][0] != "0" else "silence"
        except (AssertionError, OverflowError):
            return "garbled"
        return "damaged" if data == b"\xff" else "good"

    def drain(self, chip):
        chip.connection.settimeout(0.01)
        try:
            while chip.connection.recv(256):
                pass
        except TimeoutError:
            pass

    def ask_all(self, chip, numbers):
        """The same requests each time, and what came of each."""
        seen = []
        for number in numbers:
            seen.append(self.seen(chip, (
                packet(0x30), packet(0x1B), packet(0x24, 1, 1),
                packet(0x02, 0x80, 0))[number % 4]))
            if seen[-1] not in ("good", "damaged"):
                self.drain(chip)
        chip.connection.settimeout(chip_client.TIMEOUT)
        return seen

    def drive(self, fault, count):
        self.faulty(fault)
        with chip_client.Chip(self.address()) as chip:
            chip.wake()
            seen = self.ask_all(chip, range(count))
        return seen, self.told()


class Faults(Case):
    def test_the_same_seed(self):
        fault = "11:garble=0.2,lose=0.05,nak=0.05"
        first, second = self.drive(fault, 60), self.drive(fault, 60)
        self.assertEqual(first, second)
        other = self.drive(fault.replace("11", "12"), 60)
        self.assertNotEqual(first[1], other[1])

    def test_what_is_told_is_what_is_seen(self):
        seen, told = self.drive("5:garble=0.3,lose=0.1,nak=0.1", 80)
        words = [what for _, _, what in told]
        self.assertEqual({chip for chip, _, _ in told}, {"trustflex"})
        self.assertEqual(words.count(GARBLED_PACKET), seen.count("damaged"))
        silent = words.count(LOST) + words.count(NOT_TAKEN)
        bad = seen.count("garbled") + seen.count("cut short")
        # A response whose count grew waits for bytes, one whose count is
        # 0 has none.
        self.assertEqual(words.count(GARBLED_RESPONSE) + silent,
                         bad + seen.count("silence"))
        for what in (GARBLED_PACKET, GARBLED_RESPONSE, LOST, NOT_TAKEN):
            self.assertIn(what, words)
        self.assertGreater(seen.count("good"), 25)

    def test_a_chip_has_its_own_sequence(self):
        """What one chip is asked changes nothing for another."""
        fault = "3:garble=0.3"

        def drive(with_other):
            self.faulty(fault)
            seen = []
            with chip_client.Chip(self.address("blank")) as chip, \
                    chip_client.Chip(self.address("trustgo")) as other:
                chip.wake()
                other.wake()
                for _ in range(30):
                    seen.append(self.seen(chip, packet(0x30)))
                    if seen[-1] not in ("good", "damaged"):
                        self.drain(chip)
                    if with_other:
                        self.seen(other, packet(0x1B))
                        self.drain(other)
            return seen, [line for line in self.told() if line[0] == "blank"]

        self.assertEqual(drive(False), drive(True))

    def test_lost_and_not_taken(self):
        """A command whose response is lost was obeyed, one that was not
        taken was not."""
        for kind, counted in (("lose", 3), ("nak", 0)):
            with self.subTest(kind=kind):
                before = self.counter("trustgo")
                self.faulty(f"1:{kind}=1")
                with chip_client.Chip(self.address("trustgo")) as chip:
                    chip.wake()
                    for _ in range(3):
                        self.assertEqual(
                            self.seen(chip, packet(0x24, 1, 1)), "silence")
                self.assertEqual(len(self.told()), 3)
                self.assertEqual(self.counter("trustgo"),
                                 before + counted)

    def counter(self, name):
        board = self.serve()
        with self.connect(name) as chip:
            chip.wake()
            value, = struct.unpack("<I", chip.ask(0x24, 0, 1, size=4))
        self.end(board)
        return value

    def test_supply_fails_at_the_third_write(self):
        """Before the write or after it, as the seed says; both happen."""
        kept = set()
        before = self.counter("trustflex")
        for seed in range(1, 9):
            self.faulty(f"{seed}:cut=3")
            with self.connect() as chip:
                chip.wake()
                for number in (1, 2):
                    self.assertEqual(chip.ask(0x24, 1, 1, size=4),
                                     struct.pack("<I", before + number))
                chip.nonce_to_temp_key(bytes(32))
                self.assertEqual(self.seen(chip, packet(0x24, 1, 1)),
                                 "silence")
                # Asleep, and nothing volatile is left.
                self.assertEqual(self.seen(chip, packet(0x30)), "silence")
                chip.connection.settimeout(chip_client.TIMEOUT)
                self.assertEqual(chip.wake(), AWOKE[1:2])
                self.assertRaises(ChipError, chip.mac_of_temp_key, bytes(32))
                value, = struct.unpack("<I", chip.ask(0x24, 0, 1, size=4))
                self.assertIn(value - before, (2, 3))
                kept.add(value - before)
                # Once.
                chip.ask(0x24, 1, 1, size=4)
            self.assertEqual(self.told(), [("trustflex", "24", CUT)])
            self.assertEqual(self.counter("trustflex"), value + 1)
            before = value + 1
        self.assertEqual(kept, {2, 3})

    def test_a_stuck_chip(self):
        self.faulty("1:stick=1")
        start = time.monotonic()
        self.fails(4, "connected and powered", "chip", "random")
        self.assertLess(time.monotonic() - start, 2 * HOST_WAITS)
        with chip_client.Chip(self.address("blank")) as chip:
            chip.wake()
            start = time.monotonic()
            chip.revision()
            self.assertGreater(time.monotonic() - start, STUCK - 0.5)
        self.assertEqual({what for _, _, what in self.told()},
                         {"the chip stays busy"})

    def test_the_next_host_of_a_stuck_chip(self):
        """It comes when the chip has obeyed all that the first one, which
        gave up before, has sent."""
        self.faulty("193:stick=0.1")  # the first packet, and no other soon
        first = self.kw.start("chip", "random")
        time.sleep(HOST_WAITS / 2)
        self.kw.run("chip", "random")
        first.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(first.returncode, 4)
        self.assertEqual(self.told(), [
            ("trustflex", "02", "the chip stays busy")])

    def test_a_seed_alone(self):
        self.faulty("9")
        with self.connect("blank") as chip:
            chip.wake()
        self.end(self.board)

    def test_what_is_no_fault(self):
        for text in ("", "x", "-1", "1:", "1:garble", "1:garble=", "1:cut=-1",
                     "1:garble=2", "1:garble=-0.1", "1:garble=nan", "1,cut=2",
                     "1:cut=1.5", "1:burn=1", "1:cut=1,", "1:cut=9999999",
                     "99999999999999999999999"):
            with self.subTest(text=text):
                self.fails(2, "SEED", "board", "serve", "--fault", text)


class Fleet(Case):
    """Chips of a fleet fail as those of the workspace do."""

    FAULT = "11:garble=0.2,lose=0.05,nak=0.05"

    def setUp(self):
        super().setUp()
        self.fleet = self.kw.folder / "fleet"
        self.fleet.mkdir()
        for name in ("trustflex", "one", "two"):
            shutil.copy(self.kw.at("chips", "trustflex.chip"),
                        self.fleet / (name + ".chip"))

    def choose(self, chip, name):
        chip.send(bytes([4, len(name)]) + name.encode())
        self.assertEqual(chip.receive(1), b"\0")
        chip.wake()

    def client(self, name):
        chip = chip_client.Chip("unix:" + str(self.fleet / "fleet.sock"))
        self.addCleanup(chip.close)
        self.choose(chip, name)
        return chip

    def test_as_the_chip_of_that_name_in_the_workspace(self):
        own = self.drive(self.FAULT, 40)
        self.faulty(self.FAULT, "--fleet", "fleet")
        seen = self.ask_all(self.client("trustflex"), range(40))
        self.assertEqual((seen, self.told()), own)
        self.assertIn("silence", seen)

    def test_each_has_its_own_sequence(self):
        """Going to another chip and back begins nothing anew."""
        self.faulty(self.FAULT, "--fleet", "fleet")
        chip = self.client("one")
        in_a_row = self.ask_all(chip, range(40))
        told = self.told()
        self.faulty(self.FAULT, "--fleet", "fleet")
        chip = self.client("one")
        seen = self.ask_all(chip, range(20))
        self.choose(chip, "two")
        other = self.ask_all(chip, range(20))
        self.choose(chip, "one")
        seen += self.ask_all(chip, range(20, 40))
        self.assertEqual(seen, in_a_row)
        self.assertNotEqual(other, seen[:20])
        lines = self.told()
        self.assertEqual([line for line in lines if line[0] == "one"], told)
        self.assertEqual({line[0] for line in lines}, {"one", "two"})

    def test_the_supply_fails(self):
        self.faulty("1:cut=2", "--fleet", "fleet")
        for name in ("one", "two"):
            chip = self.client(name)
            self.assertEqual(self.ask_all(chip, [2, 2, 2]),
                             ["good", "silence", "silence"])
        self.assertEqual(self.told(), [("one", "24", CUT), ("two", "24", CUT)])

    def test_our_own_host(self):
        self.faulty("2:garble=0.1,lose=0.02", "--fleet", "fleet")
        for _ in range(4):
            document = self.kw.json(
                "chip", "info", "--chip",
                f"fleet:{self.fleet / 'fleet.sock'}@two")
            self.assertEqual(document["serial"], self.serial)
        self.assertEqual({chip for chip, _, _ in self.told()}, {"two"})


class Host(Case):
    """Our own host over each wire. Whatever fails: the right answer, or a
    clean end that says what to do."""

    RUNS = 8
    SILENT_RUNS = 4  # each may have to wait for nothing

    def host(self, link, *words):
        """True: it ended well, with an answer that is true."""
        start = time.monotonic()
        result = self.kw.run(*words, "--json", "--chip", link, code=None)
        self.assertLess(time.monotonic() - start, 30)
        self.assertIn(result.code, (0, 4, 5), result)
        if result.code == 0:
            self.assertIn(self.serial.lower(), result.out.lower())
            return True
        self.assertRegex(result.out, '"hint": ".{20}')
        return False

    def over(self, link, fault, *options, runs=RUNS):
        self.faulty(fault, *options)
        good = sum(self.host(link, "chip", "info") for _ in range(runs))
        told = self.told()
        self.assertTrue(told)
        return good, {what for _, _, what in told}

    def test_unix(self):
        good, _ = self.over("sim:trustflex", "2:garble=0.1")
        self.assertEqual(good, self.RUNS)

    def test_unix_with_silence(self):
        """Reading twice is reading once."""
        good, what = self.over("sim:trustflex", "4:garble=0.1,lose=0.06",
                               runs=self.SILENT_RUNS)
        self.assertIn(LOST, what)
        self.assertEqual(good, self.SILENT_RUNS)

    def test_tcp_with_silence(self):
        self.faulty("4:garble=0.1,lose=0.06", "--tcp", "0")
        link = self.addresses["trustflex"][1]
        good = sum(self.host(link, "chip", "info")
                   for _ in range(self.SILENT_RUNS))
        self.assertIn(LOST, {what for _, _, what in self.told()})
        self.assertEqual(good, self.SILENT_RUNS)

    def test_kit(self):
        good, _ = self.over("kit:kit@6C", "2:garble=0.1", "--kit-pty", "kit")
        self.assertEqual(good, self.RUNS)

    def test_kit_with_silence(self):
        good, _ = self.over("kit:kit@6C", "2:garble=0.1,nak=0.05,lose=0.05",
                            "--kit-pty", "kit", runs=self.SILENT_RUNS)
        self.assertGreater(good, 0)

    def test_swi(self):
        good, _ = self.over("swi:swi", "2:garble=0.2", "--swi-pty", "swi")
        self.assertEqual(good, self.RUNS)

    def test_i2c(self):
        """What is not acknowledged is sent again, and a response that came
        damaged is read again."""
        self.kw.environment["LD_PRELOAD"] = str(LIBRARY)
        self.kw.environment["KEYWRIGHT_I2C"] = str(self.kw.folder / "bus")
        self.kw.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        good, what = self.over("i2c:/dev/i2c-1@6C", "2:garble=0.1,nak=0.1",
                               "--i2c", "bus")
        self.assertEqual(good, self.RUNS)
        self.assertIn(NOT_ACKNOWLEDGED, what)

    def test_the_board_dies_in_a_session(self):
        """A clean end at the next command, never a hang."""
        for link, options in (("sim:trustflex", ()),
                              ("kit:kit@6C", ("--kit-pty", "kit")),
                              ("swi:swi", ("--swi-pty", "swi"))):
            with self.subTest(link=link):
                board = self.serve(*options)
                session = self.kw.start(
                    "chip", "run", "-", "--trace", "--chip", link,
                    stdin=subprocess.PIPE, bufsize=0)
                session.stdin.write(b"chip random\n")
                for line in session.stderr:
                    if line.startswith(b"< "):
                        break
                self.end(board, signal.SIGKILL)
                _, errors = session.communicate(b"chip random\n", 30)
                self.assertEqual(session.returncode, 4)
                self.assertIn(b"check that the chip is connected", errors)

    def test_what_is_read_is_right(self):
        """The configuration as a whole, read over a bad wire."""
        whole = self.kw.json("chip", "read", "config")["data"]
        self.faulty("6:garble=0.15")
        good = 0
        for _ in range(self.RUNS):
            result = self.kw.run("chip", "read", "config", "--json", code=None)
            self.assertIn(result.code, (0, 4, 5), result)
            if result.code == 0:
                good += 1
                self.assertIn(whole, result.out)
        self.assertGreater(good, self.RUNS // 2)
        self.assertTrue(self.told())


class Rotation(rotation_case.Case):
    """A rotation over a bad wire, from a chip whose supply fails: each run
    ends well or says why not, and in the end the new key is there."""

    def test_rotate_until_it_is_done(self):
        old = self.status()
        board = self.serve("--fault",
                           "1:garble=0.03,lose=0.005,nak=0.005,cut=2")
        codes = self.until_done()
        self.end(board)
        self.assertLessEqual(set(codes), {0, 4, 5, 7})
        self.assertGreater(len(codes), 1)
        # A rotation that was taken back had a number too.
        number = self.status()["counter"]
        self.assertIn(number - old["counter"], range(1, len(codes) + 1))
        self.rotated(None, old["key"], number)
        self.assertEqual(self.outcomes()[-1], "done")

    def until_done(self):
        codes = []
        while not codes or codes[-1] != 0:
            self.assertLess(len(codes), 15, codes)
            result = self.kw.run("rotate", "run", "--json", code=None)
            codes.append(result.code)
            if result.code != 0:
                self.assertRegex(result.out, '"hint": ".{20}')
        return codes


if __name__ == "__main__":
    kw.main()
