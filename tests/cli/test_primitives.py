"""keywright primitives: the camera of the white paper, closures, Table 5,
exports, and input that is wrong."""

import csv
import io
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import unittest
import xml.dom.minidom

import jsonschema

import kw

VECTORS = kw.ROOT / "tests" / "primitives"
EXAMPLES = kw.ROOT / "examples"
DATA = kw.ROOT / "data"


def vectors(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def only(entries, *members):
    return [{member: entry[member] for member in members}
            for entry in entries]


class Case(kw.Case):
    def write(self, name, value):
        path = self.kw.folder / name
        path.write_text(value if isinstance(value, str)
                        else json.dumps(value, indent=1), encoding="utf-8")
        return path

    def evaluate(self, project, *options, code=None):
        path = self.write("project.json", project)
        return self.kw.json("primitives", "evaluate", path, *options,
                            code=code, schema="primitives-evaluate")

    def camera(self):
        return json.loads((EXAMPLES / "camera.json").read_text())


class Camera(Case):
    """The three phases exactly as the white paper has them."""

    def setUp(self):
        super().setUp()
        self.vectors = vectors("camera-tls13.json")

    def test_three_phases(self):
        document = self.evaluate(self.vectors["input"], code=1)
        wanted = self.vectors["expected"]
        self.assertEqual(
            only(document["phase1"]["applicable"], "primitive", "origin",
                 "required_by"), wanted["phase1"]["applicable"])
        self.assertEqual(
            only(document["phase1"]["optional_suggestions"], "primitive",
                 "suggested_by"), wanted["phase1"]["optional_suggestions"])
        (phase,) = document["phase2"]["standards"]
        for member, value in (*wanted["phase2"]["seed_exact"].items(),
                              *wanted["phase2"]["derived"].items()):
            if member != "note":
                self.assertEqual(phase[member], value, member)
        rows = [{**row, "algorithms": only(
            row["algorithms"], "algorithm", "status", "missing",
            "present_blocks")} for row in document["phase3"]["rows"]]
        self.assertEqual(
            only(rows, "primitive", "status", "features", "algorithms"),
            wanted["phase3"]["rows"])
        self.assertEqual(document["phase3"]["missing_items"],
                         wanted["phase3"]["missing_items"])

    def test_variants(self):
        for variant in self.vectors["variants"]:
            with self.subTest(platforms=variant["platforms"]):
                phase = self.evaluate(
                    {**self.vectors["input"],
                     "platforms": variant["platforms"]})["phase3"]
                self.assertEqual({row["primitive"]: row["status"]
                                  for row in phase["rows"]},
                                 variant["status"])
                self.assertEqual({want["algorithm"]: want["status"]
                                  for row in phase["rows"]
                                  for want in row["algorithms"]},
                                 variant["algorithms"])
                self.assertEqual(phase["missing_items"],
                                 variant["missing_items"])
                self.assertEqual(phase["interoperable"],
                                 [{"protocol": "TLS-1.3", "possible":
                                   variant["tls13_interop_possible"]}])

    def test_closing(self):
        search = self.vectors["closure_search"]
        path = self.write("project.json", {
            **self.vectors["input"], "platforms": search["base"],
            "closing": {"candidates": search["candidates"]}})
        sets = self.kw.json("primitives", "close", path)["sets"]
        self.assertEqual([entry["parts"] for entry in sets],
                         search["strict_minimal_sets"])

    def test_delta(self):
        delta = self.vectors["delta_example"]
        document = self.kw.json(
            "primitives", "what-if", EXAMPLES / "camera.json", "--add",
            "secure-backup-recovery", code=1, schema="primitives-what-if")
        self.assertEqual(document["primitives"]["added"],
                         delta["phase1_added"])
        self.assertEqual(document["covered"]["added"],
                         ["iec-62443-4-2 " + name
                          for name in delta["phase2_newly_covered"]])

    def test_interoperable_reading_spares_what_others_do(self):
        project = {**self.vectors["input"], "platforms":
                   ["imx-rt1050-seed", "atecc608b-trustflex"]}
        strict = self.evaluate(project)
        loose = self.evaluate(project, "--reading", "interoperable")
        self.assertIn("RSA", strict["phase3"]["missing_items"])
        self.assertNotIn("RSA", loose["phase3"]["missing_items"])
        self.assertIn("AES-GCM", loose["phase3"]["missing_items"])


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
        self.assertEqual(len(differ), 14)
        for row, column in differ:
            self.assertTrue(
                column == "anomaly-detection-reaction"
                or row in ("personal-information-protection",
                           "secure-policy-compliance",
                           "account-authentication-management"),
                (row, column))

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

    def test_a_renamed_data_set_gives_renamed_answers(self):
        names = [entry["id"] for entry in
                 self.kw.json("primitives", "list")["list"]]
        for path in (*DATA.glob("primitives/*.json"),
                     *DATA.glob("standards/*.json"),
                     *DATA.glob("platforms/*.json")):
            text = path.read_text()
            for index, name in enumerate(names):
                text = text.replace(f'"{name}"', f'"renamed-{index}"')
            self.write(path.name, text)
        document = self.kw.json("primitives", "lint", self.kw.folder,
                                "--only")
        self.assertEqual(document["errors"], 0)


class Examples(Case):
    def test_they_evaluate(self):
        for path in EXAMPLES.glob("*.json"):
            with self.subTest(path=path.name):
                document = self.kw.json("primitives", "evaluate", path,
                                        code=None,
                                        schema="primitives-evaluate")
                self.assertTrue(document["phase3"]["rows"])
        self.assertEqual(self.kw.json("primitives", "lint",
                                      EXAMPLES)["problems"], [])

    def test_evidence_of_our_device(self):
        document = self.kw.json(
            "primitives", "evidence", EXAMPLES / "keywright-device.json",
            code=1, schema="primitives-evidence")
        found = [entry for row in document["rows"]
                 for entry in row["evidence"]]
        self.assertTrue(found)
        for entry in found:
            self.assertNotEqual(entry["check"], "no file", entry)
        self.assertEqual(document["lacking"],
                         sum(not row["proved"] for row in document["rows"]))


class Phases(Case):
    """Any phase whose inputs are there."""

    def test_standard_first(self):
        document = self.evaluate({"standard": {"id": "uk-cop"}})
        self.assertEqual({entry["origin"] for entry
                          in document["phase1"]["applicable"]},
                         {"standard", "implicit"})
        self.assertEqual(
            document["phase2"]["standards"][0]["count_uncovered"], 0)

    def test_platform_first(self):
        document = self.evaluate({"platforms": ["se050"]})
        self.assertEqual(len(document["phase3"]["rows"]), 26)

    def test_levels_by_group(self):
        whole = self.evaluate({"standard": {
            "id": "iec-62443-4-2", "level": 1}})
        part = self.evaluate({"standard": {
            "id": "iec-62443-4-2", "level": {"IAC": 1}}})
        rows = part["phase2"]["standards"][0]["rows"]
        self.assertTrue(rows)
        for row in rows:
            self.assertRegex(row["requirement"], r"^CR 1\.")
        self.assertLess(len(rows),
                        len(whole["phase2"]["standards"][0]["rows"]))

    def test_several_standards_and_filters(self):
        project = {**self.camera(), "standard": [
            {"id": "iec-62443-4-2", "level": 3, "component_type": "EDR"},
            {"id": "etsi-en-303-645", "level": "mandatory"}]}
        document = self.evaluate(project)
        self.assertEqual([entry["standard"] for entry
                          in document["phase2"]["standards"]],
                         ["iec-62443-4-2", "etsi-en-303-645"])
        for row in self.evaluate(project, "--source", "seed")[
                "phase2"]["standards"][0]["rows"]:
            for link in row["links"]:
                self.assertEqual(link["layer"], "seed")
        for row in self.evaluate(project, "--min-confidence", "high")[
                "phase2"]["standards"][1]["rows"]:
            for link in row["links"]:
                self.assertEqual(link["confidence"], "high")

    def test_exclusion_with_its_argument(self):
        project = {**self.camera(), "exclusions": [
            {"primitive": "secure-backup-recovery",
             "argument": "nothing to back up"}]}
        phase = self.evaluate(project)["phase2"]["standards"][0]
        self.assertEqual(phase["excluded"], ["CR 7.3", "CR 7.4"])
        (row,) = [row for row in phase["rows"]
                  if row["requirement"] == "CR 7.3"]
        self.assertEqual(row["argument"], "nothing to back up")

    def test_guidance(self):
        project = {**self.camera(), "guidance": [
            {"primitive": "secure-communication",
             "text": "only behind a gateway"}]}
        rows = self.evaluate(project)["phase3"]["rows"]
        self.assertEqual(rows[0]["status"], "guidance")
        path = self.write("project.json", project)
        self.assertIn("only behind a gateway", self.kw.run(
            "primitives", "evaluate", path, "--format", "guidance",
            code=1).out)

    def test_diff_and_its_exit_code(self):
        worse = self.camera()
        worse["standard"]["level"] = 4
        path = self.write("new.json", worse)
        camera = EXAMPLES / "camera.json"
        self.kw.run("primitives", "diff", camera, camera)
        self.assertTrue(self.kw.json(
            "primitives", "diff", camera, path, code=1,
            schema="primitives-diff")["uncovered"]["added"])
        self.kw.run("primitives", "diff", path, camera)

    def test_cross(self):
        document = self.kw.json("primitives", "cross", "iec-62443-4-2:2",
                                "etsi-en-303-645")
        self.assertTrue(document["shares"])
        for entry in document["shares"]:
            for path in entry["paths"]:
                self.assertIn(path["confidence"], ("low", "medium", "high"))
        same = self.kw.json("primitives", "cross", "uk-cop", "uk-cop")
        self.assertEqual(same["adds"], [])

    def test_a_file_of_evidence_that_changed(self):
        self.write("report.txt", "passed\n")
        digest = ("f06dc3ae7c4a9e5ac3e6d2c1e1f0a7a5"
                  "00000000000000000000000000000000")
        project = {**self.camera(), "evidence": [
            {"standard": "iec-62443-4-2", "requirement": "CR 1.1",
             "file": "report.txt", "sha256": digest, "date": "2026-11-20",
             "status": "passed"}]}
        path = self.write("project.json", project)
        (entry,) = self.kw.json("primitives", "evidence", path, code=1,
                                schema="primitives-evidence")[
                                    "rows"][0]["evidence"]
        self.assertEqual(entry["check"], "changed")


class Closing(Case):
    def parts(self, parts):
        """Data files of parts, each with a cost and its items."""
        for name, (cents, items) in parts.items():
            self.write(f"{name}.json", {
                "schema": "keywright/data-platform/1", "id": name,
                "name": name, "vendor": "test", "type": "test",
                "sources": ["test"],
                "cost": {"cents": cents, "basis": "test"},
                "features": [{"primitive": "crypto-operation",
                              "feature": name, "algorithms": items,
                              "usage": "general", "support": "full",
                              "layer": "user", "confidence": "high"}]})
        return ",".join(f"{self.kw.folder}/{name}.json" for name in parts)

    PARTS = {"base": (0, ["X-0"]), "a": (30, ["X-1", "X-2"]),
             "b": (40, ["X-2", "X-3"]), "c": (50, ["X-1", "X-3"]),
             "d": (95, ["X-1", "X-2", "X-3"]), "e": (5, ["X-4"])}

    def close(self, closing, wants=("X-1", "X-2", "X-3"), code=0):
        data = self.parts(self.PARTS)
        project = self.write("project.json", {
            "use_case": {"id": "x", "title": "x", "selected": [
                {"primitive": "crypto-operation",
                 "algorithms": list(wants)}]},
            "platforms": ["base"], "closing": closing})
        return self.kw.json("primitives", "close", project, "--data", data,
                            code=code, schema="primitives-close")

    def test_cheapest_against_all_subsets(self):
        names = "abcde"
        wanted = {"X-1", "X-2", "X-3"}
        best = min(sum(self.PARTS[n][0] for n in subset)
                   for size in range(6)
                   for subset in itertools.combinations(names, size)
                   if wanted <= {item for n in subset
                                 for item in self.PARTS[n][1]})
        document = self.close({"candidates": list(names)})
        self.assertEqual(document["sets"][0]["cents"], best)
        self.assertEqual(document["sets"][0]["parts"], ["a", "b"])

    def test_forbidden_costs_and_impossible(self):
        document = self.close({"candidates": list("abcde"),
                               "forbidden": ["b"]})
        self.assertEqual(document["sets"][0]["parts"], ["a", "c"])
        document = self.close({"candidates": list("abcde"),
                               "costs": {"d": 10}})
        self.assertEqual(document["sets"][0]["parts"], ["d"])
        document = self.close({"candidates": ["a"]}, code=1)
        self.assertEqual(document["impossible"],
                         [{"kind": "algorithm", "id": "X-3"}])

    def test_interoperable_closing_buys_one_of_each_kind(self):
        project = self.camera()
        project["use_case"]["implicit_details"][0]["algorithms"] = [
            "ECDHE-ECDSA", "DHE-RSA", "AES-GCM", "HKDF-SHA256"]
        data = self.parts({
            "small": (10, ["ECDSA-P256", "ECDH-P256", "HKDF-SHA256",
                           "AES-128-GCM", "TLS-1.3"]),
            "large": (90, ["RSA-2048", "FFDH"])})
        part = json.loads((self.kw.folder / "small.json").read_text())
        part["features"].append({**part["features"][0], "primitive":
                                 "secure-communication"})
        self.write("small.json", part)
        project["closing"] = {"candidates": ["small", "large"]}
        path = self.write("project.json", project)
        for reading, parts in (("strict", ["large", "small"]),
                               ("interoperable", ["small"])):
            sets = self.kw.json("primitives", "close", path, "--data", data,
                                "--reading", reading)["sets"]
            self.assertEqual(sorted(sets[0]["parts"]), parts)

    def test_adding_a_part_never_opens_a_gap(self):
        platforms = [entry["id"] for entry in self.kw.json(
            "primitives", "list", "platforms")["list"]]
        rank = {"gap": 0, "partial": 1, "covered": 2}
        base = self.evaluate(self.camera())["phase3"]
        for name in platforms:
            if name == "imx-rt1050-seed":
                continue
            more = self.evaluate({**self.camera(), "platforms": [
                "imx-rt1050-seed", name]})["phase3"]
            for old, new in zip(base["rows"], more["rows"]):
                self.assertGreaterEqual(rank[new["status"]],
                                        rank[old["status"]])
            self.assertLessEqual({*more["missing_items"]},
                                 {*base["missing_items"]})


class Output(Case):
    HOSTILE = "</text><script>alert(1)</script>\"'&|`=cmd"

    def hostile(self):
        data = json.loads((DATA / "primitives/primitives.json").read_text())
        entry = data["primitives"][0]
        entry.update(id="hostile", abbr="HO", name=self.HOSTILE,
                     mandatory=[], optional=[])
        data["primitives"] = [entry]
        return self.write("hostile.json", data)

    def test_graphs_are_the_same_each_time(self):
        for form in ("--svg", "--dot", "--mermaid"):
            first = self.kw.run("primitives", "graph", form).out
            self.assertEqual(first,
                             self.kw.run("primitives", "graph", form).out)
        svg = self.kw.run("primitives", "graph").out
        tree = xml.dom.minidom.parseString(svg)
        self.assertEqual(len(tree.getElementsByTagName("rect")), 26)
        classes = [path.getAttribute("class")
                   for path in tree.getElementsByTagName("path")]
        # The mutual pair is one line.
        self.assertEqual(classes.count("mandatory"), 33)
        self.assertEqual(classes.count("optional"), 30)

    def test_hostile_names_stay_text(self):
        data = self.hostile()
        svg = self.kw.run("primitives", "graph", "--data", data).out
        tree = xml.dom.minidom.parseString(svg)
        self.assertEqual(tree.getElementsByTagName("script"), [])
        self.assertIn(self.HOSTILE, [text.firstChild.data for text in
                                     tree.getElementsByTagName("text")])
        mermaid = self.kw.run("primitives", "graph", "--mermaid", "--data",
                              data).out
        self.assertNotIn("<script>", mermaid)
        project = self.camera()
        project["use_case"]["title"] = self.HOSTILE
        path = self.write("project.json", project)
        self.assertNotIn("<script>", self.kw.run(
            "primitives", "evaluate", path, "--format", "markdown",
            code=1).out)

    def test_csv_follows_the_filter(self):
        rows = {}
        for options in ((), ("--source", "seed")):
            text = self.kw.run("primitives", "evaluate",
                               EXAMPLES / "camera.json", "--format", "csv",
                               *options, code=1).out
            table = list(csv.DictReader(io.StringIO(text)))
            rows[options] = {row["item"] for row in table
                             if row["status"] == "covered"
                             and row["phase"] == "2"}
            self.assertEqual(len(rows[options]), 27)
            self.assertEqual({len(row) for row in table}, {6})

    def test_output_file(self):
        self.kw.run("primitives", "evaluate", EXAMPLES / "camera.json",
                    "--format", "markdown", "-o", "report.md", code=1)
        self.assertIn("# Smart surveillance",
                      (self.kw.folder / "report.md").read_text())


class Oscal(Case):
    KINDS = {"catalog": "catalog", "component": "component",
             "mapping": "mapping", "results": "assessment-results"}

    def make(self, example, kind):
        return self.kw.run("primitives", "evaluate",
                           EXAMPLES / f"{example}.json", "--format",
                           f"oscal-{kind}", code=1).out

    def test_the_same_each_time(self):
        for kind in self.KINDS:
            self.assertEqual(self.make("camera", kind),
                             self.make("camera", kind))

    def test_against_the_schemas_of_nist(self):
        extra = os.environ.get("KEYWRIGHT_EXTRA_DATA")
        if not extra:
            self.skipTest("KEYWRIGHT_EXTRA_DATA names no folder with "
                          "primitives/oscal")
        schemas = pathlib.Path(extra) / "primitives" / "oscal"
        node = ajv()
        if node is None:
            self.skipTest("npm gave no ajv: OSCAL files are not validated")
        for example in ("camera", "sensor-sl2", "keywright-device"):
            for kind, schema in self.KINDS.items():
                path = self.write("oscal.json", self.make(example, kind))
                result = subprocess.run(
                    ["node", "-e", CHECK,
                     str(schemas / f"oscal_{schema}_schema.json"), str(path)],
                    capture_output=True, text=True, cwd=node, timeout=120)
                self.assertEqual(result.returncode, 0,
                                 (example, kind, result.stdout[:2000],
                                  result.stderr[:2000]))


CHECK = """
const fs = require('fs');
const Ajv = require('ajv');
const formats = require('ajv-formats');
const ajv = new Ajv({strict: false, allErrors: true, unicodeRegExp: true});
(formats.default || formats)(ajv);
const read = (name) => JSON.parse(fs.readFileSync(name, 'utf8'));
const validate = ajv.compile(read(process.argv[1]));
if (!validate(read(process.argv[2]))) {
    console.log(JSON.stringify(validate.errors, null, 1));
    process.exit(1);
}
"""


def ajv():
    """A folder where node finds ajv, or None."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    folder = pathlib.Path(os.environ.get(
        "KEYWRIGHT_BUILD", kw.ROOT / "build")) / "npm"
    if not (folder / "node_modules" / "ajv-formats").exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(
                ["npm", "install", "--silent", "--no-audit", "--no-fund",
                 "--prefix", str(folder), "ajv@8", "ajv-formats@3"],
                check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError):
            return None
    return folder


class Wrong(Case):
    """Each answer names the file, the line and the field."""

    def refuse(self, project, *words):
        path = self.write("wrong.json", project)
        result = self.kw.run("primitives", "evaluate", path, code=3)
        self.assertEqual(result.out, "")
        self.assertRegex(result.err, r"wrong\.json:\d+: ")
        for word in words:
            self.assertIn(word, result.err)
        return result.err

    def project(self, **members):
        return {"use_case": {"id": "x", "title": "x", "selected": [
            {"primitive": "secure-storage"}]}, **members}

    def test_unknown_names(self):
        error = self.refuse({"use_case": {"id": "x", "title": "x",
                                          "selected": [
                                              {"primitive":
                                               "secure-comunication"}]}},
                            "use_case.selected[0].primitive",
                            "nearest: secure-communication")
        self.assertIn("wrong.json:7: ", error)
        self.refuse(self.project(exclusions=[
            {"standard": "iec-62443-4-2", "requirement": "CR 99",
             "argument": "x"}]), "exclusions[0]", "unknown requirement")
        self.refuse(self.project(platforms=["se05"]), "platforms[0]",
                    "nearest: se050")
        self.refuse(self.project(standard={"id": "uk-cob"}), "standard.id",
                    "nearest: uk-cop")
        self.refuse(self.project(plattforms=["se050"]),
                    "unknown member; nearest: platforms")

    def test_a_level_that_the_standard_lacks(self):
        self.refuse(self.project(standard={"id": "iec-62443-4-2",
                                           "level": 5}),
                    "standard.level", 'no level "5"', "1 to 4")
        self.refuse(self.project(standard={"id": "iec-62443-4-2"}),
                    "standard", "missing")
        self.refuse(self.project(standard={"id": "uk-cop", "level": 1}),
                    "has no levels")
        self.refuse(self.project(standard={"id": "iec-62443-4-2", "level": 1,
                                           "component_type": "XDR"}),
                    "component_type")

    def test_nothing_and_empty(self):
        self.refuse({}, "nothing to evaluate")
        self.refuse(self.project(platforms=[]), "platforms")
        self.refuse("", "wrong.json:1")
        self.refuse("[]", "object")

    def test_contradictions(self):
        self.refuse(self.project(exclusions=[
            {"primitive": "crypto-operation", "argument": "x"}]),
            "exclusions[0]", "contradicts the use case")
        twice = {"standard": "uk-cop", "requirement": "1", "argument": "x"}
        self.refuse(self.project(exclusions=[twice, twice]),
                    "exclusions[1]", "twice")
        self.refuse(self.project(exclusions=[
            {"standard": "uk-cop", "requirement": "1"}]),
            "exclusions[0].argument", "missing")

    def test_duplicate_members(self):
        self.refuse('{"use_case": {"id": "x",\n "id": "y"}}', "duplicate",
                    "wrong.json:2")

    def test_ten_megabytes(self):
        self.refuse('{"use_case": "' + "x" * (10 << 20) + '"}')

    def test_control_characters_do_not_reach_the_terminal(self):
        error = self.refuse({"use_case": {"id": "x", "title": "x",
                                          "selected": [
                                              {"primitive": "a\x1b[2Jb"}]}})
        self.assertNotIn("\x1b", error)

    def test_cyclic_data(self):
        def primitive(name, needs):
            return {"id": name, "abbr": name, "name": name,
                    "kind": "functional", "section": "1",
                    "scopes": ["platform"], "definition": "x",
                    "mandatory": [{"id": needs, "section": "1",
                                   "rationale": "x"}], "optional": []}
        path = self.write("cycle.json", {
            "schema": "keywright/data-primitives/1", "source": "test",
            "models": ["text"],
            "primitives": [primitive("one", "two"),
                           primitive("two", "one")]})
        result = self.kw.run("primitives", "list", "--data", path, code=3)
        self.assertRegex(result.err,
                         r"cycle\.json:\d+: primitives\[0\]: .*cycle")

    def test_an_empty_platform(self):
        path = self.write("empty.json", {
            "schema": "keywright/data-platform/1", "id": "empty",
            "name": "e", "vendor": "e", "type": "mcu", "sources": ["e"],
            "features": []})
        result = self.kw.run("primitives", "list", "--data", path, code=3)
        self.assertRegex(result.err, r"empty\.json:\d+: features: an empty")

    def test_lint_names_all(self):
        path = self.write("wrong.json", {"use_case": {
            "id": "x", "title": "x", "selected": [
                {"primitive": "no"}, {"primitive": "neither"}]}})
        document = self.kw.json("primitives", "lint", path, code=1,
                                schema="primitives-lint")
        self.assertEqual([problem["field"]
                          for problem in document["problems"]],
                         ["use_case.selected[0].primitive",
                          "use_case.selected[1].primitive"])
        self.assertEqual([problem["line"]
                          for problem in document["problems"]], [7, 10])

    def test_a_file_of_two_hundred_thousand_mistakes(self):
        """The lines of all fields come from one pass; a pass a problem
        would take hours."""
        path = self.write("many.json", '{"use_case":{"id":"x","title":"x",'
                          '"selected":[\n' + ",\n".join(
                              f'{{"p{n}":1}}' for n in range(100000))
                          + "]}}")
        document = self.kw.json("primitives", "lint", path, code=1,
                                schema="primitives-lint")
        self.assertEqual(document["errors"], 200000)
        self.assertEqual(len(document["problems"]), 10000)
        for number, problem in enumerate(document["problems"]):
            self.assertEqual(problem["line"], 2 + number // 2)

    def test_a_thousand_projects_in_one_call(self):
        folder = self.kw.folder / "many"
        folder.mkdir()
        text = (EXAMPLES / "camera.json").read_text()
        for index in range(1000):
            (folder / f"{index:04}.json").write_text(text)
        document = self.kw.json("primitives", "lint", folder)
        self.assertEqual(document["files"], 1000)


if __name__ == "__main__":
    kw.main()
