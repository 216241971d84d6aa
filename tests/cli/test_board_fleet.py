"""keywright board serve --fleet: a folder of chips on one socket, several
hosts side by side, and what they may rely on when the board ends."""

import fcntl
import os
import random
import select
import shutil
import signal
import struct
import threading
import time

import board_case
import chip_client
import kw

CHOSEN, NO_SUCH_CHIP, NO_POWER = b"\0", b"\1", b"\2"
PRIVATE_SLOTS = (0, 2, 3, 4)  # those that sign what comes from outside
SLOWEST_CLOCK = 13 << 3
MANY = 10000
OWN_FILES = 200  # of the many; the others are one file under many names
MEMORY_MIB = 60
FILES = 256


class Client(chip_client.Chip):
    """Of the fleet's socket."""

    def choose(self, name):
        name = name.encode()
        self.send(bytes([4, len(name)]) + name)
        return self.receive(1)

    def count(self, counter=0):
        """The value after one more increment."""
        return struct.unpack("<I", self.ask(0x24, 1, counter, size=4))[0]

    def counter(self, counter=0):
        return struct.unpack("<I", self.ask(0x24, 0, counter, size=4))[0]


class Case(board_case.Case):
    def setUp(self):
        super().setUp()
        self.fleet = self.kw.folder / "fleet"
        self.fleet.mkdir()

    def fill(self, *names, chip="trustflex"):
        for name in names:
            shutil.copy(self.kw.at("chips", chip + ".chip"),
                        self.fleet / (name + ".chip"))

    def serve(self, *options):
        return super().serve("--fleet", "fleet", *options)

    def client(self, name=None):
        client = Client("unix:" + str(self.fleet / "fleet.sock"))
        self.addCleanup(client.close)
        if name is not None:
            self.assertEqual(client.choose(name), CHOSEN)
            client.wake()
        return client


class Fleet(Case):
    def test_listener(self):
        self.fill("a", "b")
        self.serve()
        self.assertIn("fleet:fleet/fleet.sock", self.addresses[None])
        self.assertEqual(kw.mode(self.fleet / "fleet.sock"), 0o600)
        self.assertEqual(kw.mode(self.fleet / "fleet.lock"), 0o600)

    def test_each_is_a_chip_of_its_own(self):
        self.fill("a", "b")
        process = self.serve()
        client = self.client("a")
        self.assertEqual([client.count() for _ in range(3)], [1, 2, 3])
        self.assertEqual(client.choose("b"), CHOSEN)
        client.wake()
        self.assertEqual(client.counter(), 0)
        self.assertEqual(client.count(), 1)
        self.assertEqual(client.choose("a"), CHOSEN)
        self.assertEqual(client.counter(), 3)
        self.assertEqual(self.end(process), 0)
        self.assertFalse((self.fleet / "fleet.sock").exists())
        self.serve()
        self.assertEqual(self.client("a").counter(), 3)
        self.assertEqual(self.client("b").counter(), 1)

    def test_no_such_chip(self):
        self.fill("a", ".hidden")
        (self.fleet / "b.txt").write_bytes(b"")
        self.serve()
        client = self.client("a")
        self.assertEqual(client.count(), 1)
        for name in ("", "b", "b.txt", ".hidden", "../fleet/a", "a.chip",
                     "a\0", "A", "a" * 64, "a" * 65, "a" * 255):
            self.assertEqual(client.choose(name), NO_SUCH_CHIP, name)
        self.assertEqual(client.counter(), 1)

    def test_no_chip_chosen(self):
        self.fill("a")
        self.serve()
        for request in (b"\0", b"\x03" + chip_client.packet(0x30), b"\x05"):
            client = self.client()
            client.send(request)
            with self.assertRaises(chip_client.NoAnswer):
                client.receive(1)

    def test_name_in_pieces(self):
        self.fill("chip-7")
        self.serve()
        client = self.client()
        for byte in b"\x04\x06chip-7":
            client.send(bytes([byte]))
            time.sleep(0.01)
        self.assertEqual(client.receive(1), CHOSEN)

    def test_vanishes_in_the_middle(self):
        """Of a name and of a packet: the board and the chip go on."""
        self.fill("a")
        process = self.serve()
        client = self.client("a")
        self.assertEqual(client.count(), 1)
        increment = b"\x03" + chip_client.packet(0x24, 1)
        for request in (b"\x04", b"\x04\x05ab", increment[:-1]):
            other = self.client("a")
            other.send(request)
            other.close()
        self.assertEqual(client.count(), 2)
        self.assertIsNone(process.poll())

    def test_garbage(self):
        """Choices and words of any bytes: the board goes on, and what no
        whole packet asked for does not happen."""
        self.fill("a", "b")
        process = self.serve()
        dice = random.Random(608)
        for _ in range(200):
            client = self.client()
            try:
                client.send(b"".join(self.noise(dice) for _ in range(20)))
            except chip_client.NoAnswer:
                pass
            client.close()
        self.assertIsNone(process.poll())
        self.assertEqual(self.end(process), 0)
        self.serve()
        self.assertEqual(self.client("a").counter(), 0)
        self.assertEqual(self.client("b").counter(), 0)

    def noise(self, dice):
        name = dice.choice((b"a", b"b", dice.randbytes(dice.randrange(9))))
        return dice.choice((
            bytes([4, len(name)]) + name, bytes([4, dice.randrange(256)]),
            bytes([dice.randrange(4)]), dice.randbytes(dice.randrange(40)),
            b"\x03" + chip_client.packet(0x30, 0)))

    def test_damaged_image(self):
        self.fill("a", "b")
        (self.fleet / "b.chip").write_bytes(b"no image")
        self.serve()
        client = self.client()
        self.assertEqual(client.choose("b"), NO_POWER)
        self.assertEqual(client.choose("a"), CHOSEN)

    def test_no_images(self):
        self.fails(4, "no image", "board", "serve", "--fleet", "fleet")
        self.fails(4, "no image", "board", "serve", "--fleet", "nowhere")
        self.kw.run("chip", "info")

    def test_one_board_a_fleet(self):
        self.fill("a")
        self.serve()
        other = self.kw.folder / "other"
        self.kw.run("init", "--workspace", other)
        self.fails(4, "another board", "board", "serve", "--fleet", "fleet",
                   "--workspace", other)

    def test_out_of_order(self):
        """A chip whose image cannot be stored never acknowledges, and the
        others do not notice."""
        self.fill("a", "b")
        process = self.serve()
        broken, other = self.client("a"), self.client("b")
        witness = self.client("a")
        (self.fleet / "a.chip").unlink()
        with self.assertRaises(chip_client.NoAnswer):
            broken.count()
        # Neither a new connection nor an old one reads what was not stored.
        with self.assertRaises(chip_client.NoAnswer):
            witness.counter()
        with self.assertRaises(chip_client.NoAnswer):
            self.client("a")
        self.assertEqual(other.count(), 1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"a is out of order", said)


