"""docs/formats.md names each file that a workspace ever holds, and its
mode."""

import re

import board_case
import kw

PLACES = {"SERIAL": r"[0-9A-F]{18}", "NNNN": r"\d{4}", "NNN": r"\d{3}",
          "NN": r"\d\d", "HHHH": r"[0-9A-F]{4}", "STORE": "(root|tls)",
          "TIME": r"[0-9TZ:-]+", "NAME": r"[\w-]+", "N": r"\d{1,2}"}


def pattern(name):
    """A path of the document, with its words in capitals, as a pattern."""
    words = "|".join(sorted(PLACES, key=len, reverse=True))
    return re.sub(rf"(?<![A-Z])({words})(?![A-Z])",
                  lambda found: PLACES[found[0]], re.escape(name))


def table(text):
    """[(path, mode)] of the workspace's table."""
    rows = []
    part = text.split("## The workspace")[1].split("\n## ")[0]
    for names, mode in re.findall(
            r"(?m)^\| (`.*?) \| .* \| (\d{4}) \|$", part):
        first, *others = re.findall(r"`([^`]+)`", names)
        folder = first.rsplit("/", 1)[0]
        for path in (first, *(f"{folder}/{name}" for name in others)):
            rows.append((path, int(mode, 8)))
    return rows


class Formats(board_case.Case):
    def life(self):
        """A workspace in which everything has happened."""
        run = self.kw.run
        (self.kw.folder / "image.bin").write_bytes(b"firmware")
        run("resources", "make", "--firmware", "image.bin")
        run("rotate", "run")
        run("rotate", "new-key")
        run("rotate", "request")
        run("rotate", "authorize", "--yes", "--request",
            next(self.kw.at("bundles").glob("*.request.json")))
        run("certs", "custom", "--org", "Example", "--yes")
        run("manifest", "make")
        run("winc", "new")
        run("winc", "root", "add",
            self.kw.at("certs/simulated-vendor/root.crt"))
        run("winc", "erase", "--root", "--yes")
        run("chip", "snapshot")
        self.serve()
        run("chip", "retire", "--yes")

    def test_each_file_is_described(self):
        self.life()
        text = (kw.ROOT / "docs/formats.md").read_text()
        text += (kw.ROOT / "docs/manifest.md").read_text()
        rows = table(text)
        self.assertGreater(len(rows), 20)
        names = [pattern(name) for name in re.findall(r"`([^`\s]+)`", text)]
        paths = list(self.kw.workspace.rglob("*"))
        self.assertGreater(len(paths), 60)
        for path in paths:
            where = str(path.relative_to(self.kw.workspace))
            fitting = [mode for name, mode in rows
                       if re.fullmatch(pattern(name.rstrip("/")), where)]
            inside = [name for name, _ in rows if name.endswith("/") and
                      re.match(pattern(name), where)]
            with self.subTest(path=where):
                if path.is_dir():
                    self.assertEqual(kw.mode(path), 0o700)
                elif fitting:
                    self.assertEqual(kw.mode(path), fitting[0])
                else:
                    self.assertTrue(inside)
                    self.assertTrue(any(re.fullmatch(name, path.name)
                                        for name in names))


if __name__ == "__main__":
    kw.main()
