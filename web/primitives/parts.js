/* parts.js: the parts of the system, what they give, and what closes the
 * gaps. Knows dom.js; changes the project through the app. */

const TYPE_TITLES = {
    mcu: "Microcontrollers", "secure-element": "Secure elements",
    "wifi-module": "Wi-Fi modules", software: "Software",
    combo: "Combinations",
};

function setParts(source, parts) {
    if (parts.length === 0) {
        delete source.platforms;
    } else {
        source.platforms = parts;
    }
}

class PartInput {
    constructor(app) {
        this.app = app;
        const {parts} = app.catalogue;
        this.boxes = parts.map((part) => this.box(part));
        const types = [...new Set([...Object.keys(TYPE_TITLES),
            ...parts.map(({type}) => type)])];
        this.element = h("div", {class: "ask"}, types.map((type) => {
            const of = parts.map((part, i) => [part, i])
                .filter(([part]) => part.type === type);
            return of.length > 0 && h("fieldset", {class: "picks"},
                h("legend", {}, TYPE_TITLES[type] || type),
                h("ul", {}, of.map(([part, i]) => this.row(part, i))));
        }), h("p", {class: "hint"}, "Prices are estimates of ours for some " +
            "thousand pieces and name no currency; your own, all in one " +
            "currency, go in below, under closing."));
        this.sync();
    }

    box({id}) {
        const box = h("input", {type: "checkbox", id: `part-${id}`,
            "data-key": `part-${id}`, onchange: () =>
                this.app.change((source) => {
                    const others = (source.platforms || [])
                        .filter((one) => one !== id);
                    setParts(source, box.checked ? [...others, id] : others);
                })});
        return box;
    }

    row(part, index) {
        const price = this.app.catalogue.cost(index);
        return h("li", {class: "pick"}, this.boxes[index], h("div", {},
            h("label", {for: `part-${part.id}`},
                h("span", {class: "question"}, part.name || part.id),
                h("span", {class: "name"}, price === 0 ? "no price known"
                    : `about ${money(price)}`))));
    }

    sync() {
        const used = this.app.source.platforms || [];
        this.app.catalogue.parts.forEach(({id}, i) => {
            this.boxes[i].checked = used.includes(id);
        });
    }
}

/* --- what they give --- */

class FitOutput {
    constructor(app) {
        this.app = app;
        this.element = h("div", {class: "answer"});
    }

    sync() {
        keepingFocus(() => this.element.replaceChildren(...this.draw()));
    }

    draw() {
        const {app} = this;
        const phase = app.document === null ? null : app.document.phase3;
        if (phase === null || phase.platforms.length === 0) {
            return [notEvaluated("No part is chosen, so nothing is said " +
                "about gaps.")];
        }
        const of = (status) => phase.rows.filter((row) =>
            row.status === status);
        const lists = {gap: of("gap"), partial: of("partial"),
            covered: of("covered"), guidance: of("guidance"),
            missing: phase.missing_items};
        const words = {gap: ["gap|gaps", "gap"], partial: ["partial", "partial"],
            covered: ["covered", "covered"],
            guidance: ["left to the manual", "guidance"],
            missing: ["algorithm missing in all|algorithms missing in all",
                "missing"]};
        return [h("p", {class: "verdict"}, "Taken together: ",
            badge(phase.verdict)),
        app.counters("fits", lists, words, (list, which) =>
            which === "missing" ? list.map((id) => h("li", {}, id))
                : list.map((row) => this.row(row))),
        ...phase.interoperable.map(({protocol, possible}) => h("p",
            {class: "hint"}, icon(possible ? "covered" : "gap"),
            ` ${protocol} with one algorithm of each kind: ` +
            `${possible ? "possible" : "not possible"}`))];
    }

    name(id) {
        const {catalogue} = this.app;
        return catalogue.primitives[catalogue.find("primitives", id)].name;
    }

    row({primitive, status, feature_details: features, algorithms}) {
        const {catalogue} = this.app;
        const part = (id) =>
            catalogue.parts[catalogue.find("parts", id)].name;
        return h("li", {class: "requirement"},
            h("div", {class: "headline"}, badge(status),
                h("strong", {}, this.name(primitive))),
            features.length === 0 && h("p", {class: "path"},
                "No chosen part has a feature for it."),
            h("ul", {class: "links"}, features.map((one) => h("li", {},
                h("span", {class: "way"}, one.feature), " ",
                h("span", {class: "trust"}, `${part(one.platform)}; ` +
                    `${one.support} support, ${one.usage} use, ` +
                    `${one.confidence} confidence`),
                one.robustness !== "" && h("span", {class: "why"},
                    one.robustness)))),
            algorithms.length > 0 && h("ul", {class: "links"},
                algorithms.map((one) => this.algorithm(one))),
            status !== "covered" && this.guidance(primitive));
    }

    algorithm({algorithm, status, missing, present_blocks: blocks, spared}) {
        return h("li", {}, badge(status), " ", h("strong", {}, algorithm),
            missing.length > 0 && ` lacks ${missing.join(", ")}`,
            blocks.length > 0 && `; building blocks: ${blocks.join(", ")}`,
            spared && "; another of its kind serves");
    }

    guidance(primitive) {
        const {app} = this;
        const own = (app.source.guidance || []).find((entry) =>
            entry.primitive === primitive);
        if (own !== undefined) {
            return h("div", {}, h("p", {class: "path"},
                `For the manual: ${own.text}`),
            h("button", {type: "button", class: "small",
                "data-key": `unguide-${primitive}`,
                onclick: () => app.change((source) => {
                    source.guidance = source.guidance.filter((entry) =>
                        entry.primitive !== primitive);
                    if (source.guidance.length === 0) {
                        delete source.guidance;
                    }
                })}, "Take it out of the manual"));
        }
        const text = h("input", {type: "text"});
        const warn = h("p", {class: "failed", role: "alert"});
        return h("details", {class: "about"},
            h("summary", {}, "Leave to the manual ",
                h("span", {class: "quiet"}, this.name(primitive))),
            h("label", {class: "field wide"}, h("span", {},
                "What the manual has to ask of the user"), text), warn,
            h("button", {type: "button", onclick: () => {
                if (plain(text.value) === "") {
                    warn.textContent = "The manual needs a text.";
                    text.focus();
                    return;
                }
                app.change((source) => {
                    source.guidance = [...source.guidance || [],
                        {primitive, text: plain(text.value)}];
                });
            }}, "Leave to the manual"));
    }
}
