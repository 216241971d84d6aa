/* project.js: a project file, checked, and as words for the engine.
 *
 * The state of the page is the project file itself: what is loaded is what is
 * saved, and members that the page does not edit stay. Checks and their
 * order are those of the command; problems are [field, message]. Knows
 * catalogue.js, reading.js, engine.js. */

const MODELS = ["text", "table5"];
const CONFIDENCES = ["low", "medium", "high"];
const READINGS = ["strict", "interoperable"];
const LAYERS = ["seed", "derived", "user"];
const GROUPS = 16;

const bitOf = (index) => 1n << BigInt(index);

class Project {
    constructor(catalogue, engine, source) {
        this.catalogue = catalogue;
        this.engine = engine;
        this.source = source;
        this.problems = [];
        this.wants = [];
        this.targets = [];
        this.selected = 0n;
        this.guided = 0n;
        this.guidedAlgorithms = [];
        this.parts = [];
        this.excluded = new Map(); /* requirement to argument */
        this.readUseCase();
        this.readStandards();
        this.readParts();
        this.readFilters();
        this.readExclusions();
        this.readGuidance();
        this.readEvidence();
    }

    problem(field, message) {
        this.problems.push([field, message]);
    }

    /* The index of a name in a table of the catalogue; undefined, and a
     * problem, when there is none. */
    named(table, id, field, what) {
        const index = this.catalogue.find(table, id);
        if (index === undefined) {
            this.problem(field, `unknown ${what} "${id}"` + nearestHint(id,
                this.catalogue[table].map((entry) => entry.id)));
        }
        return index;
    }

    /* --- the use case --- */

    readUseCase() {
        const useCase = this.source.use_case || {};
        this.readNeeds("selected", useCase.selected || [], true);
        this.readNeeds("implicit_details", useCase.implicit_details || [],
            false);
    }

    readNeeds(member, needs, selects) {
        const seen = new Set();
        needs.forEach((need, i) => {
            const field = `use_case.${member}[${i}]`;
            const index = this.named("primitives", need.primitive,
                `${field}.primitive`, "primitive");
            if (index === undefined) {
                return;
            }
            if (seen.has(index)) {
                this.problem(`${field}.primitive`,
                    `"${need.primitive}" is there twice`);
            }
            seen.add(index);
            this.selected |= selects ? bitOf(index) : 0n;
            (need.algorithms || []).forEach((name, n) => {
                const algorithm = this.named("algorithms", name,
                    `${field}.algorithms[${n}]`, "algorithm");
                if (algorithm !== undefined) {
                    this.wants.push([index, algorithm]);
                }
            });
        });
    }

    /* --- standards --- */

    readStandards() {
        const {standard} = this.source;
        if (standard === undefined) {
            return;
        }
        if (isObject(standard)) {
            this.readTarget(standard, "standard");
            return;
        }
        if (!Array.isArray(standard) || standard.length === 0) {
            this.problem("standard",
                "should be an object, or an array of objects");
            return;
        }
        standard.forEach((entry, i) =>
            this.readTarget(entry, `standard[${i}]`));
    }

    readTarget(entry, field) {
        const {catalogue} = this;
        if (!isObject(entry)) {
            this.problem(field, "should be an object");
            return;
        }
        if (!this.targetShape(entry, field)) {
            return;
        }
        const standard = this.named("standards", entry.id, `${field}.id`,
            "standard");
        if (standard === undefined) {
            return;
        }
        if (this.targets.some((target) => target.standard === standard)) {
            this.problem(`${field}.id`, "the standard is there twice");
            return;
        }
        let type = NONE;
        if (entry.component_type !== undefined) {
            type = catalogue.types(standard)
                .findIndex(({id}) => id === entry.component_type);
            if (type < 0) {
                this.problem(`${field}.component_type`, `${entry.id} has no ` +
                    `component type "${entry.component_type}"`);
                type = NONE;
            }
        }
        this.targets.push({standard, type,
            levels: this.readLevels(standard, entry, field)});
    }

    targetShape(entry, field) {
        const before = this.problems.length;
        const id = {type: "string", pattern: "^[A-Za-z0-9 ._()/-]{1,64}$"};
        checkShape({properties: {id, level: {}, component_type: id},
            required: ["id"], additionalProperties: false}, entry, field,
        this.problems);
        return this.problems.length === before;
    }

    readLevels(standard, entry, field) {
        const {catalogue} = this;
        const {level} = entry;
        const path = `${field}.level`;
        if (isObject(level)) {
            return this.readVector(standard, entry, level, path);
        }
        if (level === undefined && catalogue.levels(standard).length > 0) {
            this.problem(field,
                `${entry.id} has levels: the member "level" is missing`);
        }
        const all = level === undefined ? 1
            : this.levelOf(standard, entry, level, path);
        return new Array(GROUPS).fill(all);
    }

