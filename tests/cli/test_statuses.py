"""Each status byte of a chip that docs/cli.md lists comes out as an error of
its number and its words, with exit code 5: told by a board that has no chip
and answers what the test wants."""

import re

import kw
from test_link_socket import Board, frame


class Odd(Board):
    """Answers Random with these bytes, well framed."""

    def __init__(self, path, data):
        super().__init__(path)
        self.data = data

    def answer(self, opcode, number):
        return frame(self.data)

    def think(self):
        pass


class Statuses(kw.Case):
    def ask(self, data):
        path = self.kw.folder / "odd.sock"
        board = Odd(path, data)
        board.start()
        try:
            return self.kw.json("chip", "random", "--chip", f"unix:{path}",
                                code=5)
        finally:
            board.close()
            path.unlink()

    def listed(self):
        return dict(re.findall(r"(?m)^\| `0x50(\w\w)` \| (.*) \|$",
                               (kw.ROOT / "docs/cli.md").read_text()))

    def test_each_byte_of_a_chip(self):
        self.init()
        self.assertEqual(len(self.listed()), 9)
        for byte, words in self.listed().items():
            with self.subTest(byte=byte):
                document = self.ask(bytes.fromhex(byte))
                self.assertEqual(document["status"], f"0x50{byte}")
                self.assertIn(words, document["message"])

    def test_a_byte_that_no_sheet_knows(self):
        self.init()
        document = self.ask(b"\x42")
        self.assertEqual(document["status"], "0x5042")
        self.assertIn("42", document["message"])

    def test_an_answer_of_another_length(self):
        self.init()
        for size in (2, 31, 33):
            document = self.ask(bytes(size))
            self.assertEqual(document["status"], "0x5100")
            self.assertIn("wrong length", document["message"])


if __name__ == "__main__":
    kw.main()
