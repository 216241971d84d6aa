#!/usr/bin/env python3
"""Kills `keywright board serve` (SIGKILL) while many clients write to its
chips, and looks for what was acknowledged.

    kill_board.py [--kills N] [--seed NUMBER] [--self-test]

Sixteen clients: twelve on one chip. Each writes blocks of its own, or makes
keys in a slot of its own, or counts on a counter that others count on too,
and notes what the chip answered. At a random moment the board is killed.
Then each image must be whole and hold what was answered last, or the one
write that was under way; the next board must open it, and in the end the
chips must say the same over the wire. Images are read by image_file.py.

KEYWRIGHT names the binary. Exit code: 0 nothing was lost, 1 something was.
--self-test puts an older image back after a kill, which must be noticed.
"""

import argparse
import hashlib
import os
import pathlib
import random
import shutil
import signal
import struct
import sys
import tempfile
import threading
import time

from cryptography.hazmat.primitives.asymmetric import ec

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))

import chip_client  # noqa: E402
import image_file  # noqa: E402
import kw  # noqa: E402
from chip_client import packet  # noqa: E402

STATUS_DONE = b"\0"
LONGEST = 0.12  # seconds from the first answer to the kill


class Lost(Exception):
    """What the chip had acknowledged is not there."""


# What is written, and what of it must be there: a cell. `begin` answers the
# packet, `done` takes the data of the answer, `settle` an image.

class Block:
    """32 bytes of a slot that one client writes."""

    def __init__(self, slot, index):
        self.slot, self.index = slot, index
        self.acknowledged = self.pending = None
        self.written = 0

    def __str__(self):
        return f"block {self.index} of slot {self.slot}"

    def begin(self):
        self.written += 1
        self.pending = hashlib.sha256(
            struct.pack("<3I", self.slot, self.index, self.written)).digest()
        return packet(0x12, 0x82, self.index << 8 | self.slot << 3,
                      self.pending)

    def done(self, data):
        if data != STATUS_DONE:
            raise AssertionError(f"{self}: {data.hex()}")
        self.acknowledged, self.pending = self.pending, None

    def settle(self, image):
        found = image_file.block(image, self.slot, self.index)
        if self.acknowledged is not None and \
                found not in (self.acknowledged, self.pending):
            raise Lost(f"{self}: write {self.written} or the one before")
        self.acknowledged, self.pending = found, None

    def read(self, chip):
        if chip.read_block(self.slot, self.index) != self.acknowledged:
            raise Lost(f"{self}: the chip answers something else")


class Key:
    """A private key that one client makes anew and anew."""

    def __init__(self, slot):
        self.slot = slot
        self.acknowledged = None
        self.pending = False
        self.old = set()

    def __str__(self):
        return f"the key in slot {self.slot}"

    def begin(self):
        self.pending = True
        return packet(0x40, 0x04, self.slot)

    def done(self, data):
        if len(data) != 64:
            raise AssertionError(f"{self}: {data.hex()}")
        if self.acknowledged is not None:
            self.old.add(self.acknowledged)
        self.acknowledged, self.pending = data, False

    def settle(self, image):
        """The private key belongs to the public one that was answered, or
        to one that was never answered."""
        if self.acknowledged is None and not self.pending:
            return
        number = int.from_bytes(image_file.slot(image, self.slot)[4:36],
                                "big")
        if self.acknowledged is None and number in (0, 2 ** 256 - 1):
            return
        point = ec.derive_private_key(
            number, ec.SECP256R1()).public_key().public_numbers()
        found = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        if found != self.acknowledged and (
                not self.pending or found in self.old):
            raise Lost(f"{self}: not the last one")
        if self.acknowledged is not None and found != self.acknowledged:
            self.old.add(self.acknowledged)
        self.acknowledged, self.pending = found, False

    def read(self, chip):
        if chip.public_key(self.slot) != self.acknowledged:
            raise Lost(f"{self}: the chip answers something else")


class Counter:
    """Several clients count on it; no two get the same value."""

    def __init__(self, number):
        self.number = number
        self.lock = threading.Lock()
        self.acknowledged = 0
        self.pending = 0
        self.seen = set()

    def __str__(self):
        return f"counter {self.number}"

    def begin(self):
        with self.lock:
            self.pending += 1
        return packet(0x24, 1, self.number)

    def done(self, data):
        value, = struct.unpack("<I", data)
        with self.lock:
            if value in self.seen:
                raise Lost(f"{self}: {value} was answered twice")
            self.seen.add(value)
            self.pending -= 1
            self.acknowledged = max(self.acknowledged, value)

    def settle(self, image):
        found = image_file.counter(image, self.number)
        if not self.acknowledged <= found <= self.acknowledged + self.pending:
            raise Lost(f"{self}: {found}; {self.acknowledged} answered, "
                       f"{self.pending} under way")
        self.acknowledged, self.pending = found, 0

    def read(self, chip):
        value = chip.ask(0x24, 0, self.number, size=4)
        if struct.unpack("<I", value) != (self.acknowledged,):
            raise Lost(f"{self}: the chip answers {value.hex()}")


# The clients: by chip, what each of them changes in turn.

