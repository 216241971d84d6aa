/* document.js: what the engine answered, with names: the members phase1,
 * phase2 and phase3 of `keywright primitives evaluate --json`, and the
 * document of `close`. Knows catalogue.js and project.js. */

const ROW_WORDS = ["uncovered", "covered", "excluded"];
const FIT_WORDS = ["gap", "partial", "covered", "guidance"];
const WANT_WORDS = ["missing", "partial", "met", "guidance"];
const VERDICTS = ["gap", "partial", "covered", "not evaluated"];
const ORIGINS = ["explicit", "standard", "all"];

const byText = (a, b) => a < b ? -1 : a > b ? 1 : 0;

class Report {
    constructor(project, answer) {
        const [origin, low, high] = answer.summary[0];
        this.project = project;
        this.catalogue = project.catalogue;
        this.answer = answer;
        this.origin = origin;
        this.selected = BigInt(low) | BigInt(high) << 32n;
        this.parents = new Map(answer.primitives.map(([index, parent]) =>
            [index, parent]));
    }

    primitive(index) {
        return this.catalogue.primitives[index].id;
    }

    requirement(index) {
        return this.catalogue.requirements[index].id;
    }

    items(first, count) {
        return this.answer.items.slice(first, first + count)
            .map(([item]) => this.catalogue.items[item].id);
    }

    /* Indexes of the primitives that lead to this one, itself last. */
    path(index) {
        const path = [];
        for (let at = index; at !== NONE; at = this.parents.get(at)) {
            path.unshift(at);
        }
        return path;
    }

    document() {
        return {
            phase1: this.phase1(),
            phase2: {standards: this.project.targets.map((target) =>
                this.phase2(target))},
            phase3: this.phase3(),
        };
    }

    /* --- phase 1 --- */

    phase1() {
        const {catalogue, answer} = this;
        const edges = answer.edges.map(([edge]) => catalogue.edge(edge));
        const applicable = answer.primitives.map(([index, , selected]) => ({
            primitive: this.primitive(index),
            origin: selected ? ORIGINS[this.origin] : "implicit",
            required_by: selected ? [] : edges
                .filter(({to}) => to === index)
                .map(({from}) => this.primitive(from)),
            path: this.path(index).map((at) => this.primitive(at)),
        }));
        const suggestions = answer.suggestions.map(([index]) => {
            const edge = catalogue.edge(index);
            return {primitive: this.primitive(edge.to),
                suggested_by: this.primitive(edge.from),
                rationale: edge.rationale || ""};
        });
        suggestions.sort((a, b) => byText(a.primitive, b.primitive) ||
            byText(a.suggested_by, b.suggested_by));
        return {applicable, optional_suggestions: suggestions};
    }

    /* --- phase 2 --- */

    linksOf([, , first, count]) {
        return this.answer.links.slice(first, first + count);
    }

    phase2({standard, type, levels}) {
        const {catalogue} = this;
        const source = catalogue.standards[standard];
        const mine = ([requirement]) =>
            catalogue.standardOf(requirement) === standard;
        const rows = this.answer.rows.filter(mine);
        const inState = (state) => rows.filter((row) => row[1] === state)
            .map(([requirement]) => this.requirement(requirement));
        const covered = inState(1);
        const uncovered = inState(0);
        return {
            standard: source.id,
            label: source.label || "",
            component_type: type === NONE ? ""
                : catalogue.types(standard)[type].id,
            levels: this.levelsOf(standard, levels),
            per_primitive: this.byPrimitive(rows, true),
            count_unique: covered.length,
            unique_requirements: covered,
            count_uncovered: uncovered.length,
            uncovered,
            excluded: inState(2),
            primitives_required_by_standard_only:
                this.byPrimitive(rows, false),
            constraints: this.answer.constraints.filter(mine)
                .map(([requirement]) => this.requirement(requirement)),
            rows: rows.map((row) => this.row(row)),
        };
    }

    levelsOf(standard, levels) {
        const names = this.catalogue.levels(standard);
        const groups = this.catalogue.groups(standard);
        const count = names.length === 0 ? 0 : Math.max(1, groups.length);
        return Array.from({length: count}, (_, i) => ({
            group: groups.length > 0 ? groups[i].id : "",
            level: levels[i] === 0 ? "-" : names[levels[i] - 1]}));
    }

