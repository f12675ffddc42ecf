/* SPDX-License-Identifier: MIT */
/* Marking a picture: points, boxes and strokes, by mouse, finger or keyboard. Coordinates are 0..1 of the picture.
 *
 * By pointer: a click puts a point; a drag makes a box, or two clicks on its corners do; the brush paints where it is dragged
 * and dabs where it is clicked. By keyboard, on the frame: arrows move a crosshair (Shift: far, Alt: little), Enter puts a
 * point, begins and ends a box or a stroke, Escape drops one that is begun, Backspace takes the last mark away. */

import {h, say, svg} from "/page/dom.js";

const STEP = 0.02, FAR = 0.1, LITTLE = 0.004;
const CLICK_PX = 6; /* a drag that is shorter is a click */
const MOST_STROKES = 16, MOST_CORNERS = 512;

const clamp = (x) => Math.min(1, Math.max(0, x));
const round = (x) => Math.round(x * 1e4) / 1e4;
const percent = (x) => `${Math.round(100 * x)} %`;
const boxOf = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];

export const markName = {point: "Point", not: "Not this", box: "Box", stroke: "Stroke"};

export class Marks extends EventTarget {
    /* `frame` is the element around the picture. Fires "change" when the list of marks has changed. */
    constructor(frame, tool) {
        super();
        this.frame = frame;
        this.list = []; /* {kind: "point" | "not", at} | {kind: "box", box} | {kind: "stroke", points, width} */
        this.tool = tool;
        this.width = 0.03; /* of a stroke, of the picture's longer side */
        this.enabled = true;
        this.begun = null;  /* {kind, from, points, by: "drag" | "corner" | "keys"} */
        this.cross = [0.5, 0.5];
        this.strokes = svg("svg", {class: "strokes", preserveAspectRatio: "none", "aria-hidden": "true"});
        this.layer = h("div", {class: "layer", "aria-hidden": "true"});
        this.crosshair = h("div", {class: "crosshair", "aria-hidden": "true", hidden: true});
        frame.append(this.strokes, this.layer, this.crosshair);
        frame.addEventListener("pointerdown", (e) => this.#down(e));
        frame.addEventListener("pointermove", (e) => this.#move(e));
        frame.addEventListener("pointerup", (e) => this.#up(e));
        frame.addEventListener("pointercancel", () => this.#drop());
        frame.addEventListener("keydown", (e) => this.#key(e));
        frame.addEventListener("focus", () => { this.crosshair.hidden = !this.enabled || !frame.matches(":focus-visible"); });
        frame.addEventListener("blur", () => { this.crosshair.hidden = true; });
        this.use(tool);
    }

    size(width, height) {
        this.pixels = [width, height];
        this.strokes.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.draw();
    }

    use(tool) {
        this.#drop();
        this.tool = tool;
        this.frame.dataset.tool = tool;
    }

    clear() {
        this.list = [];
        this.#drop();
        this.#changed();
    }

    remove(i) {
        const [gone] = this.list.splice(i, 1);
        if (gone)
            say(`${markName[gone.kind]} removed`);
        this.#changed();
    }

    undo() {
        if (this.begun)
            this.#drop();
        else
            this.remove(this.list.length - 1);
    }

    /* As the server takes them: only the keys that have something. */
    get message() {
        const out = {}, points = this.list.filter((m) => m.at), boxes = this.list.filter((m) => m.box);
        const strokes = this.list.filter((m) => m.points);
        if (points.length) {
            out.points = points.map((m) => m.at.map(round));
            if (points.some((m) => m.kind === "not"))
                out.labels = points.map((m) => m.kind === "not" ? 0 : 1);
        }
        if (boxes.length)
            out.boxes = boxes.map((m) => m.box.map(round));
        if (strokes.length)
            out.strokes = strokes.map((m) => ({points: m.points.map((p) => p.map(round)), width: m.width}));
        return out;
    }

    #changed() {
        this.draw();
        this.dispatchEvent(new Event("change"));
    }

    #add(mark, where) {
        const corners = this.list.reduce((n, m) => n + (m.points?.length ?? 0), mark.points?.length ?? 0);
        if (mark.points && (this.list.filter((m) => m.points).length === MOST_STROKES || corners > MOST_CORNERS))
            return say("That is as much as can be painted");
        this.list.push(mark);
        say(`${markName[mark.kind]} at ${where}`);
        this.#changed();
    }

    #put(at) {
        this.#add({kind: this.tool, at}, `${percent(at[0])}, ${percent(at[1])}`);
    }

    #drop() {
        this.begun = null;
        this.draw();
    }

    /* Ends the box or stroke that is begun. */
    #end(at) {
        const {kind, from, points} = this.begun;
        this.begun = null;
        if (kind === "stroke") {
            this.#add({kind, points: thin(points), width: this.width}, `${percent(at[0])}, ${percent(at[1])}`);
            return;
        }
        const box = boxOf(from, at);
        if (box[2] - box[0] < 0.002 || box[3] - box[1] < 0.002)
            return this.draw();
        this.#add({kind, box}, `${percent(box[0])}, ${percent(box[1])} to ${percent(box[2])}, ${percent(box[3])}`);
    }

