/* SPDX-License-Identifier: MIT */
/* A session as the page holds it: what the server told of it, and what follows from that. */

import * as api from "/page/api.js";

/* Light enough for black words on them, far enough apart to be told. */
export const COLOURS = ["#ffb703", "#5cc8ff", "#ff8fb8", "#7ee787", "#c9a6ff", "#ff9e64", "#5eead4", "#e3e04b"];

export class Session {
    constructor(data) {
        this.id = data.id;
        this.title = data.title ?? "";
        this.turns = data.turns ?? [];
        this.objects = data.objects ?? [];
        this.urls = new Map(); /* of pictures, by handle */
        this.contents = new Map(); /* of masks and maps, by handle */
    }

    get pictures() {
        return this.objects.filter((o) => o.kind === "img");
    }

    get newest() {
        return this.pictures.at(-1) ?? null;
    }

    find(handle) {
        return this.objects.find((o) => o.handle === handle) ?? null;
    }

    /* The handle of the picture on which an object of a result lies. Results that an older server kept do not tell it; what it
     * kept of the object does. */
    #under(o) {
        return o.picture ?? this.find(o.handle)?.picture;
    }

    /* What a turn's skills found on a picture, as groups by label: [{label, colour, items: [{handle, kind, box, score, label,
     * colour}]}]. A class of a map is an item of the kind "class" with the map's handle, {class, share}. */
    regions(turn, picture) {
        const groups = new Map();
        const add = (item, colour) => {
            if (!groups.has(item.label))
                groups.set(item.label, {label: item.label, colour, items: []});
            groups.get(item.label).items.push({...item, colour: groups.get(item.label).colour});
        };
        for (const result of turn.results)
            for (const o of (result.objects ?? []).filter((x) => this.#under(x) === picture))
                if (o.kind === "map")
                    classesOf(o).forEach((c) => add({...c, handle: o.handle, kind: "class"}, c.color));
                else
                    add({...o, label: o.label ?? result.skill}, COLOURS[groups.size % COLOURS.length]);
        return [...groups.values()];
    }

    /* The pictures that a turn has something on, the last first. */
    picturesWithRegions(turn) {
        const handles = turn.results.flatMap((result) => result.objects ?? []).map((o) => this.#under(o)).filter(Boolean);
        return [...new Set(handles.reverse())];
    }

    /* An address for <img>: of what the user gave where the page has it, else from the server. */
    async url(handle) {
        if (!this.urls.has(handle))
            this.urls.set(handle, api.png(this.id, handle).then((blob) => URL.createObjectURL(blob)));
        return this.urls.get(handle);
    }

    /* Of a mask {size, counts}, of a class its map as an ImageBitmap. */
    async content(o) {
        if (!this.contents.has(o.handle))
            this.contents.set(o.handle, o.kind === "mask" ? api.object(this.id, o.handle).then((x) => x.segmentation)
                                                          : api.png(this.id, o.handle).then(createImageBitmap));
        return this.contents.get(o.handle);
    }

    close() {
        for (const url of this.urls.values())
            Promise.resolve(url).then((u) => URL.revokeObjectURL(u), () => {});
    }
}

/* The classes of a map, the largest first, without the specks that edges leave. */
export function classesOf(map) {
    return (map.classes ?? []).filter((c) => c.share >= 0.001).sort((a, b) => b.share - a.share);
}

/* A turn that begins. */
export function newTurn(message) {
    return {...message, turn: 0, status: "running", thoughts: [], actions: null, results: [], answer: "", steps: []};
}

/* The ids that this browser knows, for servers that list none. */
const KEPT = "sessions";

export function known() {
    try {
        return JSON.parse(localStorage.getItem(KEPT)) ?? [];
    } catch {
        return [];
    }
}

export function remember(session) {
    const rest = known().filter((s) => s.id !== session.id);
    const one = {id: session.id, title: session.title, changed: Math.floor(Date.now() / 1000)};
    localStorage.setItem(KEPT, JSON.stringify([one, ...rest].slice(0, 200)));
}

export function forget(id) {
    localStorage.setItem(KEPT, JSON.stringify(known().filter((s) => s.id !== id)));
}
