"""keywright board serve: the paths of its wires, taken by one board and
removed by that one alone."""

import os
import shutil
import signal
import stat
import time

import kw
import wire_case

WIRES = ("--i2c", "--bridge", "--kit-pty", "--swi-pty")


class Places(wire_case.Case):
    def setUp(self):
        super().setUp()
        self.second = ("--workspace", "w2")
        self.kw.run(*self.second, "init")
        self.path = self.kw.folder / "wire"

    def which(self):
        about = self.path.lstat()
        return about.st_ino, about.st_mtime_ns

    def test_a_second_board_is_refused(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                first = self.serve(wire, "wire")
                about = self.which()
                for other in WIRES:
                    code = 4 if ("pty" in wire) == ("pty" in other) else 6
                    self.fails(code, "wire.*\n.*path|no file yet",
                               *self.second, "board", "serve", other, "wire")
                self.assertEqual(self.which(), about)
                self.assertEqual(self.end(first), 0)
                self.assertFalse(os.path.lexists(self.path))

    def test_a_terminal_is_its_boards_whatever_its_times(self):
        """Whoever owns it may touch it, and it is that board's still."""
        for wire in ("--kit-pty", "--swi-pty"):
            with self.subTest(wire=wire):
                first = self.serve(wire, "wire")
                time.sleep(0.02)  # a clock of 100 Hz goes on
                os.chmod(self.path, 0o600)
                self.fails(4, "another program serves", *self.second, "board",
                           "serve", wire, "wire")
                self.end(first)

    def test_a_terminal_of_another_program(self):
        """It has the number of one that a killed board had, and no board
        behind it."""
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        time.sleep(0.02)
        self.path.symlink_to(os.ttyname(slave))
        board = self.serve("--kit-pty", "wire")
        self.assertNotEqual(os.readlink(self.path), os.ttyname(slave))
        self.end(board)

    def test_a_link_to_the_terminal_of_another_board(self):
        """As when a killed board's number was given to the next one."""
        self.serve("--kit-pty", "other")
        self.path.symlink_to(os.readlink(self.kw.folder / "other"))
        self.serve(*self.second, "--swi-pty", "wire")
        self.assertNotEqual(os.readlink(self.path),
                            os.readlink(self.kw.folder / "other"))

    def test_what_a_killed_board_left_is_taken(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                self.end(self.serve(wire, "wire"), signal.SIGKILL)
                self.assertTrue(os.path.lexists(self.path))
                second = self.serve(wire, "wire", *self.second)
                self.assertEqual(self.end(second), 0)
                self.assertFalse(os.path.lexists(self.path))

    def test_only_its_own_is_removed(self):
        """Somebody removed the path, and another board has it now."""
        for wire in WIRES:
            with self.subTest(wire=wire):
                first = self.serve(wire, "wire")
                self.path.unlink()
                second = self.serve(wire, "wire", *self.second)
                about = self.which()
                self.assertEqual(self.end(first), 0)
                self.assertEqual(self.which(), about)
                self.assertEqual(self.end(second), 0)
                self.assertFalse(os.path.lexists(self.path))

    def test_one_path_for_two_wires(self):
        for i, wire in enumerate(WIRES):
            for other in WIRES[i + 1:]:
                with self.subTest(wires=(wire, other)):
                    self.fails(2, "same path", "board", "serve", wire, "wire",
                               other, "wire")
        self.assertFalse(os.path.lexists(self.path))

    def test_a_file_is_left_alone(self):
        self.path.write_text("data")
        for wire in WIRES:
            with self.subTest(wire=wire):
                self.fails(6, "where there is no file yet", "board", "serve",
                           wire, "wire")
                self.assertEqual(self.path.read_text(), "data")
                self.assertTrue(stat.S_ISREG(self.path.lstat().st_mode))

    def test_a_long_path(self):
        for wire in ("--i2c", "--bridge"):
            document = self.fails(2, "longer than 107", "board", "serve", wire,
                                  "x" * 108)
            self.assertNotIn("workspace", document["hint"])
        document = self.fails(2, "longer than 107", "board", "serve",
                              "--fleet", self.make_long_folder())
        self.assertNotIn("workspace", document["hint"])

    def make_long_folder(self):
        folder = self.kw.folder / ("x" * 108)
        folder.mkdir()
        shutil.copy(self.kw.at("chips", "trustflex.chip"), folder)
        return folder.name


if __name__ == "__main__":
    kw.main()
