/* reading.js: JSON as the command reads it, and where each field stands.
 *
 * Unlike JSON.parse it refuses a member that is there twice, and knows the
 * line of each value, so that a problem names file, line and field. Knows
 * nobody. */

const FILE_LIMIT = 4 << 20;
const DEPTH_LIMIT = 512;

class SyntaxProblem extends Error {
    constructor(line, message) {
        super(message);
        this.line = line;
    }
}

/* A number that is not whole, or too large to be exact: no member takes it. */
class Real {
    constructor(text) {
        this.text = text;
    }
}

class JsonReader {
    constructor(text) {
        this.text = text;
        this.at = 0;
        this.line = 1;
        this.depth = 0;
        this.lines = new Map();
    }

    static read(text) {
        const reader = new JsonReader(text);
        const root = reader.value("");
        reader.space();
        if (reader.at < text.length) {
            reader.fail("end of file expected");
        }
        return {root, lines: reader.lines};
    }

    fail(message) {
        throw new SyntaxProblem(this.line, message);
    }

    space() {
        for (; " \t\r\n".includes(this.text[this.at] || "-"); this.at++) {
            this.line += this.text[this.at] === "\n" ? 1 : 0;
        }
    }

    take(character) {
        this.space();
        if (this.text[this.at] !== character) {
            return false;
        }
        this.at++;
        return true;
    }

    expect(character) {
        if (!this.take(character)) {
            this.fail(`"${character}" expected`);
        }
    }

    value(path) {
        this.space();
        this.lines.set(path, this.line);
        if (++this.depth > DEPTH_LIMIT) {
            this.fail("nested too deeply");
        }
        const next = this.text[this.at];
        const value = next === "{" ? this.object(path)
            : next === "[" ? this.array(path)
                : next === "\"" ? this.string() : this.literal();
        this.depth--;
        return value;
    }

    object(path) {
        const object = Object.create(null);
        this.expect("{");
        while (!this.take("}")) {
            if (Object.keys(object).length > 0) {
                this.expect(",");
            }
            this.space();
            const name = this.string();
            if (name in object) {
                this.fail(`"${name}" is there twice`);
            }
            this.expect(":");
            object[name] = this.value(path === "" ? name : `${path}.${name}`);
        }
        return object;
    }

    array(path) {
        const array = [];
        this.expect("[");
        while (!this.take("]")) {
            if (array.length > 0) {
                this.expect(",");
            }
            array.push(this.value(`${path}[${array.length}]`));
        }
        return array;
    }

    string() {
        const found = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
        found.lastIndex = this.at;
        const match = found.exec(this.text);
        if (match === null) {
            this.fail("a text in quotes expected");
        }
        this.at += match[0].length;
        const text = JSON.parse(match[0]);
        if (text.includes("\0") || !isWellFormed(text)) {
            this.fail("a text that is not Unicode, or has a NUL in it");
        }
        return text;
    }

    literal() {
        const found = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
        found.lastIndex = this.at;
        const match = found.exec(this.text);
        if (match === null) {
            this.fail("a value expected");
        }
        this.at += match[0].length;
        const value = JSON.parse(match[0]);
        const whole = typeof value !== "number" ||
            (Number.isSafeInteger(value) && /^-?\d+$/.test(match[0]));
        return whole ? value : new Real(match[0]);
    }
}

/* No half of a surrogate pair alone: that has no UTF-8. */
function isWellFormed(text) {
    try {
        encodeURIComponent(text);
        return true;
    } catch {
        return false;
    }
}

/* --- texts --- */

/* What a terminal, an editor or a page would act on: controls, and the marks
 * that turn the direction of what follows. No project holds them. */
const ACTING = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/* A text that was typed, as one that a file may hold. */
const plain = (text) =>
    text.replace(new RegExp(ACTING, "g"), " ").replace(/ +/g, " ").trim();

