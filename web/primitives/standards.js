/* standards.js: the standards to be met, and what of them is covered. Knows
 * dom.js; changes the project through the app. */

/* The standards of a project as an array, whatever the file wrote. */
function targetsOf(source) {
    const {standard} = source;
    return standard === undefined ? []
        : Array.isArray(standard) ? standard : [standard];
}

function setTargets(source, targets) {
    if (targets.length === 0) {
        delete source.standard;
    } else {
        source.standard = targets;
    }
}

class StandardInput {
    constructor(app) {
        this.app = app;
        this.rows = app.catalogue.standards.map((standard, index) =>
            this.row(standard, index));
        this.element = h("div", {class: "ask"}, h("fieldset", {class: "picks"},
            h("legend", {}, "Standards and schemes"),
            h("ul", {}, this.rows.map(({element}) => element))));
        this.sync();
    }

    row(standard, index) {
        const {app} = this;
        const {id} = standard;
        const box = h("input", {type: "checkbox", id: `standard-${id}`,
            "data-key": `standard-${id}`,
            onchange: () => this.choose(index, box.checked)});
        const options = h("div", {class: "inline"});
        const about = h("details", {class: "about"},
            h("summary", {"data-key": `about-${id}`},
                standard.label || "standard"),
            h("p", {}, standard.note || ""),
            standard.missing && h("p", {}, `Missing: ${standard.missing}`),
            h("p", {class: "hint"}, `${standard.edition || ""}. Data: ` +
                `${standard.depth || "requirements"}, confidence ` +
                `${standard.confidence || "unknown"}.`));
        const element = h("li", {class: "pick"}, box, h("div", {},
            h("label", {for: box.id},
                h("span", {class: "question"}, standard.title)),
            about, options));
        return {standard, element, box, options, app};
    }

    /* A standard with levels counts when its level is chosen, not before. */
    choose(index, wanted) {
        const {app} = this;
        const {id} = app.catalogue.standards[index];
        const waits = wanted && app.catalogue.levels(index).length > 0;
        app.pending.delete(id);
        if (waits) {
            app.pending.add(id);
        }
        app.change((source) => {
            const others = targetsOf(source).filter((one) => one.id !== id);
            setTargets(source, wanted && !waits ? [...others, {id}] : others);
        });
    }

    set(id, member, value) {
        const {app} = this;
        app.pending.delete(id);
        app.change((source) => {
            const targets = targetsOf(source).map((one) => ({...one}));
            let target = targets.find((one) => one.id === id);
            if (target === undefined) {
                target = {id};
                targets.push(target);
            }
            if (value === undefined) {
                delete target[member];
            } else {
                target[member] = value;
            }
            setTargets(source, targets);
        });
    }

    sync() {
        const {app} = this;
        const targets = targetsOf(app.source);
        keepingFocus(() => this.rows.forEach((row, index) => {
            const {id} = row.standard;
            const target = targets.find((one) => one.id === id);
            const pending = app.pending.has(id);
            row.box.checked = target !== undefined || pending;
            row.options.hidden = !row.box.checked;
            row.options.replaceChildren(...row.box.checked
                ? this.options(index, target || {id}) : []);
        }));
    }

    options(index, target) {
        const {catalogue} = this.app;
        const {id} = target;
        const levels = catalogue.levels(index);
        const types = catalogue.types(index);
        const vector = isObject(target.level);
        const {name} = catalogue.standards[index].levels || {};
        const word = name || "Level";
        const asLevel = (value) => /^\d+$/.test(value) ? Number(value) : value;
        return [
            levels.length > 0 && !vector && select(`Level (${word})`,
                `level-${id}`, [["", "Choose a level"],
                    ...levels.map((level) => [level, level])],
                String(target.level === undefined ? "" : target.level),
                (value) => value === "" ? this.choose(index, true)
                    : this.set(id, "level", asLevel(value))),
            types.length > 0 && !this.app.pending.has(id) && select(
                "Component type", `type-${id}`,
                [["", "All types"], ...types.map((type) =>
                    [type.id, `${type.id}, ${type.name}`])],
                target.component_type || "", (value) =>
                    this.set(id, "component_type", value || undefined)),
            catalogue.groups(index).length > 0 && target.level !== undefined &&
                this.vector(index, target, vector, asLevel),
        ].filter((one) => one !== false);
    }

