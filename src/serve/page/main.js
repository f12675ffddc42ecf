/* SPDX-License-Identifier: MIT */
/* The page: puts the picture, the conversation and the server together. */

import * as api from "/page/api.js";
import {$, alert, button, h, icon, save, say} from "/page/dom.js";
import {receiveFiles} from "/page/files.js";
import {History} from "/page/history.js";
import {Marks, markName} from "/page/marks.js";
import {Reference} from "/page/reference.js";
import {forget, newTurn, remember, Session} from "/page/session.js";
import {askKey, openSettings} from "/page/settings.js";
import {groupName, groupNote, Stage} from "/page/stage.js";
import {TurnView} from "/page/turn.js";

const frame = $("frame"), question = $("question");
const stage = new Stage(frame), marks = new Marks(frame, "point"), reference = new Reference();
let session = null;
let views = [];
let running = null; /* {stop: AbortController} */
let lit = null;     /* the turn whose regions are on the picture */

/* Shows what went wrong instead of throwing it. */
const guarded = (f) => async (...args) => {
    try {
        return await f(...args);
    } catch (fault) {
        if (fault.name !== "AbortError")
            alert(fault.message);
    }
};

/* ---- the picture ---- */

async function look(picture, turn = null) {
    const has = !!picture;
    $("empty").hidden = has;
    $("tools").hidden = frame.hidden = !has;
    $("stage").classList.toggle("filled", has);
    renderStrip(picture);
    if (!has)
        return stage.show(null);
    const own = session;
    await stage.show(picture, await own.url(picture.handle));
    if (own !== session)
        return;
    const isNewest = picture === session.newest;
    marks.enabled = isNewest;
    frame.dataset.enabled = isNewest;
    frame.setAttribute("aria-label", `Picture ${picture.handle}, ${picture.width} by ${picture.height}. ` +
        (isNewest ? "Arrow keys move the crosshair, Enter marks, Backspace takes the last mark away." : "An earlier picture."));
    marks.size(picture.width, picture.height);
    $("earlier").hidden = isNewest;
    await showRegions(turn ?? session.turns.findLast((t) => session.regions(t, picture.handle).length));
}

async function showRegions(turn) {
    lit = turn ?? null;
    const groups = turn && stage.picture ? session.regions(turn, stage.picture.handle) : [];
    await stage.set(groups, (o) => session.content(o));
    $("regions").hidden = $("legend").hidden = !groups.length;
    $("legend").replaceChildren(...groups.map(legendItem));
}

function legendItem(group) {
    const swatch = h("span", {class: "swatch"});
    swatch.style.setProperty("--colour", group.colour);
    const light = () => lightRegions(lit, [group.label]), dark = () => lightRegions(lit, []);
    const item = h("button", {type: "button", "aria-pressed": "true", "aria-label": groupName(group), "data-key": group.label,
                              onpointerenter: light, onpointerleave: dark, onfocus: light, onblur: dark,
                              onclick: () => item.setAttribute("aria-pressed", String(stage.toggle(group.label)))},
                   swatch, group.label, groupNote(group) && h("span", {class: "quiet"}, ` ${groupNote(group)}`));
    return h("li", null, item);
}

/* Lights regions of a turn: by a phrase of its answer, or the legend. */
function lightRegions(turn, keys) {
    if (turn === lit)
        stage.light(keys);
}

stage.addEventListener("light", (e) => {
    for (const at of document.querySelectorAll("[data-key]"))
        at.classList.toggle("lit", e.detail.labels.includes(at.dataset.key) || e.detail.keys.includes(at.dataset.key));
});

function renderStrip(shown) {
    const pictures = session?.pictures ?? [];
    $("strip").hidden = pictures.length < 2;
    $("strip").replaceChildren(...pictures.map((o) => {
        const image = h("img", {alt: ""});
        session.url(o.handle).then((url) => { image.src = url; }, () => {});
        return h("li", null, h("button", {type: "button", "aria-label": `Picture ${o.handle}${o.by === "user" ? "" : ", made by a skill"}`,
                                          "aria-current": o === shown ? "true" : null, onclick: guarded(() => look(o))}, image));
    }));
}

async function ensureSession() {
    if (!session)
        enter(new Session(await api.create()));
    return session;
}