    #where(e) {
        const r = this.frame.getBoundingClientRect();
        return [clamp((e.clientX - r.left) / r.width), clamp((e.clientY - r.top) / r.height)];
    }

    #far(a, b) {
        const r = this.frame.getBoundingClientRect();
        return Math.hypot((a[0] - b[0]) * r.width, (a[1] - b[1]) * r.height) > CLICK_PX;
    }

    #down(e) {
        if (!this.enabled || e.button !== 0)
            return;
        this.crosshair.hidden = true;
        this.pressed = this.#where(e);
        if (this.tool === "point" || this.tool === "not")
            return;
        e.preventDefault(); /* no selection, no dragging of the picture */
        this.frame.focus({preventScroll: true});
        this.frame.setPointerCapture(e.pointerId);
        if (this.begun?.by !== "corner")
            this.begun = {kind: this.tool, from: this.pressed, points: [this.pressed], by: "drag"};
        this.draw(this.pressed);
    }

    #move(e) {
        if (!this.begun || this.begun.by === "keys")
            return;
        const at = this.#where(e);
        if (this.begun.kind === "stroke")
            for (const c of e.getCoalescedEvents?.() ?? [])
                this.begun.points.push(this.#where(c));
        this.draw(at);
    }

    #up(e) {
        const at = this.#where(e), pressed = this.pressed;
        this.pressed = null;
        if (!this.enabled || !pressed)
            return;
        if (this.tool === "point" || this.tool === "not") {
            if (!this.#far(at, pressed))
                this.#put(at);
        } else if (this.begun?.kind === "box" && this.begun.by === "drag" && !this.#far(at, pressed)) {
            this.begun = {...this.begun, by: "corner"}; /* the next click is on the opposite corner */
            say("First corner. Click the opposite one.");
        } else if (this.begun) {
            this.#end(at);
        }
    }

    #key(e) {
        const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
        if (!this.enabled || e.ctrlKey || e.metaKey || e.target !== this.frame)
            return;
        if (arrows[e.key]) {
            const step = e.shiftKey ? FAR : e.altKey ? LITTLE : STEP;
            this.cross = this.cross.map((x, i) => clamp(x + step * arrows[e.key][i]));
            if (this.begun?.kind === "stroke")
                this.begun.points.push(this.cross);
            say(`${percent(this.cross[0])}, ${percent(this.cross[1])}`);
        } else if (e.key === "Enter" || e.key === " ") {
            this.#press();
        } else if (e.key === "Escape" && this.begun) {
            this.#drop();
        } else if (e.key === "Backspace" || e.key === "Delete") {
            this.undo();
        } else {
            return;
        }
        e.preventDefault();
        this.crosshair.hidden = false;
        this.draw(this.cross);
    }

    #press() {
        if (this.tool === "point" || this.tool === "not") {
            this.#put(this.cross);
        } else if (this.begun) {
            this.#end(this.cross);
        } else {
            this.begun = {kind: this.tool, from: this.cross, points: [this.cross], by: "keys"};
            say(`${markName[this.tool]} begun. Move with the arrows, end with Enter.`);
        }
    }

    /* `at`: where the pointer or the crosshair is, for what is begun. */
    draw(at) {
        const marks = [...this.list];
        if (this.begun?.kind === "box" && at)
            marks.push({kind: "box", box: boxOf(this.begun.from, at), begun: true});
        if (this.begun?.kind === "box" && this.begun.by === "corner")
            marks.push({kind: "corner", at: this.begun.from});
        if (this.begun?.kind === "stroke")
            marks.push({kind: "stroke", points: this.begun.points, width: this.width});
        this.layer.replaceChildren(...marks.filter((m) => !m.points).map(drawn));
        if (this.pixels)
            this.strokes.replaceChildren(...marks.filter((m) => m.points).map((m) => this.#painted(m)));
        place(this.crosshair, this.cross);
    }

    #painted({points, width}) {
        const all = points.length > 1 ? points : [points[0], points[0]];
        const at = all.map((p) => p.map((x, i) => round(x) * this.pixels[i]).join(",")).join(" ");
        return svg("polyline", {points: at, "stroke-width": width * Math.max(...this.pixels)});
    }
}

function place(e, at) {
    e.style.left = `${100 * at[0]}%`;
    e.style.top = `${100 * at[1]}%`;
}

export function placeBox(e, [x0, y0, x1, y1]) {
    place(e, [x0, y0]);
    e.style.width = `${100 * (x1 - x0)}%`;
    e.style.height = `${100 * (y1 - y0)}%`;
}

function drawn(mark) {
    const e = h("span", {class: `mark ${mark.kind}`});
    if (mark.box)
        placeBox(e, mark.box);
    else
        place(e, mark.at);
    return e;
}

/* A stroke with at most 32 corners and none closer than a three-hundredth to the one before. */
function thin(points) {
    const out = [points[0]];
    for (const p of points)
        if (Math.hypot(p[0] - out.at(-1)[0], p[1] - out.at(-1)[1]) > 1 / 300)
            out.push(p);
    const skip = Math.ceil(out.length / 32);
    return out.filter((_, i) => i % skip === 0 || i === out.length - 1).slice(0, 33);
}
