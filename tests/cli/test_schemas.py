"""The schemas themselves, against the contract in docs/cli.md."""

import json
import pathlib
import re
import unittest

import jsonschema

import kw


# Documents that come by a helper: of a board, of a server's files.
ELSEWHERE = {"board-serve", "ota-check", "ota-update"}


def schemas():
    for path in sorted(kw.SCHEMAS.glob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def objects(schema):
    """Every object that a schema describes."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def promised():
    """The documents that docs/cli.md promises: {name: [members]}."""
    text = (kw.ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    found, noun, verb = {}, None, None
    for paragraph in re.split(r"\n\n|\n(?=\|)", text):
        heading = re.match(r"#{2,3} (.*)", paragraph)
        if heading:
            words = heading[1].split("[")[0].lower().split()
            if heading[0].startswith("## "):
                noun, verb = words[0], None
            elif len(words) > 1 and words[0] == noun:
                verb = words[1]
            continue
        row = re.match(r"\| `([a-z-]+)", paragraph)
        name = f"{noun}-{row[1]}" if row else \
            f"{noun}-{verb}" if verb else noun
        members = re.search(r"JSON[^:]*:\s*(.*)", paragraph, re.S)
        if members and re.fullmatch(r"[a-z-]+", name or ""):
            outside = re.sub(r"\[.*?\]", "", members[1], flags=re.S)
            outside = re.sub(r"\(.*?\)", "", outside, flags=re.S)
            outside = re.sub(r",\s*`\w+` null\b.*", "", outside, flags=re.S)
            outside = outside.split(". ")[0].split(".\n")[0].split(";")[0]
            found[name] = re.findall(r"`([a-z_0-9]+)`", outside)
    return found


class Schemas(unittest.TestCase):
    def test_each_is_a_schema(self):
        for path, schema in schemas():
            with self.subTest(path=path.name):
                jsonschema.Draft202012Validator.check_schema(schema)
                self.assertEqual(schema["$id"], f"keywright/{path.stem}/1")
                self.assertEqual(schema["properties"]["schema"]["const"],
                                 schema["$id"])

    def test_each_object_is_closed(self):
        for path, schema in schemas():
            for part in objects(schema):
                with self.subTest(path=path.name):
                    # The result of a line has a schema of its own.
                    if "$schema" not in part and list(
                            part["properties"]) == ["schema"]:
                        continue
                    self.assertIs(part["additionalProperties"], False)
                    self.assertIn("required", part)

    def test_each_promised_document(self):
        there = {path.stem: schema for path, schema in schemas()}
        documents = promised()
        self.assertGreaterEqual(len(documents), 19, sorted(documents))
        for name, members in documents.items():
            with self.subTest(name=name):
                self.assertIn(name, there)
                wanted = set(members)
                if name in ("rotate-run", "rotate-resume"):
                    wanted = {*documents["rotate-apply"], "resumed"}
                self.assertEqual(
                    set(there[name]["properties"]) - {"schema"}, wanted)

    def test_each_document_is_asked_for(self):
        """Some test calls kw.json, which validates, for each document."""
        text = " ".join(path.read_text() for path in
                        pathlib.Path(__file__).parent.glob("*.py"))
        for name in promised():
            words = ", ".join(f'"{word}"' for word in name.split("-", 1))
            called = re.search(
                rf'json\([^)]{{0,80}}?{words}', re.sub(r"\s+", " ", text))
            with self.subTest(name=name):
                self.assertEqual(bool(called), name not in ELSEWHERE)

    def test_nothing_else_is_there(self):
        self.assertEqual(
            {path.stem for path, _ in schemas()} - set(promised()),
            {"error", "workspace"})


if __name__ == "__main__":
    kw.main()
