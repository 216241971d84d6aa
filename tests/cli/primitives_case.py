"""What the tests of `keywright primitives` share."""

import json
import os
import pathlib
import shutil
import subprocess

import kw

VECTORS = kw.ROOT / "tests" / "primitives"
EXAMPLES = kw.ROOT / "examples"
DATA = kw.ROOT / "data"
DATA_FILES = [*DATA.glob("primitives/*.json"), *DATA.glob("standards/*.json"),
              *DATA.glob("platforms/*.json")]


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