class Link(Case):
    """fleet:SOCKET@NAME: our own command is a host like others."""

    def test_reaches_the_chip(self):
        self.fill("a", "b@2")
        self.serve()
        for name in ("a", "b@2"):
            link = "fleet:fleet/fleet.sock@" + name
            info = self.kw.json("chip", "info", "--chip", link)
            self.assertEqual(info["serial"], self.serial)
            self.assertEqual(info["link"], link)
        count = ("chip", "counter", "0", "--increment", "--yes", "--chip")
        self.kw.run(*count, "fleet:fleet/fleet.sock@a")
        self.assertEqual(self.client("a").counter(), 1)
        self.assertEqual(self.client("b@2").counter(), 0)

    def test_refusals(self):
        self.fill("a", "b")
        (self.fleet / "b.chip").write_bytes(b"no image")
        self.serve()
        for code, words, link in (
                (4, "no such chip", "fleet:fleet/fleet.sock@c"),
                (4, "does not open", "fleet:fleet/fleet.sock@b"),
                (4, "no fleet", "fleet:keywright.d/run/trustflex.sock@a"),
                (4, "fleet/none.sock", "fleet:fleet/none.sock@a"),
                (2, "names no chip", "fleet:fleet/fleet.sock"),
                (2, "names no chip", "fleet:fleet/fleet.sock@"),
                (2, "names no path", "fleet:@a")):
            self.fails(code, words, "chip", "info", "--chip", link)

    def test_one_sequence_at_a_time(self):
        self.fill("a", "b")
        self.serve()
        with open(self.fleet / "a.chip", "rb") as image:
            fcntl.flock(image, fcntl.LOCK_EX)
            self.fails(4, "another process", "chip", "info", "--chip",
                       "fleet:fleet/fleet.sock@a")
            self.kw.run("chip", "info", "--chip", "fleet:fleet/fleet.sock@b")
        self.kw.run("chip", "info", "--chip", "fleet:fleet/fleet.sock@a")


