/* usecase.js: what the product does, by questions or by list, and what
 * follows from it. Knows dom.js, graph.js; changes the project through the
 * app. */

const KIND_TITLES = {
    functional: "What the product does",
    process: "How it is made and looked after",
};

/* --- picking --- */

function needOf(source, id) {
    const {selected} = source.use_case || {};
    return (selected || []).find(({primitive}) => primitive === id);
}

function emptyUseCase(source) {
    source.use_case = source.use_case || {id: "product",
        title: "Untitled product", selected: []};
    return source.use_case;
}

function pick(source, id, wanted) {
    const useCase = emptyUseCase(source);
    useCase.selected =
        useCase.selected.filter(({primitive}) => primitive !== id);
    if (wanted) {
        useCase.selected.push({primitive: id});
    }
}

class UseCaseInput {
    constructor(app) {
        this.app = app;
        this.mode = "questions";
        this.rows = app.catalogue.primitives.map((primitive) =>
            this.row(primitive));
        this.filter = h("input", {type: "search", "data-key": "filter",
            oninput: () => this.sync()});
        this.filterField = h("label", {class: "field wide"},
            h("span", {}, "Find in the list"), this.filter);
        this.found = h("p", {class: "hint", role: "status"});
        this.algorithms = new AlgorithmInput(app);
        this.modes = h("div", {});
        this.element = h("div", {class: "ask"}, this.modes, this.filterField,
            this.found, this.groups(), this.algorithms.element);
        this.sync();
    }

    row(primitive) {
        const {app} = this;
        const {id} = primitive;
        const box = h("input", {type: "checkbox", id: `pick-${id}`,
            "data-key": `pick-${id}`, onchange: () =>
                app.change((source) => pick(source, id, box.checked))});
        const words = h("span", {class: "question"});
        const because = h("p", {class: "because"});
        const text = h("input", {type: "text", "data-key": `text-${id}`,
            onchange: () => app.change((source) => {
                const need = needOf(source, id);
                if (need !== undefined && plain(text.value) !== "") {
                    need.text = plain(text.value);
                } else if (need !== undefined) {
                    delete need.text;
                }
            })});
        const note = h("label", {class: "field wide", hidden: true},
            h("span", {}, "In this product, exactly"), text);
        const heading = h("summary", {"data-key": `about-${id}`});
        const about = h("details", {class: "about"}, heading,
            h("p", {}, primitive.definition || ""),
            h("p", {class: "hint"}, `Section ${primitive.section || "?"}; ` +
                `concerns ${(primitive.scopes || []).join(", ")}.`));
        const element = h("li", {class: "pick"}, box, h("div", {},
            h("label", {for: box.id}, words), about, because, note));
        return {primitive, element, box, words, heading, because, note, text};
    }

    groups() {
        const kinds = [...new Set(this.rows.map(({primitive}) =>
            primitive.kind))];
        return kinds.map((kind) => h("fieldset", {class: "picks"},
            h("legend", {}, KIND_TITLES[kind] || kind),
            h("ul", {}, this.rows.filter(({primitive}) =>
                primitive.kind === kind).map(({element}) => element))));
    }

    /* By list the name leads; by questions the question does. */
    order({words, heading, primitive: {name, question}}) {
        const asks = this.mode === "questions" && question !== undefined;
        words.textContent = asks ? question : name;
        heading.textContent = asks ? name : "What it is";
    }

    sync() {
        const {report, source, catalogue} = this.app;
        this.filterField.hidden = this.mode !== "list";
        const wanted = this.mode === "list"
            ? this.filter.value.trim().toLowerCase() : "";
        let shown = 0;
        this.rows.forEach((row, index) => {
            const {primitive, element, box, because, note, text} = row;
            const need = needOf(source, primitive.id);
            this.order(row);
            box.checked = need !== undefined;
            note.hidden = need === undefined;
            text.value = need !== undefined && need.text || "";
            const all = `${primitive.name} ${primitive.abbr || ""} ` +
                `${primitive.definition || ""}`;
            element.hidden = !all.toLowerCase().includes(wanted);
            shown += element.hidden ? 0 : 1;
            const path = report !== null && need === undefined &&
                report.parents.has(index) ? report.path(index) : [];
            because.replaceChildren(...path.length < 2 ? [] : [
                icon("implicit"), " Required already: ",
                path.map((at) => catalogue.primitives[at].name).join(" › ")]);
            element.classList.toggle("applies", path.length > 1);
        });
        this.found.textContent =
            wanted === "" ? "" : `${shown} of ${this.rows.length} shown`;
        keepingFocus(() => this.modes.replaceChildren(segmented(
            "Pick primitives by", "mode",
            [["questions", "Questions"], ["list", "List"]], this.mode,
            (mode) => {
                this.mode = mode;
                this.sync();
            })));
        this.algorithms.sync();
    }
}

/* --- algorithms --- */

/* The needs that may carry algorithms, with the member that holds them. */
function needsOf(source) {
    const useCase = source.use_case || {};
    return ["selected", "implicit_details"].flatMap((member) =>
        (useCase[member] || []).map((need) => ({member, need})));
}

function addAlgorithm(source, primitive, algorithm) {
    const useCase = emptyUseCase(source);
    let found = needsOf(source).find(({need}) => need.primitive === primitive);
    if (found === undefined) {
        found = {need: {primitive}};
        useCase.implicit_details =
            [...useCase.implicit_details || [], found.need];
    }
    found.need.algorithms = [...new Set([...found.need.algorithms || [],
        algorithm])];
}