    /* Of primitives that apply all their requirements; of others those that
     * stay uncovered and that they would lead to. */
    byPrimitive(rows, applicable) {
        const {catalogue, parents} = this;
        const map = {};
        catalogue.primitives.forEach(({id}, index) => {
            if (parents.has(index) !== applicable) {
                return;
            }
            const list = rows.filter((row) =>
                (applicable || row[1] === 0) &&
                this.linksOf(row).some(([mapping, , leads]) =>
                    catalogue.records.mappings[mapping][0] === index &&
                    (applicable || leads !== 0)))
                .map(([requirement]) => this.requirement(requirement));
            if (list.length > 0 || applicable) {
                map[id] = list;
            }
        });
        return map;
    }

    row(row) {
        const {catalogue, project} = this;
        const [requirement, state] = row;
        return {
            requirement: this.requirement(requirement),
            title: catalogue.requirements[requirement].title || "",
            status: ROW_WORDS[state],
            argument: project.excluded.get(requirement) || "",
            links: this.linksOf(row).map(([mapping, applicable]) => {
                const source = catalogue.mappings[mapping];
                return {
                    primitive: this.primitive(
                        catalogue.records.mappings[mapping][0]),
                    applicable: applicable !== 0,
                    layer: source.layer || "",
                    confidence: source.confidence || "",
                    rationale: source.rationale || "",
                };
            }),
        };
    }

    /* --- phase 3 --- */

    phase3() {
        const {catalogue, answer, project} = this;
        return {
            platforms: project.parts.map((part) => catalogue.parts[part].id),
            rows: answer.fits.map((fit) => this.fit(fit)),
            missing_items: answer.missing
                .map(([item]) => catalogue.items[item].id).sort(byText),
            interoperable: answer.profiles.map(([profile, possible]) => ({
                protocol: catalogue.algorithms[
                    catalogue.records.profiles[profile][0]].id,
                possible: possible !== 0})),
            verdict: VERDICTS[answer.summary[0][5]],
        };
    }

    fit([primitive, state, firstFeature, features, firstWant, wants]) {
        const {catalogue, answer} = this;
        const details = answer.features
            .slice(firstFeature, firstFeature + features)
            .map(([feature]) => {
                const source = catalogue.features[feature];
                return {feature: source.feature || "", platform: source.id,
                    support: source.support || "", usage: source.usage || "",
                    confidence: source.confidence || "",
                    robustness: source.robustness || ""};
            });
        return {
            primitive: this.primitive(primitive),
            status: FIT_WORDS[state],
            features: details.map(({feature}) => feature),
            feature_details: details,
            algorithms: answer.wants.slice(firstWant, firstWant + wants)
                .map(([, algorithm, met, firstMissing, missing, firstBlock,
                    blocks, spared]) => ({
                    algorithm: catalogue.algorithms[algorithm].id,
                    status: WANT_WORDS[met],
                    missing: this.items(firstMissing, missing),
                    present_blocks: this.items(firstBlock, blocks),
                    spared: spared !== 0,
                })),
        };
    }
}

/* --- closing --- */

function closingDocument(catalogue, [closing, ...swaps]) {
    const gap = ({kind, index}) => kind === 0
        ? {kind: "primitive", id: catalogue.primitives[index].id}
        : {kind: "algorithm", id: catalogue.items[index].id};
    const impossible = ({gaps}) =>
        gaps.filter((entry) => entry.impossible).map(gap);
    const set = ({cents, parts}) =>
        ({parts: parts.map((part) => catalogue.parts[part].id), cents});
    return {
        gaps: closing.gaps.map(gap),
        impossible: impossible(closing),
        sets: closing.sets.map(set),
        swaps: swaps.map((swap) => ({
            instead_of: catalogue.parts[swap.insteadOf].id,
            main: catalogue.parts[swap.main].id,
            impossible: impossible(swap),
            set: swap.sets.length === 0 ? null : set(swap.sets[0]),
        })),
    };
}
