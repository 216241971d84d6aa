"""What goes over a board's sockets, by a client of its own."""

import concurrent.futures
import json
import os
import pathlib
import random
import socket
import subprocess
import time

import board_case
import chip_client
import kw
from chip_client import NoAnswer, packet

INFO = packet(0x30)
REVISION = bytes.fromhex("00006003")
AWOKE = b"\x11"
DAMAGED = b"\xff"
WATCHDOG = 2.5  # seconds: longer than the chip's 1.3
CLIENTS = 64
VECTORS = kw.ROOT / "tests" / "vectors" / "known_answers.json"


class Client(kw.unittest.TestCase):
    """The client itself, against answers that are known."""

    def test_frames(self):
        self.assertEqual(INFO.hex(), "0730000000035d")
        for data, crc in (("0400", "0340"), ("0411", "3343"),
                          ("04ff", "0142"), ("0700006003", "83bb")):
            self.assertEqual(
                chip_client.crc(bytes.fromhex(data)).hex(), crc)

    def test_messages(self):
        answers = json.loads(VECTORS.read_text(encoding="utf-8"))
        for known in answers["rotation"]:
            slot = known["slot"]
            config = bytearray(128)
            serial = bytes.fromhex(known["serial"])
            config[0:4], config[8:13] = serial[:4], serial[4:]
            for at, name in ((20, "slot_config"), (96, "key_config")):
                config[at + 2 * slot:at + 2 * slot + 2] = bytes.fromhex(
                    known[name])
            config[88:90] = bytes(2) if known["slot_locked"] else b"\xff\xff"
            invalidate = known["operation"] == "invalidate"
            other = chip_client.other_data(
                config, slot, known["parent_slot"], invalidate)
            digest = chip_client.signed_digest(
                config, slot, known["parent_slot"],
                bytes.fromhex(known["public_key"]),
                bytes.fromhex(known["nonce"]), invalidate)
            self.assertEqual(other.hex(), known["other_data_19"])
            self.assertEqual(digest.hex(), known["digest_to_sign"])