function dropAlgorithm(source, primitive, algorithm) {
    for (const {need} of needsOf(source)) {
        if (need.primitive === primitive) {
            need.algorithms = (need.algorithms || [])
                .filter((name) => name !== algorithm);
        }
    }
    const {implicit_details: details} = source.use_case;
    if (details !== undefined) {
        source.use_case.implicit_details = details.filter(
            ({text, algorithms}) => text !== undefined ||
                (algorithms || []).length > 0);
    }
}

class AlgorithmInput {
    constructor(app) {
        this.app = app;
        this.chips = h("ul", {class: "chips"});
        this.primitive = h("select", {"data-key": "algorithm-for"});
        this.algorithm = h("select", {"data-key": "algorithm"},
            app.catalogue.algorithms.map(({id, kind}) =>
                h("option", {value: id}, kind ? `${id} (${kind})` : id)));
        this.form = h("div", {class: "inline"},
            h("label", {class: "field"}, h("span", {}, "Primitive"),
                this.primitive),
            h("label", {class: "field"}, h("span", {}, "needs"),
                this.algorithm),
            h("button", {type: "button", "data-key": "algorithm-add",
                onclick: () => app.change((source) => addAlgorithm(source,
                    this.primitive.value, this.algorithm.value))}, "Add"));
        this.hint = h("p", {class: "hint"});
        this.element = h("fieldset", {class: "picks"},
            h("legend", {}, "Protocols and algorithms, if you know them"),
            this.hint, this.chips, this.form);
    }

    sync() {
        const {app} = this;
        const {report, catalogue, source} = app;
        const options = report === null ? []
            : report.answer.primitives.map(([index]) =>
                catalogue.primitives[index]);
        const before = this.primitive.value;
        this.form.hidden =
            options.length === 0 || catalogue.algorithms.length === 0;
        this.hint.textContent = options.length === 0
            ? "Pick a primitive first."
            : "Parts are held against each of them.";
        this.primitive.replaceChildren(...options.map(({id, name}) =>
            h("option", {value: id, selected: id === before}, name)));
        keepingFocus(() => this.chips.replaceChildren(
            ...needsOf(source).flatMap(({need}) =>
                (need.algorithms || []).map((name) => this.chip(need, name)))));
    }

    chip({primitive}, name) {
        const index = this.app.catalogue.find("primitives", primitive);
        const owner = this.app.catalogue.primitives[index].name;
        return h("li", {}, h("span", {}, `${name} `,
            h("span", {class: "quiet"}, `for ${owner}`)),
        h("button", {type: "button", class: "drop",
            "data-key": `drop-${primitive}-${name}`,
            "aria-label": `Remove ${name} of ${owner}`,
            onclick: () => this.app.change((source) =>
                dropAlgorithm(source, primitive, name))}, "×"));
    }
}

/* --- what follows --- */

class ClosureOutput {
    constructor(app) {
        this.app = app;
        this.figure = h("figure", {class: "drawing"});
        this.below = h("div", {});
        this.element = h("div", {class: "answer"}, this.figure, this.below);
        new ResizeObserver(() => this.draw()).observe(this.figure);
    }

    draw() {
        const {report} = this.app;
        const width = Math.floor(this.figure.clientWidth);
        if (report === null || width === 0) {
            this.figure.replaceChildren();
            return;
        }
        if (report.drawn === width) {
            return;
        }
        report.drawn = width;
        this.figure.replaceChildren(drawClosure(report, width),
            h("figcaption", {}, "Double frame: picked. Single frame: ",
                "required. An arrow leads to what is required; full lines ",
                "are the paths in the list."));
    }

    sync() {
        const {app} = this;
        this.draw();
        this.below.replaceChildren();
        if (app.report === null) {
            this.below.append(notEvaluated("Nothing is picked yet. Answer a " +
                "question with yes, and what it requires appears here."));
            return;
        }
        const {phase1} = app.document;
        const groups = {
            applicable: phase1.applicable,
            picked: phase1.applicable.filter(({origin}) =>
                origin !== "implicit"),
            required: phase1.applicable.filter(({origin}) =>
                origin === "implicit"),
            suggested: phase1.optional_suggestions,
        };
        const words = {applicable: ["apply", "picked"],
            picked: [app.report.origin === 0 ? "picked"
                : "from the standards", "picked"],
            required: ["required by them", "required"],
            suggested: ["suggested", "none"]};
        this.below.append(app.report.origin === 0 ? "" : h("p",
            {class: "hint"}, "Nothing is picked, so every primitive that " +
            "the standards draw on is taken (without a standard: all)."),
        app.counters("closure", groups, words, (list, which) =>
            which === "suggested" ? this.suggestions(list)
                : this.list(list)));
    }

    name(id) {
        const {catalogue} = this.app;
        return catalogue.primitives[catalogue.find("primitives", id)].name;
    }

    list(entries) {
        return entries.map(({primitive, origin, path}) => h("li", {},
            badge(origin === "implicit" ? "required" : "picked"), " ",
            h("strong", {}, this.name(primitive)),
            path.length > 1 && h("p", {class: "path"}, "Path: ",
                path.map((id) => this.name(id)).join(" › "))));
    }

    suggestions(entries) {
        return entries.map(({primitive, suggested_by: by, rationale}) =>
            h("li", {}, h("strong", {}, this.name(primitive)),
                h("p", {class: "path"}, `${this.name(by)}: ${rationale}`),
                h("button", {type: "button",
                    "data-key": `suggest-${by}-${primitive}`,
                    onclick: () => this.app.change((source) =>
                        pick(source, primitive, true))},
                `Pick ${this.name(primitive)}`)));
    }
}
