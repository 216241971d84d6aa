#!/usr/bin/env python3
"""Random chips and commands: the emulated chip against the model.

    matrix.py --driver build/dev/tests/model/model_driver
              [--count 2000] [--seed N] [--one N] [--open]

Exit code 1 when chip and model disagree anywhere. --one replays a single
configuration and prints each command.
"""

import argparse
import collections
import random
import subprocess
import sys
import time

import generate
import messages as msg
import model as m

NAMES = {0x30: "Info", 0x1B: "Random", 0x16: "Nonce", 0x15: "GenDig",
         0x40: "GenKey", 0x41: "Sign", 0x45: "Verify", 0x02: "Read",
         0x12: "Write", 0x46: "PrivWrite", 0x08: "MAC", 0x47: "SHA",
         0x24: "Counter", 0x17: "Lock", 0x28: "CheckMac",
         0x1C: "DeriveKey", 0x43: "ECDH", 0x56: "KDF", 0x51: "AES",
         0x80: "SecureBoot", 0x77: "SelfTest", 0x20: "UpdateExtra"}
# How often each command is tried on a chip.
TRIES = {"verify": 8, "write": 6, "sign": 4, "read": 4, "mac": 4, "genkey": 3,
         "gendig": 3, "privwrite": 3, "sha": 2, "nonces": 2, "lock": 2,
         "checkmac": 4, "derivekey": 4, "ecdh": 4, "kdf": 6, "aes": 3,
         "secureboot": 3, "updateextra": 3}
FLAGS = ("is_64", "key_id", "source_fixed", "gen_dig", "gen_key", "no_mac",
         "private")
SHOWN_EXAMPLES = 3


