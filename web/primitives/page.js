/* page.js: the app: one project, one evaluation, what is open. */

const SETS = 5;

const app = {
    catalogue: null,
    engine: null,
    source: {},          /* the project file, as it would be saved */
    pending: new Set(),  /* standards ticked, without a level yet */
    project: null,
    report: null,        /* null: nothing to evaluate, or problems */
    document: null,
    closing: null,
    swap: false,
    changed: false,
    open: {lists: {}, wishes: false},
    views: [],

    change(edit) {
        edit(this.source);
        this.changed = true;
        this.update();
    },

    update() {
        this.evaluate();
        keepingFocus(() => this.views.forEach((view) => view.sync()));
        this.say();
    },

    evaluate() {
        const {catalogue, engine} = this;
        this.report = this.document = this.closing = null;
        this.project = new Project(catalogue, engine, this.effective());
        const wish = this.project.parts.length === 0 ? []
            : this.project.toWish(SETS, this.swap);
        if (this.project.problems.length > 0 || this.project.isEmpty()) {
            return;
        }
        try {
            const words = this.project.toWords();
            this.report = new Report(this.project, engine.evaluate(words));
            this.document = this.report.document();
            if (this.project.parts.length > 0) {
                this.closing = closingDocument(catalogue,
                    engine.close(words, wish));
            }
        } catch (error) {
            this.report = this.document = this.closing = null;
            this.project.problem("", error.message);
        }
    },

    /* What changed, for those who do not see it. */
    say() {
        document.getElementById("said").textContent =
            summaryOf(this).map(({label, text}) => `${label}: ${text}`)
                .join("; ");
    },

    /* Buttons with counts, and below them the list of the open one. */
    counters(group, lists, words, draw) {
        const {lists: open} = this.open;
        const names = Object.keys(lists);
        if (open[group] === undefined) {
            open[group] = names.find((name) => lists[name].length > 0) ||
                names[0];
        }
        const shown = names.includes(open[group]) ? open[group] : "";
        const entries = shown === "" ? [] : draw(lists[shown], shown);
        const word = (name) => {
            const [one, many] = words[name][0].split("|");
            return lists[name].length === 1 ? one : many || one;
        };
        const heading = shown === "" ? ""
            : `${lists[shown].length} ${word(shown)}`;
        return h("div", {class: "counters"},
            h("div", {class: "counts"}, names.map((name) => counter({
                key: `${group}/${name}`, count: lists[name].length,
                word: word(name), state: words[name][1],
                open: name === shown, toggle: () => {
                    open[group] = name === shown ? "" : name;
                    this.update();
                }}))),
            h("div", {id: `list-${group}`, class: "list",
                hidden: shown === ""},
            entries.length === 0 ? h("p", {class: "hint"}, "None.")
                : h("ul", {"aria-label": heading}, entries)));
    },

    /* --- a project comes and goes --- */

    start(source) {
        this.source = source;
        this.pending.clear();
        this.open.lists = {};
        this.swap = false;
        this.changed = false;
        showWorkspace(this);
        document.getElementById("main").focus({preventScroll: true});
        window.scrollTo({top: 0, behavior: "instant"});
    },

    leave() {
        return !this.changed ||
            window.confirm("Leave this project without saving it?");
    },

    load(name, text) {
        const read = readProjectFile(this.catalogue, this.engine, text);
        if (read.source !== undefined) {
            this.start(read.source);
            return;
        }
        showProblems(name, read.problems);
    },

    /* Without picked primitives there is no use case, or the command would
     * find nothing in it. */
    effective() {
        const {use_case: useCase, ...rest} = this.source;
        return useCase !== undefined && useCase.selected.length > 0
            ? this.source : rest;
    },

    saved() {
        return `${JSON.stringify(this.effective(), null, 2)}\n`;
    },
};

/* --- the summary --- */

function summaryOf({document: evaluated, closing, pending}) {
    const none = (label, text, to) => ({label, text, to, state: "none"});
    if (evaluated === null) {
        return [none("Primitives", "nothing picked", "use-case"),
            none("Requirements", "not evaluated", "standards"),
            none("Parts", "not evaluated", "parts"),
            none("Closing", "not evaluated", "closing")];
    }
    const {phase1, phase2, phase3} = evaluated;
    const sum = (member) => phase2.standards.reduce((total, one) =>
        total + one[member], 0);
    const open = sum("count_uncovered");
    const of = (status) => phase3.rows.filter((row) =>
        row.status === status).length;
    const inScope = phase2.standards.some(({rows}) => rows.length > 0);
    const cheapest = closing === null || closing.sets.length === 0 ? null
        : closing.sets[0];
    return [
        {label: "Primitives", to: "use-case", state: "picked",
            text: `${phase1.applicable.length} apply`},
        !inScope ? none("Requirements", pending.size > 0
            ? "a level is missing" : "no standard chosen", "standards")
            : {label: "Requirements", to: "standards",
                state: open > 0 ? "uncovered" : "covered",
                text: `${open} uncovered, ${sum("count_unique")} covered`},
        phase3.platforms.length === 0
            ? none("Parts", "no part chosen", "parts")
            : {label: "Parts", to: "parts", state: phase3.verdict,
                text: `${plural(of("gap"), "gap", "gaps")}, ` +
                    `${of("partial")} partial, ${of("covered")} covered`},
        closing === null ? none("Closing", "no part chosen", "closing")
            : {label: "Closing", to: "closing",
                state: closing.impossible.length > 0 ? "gap" : "covered",
                text: closing.gaps.length === 0 ? "no gap left"
                    : (cheapest === null || cheapest.parts.length === 0
                        ? "nothing helps" : `from ${money(cheapest.cents)}`) +
                    (closing.impossible.length > 0
                        ? `, ${closing.impossible.length} stay open` : "")},
    ];
}

