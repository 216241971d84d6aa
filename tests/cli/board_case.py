"""A test with a running board."""

import json
import signal

import chip_client
import kw


class Case(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def serve(self, *options):
        """Starts a board and waits until it is ready. Answers the process;
        `self.addresses` holds the addresses by chip: a list, sockets
        first."""
        process = self.kw.start("board", "serve", "--json", *options)
        self.addCleanup(self.end, process)
        document = self.document(process)
        kw.validate(document)
        self.addresses = {}
        for listener in document["listeners"]:
            chip = self.addresses.setdefault(listener["chip"], [])
            chip.append(listener["address"])
        return process

    def document(self, process):
        text = b""
        for line in process.stdout:
            text += line
            if line == b"}\n":
                return json.loads(text)
        raise AssertionError(process.stderr.read().decode())

    def end(self, process, number=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(number)
        process.communicate(timeout=kw.TIMEOUT)
        return process.returncode

    def address(self, chip="trustflex", number=0):
        kind, rest = self.addresses[chip][number].split(":", 1)
        if kind == "unix":
            rest = str(self.kw.folder / rest)
        return f"{kind}:{rest}"

    def connect(self, chip="trustflex", number=0):
        """A client that is closed at the end of the test."""
        client = chip_client.Chip(self.address(chip, number))
        self.addCleanup(client.close)
        return client
