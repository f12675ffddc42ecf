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

    /* The picture that the i-th call of a turn worked on: the one that it names, else the newest before it. */
    pictureOf(turn, i) {
        const named = this.find(turn.actions?.[i]?.API_params?.image);
        const made = new Set(turn.results.slice(0, i).flatMap((r) => r.objects ?? []).map((o) => o.handle));
        const before = this.pictures.filter((o) => made.has(o.handle) || o.turn < turn.turn ||
                                                   (o.by === "user" && o.turn === turn.turn));
        return named?.kind === "img" ? named : before.at(-1) ?? null;
    }

    /* What a turn's skills found on a picture, as groups by label:
     * [{label, colour, items: [{handle, kind, box, score, label}]}]. */
    regions(turn, picture) {
        const groups = new Map();
        turn.results.forEach((result, i) => {
            if (this.pictureOf(turn, i)?.handle !== picture)
                return;
            for (const o of result.objects ?? []) {
                if (!["box", "mask", "map"].includes(o.kind))
                    continue;
                const label = o.label ?? (o.kind === "map" ? "classes" : result.skill);
                if (!groups.has(label))
                    groups.set(label, {label, colour: COLOURS[groups.size % COLOURS.length], items: []});
                groups.get(label).items.push({...o, label});
            }
        });
        return [...groups.values()];
    }

    /* The pictures that a turn has something on, the last first. */
    picturesWithRegions(turn) {
        const handles = turn.results.map((_, i) => this.pictureOf(turn, i)?.handle).filter(Boolean);
        return [...new Set(handles.reverse())].filter((handle) => this.regions(turn, handle).length);
    }

    /* An address for <img>: of what the user gave where the page has it, else from the server. */
    async url(handle) {
        if (!this.urls.has(handle))
            this.urls.set(handle, api.png(this.id, handle).then((blob) => URL.createObjectURL(blob)));
        return this.urls.get(handle);
    }

    /* A mask as {size, counts}, a class map as an ImageBitmap. */
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