COUNTERS = {chip: [Counter(0), Counter(1)] for chip in
            ("blank", "trustflex", "trustgo")}
CLIENTS = [
    *(("blank", [Block(8, 3 * i + j) for j in range(3)]) for i in range(4)),
    *(("blank", [Block(slot, 0), Block(slot, 1)]) for slot in (9, 10)),
    ("blank", [Key(0)]),
    ("blank", [Key(1)]),
    *(("blank", [COUNTERS["blank"][0]]) for _ in range(2)),
    *(("blank", [COUNTERS["blank"][1], Block(slot, 1)])
      for slot in (11, 12)),
    ("trustflex", [Block(8, 0), COUNTERS["trustflex"][1]]),
    ("trustflex", [Key(2), COUNTERS["trustflex"][1]]),
    ("trustgo", [Block(8, 0)]),
    ("trustgo", [COUNTERS["trustgo"][1], Block(8, 1)]),
]
CHIPS = sorted({chip for chip, _ in CLIENTS})


def cells(chip):
    return {id(cell): cell for name, own in CLIENTS if name == chip
            for cell in own}.values()


class Client(threading.Thread):
    """Changes its cells in turn until the board is gone."""

    def __init__(self, address, own):
        super().__init__(daemon=True)
        self.chip = chip_client.Chip(address)
        self.own = own
        self.answers = 0
        self.wrong = None

    def run(self):
        try:
            self.chip.wake()
            while True:
                for cell in self.own:
                    cell.done(self.chip.raw(cell.begin()))
                    self.answers += 1
        except (chip_client.NoAnswer, OSError):
            pass
        except Exception as error:  # told to the main thread
            self.wrong = error
        self.chip.close()


class Stress:
    def __init__(self, folder, seed):
        self.kw = kw.Keywright(folder)
        self.random = random.Random(seed)
        self.acknowledged = 0
        self.kw.run("init")

    def serve(self):
        process = self.kw.start("board", "serve", "--json")
        text = b""
        for line in process.stdout:
            text += line
            if line == b"}\n":
                return process
        raise Lost(process.stderr.read().decode())

    def end(self, process, number):
        process.send_signal(number)
        process.communicate(timeout=kw.TIMEOUT)

    def address(self, chip):
        """Short: a socket's path has little room."""
        return "unix:" + os.path.relpath(
            self.kw.at("run", f"{chip}.sock"))

    def connect(self, chip):
        return chip_client.Chip(self.address(chip))

    def configure(self):
        """The blank chip: two keys that GenKey makes, else clear slots."""
        process = self.serve()
        with self.connect("blank") as chip:
            chip.wake()
            zone = bytearray(chip.read_config())
            for slot in range(16):
                private = slot < 2
                zone[20 + 2 * slot:22 + 2 * slot] = \
                    b"\x87\x20" if private else b"\x0f\x0f"
                zone[96 + 2 * slot:98 + 2 * slot] = \
                    b"\x33\x00" if private else b"\x3c\x00"
            for word in (*range(5, 13), *range(24, 32)):
                chip.ask(0x12, 0, word, bytes(zone[4 * word:4 * word + 4]))
            chip.ask(0x17, 0x80)
            chip.ask(0x17, 0x81)
        self.end(process, signal.SIGTERM)

    def kill_once(self, meddle=None):
        process = self.serve()
        clients = [Client(self.address(chip), own) for chip, own in CLIENTS]
        for client in clients:
            client.start()
        time.sleep(self.random.uniform(0, LONGEST))
        self.end(process, signal.SIGKILL)
        for client in clients:
            client.join(kw.TIMEOUT)
            if client.wrong is not None:
                raise client.wrong
        self.acknowledged += sum(client.answers for client in clients)
        if meddle is not None:
            meddle()
        for chip in CHIPS:
            image = image_file.read(self.kw.at("chips", f"{chip}.chip"))
            for cell in cells(chip):
                cell.settle(image)

    def is_noticed(self):
        """Whether a chip that went back in time is."""
        path = self.kw.at("chips", "blank.chip")
        old = path.read_bytes()
        try:
            self.kill_once(lambda: path.write_bytes(old))
        except Lost as error:
            print(f"noticed: {error}")
            return True
        return False

    def ask_the_chips(self):
        """What the images say the chips say too."""
        process = self.serve()
        for name in CHIPS:
            with self.connect(name) as chip:
                chip.wake()
                for cell in cells(name):
                    cell.read(chip)
        self.end(process, signal.SIGTERM)


def work(stress, options):
    """Answers the exit code; raises what was lost."""
    stress.configure()
    if options.self_test:
        stress.kill_once()
        return 0 if any(stress.is_noticed() for _ in range(5)) else 1
    for _ in range(options.kills):
        stress.kill_once()
    stress.ask_the_chips()
    print(f"{options.kills} kills, {len(CLIENTS)} clients, "
          f"{stress.acknowledged} acknowledged writes, none lost")
    return 0 if stress.acknowledged >= options.kills else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="keywright-kill-")
    os.chdir(folder)
    try:
        code = work(Stress(folder, options.seed), options)
    except (Lost, image_file.Damaged) as error:
        print(f"lost: {error}; see {folder}")
        return 1
    os.chdir("/")
    shutil.rmtree(folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