/* Adds [field, message] to problems for each text that would act. */
function checkTexts(value, field, problems) {
    const check = (text, at) => ACTING.test(text) &&
        problems.push([at, "a control character in a text"]);
    if (typeof value === "string") {
        check(value, field);
    } else if (Array.isArray(value)) {
        value.forEach((entry, i) =>
            checkTexts(entry, `${field}[${i}]`, problems));
    } else if (isObject(value)) {
        for (const [name, entry] of Object.entries(value)) {
            const at = field === "" ? name : `${field}.${name}`;
            check(name, at);
            checkTexts(entry, at, problems);
        }
    }
}

/* The line of a field, or of the nearest thing around it. */
function lineOf(lines, field) {
    let path = field;
    while (!lines.has(path) && path !== "") {
        path = path.slice(0, Math.max(path.lastIndexOf("."),
            path.lastIndexOf("["), 0));
    }
    return lines.get(path) || 1;
}

/* --- the nearest name --- */

function distance(a, b) {
    const row = Array.from({length: b.length + 1}, (_, i) => i);
    for (let i = 0; i < a.length; i++) {
        let corner = row[0]++;
        for (let n = 0; n < b.length; n++) {
            const change = corner + (a[i] === b[n] ? 0 : 1);
            corner = row[n + 1];
            row[n + 1] = Math.min(change, Math.min(row[n], row[n + 1]) + 1);
        }
    }
    return row[b.length];
}

function nearest(wrong, names) {
    let best = Math.floor(wrong.length / 2) + 1;
    let found = null;
    for (const name of wrong.length > 64 ? [] : names) {
        const far = distance(wrong, name);
        if (far < best) {
            best = far;
            found = name;
        }
    }
    return found;
}

const nearestHint = (wrong, names) => {
    const name = nearest(wrong, names);
    return name === null ? "" : `; nearest: ${name}`;
};

/* --- shapes --- */

const isObject = (value) => typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Real);

/* What the published schema of a project says of a value: the parts of JSON
 * Schema that it uses. Adds [field, message] to problems. */
function checkShape(schema, value, field, problems) {
    const inner = (name) => field === "" ? name : `${field}.${name}`;
    const is = {
        string: typeof value === "string",
        array: Array.isArray(value),
        object: isObject(value),
        integer: Number.isInteger(value),
    };
    if (schema.type !== undefined && !is[schema.type]) {
        problems.push([field, `should be ${schema.type === "object" ||
            schema.type === "array" || schema.type === "integer"
            ? "an" : "a"} ${schema.type === "string" ? "text"
            : schema.type}`]);
        return;
    }
    const words = schema.enum;
    if ((words !== undefined && !words.includes(value)) ||
        (schema.const !== undefined && (!is.string || value === ""))) {
        problems.push([field, `"${value}" is none of its words`]);
        return;
    }
    if (is.string) {
        checkText(schema, value, field, problems);
    }
    if (is.array && schema.items !== undefined) {
        value.forEach((entry, i) =>
            checkShape(schema.items, entry, `${field}[${i}]`, problems));
    }
    if (!is.object || schema.properties === undefined) {
        return;
    }
    const known = Object.keys(schema.properties);
    for (const name of Object.keys(value)) {
        if (known.includes(name)) {
            checkShape(schema.properties[name], value[name], inner(name),
                problems);
        } else if (schema.additionalProperties === false) {
            problems.push([inner(name),
                `unknown member${nearestHint(name, known)}`]);
        }
    }
    for (const name of schema.required || []) {
        if (!(name in value)) {
            problems.push([inner(name), "is missing"]);
        }
    }
}

function checkText(schema, value, field, problems) {
    const {minLength, pattern} = schema;
    if (minLength !== undefined && value.length < minLength) {
        problems.push([field, "should be a text that is not empty"]);
    } else if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
        problems.push([field, `should be of the form ${pattern}`]);
    }
}
