/* SPDX-License-Identifier: MIT */
/* The answer's words that name what was found: handles and labels become phrases that light their regions. */

import {h} from "/page/dom.js";
import {classesOf} from "/page/session.js";

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
const plain = (text) => text.toLowerCase().replace(/\s+/g, " ");

/* A map from what may stand in a text to the key of its regions. */
function names(turn) {
    const map = new Map();
    for (const o of turn.results.flatMap((r) => r.objects ?? [])) {
        if (!["box", "mask", "map"].includes(o.kind))
            continue;
        map.set(o.handle, o.handle);
        for (const label of [o.label ?? "", ...(o.kind === "map" ? classesOf(o) : []).map((c) => c.label)])
            if (label.trim())
                map.set(plain(label.trim()), label);
    }
    return map;
}

/* The answer as a paragraph. `on`: {light(turn, keys)}. */
export function phrases(turn, on) {
    const map = names(turn), p = h("p");
    if (!map.size) {
        p.append(turn.answer);
        return p;
    }
    const longest = [...map.keys()].sort((a, b) => b.length - a.length).map(escape);
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])(${longest.join("|")})(e?s)?(?![\\p{L}\\p{N}_])`, "giu");
    let at = 0;
    for (const found of turn.answer.matchAll(pattern)) {
        const key = map.get(plain(found[1]));
        const light = () => on.light(turn, [key]), dark = () => on.light(turn, []);
        p.append(turn.answer.slice(at, found.index),
                 h("button", {type: "button", class: "phrase", "data-key": key, onpointerenter: light, onpointerleave: dark, onfocus: light,
                              onblur: dark, onclick: light}, found[0]));
        at = found.index + found[0].length;
    }
    p.append(turn.answer.slice(at));
    return p;
}
