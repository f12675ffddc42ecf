/* SPDX-License-Identifier: MIT */
/* A turn as it is seen: the question with its marks, a quiet timeline of what ran, the answer, what came of it. */

import {button, count, h, icon, save, say, seconds} from "/page/dom.js";
import {phrases} from "/page/phrases.js";

const ENDS = {
    canceled: "Stopped.",
    interrupted: "The server was stopped before this was finished.",
    failed: "This did not work.",
    running: "Still being answered elsewhere."
};

/* "3 boxes, 1 text" */
function summary(objects) {
    const words = {box: ["box", "boxes"], map: ["class map"], img: ["picture"]};
    const n = new Map();
    for (const o of objects ?? [])
        n.set(o.kind, (n.get(o.kind) ?? 0) + 1);
    return [...n].map(([kind, k]) => count(k, ...(words[kind] ?? [kind]))).join(", ");
}

/* For those who switched it on; it scrolls, so it can have the focus. */
const json = (name, value) => h("pre", {class: "detail", tabindex: "0", "aria-label": name}, JSON.stringify(value, null, 2));

function marksOf(turn) {
    const n = (list, one, more) => list?.length ? count(list.length, one, more) : null;
    return [n(turn.points, "point"), n(turn.boxes, "box", "boxes"), n(turn.strokes, "stroke"),
            turn.reference ? "a reference" : null].filter(Boolean).join(", ");
}

export class TurnView {
    /* `on`: {retry(turn), vote(turn, vote), found(turn), show(turn, picture), use(handle), keep(handle), light(turn, keys),
     * url(handle)}. */
    constructor(turn, on) {
        this.turn = turn;
        this.on = on;
        this.steps = h("ol", {class: "steps", "aria-label": "What was done"});
        this.answer = h("div", {class: "answer"});
        this.made = h("ul", {class: "made", "aria-label": "Pictures that were made"});
        this.note = h("p", {class: "note"});
        this.bar = h("div", {class: "bar"});
        const marks = marksOf(turn);
        this.element = h("li", {class: "turn"},
            h("div", {class: "said"}, h("h3", {class: "unseen"}, "Question"), h("p", null, turn.text),
              marks && h("p", {class: "quiet"}, `with ${marks}`)),
            h("div", {class: "reply"}, h("h3", {class: "unseen"}, "Answer"), this.steps, this.answer, this.made, this.note, this.bar));
        this.began = performance.now();
        if (turn.status === "running" && !turn.turn)
            this.clock = setInterval(() => this.#tick(), 100);
        this.render();
    }

    /* What the server tells while it works. */
    hear(event, data) {
        const turn = this.turn, now = performance.now();
        if (event === "turn") {
            turn.turn = data.turn;
        } else if (event === "thought") {
            turn.thoughts.push(data.text);
        } else if (event === "plan") {
            this.#planned(now);
            turn.actions = data.actions;
            turn.skills = data.skills;
        } else if (event === "skill_started") {
            turn.now = {skill: data.skill, began: now};
            say(`${data.skill} runs`);
        } else if (event === "skill_result") {
            turn.now = null;
            this.last = now;
            turn.results.push(data);
        } else if (event === "answer") {
            this.#planned(now);
            turn.answering ??= now;
            turn.answer += data.text;
            this.#streamed(data.text);
            return;
        } else if (event === "done") {
            Object.assign(turn, data);
            turn.answered = turn.answering ? now - turn.answering : null;
        } else if (event === "error") {
            turn.status = data.error?.code === "canceled" ? "canceled" : "failed";
            turn.error = data.error?.message;
        }
        this.render();
    }

    #planned(now) {
        this.turn.planned ??= now - this.began;
    }

    end(status, error) {
        clearInterval(this.clock);
        const turn = this.turn;
        turn.now = null;
        turn.status = status ?? turn.status;
        turn.error = error ?? turn.error;
        this.render();
        say(turn.status === "done" ? turn.answer : `${ENDS[turn.status] ?? ""} ${turn.error ?? ""}`);
    }