    readVector(standard, entry, level, path) {
        const levels = new Array(GROUPS).fill(0);
        if (Object.keys(level).length === 0) {
            this.problem(path, "names no group, so nothing is asked");
        }
        for (const [group, value] of Object.entries(level)) {
            const at = this.catalogue.groups(standard)
                .findIndex(({id}) => id === group);
            if (at < 0) {
                this.problem(`${path}.${group}`,
                    `${entry.id} has no such group`);
            } else if (value !== 0) {
                levels[at] =
                    this.levelOf(standard, entry, value, `${path}.${group}`);
            }
        }
        return levels;
    }

    /* One more than the index of the level. */
    levelOf(standard, entry, value, field) {
        const levels = this.catalogue.levels(standard);
        const text = typeof value === "number" || typeof value === "string"
            ? String(value) : "?";
        const index = levels.indexOf(text);
        if (index >= 0) {
            return index + 1;
        }
        this.problem(field, levels.length === 0
            ? `${entry.id} has no levels; leave the level out`
            : `${entry.id} has no level "${text}"; it has ${levels[0]} to ` +
                `${levels[levels.length - 1]}`);
        return 0;
    }

    /* --- parts --- */

    readParts() {
        const {platforms} = this.source;
        if (platforms !== undefined && platforms.length === 0) {
            this.problem("platforms", "no platform in it; leave the member " +
                "out to skip phase 3");
        }
        (platforms || []).forEach((id, i) => {
            const part = this.named("parts", id, `platforms[${i}]`,
                "platform");
            if (part === undefined) {
                return;
            }
            if (this.parts.includes(part)) {
                this.problem(`platforms[${i}]`, `"${id}" is there twice`);
            } else {
                this.parts.push(part);
            }
        });
    }

    /* --- filters --- */

    readFilters() {
        const {model, min_confidence: least, reading, sources} = this.source;
        this.model = Math.max(0, MODELS.indexOf(model));
        this.minConfidence = Math.max(0, CONFIDENCES.indexOf(least));
        this.interoperable = Math.max(0, READINGS.indexOf(reading));
        this.layers = sources === undefined ? NONE : 0;
        if (sources !== undefined && sources.length === 0) {
            this.problem("sources", "names no layer; leave the member out to " +
                "take all");
        }
        for (const name of sources || []) {
            this.layers |= 1 << LAYERS.indexOf(name);
        }
    }

    /* --- exclusions, guidance, evidence --- */

    readExclusions() {
        (this.source.exclusions || []).forEach((entry, i) =>
            this.readExclusion(entry, `exclusions[${i}]`));
    }

    readExclusion(entry, field) {
        if ((entry.primitive === undefined) ===
            (entry.requirement === undefined)) {
            this.problem(field,
                "names either a primitive or a requirement");
        } else if (entry.primitive !== undefined) {
            this.excludePrimitive(entry, field);
        } else {
            const index = this.requirement(entry, field);
            if (index !== undefined && this.excluded.has(index)) {
                this.problem(field, "excluded twice: the arguments " +
                    "contradict or repeat each other");
            } else if (index !== undefined) {
                this.excluded.set(index, entry.argument);
            }
        }
    }

    /* The requirement that an entry names; undefined after a problem. */
    requirement({standard, requirement}, field) {
        const {catalogue} = this;
        if (standard === undefined) {
            this.problem(`${field}.standard`, "is missing");
            return undefined;
        }
        const of = this.named("standards", standard, `${field}.standard`,
            "standard");
        const index = of === undefined ? undefined
            : catalogue.requirement(standard, requirement);
        if (of !== undefined && index === undefined) {
            const own = catalogue.requirementsOf(of).map((one) =>
                catalogue.requirements[one].id);
            this.problem(`${field}.requirement`, "unknown requirement " +
                `"${requirement}"${nearestHint(requirement, own)}`);
        }
        return index;
    }

    excludePrimitive(entry, field) {
        const index = this.named("primitives", entry.primitive, field,
            "primitive");
        const unchosen =
            this.selected === 0n && this.source.use_case !== undefined;
        if (index === undefined || unchosen) {
            return; /* without a choice there is nothing to evaluate */
        }
        const taken = this.engine.exclude(this.toWords(false), index);
        if (taken === null) {
            this.problem(field, this.selected === 0n
                ? `there is no use case, so "${entry.primitive}" applies: ` +
                    "name a use case, or exclude requirements"
                : `contradicts the use case: "${entry.primitive}" is ` +
                    "selected, or required by what is selected");
            return;
        }
        for (const requirement of taken) {
            if (!this.excluded.has(requirement)) {
                this.excluded.set(requirement, entry.argument);
            }
        }
    }