class SideBySide(Case):
    def slow_chip(self):
        """A chip whose SelfTest takes 2.3 s by the limits."""
        slow = self.client("slow")
        word = bytearray(slow.ask(0x02, 0x00, 4, size=4))
        word[3] = SLOWEST_CLOCK
        slow.ask(0x12, 0x00, 4, bytes(word))
        return slow

    def test_busy_chip_blocks_its_own_hosts_alone(self):
        self.fill("slow", "fast", chip="blank")
        self.serve("--timing", "limits")
        slow = self.slow_chip()
        first, second = self.client("fast"), self.client("fast")
        slow.send(b"\x03" + chip_client.packet(0x77, 0x3D))
        for _ in range(5):
            self.assertEqual(first.revision(), second.revision())
        ready, _, _ = select.select([slow.connection], [], [], 0)
        self.assertEqual(ready, [])
        self.assertEqual(slow.frame(), b"\0")

    def test_two_hosts_on_one_chip(self):
        """Each command is whole, whoever sends the next one."""
        self.fill("a")
        self.serve()
        clients = [self.client("a") for _ in range(2)]
        for turn in range(50):
            digest = bytes([turn]) * 32
            clients[turn % 2].nonce_to_digest_buffer(digest)
            clients[1 - turn % 2].ask(0x41, 0xA0, 0, size=64)

    def test_limit_counts_all_ports(self):
        self.fill("a")
        self.serve()
        clients = [self.client("a") for _ in range(40)]
        clients += [self.connect() for _ in range(24)]
        for client in clients[40:]:
            client.wake()
        extra = self.client()
        with self.assertRaises(chip_client.NoAnswer):
            extra.choose("a")
        clients[0].close()
        self.assertTrue(self.comes_in())

    def comes_in(self):
        for _ in range(50):
            try:
                return self.client("a").counter() == 0
            except chip_client.NoAnswer:
                time.sleep(0.1)
        return False


class UnderLoad(Case):
    HOSTS = 16
    CHIPS = ("a", "b")

    def load(self, seconds, end):
        """Increments by many hosts until the board has gone; answers what
        each chip acknowledged."""
        told = {chip: [] for chip in self.CHIPS}
        clients = [(chip, self.client(chip)) for chip in self.CHIPS
                   for _ in range(self.HOSTS // len(self.CHIPS))]

        def count(chip, client):
            try:
                while True:
                    told[chip].append(client.count())
            except (chip_client.NoAnswer, OSError):
                pass

        threads = [threading.Thread(target=count, args=pair)
                   for pair in clients]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        code = end()
        for thread in threads:
            thread.join()
        return told, code

    def check(self, told, in_flight):
        """No value twice, none lost, and only what hung in the air more."""
        self.serve()
        for chip, values in told.items():
            self.assertGreater(len(values), 10)
            self.assertEqual(len(set(values)), len(values))
            stored = self.client(chip).counter()
            self.assertGreaterEqual(stored, max(values))
            self.assertLessEqual(stored, len(values) + in_flight)

    def test_killed(self):
        self.fill(*self.CHIPS)
        process = self.serve()
        told, _ = self.load(1, lambda: self.end(process, signal.SIGKILL))
        self.check(told, self.HOSTS)

    def test_terminated(self):
        self.fill(*self.CHIPS)
        process = self.serve()
        told, code = self.load(1, lambda: self.end(process))
        self.assertEqual(code, 0)
        self.assertFalse((self.fleet / "fleet.sock").exists())
        self.check(told, self.HOSTS)


class Many(Case):
    def names(self):
        return [f"chip-{number:05}" for number in range(MANY)]

    def make(self):
        """Chips that store have a file of their own."""
        self.fill("first")
        for number, name in enumerate(self.names()):
            if number < OWN_FILES:
                self.fill(name)
            else:
                os.link(self.fleet / "first.chip",
                        self.fleet / (name + ".chip"))

    def use_all_keys(self, client, name):
        """In one piece, for there are many: choose, wake, and a signature
        with each key."""
        request = bytes([4, len(name)]) + name.encode() + b"\0"
        for slot in PRIVATE_SLOTS:
            request += b"\x03" + chip_client.packet(0x16, 0x43, 0, bytes(32))
            request += b"\x03" + chip_client.packet(0x41, 0xA0, slot)
        client.send(request)
        answer = client.receive(1 + 4 + len(PRIVATE_SLOTS) * (4 + 67))
        self.assertEqual(answer[:5], CHOSEN + chip_client.AWOKE)
        self.assertTrue(all(answer[5 + 71 * i + 4] == 67
                            for i in range(len(PRIVATE_SLOTS))))

    def resident(self, process):
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def has_sanitizer(self, process):
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as file:
            return "san.so" in file.read()

    def test_ten_thousand(self):
        """All keys used once: bounded memory, bounded files."""
        self.make()
        process = self.serve()
        clients = [self.client() for _ in range(8)]
        most = 0
        for number, name in enumerate(self.names()):
            client = clients[number % len(clients)]
            self.use_all_keys(client, name)
            if number < OWN_FILES:
                self.assertEqual(client.count(), 1)
            if number % 50 == 0:
                files = len(os.listdir(f"/proc/{process.pid}/fd"))
                most = max(most, files)
        self.assertLessEqual(most, FILES)
        if not self.has_sanitizer(process):
            self.assertLessEqual(self.resident(process), MEMORY_MIB)


if __name__ == "__main__":
    kw.main()