    vector(index, target, vector, asLevel) {
        const {catalogue} = this.app;
        const groups = catalogue.groups(index);
        const levels = catalogue.levels(index);
        const {id, level} = target;
        const box = h("input", {type: "checkbox", checked: vector,
            "data-key": `vector-${id}`, onchange: () => this.set(id, "level",
                box.checked ? Object.fromEntries(groups.map((group) =>
                    [group.id, level])) : this.highest(index, level))});
        return h("div", {class: "vector"}, h("label", {class: "tick"}, box,
            " A level for each foundational requirement"),
        vector && h("div", {class: "inline"}, groups.map((group) => select(
            `${group.id}${group.name ? ` (${group.name})` : ""}`,
            `group-${id}-${group.id}`,
            [["0", "not asked"], ...levels.map((one) => [one, one])],
            String(level[group.id] === undefined ? 0 : level[group.id]),
            (value) => this.set(id, "level",
                {...level, [group.id]: asLevel(value)})))));
    }

    /* From a vector back to one level: the highest that was asked. */
    highest(index, level) {
        const levels = this.app.catalogue.levels(index);
        const most = Math.max(0, ...Object.values(level).map((value) =>
            levels.indexOf(String(value))));
        return /^\d+$/.test(levels[most]) ? Number(levels[most])
            : levels[most];
    }
}

/* --- what is covered --- */

class RequirementOutput {
    constructor(app) {
        this.app = app;
        this.element = h("div", {class: "answer"});
    }

    sync() {
        const {app} = this;
        const {standards} = app.document === null ? {standards: []}
            : app.document.phase2;
        const pending = app.catalogue.standards.filter(({id}) =>
            app.pending.has(id));
        keepingFocus(() => this.element.replaceChildren(
            ...pending.map(({title}) => h("div", {class: "block"},
                h("h3", {}, title),
                notEvaluated("Choose its level; until then nothing of it " +
                    "is counted."))),
            ...standards.map((standard) => this.standard(standard)),
            ...pending.length + standards.length > 0 ? [] : [notEvaluated(
                "No standard is chosen. Nothing here says that the product " +
                "complies with any.")]));
    }

    standard(standard) {
        const {app} = this;
        const {catalogue} = app;
        const index = catalogue.find("standards", standard.standard);
        const rows = (status) => standard.rows.filter((row) =>
            status === null || row.status === status);
        const titles = new Map(catalogue.requirementsOf(index).map((one) =>
            [catalogue.requirements[one].id, catalogue.requirements[one]]));
        const lists = {
            uncovered: rows("uncovered"),
            covered: rows("covered"),
            excluded: rows("excluded"),
            scope: rows(null),
            constraints: standard.constraints.map((id) =>
                ({requirement: id, title: titles.get(id).title || ""})),
            primitives: Object.entries(
                standard.primitives_required_by_standard_only),
        };
        const words = {uncovered: ["uncovered", "uncovered"],
            covered: ["covered", "covered"],
            excluded: ["excluded", "excluded"], scope: ["in scope", "none"],
            constraints: ["constraint, always|constraints, always", "none"],
            primitives: ["primitive that would help|primitives that would help",
                "required"]};
        if (lists.constraints.length === 0) {
            delete lists.constraints;
        }
        return h("div", {class: "block"},
            h("h3", {}, catalogue.standards[index].title),
            h("p", {class: "hint"}, this.asked(standard)),
            lists.scope.length === 0
                ? notEvaluated("At this level and type it asks nothing that " +
                    "the data knows.")
                : app.counters(`standard-${standard.standard}`, lists, words,
                    (list, which) => this.list(standard, list, which)),
            h("p", {class: "hint"}, "Covered means that a primitive on your " +
                "list answers the topic. Whether it is done is for evidence " +
                "to show."));
    }

    asked({standard, levels, component_type: type, label}) {
        const {catalogue} = this.app;
        const {name} =
            catalogue.standards[catalogue.find("standards", standard)].levels
            || {};
        const same = levels.every(({level}) => level === levels[0].level);
        const level = levels.length === 0 ? "no levels"
            : same ? `${name || "level"} ${levels[0].level}`
                : levels.map((one) => `${one.group} ${one.level}`).join(", ");
        return `${label}; ${level}${type === "" ? "" : `; ${type}`}`;
    }

