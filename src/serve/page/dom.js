/* SPDX-License-Identifier: MIT */
/* Making elements, and words for those who do not see the page. Text goes in as text, never as markup. */

export const $ = (id) => document.getElementById(id);

/* h("button", {class: "x", onclick: f, "aria-label": "y"}, "text", child, null) */
export function h(tag, props, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(props ?? {})) {
        if (name.startsWith("on"))
            e.addEventListener(name.slice(2), value);
        else if (value === true)
            e.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined)
            e.setAttribute(name, value);
    }
    e.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
    return e;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, props, ...children) {
    const e = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(props ?? {}))
        e.setAttribute(name, value);
    e.append(...children);
    return e;
}

/* A symbol of index.html. */
export const icon = (name) => svg("svg", {class: "icon", "aria-hidden": "true"}, svg("use", {href: `#i-${name}`}));

/* A button with a symbol; its word is seen or only heard. */
export function button(name, word, onclick, {seen = true, ...props} = {}) {
    return h("button", {type: "button", class: "plain", title: seen ? null : word, onclick, ...props}, icon(name),
             h("span", {class: seen ? null : "unseen"}, word));
}

/* Says it to screen readers. */
export function say(text) {
    $("status").textContent = "";
    requestAnimationFrame(() => { $("status").textContent = text; });
}

/* A sentence that everybody sees, until it is closed or time goes by. */
export function alert(text) {
    const note = h("p", {class: "alert"}, h("span", null, text),
                   button("close", "Close", () => note.remove(), {seen: false}));
    $("alerts").append(note);
    setTimeout(() => note.remove(), 12000);
}

export function save(blob, name) {
    const url = URL.createObjectURL(blob);
    h("a", {href: url, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
}

export const seconds = (ms) => ms < 10 ? "under 10 ms" : ms < 950 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(1)} s`;
export const count = (n, one, more = `${one}s`) => `${n} ${n === 1 ? one : more}`;
