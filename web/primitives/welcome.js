/* welcome.js: the first screen. Knows dom.js; starts a project through the
 * app. */

function welcome(app) {
    const card = (source) => {
        const {title, description} = source.use_case;
        return h("li", {}, h("button", {type: "button", class: "card",
            onclick: () => app.start(structuredClone(source))},
        h("strong", {}, title), h("span", {}, description || ""),
        h("span", {class: "go"}, "Load this example")));
    };
    /* With other data an example may name what is not there. */
    const fitting = app.catalogue.examples.filter((source) =>
        checkProject(app.catalogue, app.engine, source).length === 0);
    return h("div", {class: "welcome"},
        h("h1", {}, "From what a product does to the parts that secure it"),
        h("p", {class: "lead"}, "Say what the product does; see which " +
            "security primitives that requires, which requirements of a " +
            "standard they answer, what your parts leave open, and the " +
            "cheapest parts that close it."),
        h("ol", {class: "steps"},
            h("li", {}, h("strong", {}, "Use case"),
                " Answer questions in plain language, or pick from the list."),
            h("li", {}, h("strong", {}, "Standards"),
                " Choose standard, level and component type."),
            h("li", {}, h("strong", {}, "Parts"),
                " Choose what the system is built from."),
            h("li", {}, h("strong", {}, "Closing"),
                " Take the set of parts that costs least.")),
        h("div", {class: "begin"},
            h("button", {type: "button", class: "primary", id: "begin",
                onclick: () => app.start({schema: "keywright/project/1"})},
            "Start with the questions"),
            h("button", {type: "button", onclick: () => app.open.dialog()},
                "Open a project file")),
        ...fitting.length === 0 ? [] : [
            h("h2", {}, "Or look at an example first"),
            h("ul", {class: "cards"}, fitting.map(card))],
        h("p", {class: "hint"}, "Everything happens in this file: nothing " +
            "is sent anywhere, and nothing is kept unless you save it."));
}