    list(standard, list, which) {
        if (which === "primitives") {
            return list.map(([id, requirements]) =>
                this.helper(id, requirements));
        }
        if (which === "constraints") {
            return list.map(({requirement, title}) => h("li", {},
                h("strong", {}, requirement), ` ${title}`));
        }
        return list.map((row) => this.row(standard.standard, row));
    }

    helper(id, requirements) {
        const {catalogue} = this.app;
        const {name} = catalogue.primitives[catalogue.find("primitives", id)];
        return h("li", {}, h("strong", {}, name),
            h("p", {class: "path"}, `would answer ${requirements.join(", ")}`),
            h("button", {type: "button", "data-key": `help-${id}`,
                onclick: () => this.app.change((source) =>
                    pick(source, id, true))}, `Pick ${name}`));
    }

    row(standard, {requirement, title, status, argument, links}) {
        const key = `${standard}/${requirement}`;
        return h("li", {class: "requirement"},
            h("div", {class: "headline"}, badge(status),
                h("strong", {}, requirement), h("span", {}, title)),
            argument !== "" && h("p", {class: "path"}, `Because: ${argument}`),
            links.length === 0
                ? h("p", {class: "path"}, "No primitive of the data answers " +
                    "it (with the sources and the confidence that you ask " +
                    "for).")
                : h("ul", {class: "links"}, links.map((link) =>
                    this.link(link))),
            this.evidence(standard, requirement),
            this.exclusion(standard, requirement, status, key));
    }

    /* What the file names as proof. Whether it is intact the command finds
     * out; a page cannot look into files. */
    evidence(standard, requirement) {
        return (this.app.source.evidence || []).filter((entry) =>
            entry.standard === standard && entry.requirement === requirement)
            .map(({file, url, status, date}) => h("p", {class: "path"},
                `Evidence: ${file || url}, ${status} ${date} (the file is ` +
                "not looked into here)"));
    }

    /* The path to the primitive that a requirement is linked to. */
    link({primitive, applicable, layer, confidence, rationale}) {
        const {report, catalogue} = this.app;
        const index = catalogue.find("primitives", primitive);
        const path = applicable ? report.path(index) : [index];
        return h("li", {}, icon(applicable ? "covered" : "none"), " ",
            h("span", {class: "way"}, path.map((at) =>
                catalogue.primitives[at].name).join(" › "),
            applicable ? "" : " (not on your list)"), " ",
            h("span", {class: "trust"}, `${confidence} confidence, ` +
                `${layer}`), rationale && h("span", {class: "why"},
                rationale));
    }

    exclusion(standard, requirement, status, key) {
        const {app} = this;
        const own = (app.source.exclusions || []).some((entry) =>
            entry.standard === standard && entry.requirement === requirement);
        if (own) {
            return h("button", {type: "button", class: "small",
                "data-key": `include/${key}`, onclick: () =>
                    app.change((source) => include(source, standard,
                        requirement))}, "Take the exclusion back");
        }
        if (status === "excluded") {
            return null;
        }
        const text = h("input", {type: "text", required: true});
        const warn = h("p", {class: "failed", role: "alert"});
        return h("details", {class: "about"},
            h("summary", {}, "Exclude ", h("span", {class: "quiet"},
                requirement)),
            h("label", {class: "field wide"}, h("span", {},
                "The argument, why the product does without"), text), warn,
            h("button", {type: "button", onclick: () => {
                if (plain(text.value) === "") {
                    warn.textContent = "An exclusion needs its argument.";
                    text.focus();
                    return;
                }
                app.change((source) => {
                    source.exclusions = [...source.exclusions || [],
                        {standard, requirement, argument: plain(text.value)}];
                });
            }}, "Exclude"));
    }
}

function include(source, standard, requirement) {
    source.exclusions = source.exclusions.filter((entry) =>
        entry.standard !== standard || entry.requirement !== requirement);
    if (source.exclusions.length === 0) {
        delete source.exclusions;
    }
}
