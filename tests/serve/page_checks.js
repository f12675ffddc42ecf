/* SPDX-License-Identifier: MIT */
/* What the tests of the page run in it: returns a list of sentences about what people with other eyes, hands or ears would
 * miss. WCAG 2.2: 1.1.1, 1.3.1, 1.4.3, 1.4.10, 1.4.11 (of fields), 2.4.3, 2.5.8, 3.1.1, 4.1.2. */
const wrong = [];
const seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && e.getClientRects().length > 0;
const name = (e) => {
    const by = e.getAttribute("aria-labelledby");
    if (by)
        return by.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    const label = e.getAttribute("aria-label") ?? [...e.labels ?? []].map((l) => l.textContent).join(" ");
    return (label || e.getAttribute("alt") || e.textContent || e.getAttribute("title") || "").trim();
};
const what = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ""}${e.className && !e.className.baseVal ? ` class="${e.className}"` : ""}> "${(e.textContent ?? "").trim().slice(0, 30)}"`;
const scope = document.querySelector("dialog[open]") ?? document.body;
const all = [...scope.querySelectorAll("*")].filter(seen);

/* names and roles */
const controls = all.filter((e) => e.matches("button, a[href], input, textarea, select, summary, [tabindex='0'], [role=application]"));
for (const e of controls)
    if (!name(e))
        wrong.push(`no name: ${what(e)}`);
for (const e of all.filter((x) => x.matches("img")))
    if (!e.hasAttribute("alt"))
        wrong.push(`no alternative: ${what(e)}`);
for (const e of all.filter((x) => x.matches("[onclick]") || (x.tabIndex >= 0 && !controls.includes(x))))
    if (e.tabIndex >= 0 && !e.getAttribute("role") && getComputedStyle(e).overflowY !== "auto")
        wrong.push(`focusable, but no control: ${what(e)}`);
const ROLES = ["application", "alert", "status", "group", "switch", "dialog"];
for (const e of all.filter((x) => x.hasAttribute("role")))
    if (!ROLES.includes(e.getAttribute("role")))
        wrong.push(`an unknown role: ${what(e)}`);
for (const e of all)
    for (const attribute of ["aria-labelledby", "aria-controls", "for"])
        if (e.hasAttribute(attribute) && !document.getElementById(e.getAttribute(attribute)))
            wrong.push(`${attribute} points to nothing: ${what(e)}`);
for (const e of all.filter((x) => x.matches("[aria-hidden=true]")))
    if (e.querySelector("button, a, input, [tabindex]"))
        wrong.push(`hidden from readers, but can be reached: ${what(e)}`);
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
for (const id of ids.filter((x, i) => ids.indexOf(x) !== i))
    wrong.push(`twice the same id: ${id}`);
if (!document.documentElement.lang || !document.title)
    wrong.push("the page has no language or no title");
if (document.querySelectorAll("main").length !== 1 || document.querySelectorAll("h1").length !== 1)
    wrong.push("the page has not one main part and one heading");
const levels = [...document.querySelectorAll("main h1, main h2, main h3, body > header h1")].filter(seen).map((e) => Number(e.tagName[1]));
if (levels[0] !== 1)
    wrong.push("the first heading is no h1");
for (const list of all.filter((x) => x.matches("ul, ol")))
    if ([...list.children].some((c) => c.tagName !== "LI"))
        wrong.push(`a list with something else in it: ${what(list)}`);
if ([...document.querySelectorAll("[tabindex]")].some((e) => e.tabIndex > 0))
    wrong.push("a tab order by numbers");

/* sizes: 24 by 24, but for words within a sentence and what a label enlarges */
for (const e of controls) {
    const r = (e.closest("label") ?? e).getBoundingClientRect();
    if ((r.width < 24 || r.height < 24) && !e.matches(".phrase, .link, .skip, [class~=detail], #scroll"))
        wrong.push(`small (${Math.round(r.width)} by ${Math.round(r.height)}): ${what(e)}`);
}
const wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > wide)
    wrong.push(`wider than the window: ${document.documentElement.scrollWidth} of ${wide}`);
for (const e of controls.filter((x) => !x.closest("#strip, #scroll, #under") && !x.matches(".skip"))) {
    const r = e.getBoundingClientRect();
    if (r.left < -1 || r.right > wide + 1)
        wrong.push(`out of the window: ${what(e)}`);
}

/* contrast of text, 4.5 to 1 (3 to 1 where it is large) */
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
};
const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
const behind = (e) => {
    const layers = [];
    for (let x = e; x; x = x.parentElement) {
        const c = rgba(getComputedStyle(x).backgroundColor);
        layers.push(c);
        if (c[3] === 1)
            break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
};
const light = (c) => {
    const [r, g, b] = c.map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => {
    const [hi, lo] = [light(a), light(b)].sort((x, y) => y - x);
    return (hi + 0.05) / (lo + 0.05);
};
let texts = 0;
for (const e of all) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const r = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!own || e.closest(":disabled") || e.closest("svg, noscript") || (r.width <= 1 && r.height <= 1) || style.clipPath !== "none")
        continue;
    texts++;
    const ground = behind(e), is = ratio(over(rgba(style.color), ground), ground);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (is < (large ? 3 : 4.5))
        wrong.push(`contrast ${is.toFixed(2)}: ${what(e)}`);
}
if (texts < 3)
    wrong.push("hardly any text was looked at");
for (const e of all.filter((x) => x.matches(".icon") && !x.closest(":disabled"))) {
    const ground = behind(e);
    if (ratio(over(rgba(getComputedStyle(e).color), ground), ground) < 3)
        wrong.push(`contrast of a symbol: ${what(e.parentElement)}`);
}
for (const e of all.filter((x) => x.matches(".field, #key input, #legend button"))) {
    const ground = behind(e.parentElement);
    if (ratio(over(rgba(getComputedStyle(e).borderTopColor), ground), ground) < 3)
        wrong.push(`contrast of an edge: ${what(e)}`);
}
return wrong;
