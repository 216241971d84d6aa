/* closing.js: what may be added, and the cheapest sets of parts. Knows
 * dom.js, parts.js; changes the project through the app. */

const WISHES = [["", "as it comes"], ["preferred", "preferred"],
    ["forbidden", "forbidden"]];

function listed(source, member, id) {
    return ((source.closing || {})[member] || []).includes(id);
}

/* Puts a part into a list of the member "closing", or takes it out. */
function list(source, member, id, wanted) {
    const closing = {...source.closing};
    const others = (closing[member] || []).filter((one) => one !== id);
    closing[member] = wanted ? [...others, id] : others;
    if (closing[member].length === 0 && member !== "candidates") {
        delete closing[member];
    }
    setClosing(source, closing);
}

function setClosing(source, closing) {
    if (Object.keys(closing).length === 0) {
        delete source.closing;
    } else {
        source.closing = closing;
    }
}

class ClosingInput {
    constructor(app) {
        this.app = app;
        this.element = h("div", {class: "ask"});
        this.sync();
    }

    sync() {
        keepingFocus(() => this.element.replaceChildren(...this.draw()));
    }

    draw() {
        const {app} = this;
        const closing = app.source.closing || {};
        const own = closing.candidates !== undefined;
        const named = h("input", {type: "checkbox", checked: own,
            "data-key": "candidates", onchange: () => app.change((source) => {
                const next = {...source.closing};
                if (named.checked) {
                    next.candidates = this.offered();
                } else {
                    delete next.candidates;
                }
                setClosing(source, next);
            })});
        const swap = h("input", {type: "checkbox", checked: app.swap,
            "data-key": "swap", onchange: () => {
                app.swap = swap.checked;
                app.update();
            }});
        return [
            h("label", {class: "tick"}, swap,
                " Also try every other microcontroller"),
            h("label", {class: "tick"}, named,
                " Choose the candidates myself"),
            h("details", {class: "about", open: own || app.open.wishes,
                ontoggle: (event) => {
                    app.open.wishes = event.target.open;
                }},
            h("summary", {"data-key": "wishes"},
                "Prices, preferred and forbidden parts"),
            h("ul", {class: "wishes"}, app.catalogue.parts.map((part, i) =>
                this.row(part, i, own)))),
        ];
    }

    /* What is offered when nobody chooses: parts that go beside another. */
    offered() {
        const {catalogue} = this.app;
        return catalogue.parts.filter((_, i) =>
            catalogue.records.parts[i][3] === 0).map(({id}) => id);
    }

    row({id, name}, index, own) {
        const {app} = this;
        const {source} = app;
        const wish = listed(source, "forbidden", id) ? "forbidden"
            : listed(source, "preferred", id) ? "preferred" : "";
        const costs = (source.closing || {}).costs || {};
        const box = h("input", {type: "checkbox",
            checked: listed(source, "candidates", id),
            "data-key": `candidate-${id}`, onchange: () =>
                app.change((next) => list(next, "candidates", id,
                    box.checked))});
        const price = h("input", {type: "number", min: 0, max: 10000,
            step: 0.01, "data-key": `price-${id}`,
            placeholder: money(app.catalogue.cost(index)),
            value: costs[id] === undefined ? "" : money(costs[id]),
            onchange: () => app.change((next) =>
                setPrice(next, id, price))});
        return h("li", {}, h("p", {}, name || id), h("div", {class: "inline"},
            own && h("label", {class: "tick"}, box, " candidate"),
            select(`Wish for ${id}`, `wish-${id}`, WISHES, wish, (value) =>
                app.change((next) => {
                    list(next, "preferred", id, value === "preferred");
                    list(next, "forbidden", id, value === "forbidden");
                })),
            h("label", {class: "field"}, h("span", {}, `Price of ${id}`),
                price)));
    }
}