    readGuidance() {
        (this.source.guidance || []).forEach((entry, i) => {
            const field = `guidance[${i}]`;
            const whole = entry.primitive !== undefined;
            if (whole === (entry.algorithm !== undefined)) {
                this.problem(field,
                    "names either a primitive or an algorithm");
                return;
            }
            const index = whole
                ? this.named("primitives", entry.primitive, field, "primitive")
                : this.named("algorithms", entry.algorithm, field,
                    "algorithm");
            if (index !== undefined && whole) {
                this.guided |= bitOf(index);
            } else if (index !== undefined) {
                this.guidedAlgorithms.push(index);
            }
        });
    }

    readEvidence() {
        (this.source.evidence || []).forEach((entry, i) => {
            this.requirement(entry, `evidence[${i}]`);
            if ((entry.file === undefined) === (entry.url === undefined)) {
                this.problem(`evidence[${i}]`, "names either a file or a URL");
            }
        });
    }

    /* --- words --- */

    /* Nothing to evaluate: nothing selected, no standard, no part. */
    isEmpty() {
        return this.selected === 0n && this.targets.length === 0 &&
            this.parts.length === 0;
    }

    toWords(withExclusions = true) {
        const half = (set) => [Number(set & 0xffffffffn), Number(set >> 32n)];
        const excluded = withExclusions ? [...this.excluded.keys()] : [];
        return [
            2, this.model, this.layers >>> 0, this.minConfidence,
            this.interoperable, ...half(this.selected), ...half(this.guided),
            this.wants.length, this.targets.length, excluded.length,
            this.guidedAlgorithms.length, this.parts.length,
            ...this.wants.flat(),
            ...this.targets.flatMap(({standard, type, levels}) =>
                [standard, type, ...levels]),
            ...excluded, ...this.guidedAlgorithms, ...this.parts,
        ];
    }

    /* The member "closing" as words; problems join the others. */
    toWish(sets, swap) {
        const closing = this.source.closing || {};
        const lists = ["candidates", "forbidden", "preferred"].map((member) =>
            (closing[member] || []).map((id, i) => this.named("parts", id,
                `closing.${member}[${i}]`, "platform"))
                .filter((part) => part !== undefined));
        for (const part of lists[2].filter((one) => lists[1].includes(one))) {
            this.problem("closing.preferred", `"` +
                `${this.catalogue.parts[part].id}" is preferred and ` +
                "forbidden");
        }
        const prices = [];
        for (const [id, cents] of Object.entries(closing.costs || {})) {
            const part = this.catalogue.find("parts", id);
            if (part === undefined || !Number.isInteger(cents) || cents < 0 ||
                cents > 1000000) {
                this.problem("closing.costs", `"${id}" should be a platform ` +
                    "with cents up to 1000000");
            } else {
                prices.push([part, cents]);
            }
        }
        return [closing.candidates === undefined ? 0 : 1, sets, swap ? 1 : 0,
            ...lists.map((list) => list.length), prices.length,
            ...lists.flat(), ...prices.flat()];
    }
}

/* --- a file --- */

/* {source} of a project that the command would evaluate, else {problems},
 * each with line, field and message. */
function readProjectFile(catalogue, engine, text) {
    if (text.length > FILE_LIMIT) {
        return {problems: [{line: 1, field: "",
            message: "the file is larger than 4 MiB"}]};
    }
    let read;
    try {
        read = JsonReader.read(text);
    } catch (problem) {
        if (!(problem instanceof SyntaxProblem)) {
            throw problem;
        }
        return {problems: [{line: problem.line, field: "",
            message: problem.message}]};
    }
    const problems = checkProject(catalogue, engine, read.root);
    return problems.length === 0 ? {source: read.root} : {
        problems: problems.map(([field, message]) =>
            ({line: lineOf(read.lines, field), field, message}))};
}

function checkProject(catalogue, engine, source) {
    const problems = [];
    if (!isObject(source)) {
        return [["", "a JSON object is expected"]];
    }
    checkTexts(source, "", problems);
    checkShape(catalogue.project, source, "", problems);
    if (problems.length > 0) {
        return problems;
    }
    const project = new Project(catalogue, engine, source);
    if (project.problems.length === 0 && project.parts.length > 0) {
        project.toWish(1, false);
    }
    const unchosen = source.use_case !== undefined && project.selected === 0n;
    if (project.problems.length === 0 && (project.isEmpty() || unchosen)) {
        project.problem("", "nothing to evaluate: no primitive is selected, " +
            "no standard and no platform is named");
    }
    return project.problems;
}