class Summary {
    constructor(of) {
        this.app = of;
        /* A line that wraps, so that no name is cut off. */
        this.title = h("textarea", {rows: 1, "data-key": "title",
            placeholder: "Untitled product", oninput: () => this.grow(),
            onkeydown: (event) => {
                if (event.key === "Enter") {
                    event.preventDefault();
                    this.title.blur();
                }
            }, onchange: () => {
                const title = plain(this.title.value);
                of.change((source) => {
                    emptyUseCase(source).title = title || "Untitled product";
                });
            }});
        new ResizeObserver(() => this.grow()).observe(this.title);
        this.cells = h("ul", {class: "cells"});
        this.problems = h("div", {role: "alert"});
        this.settings = new Settings(of);
        this.element = h("div", {class: "summary"},
            h("h1", {}, h("label", {class: "title"},
                h("span", {class: "hidden"}, "Name of the product"),
                this.title)),
            h("nav", {"aria-label": "Results"}, this.cells),
            this.problems);
    }

    grow() {
        const {title} = this;
        title.style.height = "0";
        title.style.height = `${title.scrollHeight + 2}px`;
    }

    sync() {
        const {source, project} = this.app;
        this.title.value = (source.use_case || {}).title || "";
        this.grow();
        this.cells.replaceChildren(...summaryOf(this.app).map((cell) =>
            h("li", {}, h("a", {href: `#${cell.to}`,
                "data-key": `cell-${cell.to}`},
            h("span", {class: "label"}, cell.label),
            h("span", {class: "value"}, icon(cell.state), ` ${cell.text}`)))));
        this.problems.replaceChildren(...project.problems.map(
            ([field, message]) => h("p", {class: "failed"},
                `Not evaluated: ${field === "" ? "" : `${field}: `}${message} `,
                this.remedy(field))));
    }

    /* What was excluded, or left to the manual, and now contradicts. */
    remedy(field) {
        const found = /^(exclusions|guidance)\[(\d+)\]/.exec(field);
        return found !== null && h("button", {type: "button", class: "small",
            "data-key": `remedy-${field}`, onclick: () =>
                this.app.change((source) => {
                    source[found[1]].splice(Number(found[2]), 1);
                })}, "Take it out");
    }
}

class Settings {
    constructor(of) {
        this.app = of;
        this.body = h("div", {class: "inline"});
        this.element = h("details", {class: "about settings"},
            h("summary", {}, "How strictly to judge"), this.body);
    }

    set(member, value, otherwise) {
        this.app.change((source) => {
            if (value === otherwise) {
                delete source[member];
            } else {
                source[member] = value;
            }
        });
    }

    sync() {
        const {source} = this.app;
        const one = (label, member, options, otherwise) => select(label,
            `set-${member}`, options, source[member] || otherwise, (value) =>
                this.set(member, value, otherwise));
        const sources = source.sources || LAYERS;
        keepingFocus(() => this.body.replaceChildren(
            one("Algorithms", "reading", [["strict", "all that are listed"],
                ["interoperable", "one of each kind"]], "strict"),
            one("Confidence, at least", "min_confidence",
                CONFIDENCES.map((word) => [word, word]), "low"),
            one("Dependencies", "model", [["text", "of the paper's text"],
                ["table5", "of its Table 5"]], "text"),
            h("fieldset", {class: "ticks"}, h("legend", {}, "Sources"),
                LAYERS.map((layer) => this.layer(layer, sources)))));
    }

    layer(layer, sources) {
        const box = h("input", {type: "checkbox", "data-key": `layer-${layer}`,
            checked: sources.includes(layer), onchange: () => {
                const next = LAYERS.filter((one) => one === layer
                    ? box.checked : sources.includes(one));
                this.app.change((source) => {
                    source.sources = next;
                    if (next.length === LAYERS.length) {
                        delete source.sources;
                    }
                });
            }});
        return h("label", {class: "tick"}, box, ` ${layer}`);
    }
}