    #streamed(text) {
        if (!this.stream) {
            this.render();
            this.stream = h("p", {class: "streaming"});
            this.answer.replaceChildren(this.stream);
        }
        this.stream.append(text);
    }

    #tick() {
        const now = performance.now(), clock = this.steps.querySelector(".now time");
        if (clock)
            clock.textContent = seconds(now - Number(clock.dataset.from));
    }

    #step(state, word, ms, more, detail) {
        const live = state === "now";
        const time = live ? h("time", {"data-from": ms}, seconds(performance.now() - ms))
                          : ms === null || ms === undefined ? null : h("time", null, seconds(ms));
        return h("li", {class: state}, h("span", {class: "line"}, h("span", {class: "dot"}, state === "ok" ? icon("done") : ""),
                 h("span", null, word), time, more && h("span", {class: "quiet"}, more)), detail);
    }

    #renderSteps() {
        const turn = this.turn, live = turn.status === "running" && !!this.clock, list = [];
        const thought = turn.thoughts?.length ? h("p", {class: "detail"}, turn.thoughts.join("\n")) : null;
        const plan = turn.actions ? json("Plan as JSON", turn.actions) : null;
        const thinking = live && turn.planned === undefined;
        list.push(this.#step(thinking ? "now" : "ok", thinking ? "Planning" : "Planned", thinking ? this.began : turn.planned, null,
                             thought || plan ? h("div", null, thought, plan) : null));
        for (const r of turn.results) {
            const good = r.status === "done";
            list.push(this.#step(good ? "ok" : "bad", r.skill, good ? r.ms : null, good ? summary(r.objects) : r.message ?? r.status,
                                 json(`Result of ${r.skill} as JSON`, r.result ?? {message: r.message})));
        }
        if (turn.now)
            list.push(this.#step("now", turn.now.skill, turn.now.began));
        const waiting = live ? (turn.skills ?? []).slice(turn.results.length + (turn.now ? 1 : 0)) : [];
        for (const skill of waiting)
            list.push(this.#step("later", skill));
        if (live && !thinking && !turn.now && !waiting.length)
            list.push(this.#step("now", "Answering", turn.answering ?? this.last ?? this.began + turn.planned));
        this.steps.replaceChildren(...list);
        this.steps.hidden = !live && !turn.results.length && !turn.thoughts?.length;
    }

    render() {
        const turn = this.turn, running = turn.status === "running";
        this.element.setAttribute("aria-busy", String(running && !!this.clock));
        this.#renderSteps();
        if (!running || !this.stream) {
            this.stream = null;
            this.answer.replaceChildren(...turn.answer ? [phrases(turn, this.on)] : []);
        }
        this.#renderMade();
        const end = turn.status === "done" ? turn.cut_short ? "The answer was cut short." : ""
                    : running && this.clock ? "" : [ENDS[turn.status], turn.error].filter(Boolean).join(" ");
        this.note.textContent = end;
        this.note.hidden = !end;
        this.note.className = turn.status === "failed" ? "note bad" : "note";
        this.#renderBar();
    }

    #renderMade() {
        const made = this.turn.results.flatMap((r) => r.objects ?? []).filter((o) => o.kind === "img");
        const key = made.map((o) => o.handle).join();
        if (key === this.madeKey)
            return;
        this.madeKey = key;
        this.made.hidden = !made.length;
        this.made.replaceChildren(...made.map((o) => {
            const image = h("img", {alt: `Picture ${o.handle}, which was made`});
            image.style.aspectRatio = o.width / o.height;
            this.on.url(o.handle).then((url) => { image.src = url; }, () => {});
            return h("li", null, image, h("div", {class: "bar"}, button("next", "Use as next picture", () => this.on.use(o.handle)),
                     button("save", `Save picture ${o.handle}`, () => this.on.keep(o.handle), {seen: false})));
        }));
    }

    #renderBar() {
        const turn = this.turn, ended = !this.clock || turn.status !== "running";
        const found = ended ? this.on.found(turn) : [];
        this.bar.hidden = !ended;
        this.bar.replaceChildren(...[
            turn.answer && button("copy", "Copy", () => this.#copy(), {seen: false}),
            turn.status === "done" && this.#voteButton("good", "Good answer", 1),
            turn.status === "done" && this.#voteButton("poor", "Poor answer", -1),
            button("retry", "Ask again", () => this.on.retry(turn), {seen: false}),
            turn.results.length && button("save", "Save results as JSON", () => this.#save(), {seen: false}),
            found.length && button("eye", "Show on the picture", () => this.on.show(turn, found[0]))
        ].filter(Boolean));
    }

    /* Pressed again, it takes the vote back. */
    #voteButton(name, word, vote) {
        const pressed = this.turn.vote === vote;
        return button(name, word, async () => {
            if (await this.on.vote(this.turn, pressed ? 0 : vote)) {
                this.turn.vote = pressed ? 0 : vote;
                this.#renderBar();
                this.bar.querySelector(`[title="${word}"]`).focus();
            }
        }, {seen: false, "aria-pressed": String(pressed)});
    }

    async #copy() {
        try {
            await navigator.clipboard.writeText(this.turn.answer);
            say("Copied");
        } catch {
            say("The browser does not allow to copy");
        }
    }

    #save() {
        const {text, answer, thoughts, actions, results} = this.turn;
        const all = JSON.stringify({text, answer, thoughts, actions, results}, null, 2);
        save(new Blob([all], {type: "application/json"}), `llava-plus-turn-${this.turn.turn}.json`);
    }
}
