"""The data of keywright primitives: closures, Table 5, schemas, sources."""

import json
import re
import subprocess

import jsonschema

import kw
from primitives_case import (CHECK, DATA, DATA_FILES, EXAMPLES, Case, ajv,
                             vectors)


def objects(value):
    """Every object in a JSON value, itself among them."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from objects(member)


class Data(Case):
    def test_closures(self):
        for vector in vectors("closure_vectors.json")["vectors"]:
            with self.subTest(select=vector["select"]):
                document = self.kw.json("primitives", "closure",
                                        *vector["select"])
                self.assertEqual([entry["primitive"]
                                  for entry in document["applicable"]],
                                 vector["expected_applicable"])
                for entry in document["applicable"]:
                    self.assertIn(entry["path"][0], vector["select"])
                    self.assertEqual(entry["path"][-1], entry["primitive"])

    def test_level_counts(self):
        table = vectors("iec_level_counts.json")
        for vector in table["vectors"]:
            with self.subTest(vector=vector):
                document = self.evaluate({"standard": {
                    "id": table["standard"], "level": vector["level"],
                    "component_type": vector["component_type"]}})
                self.assertEqual(
                    len(document["phase2"]["standards"][0]["rows"]),
                    vector["count"])

    def matrix(self, *options):
        marks = {}
        for row in self.kw.json("primitives", "matrix", *options)["rows"]:
            for cell in row["cells"]:
                marks[row["primitive"], cell["primitive"]] = cell["mark"]
        return marks

    def table_5(self):
        marks = {}
        for row in vectors("table5.json")["rows"]:
            for mark, kind in (("mandatory", "direct"),
                               ("indirect", "indirect")):
                for column in row[kind]:
                    marks[row["row"], column] = mark
        return marks

    def test_table_5_is_reproduced(self):
        """With --model table5 all filled and empty circles are there, but
        for the row that lost its two filled ones in the printed text."""
        ours = {cell: mark for cell, mark in self.matrix(
            "--model", "table5").items() if mark != "optional"}
        lost = {("account-authentication-management", column): "mandatory"
                for column in ("crypto-operation", "secure-storage")}
        self.assertEqual(ours, {**self.table_5(), **lost})

    def test_each_mismatch_of_table_5_is_explained(self):
        """Against the text, each cell that differs has one of the three
        causes of docs/primitives.md."""
        text = {cell: mark for cell, mark in self.matrix().items()
                if mark != "optional"}
        printed = self.table_5()
        differ = {cell for cell in {*text, *printed}
                  if text.get(cell) != printed.get(cell)}
        causes = {"the column of 4.9": set(), "the edge of 5.4": set(),
                  "the row of 4.8": set()}
        for row, column in differ:
            cell = text.get((row, column)), printed.get((row, column))
            if column == "anomaly-detection-reaction":
                self.assertIsNone(cell[1])
                causes["the column of 4.9"].add((row, column))
            elif row in ("personal-information-protection",
                         "secure-policy-compliance"):
                self.assertIsNone(cell[0])
                causes["the edge of 5.4"].add((row, column))
            else:
                self.assertEqual(row, "account-authentication-management")
                self.assertEqual(cell, ("mandatory", None))
                causes["the row of 4.8"].add((row, column))
        self.assertEqual([len(cells) for cells in causes.values()],
                         [6, 6, 2])
        self.assertEqual(len({row for row, _ in differ}), 9)

    def test_each_edge_names_its_section(self):
        data = json.loads((DATA / "primitives/primitives.json").read_text())
        edges = [(primitive, edge) for primitive in data["primitives"]
                 for edge in (*primitive["mandatory"],
                              *primitive["optional"])]
        self.assertEqual(len(edges), 34 + 30 + 1)
        for primitive, edge in edges:
            self.assertEqual(edge["section"],
                             "B.1" if edge.get("models") == ["table5"]
                             else primitive["section"])

    def test_the_shipped_data_is_clean(self):
        document = self.kw.json(
            "primitives", "lint", DATA / "primitives", DATA / "standards",
            DATA / "platforms", "--only")
        self.assertEqual(document["problems"], [])

    def test_an_entry_is_shown_as_it_stands_in_its_file(self):
        for name in ("primitives", "standards", "platforms"):
            count = 0
            for entry in self.kw.json("primitives", "list", name)["list"]:
                shown = self.kw.json("primitives", "show", entry["id"])
                self.assertEqual(shown["id"], entry["id"])
                in_file = [found for path in DATA_FILES
                           for found in objects(json.loads(path.read_text()))
                           if found == shown["entry"]]
                self.assertTrue(in_file, entry["id"])
                self.assertEqual(in_file[0]["id"], entry["id"])
                count += 1
            self.assertGreater(count, 5)

    def test_the_schemas_agree(self):
        for kind, folder in (("primitives", "primitives"),
                             ("algorithms", "primitives"),
                             ("standard", "standards"),
                             ("platform", "platforms")):
            schema = json.loads((DATA / "primitives" / "schemas" /
                                 f"data-{kind}.json").read_text())
            found = 0
            for path in (DATA / folder).glob("*.json"):
                data = json.loads(path.read_text())
                if data["schema"] == schema["$id"]:
                    jsonschema.Draft202012Validator(schema).validate(data)
                    found += 1
            self.assertGreater(found, 0, kind)

    def test_the_schema_refuses_what_lint_refuses(self):
        schema = jsonschema.Draft202012Validator(json.loads(
            (DATA / "primitives/schemas/project.json").read_text()))
        good = {**self.camera(), "exclusions": [
            {"primitive": "secure-updates", "argument": "x"}],
            "evidence": [{"standard": "uk-cop", "requirement": "1",
                          "url": "https://example.com/", "date":
                          "2026-11-20", "status": "passed"}]}
        schema.validate(good)
        self.assertEqual(self.kw.run("primitives", "lint", self.write(
            "good.json", good)).code, 0)
        entry = good["evidence"][0]
        for members in (
                {"plattforms": ["se050"]}, {"platforms": []},
                {"platforms": "se050"}, {"sources": []},
                {"sources": ["ours"]}, {"standard": []},
                {"standard": {"level": 1}}, {"model": "table6"},
                {"standard": {"id": "iec-62443-4-2", "level": {}}},
                {"exclusions": [{"primitive": "secure-updates"}]},
                {"exclusions": [{"primitive": "<b>", "argument": "x"}]},
                {"evidence": [{**entry, "date": "today"}]},
                {"evidence": [{**entry, "url": "javascript:x"}]},
                {"evidence": [{**entry, "sha256": "AB" * 32}]},
                {"evidence": [{**entry, "status": "done"}]},
                {"closing": {"candidates": "se050"}}):
            with self.subTest(members=members):
                wrong = {**good, **members}
                self.assertFalse(schema.is_valid(wrong))
                self.kw.run("primitives", "lint",
                            self.write("wrong.json", wrong), code=1)

    def test_the_schemas_agree_with_ajv(self):
        node = ajv()
        if node is None:
            self.skipTest("npm gave no ajv: data files are not validated")
        files = [*DATA.glob("primitives/*.json"),
                 *DATA.glob("standards/*.json"),
                 *DATA.glob("platforms/*.json"), *EXAMPLES.glob("*.json")]
        for path in files:
            name = json.loads(path.read_text())["schema"].split("/")[1]
            schema = DATA / "primitives" / "schemas" / f"{name}.json"
            result = subprocess.run(
                ["node", "-e", CHECK.replace("'ajv'", "'ajv/dist/2020'"),
                 str(schema), str(path)], capture_output=True, text=True,
                cwd=node, timeout=120)
            self.assertEqual(result.returncode, 0,
                             (path, result.stdout[:2000],
                              result.stderr[:2000]))

    def test_the_document_lists_each_inconsistency(self):
        data = json.loads((DATA / "primitives/primitives.json").read_text())
        text = (kw.ROOT / "docs/primitives.md").read_text()
        for entry in data["inconsistencies"]:
            row = (f"| {entry['id']} | {entry['where']} | {entry['text']} | "
                   f"{entry['resolution']} |")
            self.assertTrue(row in text, row)

    def test_every_source_is_named(self):
        """Mappings say their layer, confidence and reason, parts and
        standards where they come from, seed mappings their table."""
        for path in DATA_FILES:
            data = json.loads(path.read_text())
            self.assertTrue(data.get("sources") or data.get("source"), path)
            for mapping in data.get("mappings", []):
                self.assertTrue(mapping["rationale"], (path, mapping))
                if mapping["layer"] == "seed":
                    self.assertRegex(mapping["reference"], "Table 3")


class Renamed(Case):
    """The engine knows no id: a data set in which every primitive,
    requirement, algorithm, part and standard has another name answers the
    same, in the other names. The new names sort as the old ones do."""

    def setUp(self):
        super().setUp()
        files = {path: json.loads(path.read_text()) for path in DATA_FILES}
        self.names = {kind: {old: f"{kind}{number:04}" for number, old
                             in enumerate(sorted(olds))}
                      for kind, olds in collect(files.values()).items()}
        self.old = {new: old for names in self.names.values()
                    for old, new in names.items()}
        for path, data in files.items():
            folder = self.kw.folder / path.parent.name
            folder.mkdir(exist_ok=True)
            (folder / path.name).write_text(
                json.dumps(self.rename(data)), encoding="utf-8")
        self.data = ("--only", "--data", ",".join(
            str(self.kw.folder / name)
            for name in ("primitives", "platforms", "standards")))

    def rename(self, value, member=None, kind=None):
        """The same document in the new names."""
        if isinstance(value, dict):
            kind = KINDS.get(value.get("schema"), kind)
            if member in ("families", "requirements") and kind == "i":
                return {self.names["i"][name]:
                        self.rename(entry, "items", kind)
                        for name, entry in value.items()}
            if member == "costs":
                return {self.names["c"][name]: entry
                        for name, entry in value.items()}
            return {name: self.rename(entry, self.context(
                name, member, kind), kind) for name, entry in value.items()}
        if isinstance(value, list):
            return [self.rename(entry, member, kind) for entry in value]
        return self.names.get(MEMBERS.get(member), {}).get(value, value)

    @staticmethod
    def context(name, member, kind):
        if name != "id":
            return name
        return {"requirements": "requirement", "standard": "standard",
                "mandatory": "primitive", "optional": "primitive",
                "primitives": "primitive"}.get(
                    member, {"s": "standard", "c": "platform"}.get(kind)
                    if member is None else None)

    def back(self, value):
        """An answer in the old names."""
        if isinstance(value, dict):
            return {self.old.get(name, name): self.back(entry)
                    for name, entry in value.items()}
        if isinstance(value, list):
            return [self.back(entry) for entry in value]
        if isinstance(value, str):
            return re.sub(r"\b[pricsx]\d{4}\b",
                          lambda found: self.old[found[0]], value)
        return value

    def same(self, verb, old, new, *options):
        """The same answer to both, in the old names. Returns it."""
        wanted = self.kw.json("primitives", verb, *old, *options, code=None,
                              schema=f"primitives-{verb}")
        given = self.kw.json("primitives", verb, *new, *options, *self.data,
                             code=None, schema=f"primitives-{verb}")
        self.assertEqual(self.back(given), wanted)
        return wanted

    def test_closure(self):
        for old, new in self.names["p"].items():
            self.same("closure", [old], [new])

    def test_projects(self):
        for path in EXAMPLES.glob("*.json"):
            project = json.loads(path.read_text())
            project.pop("evidence", None)
            renamed = self.write("renamed.json", self.rename(project))
            plain = self.write("plain.json", project)
            for reading in ("strict", "interoperable"):
                options = ("--reading", reading)
                document = self.same("evaluate", [plain], [renamed], *options)
                self.assertTrue(document["phase2"]["standards"])
                self.same("close", [plain], [renamed], "--swap", *options)

    def test_cross(self):
        one, two = "iec-62443-4-2", "etsi-en-303-645"
        document = self.same(
            "cross", [one, two], [self.names["s"][one], self.names["s"][two]],
            "--source", "derived")
        self.assertTrue(document["shares"])


KINDS = {"keywright/data-primitives/1": "p",
         "keywright/data-algorithms/1": "i",
         "keywright/data-standard/1": "s",
         "keywright/data-platform/1": "c"}

# Where names stand, and of which kind they are.
MEMBERS = {"primitive": "p", "requirement": "r", "base": "r",
           "standard": "s", "platform": "c", "platforms": "c",
           "members": "c", "candidates": "c", "forbidden": "c",
           "preferred": "c", "algorithms": "i", "requires_all": "i",
           "building_blocks": "i", "protocol": "i", "choices": "i",
           "items": "i"}


def collect(files):
    """All names of a data set, by kind."""
    names = {kind: set() for kind in "pirsc"}
    for data in files:
        kind = KINDS[data["schema"]]
        if kind == "p":
            names["p"].update(entry["id"] for entry in data["primitives"])
        elif kind == "i":
            for family, members in data["families"].items():
                names["i"].update((family, *members))
            for name, entry in data["requirements"].items():
                names["i"].update((name, *entry["requires_all"],
                                   *entry["building_blocks"]))
        else:
            names[kind].add(data["id"])
            names["r"].update(entry["id"]
                              for entry in data.get("requirements", []))
            names["i"].update(item for feature in data.get("features", [])
                              for item in feature["algorithms"])
    return names


if __name__ == "__main__":
    kw.main()