/* --- screens --- */

function section(id, number, title, lead, input, output) {
    return h("section", {id, class: "step", "aria-labelledby": `${id}-title`,
        tabindex: "-1"},
    h("header", {}, h("h2", {id: `${id}-title`},
        h("span", {class: "number"}, number), ` ${title}`),
    h("p", {}, lead)),
    h("div", {class: "columns"}, input.element, output.element));
}

function showWorkspace(of) {
    of.evaluate();
    const summary = new Summary(of);
    const views = [
        [new UseCaseInput(of), new ClosureOutput(of)],
        [new StandardInput(of), new RequirementOutput(of)],
        [new PartInput(of), new FitOutput(of)],
        [new ClosingInput(of), new ClosingOutput(of)],
    ];
    const texts = [
        ["use-case", "Use case", "What the product does, and what that " +
            "requires of it."],
        ["standards", "Standards", "What is asked of the product, and which " +
            "of it your primitives answer."],
        ["parts", "Parts", "What the system is built from, and what that " +
            "leaves open."],
        ["closing", "Closing the gaps", "The cheapest parts that close what " +
            "is open."],
    ];
    of.views = [summary, summary.settings, ...views.flat()];
    document.getElementById("main").replaceChildren(summary.element,
        h("div", {class: "work"}, summary.settings.element,
            views.map(([input, output], i) => section(texts[i][0],
                String(i + 1), texts[i][1], texts[i][2], input, output))));
    of.update();
    drawTools(of, true);
}

function showWelcome(of) {
    of.views = [];
    document.getElementById("main").replaceChildren(welcome(of));
    drawTools(of, false);
}

function showProblems(name, problems) {
    const dialog = h("dialog", {"aria-labelledby": "problems-title"},
        h("h2", {id: "problems-title"}, `${name} cannot be opened`),
        h("p", {}, `${plural(problems.length, "problem was", "problems " +
            "were")} found; what is on the page stays as it is.`),
        h("ul", {class: "problems"}, problems.slice(0, 50).map(
            ({line, field, message}) => h("li", {},
                h("code", {}, `${name}:${line}`), " ",
                field !== "" && h("strong", {}, `${field}: `), message))),
        h("form", {method: "dialog"},
            h("button", {class: "primary"}, "Close")));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
}

/* --- files --- */

function fileNameOf(source) {
    const {id} = source.use_case || {id: "project"};
    return `${id.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 64)}.json`;
}

function save(of) {
    const url = URL.createObjectURL(new Blob([of.saved()],
        {type: "application/json"}));
    const link = h("a", {href: url, download: fileNameOf(of.source)});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    of.changed = false;
}

async function loadFile(of, file) {
    if (file !== undefined && of.leave()) {
        of.load(file.name, file.size > FILE_LIMIT
            ? " ".repeat(FILE_LIMIT + 1) : await file.text());
    }
}

function drawTools(of, working) {
    const file = h("input", {type: "file", id: "file", hidden: true,
        accept: ".json,application/json", "aria-label": "A project file",
        onchange: () => loadFile(of, file.files[0])});
    of.open.dialog = () => {
        file.value = "";
        file.click();
    };
    const button = (word, act) =>
        h("button", {type: "button", onclick: act}, word);
    document.getElementById("tools").replaceChildren(file,
        ...working ? [button("Start over", () => {
            if (of.leave()) {
                of.changed = false;
                showWelcome(of);
            }
        })] : [],
        ...working ? [button("Open", () => of.open.dialog()),
            button("Save", () => save(of)),
            button("Print", () => window.print())] : []);
}

/* --- the start --- */

async function run() {
    const names = JSON.parse(document.getElementById("data").textContent);
    app.catalogue = new Catalogue(names);
    app.engine = await Engine.open(names.engine, app.catalogue.words);
    new PaperReport(app, document.getElementById("report"));
    window.addEventListener("beforeunload", (event) => {
        if (app.changed) {
            event.preventDefault();
        }
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        loadFile(app, event.dataTransfer.files[0]);
    });
    showWelcome(app);
    return {
        /* What `evaluate --json` and `close --json` answer; for programs. */
        answer(text, sets, swap) {
            const read =
                readProjectFile(app.catalogue, app.engine, text);
            if (read.problems !== undefined) {
                return {problems: read.problems};
            }
            const project =
                new Project(app.catalogue, app.engine, read.source);
            const words = project.toWords();
            const report = new Report(project, app.engine.evaluate(words));
            return {evaluate: report.document(),
                close: project.parts.length === 0 ? null
                    : closingDocument(app.catalogue, app.engine.close(words,
                        project.toWish(sets, swap)))};
        },
    };
}

window.keywright = run();
window.keywright.catch((error) => {
    document.getElementById("main").replaceChildren(h("p", {class: "failed"},
        `The page could not start: ${error.message}. A browser of the last ` +
        "years with WebAssembly is needed."));
});