async function addFiles(files) {
    const pictures = [...files].filter((f) => f.type.startsWith("image/"));
    if (!pictures.length)
        return files.length ? alert("That is no picture.") : undefined;
    $("stage").setAttribute("aria-busy", "true");
    try {
        const own = await ensureSession();
        for (const file of pictures) {
            const object = await api.addPicture(own.id, file);
            own.objects.push(object);
            own.urls.set(object.handle, readable(file, own, object.handle));
        }
        remember(own);
        if (own !== session)
            return;
        marks.clear();
        await look(own.newest);
        say(`Picture ${own.newest.handle} added`);
        question.focus({preventScroll: true});
    } finally {
        $("stage").removeAttribute("aria-busy");
    }
}

/* The file itself where the browser can read it, as it can most kinds; else as the server does. */
async function readable(file, own, handle) {
    const url = URL.createObjectURL(file), image = new Image();
    image.src = url;
    try {
        await image.decode();
        return url;
    } catch {
        URL.revokeObjectURL(url);
        return URL.createObjectURL(await api.png(own.id, handle));
    }
}

async function useAgain(handle) {
    const object = await api.addAgain(session.id, handle);
    session.objects.push(object);
    session.urls.set(object.handle, session.url(handle));
    marks.clear();
    await look(object);
    say(`Picture ${handle} is the next picture`);
    question.focus();
}

/* ---- marks ---- */

function renderMarks() {
    const list = $("marks"), ref = reference.value;
    list.replaceChildren(...marks.list.map((m, i) =>
        h("li", {class: `chip ${m.kind}`}, `${markName[m.kind]} ${i + 1}`,
          button("close", `Remove ${markName[m.kind].toLowerCase()} ${i + 1}`, () => {
              marks.remove(i);
              (list.querySelectorAll("button")[Math.min(i, marks.list.length - 1)] ?? frame).focus();
          }, {seen: false}))));
    if (ref)
        list.append(h("li", {class: "chip"}, icon("like"), "Reference",
                      button("close", "Remove the reference", () => reference.clear(), {seen: false})));
    list.hidden = !list.children.length;
    $("undo").disabled = !marks.list.length;
}

marks.addEventListener("change", renderMarks);
reference.addEventListener("change", renderMarks);

function useTool(name) {
    document.querySelector(`[name=tool][value=${name}]`).checked = true;
    marks.use(name);
    $("width").hidden = name !== "stroke";
}

/* ---- asking ---- */

const hooks = {
    retry: (turn) => ask(pickMessage(turn)),
    vote: guarded(async (turn, vote) => (await api.vote(session.id, turn.turn, vote)).ok),
    use: guarded(useAgain),
    keep: guarded(async (handle) => save(await api.png(session.id, handle), `${handle}.png`)),
    found: (turn) => session?.picturesWithRegions(turn) ?? [],
    show: guarded((turn, handle) => look(session.find(handle), turn)),
    light: lightRegions,
    url: (handle) => session.url(handle)
};

/* What a turn asked, to ask it again. A reference that the server did not keep is left out. */
function pickMessage(turn) {
    const out = {text: turn.text};
    for (const key of ["points", "labels", "boxes", "strokes"])
        if (turn[key]?.length)
            out[key] = turn[key];
    if (turn.reference?.image)
        out.reference = turn.reference;
    return out;
}

function addView(turn) {
    const view = new TurnView(turn, hooks);
    views.push(view);
    $("turns").append(view.element);
    $("hello").hidden = true;
    return view;
}

const atEnd = () => $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 80;
const toEnd = () => { $("scroll").scrollTop = $("scroll").scrollHeight; };

function setRunning(value) {
    const focused = document.activeElement === $("send") || document.activeElement === $("stop");
    running = value;
    $("send").hidden = !!value;
    $("stop").hidden = !value;
    if (focused)
        (value ? $("stop") : question).focus();
}

/* A skill has left something: the picture shows it at once. */
async function receive(turn, data) {
    for (const o of data.objects ?? [])
        session.objects.push({...o, by: "skill", turn: turn.turn});
    const made = session.picturesWithRegions(turn)[0];
    if (made && stage.picture?.handle === made)
        await showRegions(turn);
    else
        renderStrip(stage.picture);
}

const ask = guarded(async (message) => {
    if (running)
        return;
    const own = await ensureSession(), turn = newTurn(message), stop = new AbortController();
    setRunning({stop});
    const view = addView(turn);
    own.turns.push(turn);
    toEnd();
    try {
        await api.ask(own.id, message, (event, data) => {
            const follow = atEnd();
            view.hear(event, data);
            if (event === "skill_result" && own === session)
                guarded(receive)(turn, data);
            if (follow)
                toEnd();
        }, stop.signal);
        view.end(turn.status === "running" ? "canceled" : turn.status);
    } catch (fault) {
        const stopped = fault.name === "AbortError";
        if (!stopped && !turn.turn && fault.status)
            own.turns.splice(own.turns.indexOf(turn), 1); /* refused: the server does not know of it */
        view.end(stopped ? "canceled" : "failed", stopped ? null : fault.message);
        if (stopped)
            await api.untilEnded(own.id);
    }
    setRunning(null);
    own.title ||= message.text.slice(0, 80);
    remember(own);
    if (own === session)
        await settle(turn);
    toEnd();
});