class Wire(board_case.Case):
    def test_commands(self):
        self.serve("--tcp", "0")
        for number in range(2):
            chip = self.connect(number=number)
            self.assertEqual(chip.wake(), AWOKE)
            self.assertEqual(chip.revision(), REVISION)
            self.assertNotEqual(chip.random(), chip.random())
            config = chip.read_config()
            self.assertEqual(chip_client.serial_of(config).hex(), self.serial)
            chip.sleep()

    def test_chips_are_apart(self):
        self.serve()
        serials = set()
        for name in ("trustflex", "trustgo", "blank"):
            chip = self.connect(name)
            # Another chip's wake does not wake this one.
            self.assertEqual(chip.wake(), AWOKE)
            serials.add(chip_client.serial_of(chip.read_config()))
        self.assertEqual(len(serials), 3)

    def test_byte_by_byte(self):
        self.serve("--tcp", "0")
        chip = self.connect(number=1)
        for byte in b"\x00\x03" + INFO + b"\x02\x00\x03" + INFO:
            chip.word(byte)
            time.sleep(0.002)
        self.assertEqual([chip.frame() for _ in range(4)],
                         [AWOKE, REVISION, AWOKE, REVISION])

    def test_many_in_one_piece(self):
        """Answers come in the order of the requests, none is lost."""
        self.serve()
        chip = self.connect()
        count = 500
        chip.connection.sendall(b"\x00" + (b"\x03" + INFO) * count)
        self.assertEqual(chip.frame(), AWOKE)
        for _ in range(count):
            self.assertEqual(chip.frame(), REVISION)

    def test_rewind(self):
        self.serve()
        chip = self.connect()
        chip.wake()
        drawn = chip.random()
        self.assertEqual(chip.wake(), drawn)
        self.assertEqual(chip.wake(), drawn)

    def test_end_of_input(self):
        """What was asked before is answered, then the board closes."""
        self.serve()
        chip = self.connect()
        chip.connection.sendall(b"\x00\x03" + INFO)
        chip.connection.shutdown(socket.SHUT_WR)
        self.assertEqual(chip.frame(), AWOKE)
        self.assertEqual(chip.frame(), REVISION)
        self.assertRaisesRegex(NoAnswer, "closed", chip.frame)

    # What no honest client sends.

    def test_unknown_word(self):
        self.serve("--tcp", "0")
        other = self.connect()
        other.wake()
        for data in (b"\x04", b"\xff", b"GET / HTTP/1.1\r\n\r\n"):
            chip = self.connect(number=1)
            chip.connection.sendall(data)
            self.assertRaisesRegex(NoAnswer, "closed", chip.frame)
        self.assertEqual(other.revision(), REVISION)

    def test_counts(self):
        """Each count is answered after as many bytes as it says."""
        self.serve()
        chip = self.connect()
        chip.wake()
        for count in (*range(7), 8, 155, 156, 255):
            self.assertEqual(
                chip.raw(bytes([count]) + bytes(max(count, 1) - 1)), DAMAGED)
            self.assertEqual(chip.ask(0x30, size=4), REVISION)

    def test_wrong_crc(self):
        self.serve()
        chip = self.connect()
        chip.wake()
        for bit in range(16, 8 * len(INFO)):
            broken = bytearray(INFO)
            broken[bit // 8] ^= 1 << bit % 8
            self.assertEqual(chip.raw(bytes(broken)), DAMAGED)

    def test_garbage(self):
        """Whatever arrives, the board goes on and nothing changes."""
        process = self.serve("--tcp", "0")
        before = self.images()
        dice = random.Random(608)
        for turn in range(60):
            chip = self.connect(number=turn % 2)
            try:
                chip.connection.sendall(self.garbage(dice))
            except OSError:
                pass
            if turn % 3 != 0:
                chip.close()
        self.assertIsNone(process.poll())
        self.assertEqual(self.revision_at_last(), REVISION)
        self.assertEqual(self.images(), before)

    def revision_at_last(self):
        """What others sent may still put the chip to sleep after our
        wake."""
        chip = self.connect()
        chip.connection.settimeout(1)
        for _ in range(30):
            try:
                chip.wake()
                return chip.raw(INFO)
            except chip_client.NoAnswer:
                pass
        return None

    def garbage(self, dice):
        """Word addresses and bytes; no packet of it has a right CRC but by
        a chance of one in 65536, and that is the same in each run."""
        data = b""
        for _ in range(dice.randrange(1, 40)):
            data += bytes([dice.choice((0, 1, 2, 3, 3, 3))])
            data += dice.randbytes(dice.randrange(0, 60))
        return data

    def images(self):
        return {path.name: path.read_bytes()
                for path in self.kw.at("chips").glob("*.chip")}

    def test_truncated(self):
        """A client goes in the middle of a packet: nothing is executed, the
        chip keeps its state, and the next client starts afresh."""
        self.serve("--tcp", "0")
        value = bytes(range(32))
        first = self.connect()
        first.wake()
        config = first.read_config()
        first.nonce_to_temp_key(value)
        whole = b"\x03" + packet(0x16, 0x03, 0, bytes(32))
        for size in range(1, len(whole), 5):
            chip = self.connect(number=size % 2)
            chip.connection.sendall(whole[:size])
            chip.close()
        chip = self.connect()
        challenge = bytes(32)
        self.assertEqual(
            chip.mac_of_temp_key(challenge),
            chip_client.expected_mac_of_temp_key(config, value, challenge))

    # Several clients.

    def test_ten_at_once(self):
        self.serve("--tcp", "0")

        def work(number):
            with chip_client.Chip(self.address(number=number % 2)) as chip:
                chip.wake()
                answers = [chip.revision() for _ in range(20)]
                return answers, [chip.random() for _ in range(20)]

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            results = list(pool.map(work, range(10)))
        drawn = set()
        for answers, randoms in results:
            self.assertEqual(set(answers), {REVISION})
            drawn.update(randoms)
        self.assertEqual(len(drawn), 200)

    def test_one_that_does_not_read(self):
        """Its requests wait; the others do not, and no answer is lost."""
        self.serve("--tcp", "0")
        for number in range(2):
            stuck = self.connect(number=number)
            stuck.wake()
            stuck.connection.setblocking(False)
            request = b"\x03" + packet(0x1B)
            sent = self.fill(stuck.connection, request * 64)
            other = self.connect(number=number)
            self.assertEqual(other.revision(), REVISION)
            stuck.connection.settimeout(chip_client.TIMEOUT)
            for _ in range(sent // len(request)):
                self.assertEqual(len(stuck.frame()), 32)

    def fill(self, connection, data):
        """Sends until the board takes no more; answers how many bytes."""
        sent = 0
        patience = 0
        while patience < 20:
            try:
                sent += connection.send(data[sent % len(data):])
                patience = 0
            except BlockingIOError:
                patience += 1
                time.sleep(0.01)
        return sent

    def test_too_many(self):
        """The 65th client is closed; when one goes there is room again."""
        self.serve()
        clients = [self.connect() for _ in range(CLIENTS)]
        for client in clients:
            client.wake()
        self.assertRaises(NoAnswer, self.connect().wake)
        clients[7].close()
        self.until(self.can_connect)
        for client in clients[8:]:
            self.assertEqual(client.revision(), REVISION)

    def can_connect(self):
        client = self.connect()
        try:
            return client.wake() != b""
        except NoAnswer:
            return False

    def until(self, condition):
        for _ in range(100):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it does not come true")

    # Sleep, idle, power.

    def test_idle_keeps_temp_key(self):
        self.serve()
        value, challenge = os.urandom(32), os.urandom(32)
        first = self.connect()
        first.wake()
        config = first.read_config()
        first.nonce_to_temp_key(value)
        first.idle()
        first.close()
        second = self.connect()
        self.assertEqual(second.wake(), AWOKE)
        self.assertEqual(
            second.mac_of_temp_key(challenge),
            chip_client.expected_mac_of_temp_key(config, value, challenge))

    def test_sleep_wipes_temp_key(self):
        self.serve()
        chip = self.connect()
        chip.wake()
        chip.nonce_to_temp_key(os.urandom(32))
        chip.sleep()
        self.assertEqual(chip.wake(), AWOKE)
        with self.assertRaises(chip_client.ChipError) as refused:
            chip.mac_of_temp_key(bytes(32))
        self.assertEqual(refused.exception.status, 0x0F)

    def test_asleep_says_nothing(self):
        self.serve()
        for state in ("idle", "sleep"):
            chip = self.connect()
            chip.wake()
            getattr(chip, state)()
            chip.connection.settimeout(0.3)
            self.assertRaises(NoAnswer, chip.raw, INFO)
            chip.connection.settimeout(chip_client.TIMEOUT)
            self.assertEqual(chip.wake(), AWOKE)

    def test_nothing_is_for_others(self):
        """Whatever the umask: sockets, terminals, locks, images, and what a
        write leaves behind."""
        self.addCleanup(os.umask, os.umask(0))
        self.serve("--kit-pty", "kit", "--swi-pty", "swi", "--i2c", "bus",
                   "--bridge", "bridge", "--tcp", "0")
        chip = self.connect()
        chip.wake()
        chip.ask(0x24, 1, 1, size=4)
        chip.idle()
        self.kw.run("chip", "info")
        found = [self.kw.folder / name
                 for name in ("kit", "swi", "bus", "bridge")]
        found += [*self.kw.at("run").iterdir(), *self.kw.at("chips").iterdir()]
        self.assertGreater(len(found), 4 + 3 * 3)
        self.assertEqual(
            [path for path in found if os.stat(path).st_mode & 0o077], [])

    def test_watchdog(self):
        self.serve("--watchdog")
        chip = self.connect()
        chip.wake()
        chip.nonce_to_temp_key(bytes(32))
        time.sleep(WATCHDOG)
        self.assertEqual(chip.wake(), AWOKE)
        self.assertRaises(chip_client.ChipError, chip.mac_of_temp_key,
                          bytes(32))

    def test_no_watchdog(self):
        self.serve()
        chip = self.connect()
        chip.wake()
        chip.nonce_to_temp_key(bytes(32))
        time.sleep(WATCHDOG)
        self.assertEqual(chip.wake(), b"\x00")  # the last response
        chip.mac_of_temp_key(bytes(32))


class Start(board_case.Case):
    def test_ports(self):
        for port in ("65536", "-1", "http", "80x", "", "99999999999999999999"):
            self.fails(2, "no tcp port", "board", "serve", f"--tcp={port}")

    def test_tcp_chip(self):
        self.fails(2, "emulated", "board", "serve", "--tcp", "0", "--chip",
                   "tcp:127.0.0.1:1")
        self.fails(4, "nobody", "board", "serve", "--tcp", "0", "--chip",
                   "sim:nobody")
        self.assertEqual(list(self.kw.at("run").glob("*.sock")), [])

    def test_not_in_a_script(self):
        result = self.kw.run("chip", "run", "-", code=2,
                             input="board serve\n")
        self.assertIn("script", result.err)

    def test_long_path(self):
        folder = self.kw.folder / ("w" * 100)
        self.kw.run("init", "--workspace", folder)
        self.fails(2, "shorter", "board", "serve", "--workspace", folder)

    def test_foreign_file(self):
        """Only a socket is taken for a dead board's."""
        path = self.kw.at("run", "trustgo.sock")
        path.write_text("mine", encoding="utf-8")
        self.fails(6, "trustgo.sock", "board", "serve")
        self.assertEqual(path.read_text(encoding="utf-8"), "mine")
        self.assertEqual(list(path.parent.glob("*.sock")), [path])

    def test_damaged_workspace(self):
        path = self.kw.at("workspace.json")
        document = json.loads(path.read_text(encoding="utf-8"))
        for chips in ([], [1], None):
            path.write_text(json.dumps({**document, "chips": chips}),
                            encoding="utf-8")
            self.fails(3, "names no chips", "board", "serve")

    def test_full_stdout(self):
        with pathlib.Path("/dev/full").open("wb") as full:
            process = subprocess.run(
                [self.kw.binary, "board", "serve"], cwd=self.kw.folder,
                env=self.kw.environment, stdin=subprocess.DEVNULL,
                stdout=full, stderr=subprocess.PIPE, timeout=kw.TIMEOUT,
                check=False)
        self.assertEqual(process.returncode, 6)
        self.assertIn(b"stdout", process.stderr)


if __name__ == "__main__":
    kw.main()