function setPrice(source, id, input) {
    const closing = {...source.closing};
    const costs = {...closing.costs};
    const cents = Math.round(Number(input.value) * 100);
    delete costs[id];
    if (input.value !== "" && cents >= 0 && cents <= 1000000) {
        costs[id] = cents;
    }
    delete closing.costs;
    setClosing(source, Object.keys(costs).length === 0 ? closing
        : {...closing, costs});
}

/* --- the answer --- */

/* Where nothing helps the cheapest set is empty, and no set to show. */
const setsToShow = ({gaps, sets}) => sets.filter(({parts}) =>
    parts.length > 0 || gaps.length === 0);

class ClosingOutput {
    constructor(app) {
        this.app = app;
        this.element = h("div", {class: "answer"});
    }

    sync() {
        keepingFocus(() => this.element.replaceChildren(...this.draw()));
    }

    name(id) {
        const {catalogue} = this.app;
        return catalogue.parts[catalogue.find("parts", id)].name || id;
    }

    gap({kind, id}) {
        const {catalogue} = this.app;
        return h("li", {}, icon("gap"), " ", kind === "primitive"
            ? catalogue.primitives[catalogue.find("primitives", id)].name
            : id, " ", h("span", {class: "trust"}, kind));
    }

    draw() {
        const {app} = this;
        const {closing} = app;
        if (closing === null) {
            return [notEvaluated("Choose a part to start from.")];
        }
        const lists = {sets: setsToShow(closing), gaps: closing.gaps,
            impossible: closing.impossible, swaps: closing.swaps};
        const words = {gaps: ["gap|gaps, one by one", "gap"],
            impossible: ["that no candidate closes", "gap"],
            sets: ["set of parts|sets of parts, cheapest first", "picked"],
            swaps: ["other microcontroller|other microcontrollers", "none"]};
        if (!app.swap) {
            delete lists.swaps;
        }
        return [this.headline(closing), app.counters("closing", lists, words,
            (entries, which) => entries.map((entry, i) =>
                which === "sets" ? this.set(entry, i)
                    : which === "swaps" ? this.swapped(entry)
                        : this.gap(entry))),
        ...lists.sets.length === 0 ? [] : [h("p", {class: "hint"},
            "Prices are sums of the estimates and of what you put in; they " +
            "name no currency.")]];
    }

    headline({gaps, impossible, sets}) {
        const parts = sets.length === 0 ? [] : sets[0].parts;
        if (gaps.length === 0) {
            return h("p", {class: "verdict"}, icon("covered"), " The chosen " +
                "parts leave no gap of the primitives and algorithms above.");
        }
        if (parts.length === 0) {
            return h("p", {class: "verdict"}, icon("gap"),
                " No candidate closes any of the gaps.");
        }
        return h("p", {class: "verdict"}, icon(impossible.length > 0
            ? "partial" : "covered"), ` ${parts.map((id) =>
            this.name(id)).join(" + ")} for ${money(sets[0].cents)} closes ` +
            (impossible.length > 0 ? `${gaps.length - impossible.length} of ` +
                `${plural(gaps.length, "gap", "gaps")}.`
                : plural(gaps.length, "gap.", "gaps, all of them.")));
    }

    set({parts, cents}, index) {
        const {app} = this;
        return h("li", {class: "set"}, h("strong", {}, money(cents)), " ",
            parts.length === 0 ? "nothing to add"
                : parts.map((id) => this.name(id)).join(" + "),
            parts.length > 0 && h("button", {type: "button", class: "small",
                "data-key": `add-${index}`, onclick: () =>
                    app.change((source) => setParts(source,
                        [...source.platforms || [], ...parts]))},
            "Add to the system"));
    }

    swapped({instead_of: before, main, impossible, set}) {
        const parts = [main, ...set === null ? [] : set.parts];
        return h("li", {class: "set"},
            h("strong", {}, set === null ? "?" : money(set.cents)),
            ` ${parts.map((id) => this.name(id)).join(" + ")}, instead of ` +
            this.name(before),
            h("p", {class: "path"}, impossible.length === 0
                ? "closes every gap"
                : `leaves ${plural(impossible.length, "gap", "gaps")}`));
    }
}