/* After a turn: what it made is the newest picture now, and its marks are used up. */
async function settle(turn) {
    $("title").textContent = session.title;
    if (turn.status !== "done")
        return;
    marks.clear();
    if (stage.picture && session.newest !== stage.picture)
        await look(session.newest);
}

function submit() {
    const text = question.value.trim();
    if (!text || running)
        return question.focus();
    const onPicture = session?.newest && stage.picture === session.newest;
    const message = {text, ...onPicture ? marks.message : {}, ...reference.value && {reference: reference.value}};
    question.value = "";
    fit();
    ask(message);
}

/* Who goes away is not worked for; asking once more to stop finds turns that other tabs began. */
const stop = guarded(async () => {
    running?.stop.abort();
    await api.cancel(session.id);
});

/* ---- sessions ---- */

function enter(next) {
    session?.close();
    session = next;
    views = [];
    lit = null;
    marks.clear();
    reference.clear();
    $("turns").replaceChildren();
    $("hello").hidden = !!next?.turns.length;
    $("title").textContent = next?.title ?? "";
    for (const turn of next?.turns ?? [])
        addView(turn);
    history.replaceState(null, "", next ? `#${next.id}` : location.pathname);
}

async function openSession(id) {
    running?.stop.abort();
    try {
        enter(new Session(await api.get(id)));
    } catch (fault) {
        enter(null);
        await look(null);
        if (fault.status !== 404)
            throw fault;
        forget(id);
        return alert("This session is not there any more.");
    }
    remember(session);
    await look(session.newest);
    toEnd();
}

async function newSession() {
    running?.stop.abort();
    enter(null);
    await look(null);
    question.focus();
}

new History({open: guarded(openSession), current: () => session?.id, gone: (id) => { if (id === session?.id) newSession(); }});

/* ---- everything else ---- */

function fit() {
    question.style.height = "auto";
    question.style.height = `${Math.min(question.scrollHeight, 200)}px`;
}

function wire() {
    receiveFiles(guarded((files) => reference.isOpen ? reference.take(files[0]) : addFiles(files)));
    for (const radio of document.getElementsByName("tool"))
        radio.addEventListener("change", () => useTool(radio.value));
    $("width").querySelector("input").addEventListener("input", (e) => { marks.width = e.target.value / 100; });
    frame.addEventListener("keydown", (e) => {
        const tool = {p: "point", n: "not", b: "box", s: "stroke"}[e.key];
        if (tool && !e.ctrlKey && !e.metaKey && !e.altKey) {
            useTool(tool);
            say(markName[tool]);
        }
    });
    $("undo").addEventListener("click", () => marks.undo());
    $("regions").addEventListener("click", () => {
        stage.visible = !stage.visible;
        $("regions").setAttribute("aria-pressed", String(stage.visible));
        stage.draw();
    });
    $("save").addEventListener("click", guarded(async () => save(await stage.blob(), `${stage.picture.handle}.png`)));
    $("again").addEventListener("click", guarded(() => useAgain(stage.picture.handle)));
    $("ideas").addEventListener("click", (e) => {
        if (e.target.tagName === "BUTTON") {
            question.value = e.target.textContent;
            fit();
            question.focus();
        }
    });
    $("ask").addEventListener("submit", (e) => { e.preventDefault(); submit(); });
    question.addEventListener("keydown", (e) => {
        if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            submit();
        }
    });
    question.addEventListener("input", fit);
    $("stop").addEventListener("click", stop);
    $("new").addEventListener("click", guarded(newSession));
    for (const close of document.querySelectorAll("[data-close]"))
        close.addEventListener("click", () => close.closest("dialog").close());
}

async function start() {
    api.useKeys(askKey);
    openSettings();
    wire();
    frame.tabIndex = 0;
    frame.setAttribute("role", "application");
    useTool("point");
    await guarded(async () => { $("planner").textContent = (await api.models())[0].id; })(); /* asks for a key where one is needed */
    if (/^#sess_/.test(location.hash))
        await guarded(openSession)(location.hash.slice(1));
    document.documentElement.dataset.ready = "";
}

start();
