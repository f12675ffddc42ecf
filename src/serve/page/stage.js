/* SPDX-License-Identifier: MIT */
/* The picture that is looked at, and what skills found in it: masks on a canvas, boxes above, each group in its colour. A
 * region is lit by its key: a label or a handle. */

import {h, count} from "/page/dom.js";
import {placeBox} from "/page/marks.js";
import {pixels} from "/page/rle.js";

const MOST_PX = 1280; /* of the canvas' longer side */

export class Stage extends EventTarget {
    /* Fires "light" with detail {keys} when the pointer is over a region, and over none again. */
    constructor(frame) {
        super();
        this.frame = frame;
        this.image = h("img", {alt: "", draggable: "false"});
        this.canvas = h("canvas", {class: "masks", "aria-hidden": "true"});
        this.layer = h("div", {class: "layer", "aria-hidden": "true"});
        this.groups = [];
        this.visible = true;
        this.hidden = new Set(); /* labels */
        frame.prepend(this.image, this.canvas, this.layer);
        frame.addEventListener("pointermove", (e) => this.#hover(e));
        frame.addEventListener("pointerleave", () => this.#lit([]));
    }

    async show(picture, url) {
        this.picture = picture;
        this.clear();
        if (!picture)
            return;
        this.frame.style.setProperty("--ratio", picture.width / picture.height);
        this.image.alt = `Picture ${picture.handle}`;
        this.image.src = url;
        await this.image.decode();
    }

    clear() {
        this.groups = [];
        this.hidden.clear();
        this.keys = [];
        this.draw();
    }

    /* `groups` as Session.regions; `content(item)` as Session.content. */
    async set(groups, content) {
        this.clear();
        const shown = this.picture, longer = Math.max(shown.width, shown.height), scale = Math.min(1, MOST_PX / longer);
        this.canvas.width = Math.max(1, Math.round(shown.width * scale));
        this.canvas.height = Math.max(1, Math.round(shown.height * scale));
        const items = groups.flatMap((g) => g.items.map((o) => ({...o}))), maps = new Map();
        for (const o of items.filter((x) => x.kind === "mask"))
            Object.assign(o, painted(await content(o), o.colour));
        for (const o of items.filter((x) => x.kind === "class")) {
            if (!maps.has(o.handle))
                maps.set(o.handle, new ClassMap(await content(o)));
            Object.assign(o, maps.get(o.handle).part(o));
        }
        if (this.picture !== shown)
            return;
        this.groups = groups;
        this.items = items;
        this.draw();
    }

    toggle(label) {
        if (!this.hidden.delete(label))
            this.hidden.add(label);
        this.draw();
        return !this.hidden.has(label);
    }

    /* Keys that are lit; the others step back. None: all are as they are. */
    light(keys) {
        if (keys.join() === this.keys.join())
            return;
        this.keys = keys;
        this.draw();
    }

    #isLit = (o) => this.keys.includes(o.label) || this.keys.includes(o.handle);

    #seen() {
        return this.visible && this.groups.length ? this.items.filter((o) => !this.hidden.has(o.label)) : [];
    }

    draw() {
        const context = this.canvas.getContext("2d"), some = this.keys?.length > 0;
        context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        const strength = (o) => !some ? 0.85 : this.#isLit(o) ? 1 : 0.2;
        const put = (bitmap, alpha) => {
            context.globalAlpha = alpha;
            context.drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
        };
        for (const map of new Set(this.#seen().map((o) => o.map).filter(Boolean)))
            put(map.paint(this.#seen().filter((o) => o.map === map), strength), 1);
        for (const o of this.#seen().filter((x) => x.bitmap))
            put(o.bitmap, strength(o));
        this.layer.replaceChildren(...this.#seen().filter((o) => o.kind === "box").map((o) => {
            const tag = h("span", {class: "tag"}, o.label);
            const e = h("span", {class: `region${some ? this.#isLit(o) ? " lit" : " back" : ""}`}, tag);
            e.style.setProperty("--colour", o.colour);
            e.classList.toggle("top", o.box[1] < 0.06);
            e.classList.toggle("bare", !this.items.some((x) => x.bitmap && x.label === o.label));
            placeBox(e, o.box);
            return e;
        }));
    }

    /* The smallest region under the pointer. */
    #hover(e) {
        const r = this.frame.getBoundingClientRect();
        const x = (e.clientX - r.left) / r.width, y = (e.clientY - r.top) / r.height;
        const over = this.#seen().filter((o) => o.kind === "box" ? inside(o.box, x, y) : o.mask && o.mask.has(x, y));
        const size = (o) => o.kind === "box" ? (o.box[2] - o.box[0]) * (o.box[3] - o.box[1]) : o.mask.share;
        over.sort((a, b) => size(a) - size(b));
        this.#lit(over.length ? [over[0].map ? over[0].label : over[0].handle] : []);
    }

    #lit(keys) {
        if (keys.join() === this.keys.join())
            return;
        this.light(keys);
        this.dispatchEvent(new CustomEvent("light", {detail: {keys, labels: this.#seen().filter(this.#isLit).map((o) => o.label)}}));
    }

    /* The picture as it is seen, as a PNG. */
    async blob() {
        const out = h("canvas", {width: this.image.naturalWidth, height: this.image.naturalHeight});
        const context = out.getContext("2d"), unit = Math.max(1, Math.max(out.width, out.height) / 500);
        context.drawImage(this.image, 0, 0);
        if (this.#seen().some((o) => o.bitmap || o.map))
            context.drawImage(this.canvas, 0, 0, out.width, out.height);
        context.font = `600 ${8 * unit}px system-ui, sans-serif`;
        for (const o of this.#seen().filter((x) => x.kind === "box")) {
            const [x0, y0, x1, y1] = o.box.map((x, i) => x * (i % 2 ? out.height : out.width));
            const wide = context.measureText(o.label).width + 4 * unit, top = Math.max(0, y0 - 11 * unit);
            context.strokeStyle = context.fillStyle = o.colour;
            context.lineWidth = 1.5 * unit;
            context.strokeRect(x0, y0, x1 - x0, y1 - y0);
            context.fillRect(x0, top, wide, 11 * unit);
            context.fillStyle = "#000";
            context.fillText(o.label, x0 + 2 * unit, top + 8.5 * unit);
        }
        return new Promise((done) => out.toBlob(done, "image/png"));
    }
}

const inside = ([x0, y0, x1, y1], x, y) => x >= x0 && x <= x1 && y >= y0 && y <= y1;

/* How many a group has: a thing with a box and a mask is one thing. */
function groupCount(group) {
    const n = (kind) => group.items.filter((o) => o.kind === kind).length;
    return Math.max(n("box"), n("mask"), n("class"));
}

/* A group's part of the picture, where it is a class of a map: "31 %"; else "". */
function groupShare(group) {
    const share = group.items.every((o) => o.kind === "class") ? Math.max(...group.items.map((o) => o.share)) : 0;
    return share ? `${Math.max(1, Math.round(100 * share))} %` : "";
}

/* What stands beside a group's label, and its whole name for who cannot see it. */
export const groupNote = (group) => groupShare(group) || (groupCount(group) > 1 ? `× ${groupCount(group)}` : "");
export const groupName = (group) => `${group.label}, ${groupShare(group) ? `${groupShare(group)} of the picture`
                                                                         : count(groupCount(group), "region")}`;

const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

function bitmapOf(width, height, paint) {
    const canvas = h("canvas", {width, height}), context = canvas.getContext("2d");
    const data = context.createImageData(width, height);
    paint(data.data);
    context.putImageData(data, 0, 0);
    return canvas;
}

/* A mask in its colour, its rim opaque. */
function painted(segmentation, colour) {
    const [height, width] = segmentation.size, mask = pixels(segmentation), [r, g, b] = channels(colour);
    const reach = Math.max(1, Math.round(Math.max(width, height) / 400));
    const on = (x, y) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x];
    let area = 0;
    const bitmap = bitmapOf(width, height, (out) => {
        for (let y = 0, i = 0; y < height; y++)
            for (let x = 0; x < width; x++, i++) {
                if (!mask[i])
                    continue;
                area++;
                const rim = !on(x - reach, y) || !on(x + reach, y) || !on(x, y - reach) || !on(x, y + reach);
                out.set([r, g, b, rim ? 255 : 115], 4 * i);
            }
    });
    const has = (x, y) => on(Math.floor(x * width), Math.floor(y * height));
    return {bitmap, mask: {has, share: area / (width * height)}};
}

/* A class map as an ImageBitmap whose grey values are the classes. */
class ClassMap {
    constructor(image) {
        const {width, height} = image, context = h("canvas", {width, height}).getContext("2d");
        context.drawImage(image, 0, 0);
        this.width = width;
        this.height = height;
        this.classes = new Uint8Array(width * height);
        const from = context.getImageData(0, 0, width, height).data;
        for (let i = 0; i < this.classes.length; i++)
            this.classes[i] = from[4 * i];
    }

    /* What makes an item of one of the classes. */
    part(o) {
        const at = (x, y) => Math.floor(y * this.height) * this.width + Math.floor(x * this.width);
        return {map: this, mask: {has: (x, y) => this.classes[at(x, y)] === o.class, share: o.share}};
    }

    /* The classes of `items`, each in its colour and as opaque as `strength(item)` of what masks are. */
    paint(items, strength) {
        const colours = new Uint8ClampedArray(4 * 256);
        for (const o of items)
            colours.set([...channels(o.colour), 160 * strength(o)], 4 * o.class);
        return bitmapOf(this.width, this.height, (out) => {
            const whole = new Uint32Array(out.buffer), of = new Uint32Array(colours.buffer);
            this.classes.forEach((c, i) => { whole[i] = of[c]; });
        });
    }
}