class Driver:
    """The chip, on the other side of a pipe."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write(" ".join(words).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode()
        if not answer:
            sys.exit(f"matrix: the driver ended with "
                     f"{self.process.wait()} after {words[0]}")
        return answer.rstrip("\n")

    def power_up(self, image, seed):
        self.ask("new", image.hex())
        self.ask("seed", str(seed))
        self.ask("wake")

    def execute(self, packet):
        return Answer(self.ask("cmd", packet.hex()))

    def power(self, word):
        return Answer(self.ask(word))

    def eeprom(self):
        return bytes.fromhex(self.ask("eeprom"))

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class Answer:
    """A line of the driver, taken apart."""

    def __init__(self, line):
        frame, state, self.reason = line.split(" | ", 2)
        self.frame = b"" if frame == "ok" else bytes.fromhex(frame)
        self.state = dict(pair.split("=") for pair in state.split(" "))
        self.data = self.frame[1:-2]
        self.status = self.data[0] if len(self.data) == 1 else m.OK

    def broken(self):
        """What is wrong with the frame, if anything."""
        if len(self.frame) < 4 or self.frame[0] != len(self.frame):
            return f"no frame: {self.frame.hex()}"
        if msg.crc16(self.frame[:-2]).to_bytes(2, "little") != self.frame[-2:]:
            return f"CRC of {self.frame.hex()}"
        return None


# -- comparison: each function answers what is wrong, in words

def differences(outcome, answer):
    if outcome.status != answer.status:
        return [f"status {answer.status:02X}, not {outcome.status:02X}"]
    return [*response_difference(outcome, answer),
            *state_differences(outcome.state, answer.state)]


def response_difference(outcome, answer):
    expected = outcome.response
    if expected is None or expected == answer.data:
        return
    if not callable(expected):
        yield f"response {answer.data.hex()}, not {expected.hex()}"
        return
    complaint = expected(answer.data)
    if complaint:
        yield f"response {answer.data.hex()}: {complaint}"


def state_differences(state, got):
    temp_key = state.temp_key
    if int(got["valid"]) != temp_key.valid:
        yield f"TempKey.Valid {got['valid']}"
        return
    for flag in FLAGS:
        if int(got[flag]) != getattr(temp_key, flag):
            yield f"TempKey.{flag} {got[flag]}"
    size = 128 if temp_key.is_64 else 64
    if (temp_key.valid and
            got["temp_key"][:size] != temp_key.value.hex()[:size]):
        yield f"TempKey value {got['temp_key'][:size]}"
    if got["message"] != state.message.hex():
        yield f"MsgDigBuf {got['message'] or 'empty'}"
    if got["alternate"] != state.alternate.hex():
        yield f"AltKeyBuf {got['alternate'] or 'empty'}"
    if int(got["eeprom"], 16) != state.eeprom.checksum():
        yield "EEPROM"


def match(outcomes, answer):
    """The outcome that happened, or None and the complaints."""
    broken = answer.broken()
    if broken:
        return None, [broken]
    complaints = []
    for outcome in outcomes:
        found = differences(outcome, answer)
        if not found:
            return outcome, []
        # The most telling complaint is about the right status.
        if not complaints or outcome.status == answer.status:
            complaints = found
    return None, complaints


def eeprom_changes(expected, got):
    return ", ".join(f"{at}: {got[at]:02x} not {expected[at]:02x}"
                     for at in range(len(got)) if got[at] != expected[at])


# -- the run

class Run:
    def __init__(self, driver, seed, trace):
        self.driver = driver
        self.seed = seed
        self.trace = trace
        self.commands = 0
        self.mismatches = collections.defaultdict(list)
        self.pairs = collections.Counter()
        self.open_points = collections.Counter()

    def configuration(self, number):
        rng = random.Random(f"{self.seed}/{number}")
        image, layout = generate.random_image(rng)
        self.number = number
        self.start(image)
        author = generate.Author(rng, self.model, layout)
        for method in schedule(rng):
            author.model = self.model
            self.execute_all(author.prepare())
            author.model = self.model
            self.execute_all(method(author))
            if rng.random() < 0.15:
                self.change_power(rng.choice(("idle", "sleep", "cycle")))

    def start(self, image):
        self.model = m.Model(image, seed=self.number)
        self.driver.power_up(image, self.number)

    def execute_all(self, packets):
        """Up to a mismatch: what comes after it would prove nothing."""
        for packet in packets:
            if not self.execute(packet):
                return

    def execute(self, packet):
        outcomes = self.model.predict(packet)
        answer = self.driver.execute(packet)
        outcome, complaints = match(outcomes, answer)
        self.count(packet, answer, outcomes, outcome)
        if self.trace:
            print_step(packet, answer, complaints)
        if outcome is None:
            self.record(packet, answer, outcomes, complaints)
            self.start(self.driver.eeprom())
            return False
        self.model.settle(outcome)
        self.model.state.draws = int(answer.state["draws"])
        return True

    def change_power(self, word):
        """Off and on again; no command is sent to a chip that sleeps."""
        if word == "sleep":
            self.model.sleep()
        elif word == "cycle":
            self.model.power_cycle()
        self.driver.power(word)
        answer = self.driver.power("wake")
        complaints = list(state_differences(self.model.state, answer.state))
        if self.trace:
            print(f"{word}, wake {complaints or ''}")
        if complaints:
            self.mismatches[word].append(
                f"configuration {self.number}: {', '.join(complaints)}")
            self.start(self.driver.eeprom())

    def count(self, packet, answer, outcomes, outcome):
        self.commands += 1
        name = name_of(packet)
        self.pairs[name, answer.status] += 1
        if len(outcomes) > 1 and outcome is not None:
            choices = "/".join(sorted({f"{o.status:02X}" for o in outcomes}))
            self.open_points[name, choices, answer.status,
                             answer.reason] += 1

    def record(self, packet, answer, outcomes, complaints):
        mode = f"{name_of(packet)} mode {packet[2:3].hex().upper()}"
        allowed = "/".join(f"{o.status:02X}" for o in outcomes)
        text = (f"configuration {self.number}, packet {packet.hex()}\n"
                f"      chip {answer.status:02X} "
                f"({answer.reason or 'no reason'}), model {allowed}: "
                f"{'; '.join(complaints)}\n"
                f"      {excerpt(self.model, packet)}")
        if complaints == ["EEPROM"]:
            text += "\n      image " + eeprom_changes(
                outcomes[0].state.eeprom.image, self.driver.eeprom())
        self.mismatches[mode].append(text)


def name_of(packet):
    opcode = packet[1] if len(packet) > 1 else -1
    return NAMES.get(opcode, "others")


def schedule(rng):
    """Every command, several times, in any order."""
    methods = [method for method in generate.Author.COMMANDS
               for _ in range(TRIES.get(method.__name__, 1))]
    rng.shuffle(methods)
    return methods


def excerpt(model, packet):
    """The state before the command, and the policy of its slot."""
    eeprom = model.state.eeprom
    packet = packet.ljust(5, b"\0")
    p2 = int.from_bytes(packet[3:5], "little")
    opcode = packet[1]
    slot = p2 >> 3 & 15 if opcode in (0x02, 0x12) else p2 & 15
    if opcode == 0x17:
        slot = packet[2] >> 2 & 15
    temp_key = model.state.temp_key
    flags = [name for name in FLAGS if getattr(temp_key, name)]
    names = [name for name, value in eeprom.policy(slot)._asdict().items()
             if value is True]
    policy = eeprom.policy(slot)
    return (f"config {'locked' if eeprom.config_locked else 'open'}, "
            f"data {'locked' if eeprom.data_locked else 'open'}; "
            f"slot {slot}{' LOCKED' if eeprom.slot_locked(slot) else ''}: "
            f"type {policy.key_type} read {policy.read_key} "
            f"write {policy.write_key}/{policy.write_config} "
            f"{' '.join(names)}; TempKey "
            f"{'valid' if temp_key.valid else 'empty'} {' '.join(flags)} "
            f"id {temp_key.key_id}; MsgDigBuf {len(model.state.message)}")


def print_step(packet, answer, complaints):
    print(f"{name_of(packet):9} {packet.hex()} -> "
          f"{answer.frame.hex()} {answer.reason} "
          f"{'*** ' + '; '.join(complaints) if complaints else ''}")


def print_report(run, count):
    for mode, texts in sorted(run.mismatches.items()):
        print(f"{mode}: {len(texts)} mismatches")
        for text in texts[:SHOWN_EXAMPLES]:
            print(f"    {text}")
    print("command: how often it answered with which status")
    for name in (*NAMES.values(), "others"):
        row = sorted((s, n) for (c, s), n in run.pairs.items() if c == name)
        print(f"  {name:10}" + "".join(f"  {s:02X} x {n}" for s, n in row))
    total = sum(len(texts) for texts in run.mismatches.values())
    print(f"matrix: {count} configurations, {run.commands} commands, "
          f"{total} mismatches")
    return total


def print_open_points(run):
    print("answers where the facts allow more than one:")
    for (name, choices, status, reason), n in sorted(run.open_points.items()):
        print(f"  {name} {choices}: {status:02X} x {n} {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--driver", required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=608)
    parser.add_argument("--one", type=int, help="this configuration alone")
    parser.add_argument("--open", action="store_true",
                        help="show what the chip made of open points")
    options = parser.parse_args()
    numbers = (range(options.count) if options.one is None
               else [options.one])
    print(f"matrix: seed {options.seed}")
    begin = time.monotonic()
    run = Run(Driver(options.driver), options.seed,
              options.one is not None)
    for number in numbers:
        run.configuration(number)
    code = run.driver.close()
    if options.open:
        print_open_points(run)
    total = print_report(run, len(numbers))
    print(f"matrix: {time.monotonic() - begin:.1f} s")
    sys.exit(1 if total or code else 0)


if __name__ == "__main__":
    main()
