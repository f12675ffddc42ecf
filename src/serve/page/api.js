/* SPDX-License-Identifier: MIT */
/* The server's sessions (docs/api.md). Everything here throws a Fault with a sentence for people. */

export class Fault extends Error {
    constructor(message, status, code) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

let key = sessionStorage.getItem("key");
let askKey = async () => null;

/* `ask` gets a key from the user; it answers null where there is none to get. */
export function useKeys(ask) {
    askKey = ask;
}

async function faultOf(response) {
    let error = {};
    try {
        error = (await response.json()).error ?? {};
    } catch { /* no JSON: a proxy's page, say */ }
    return new Fault(sentence(error.message) ?? `The server answered ${response.status}.`, response.status, error.code);
}

const sentence = (text) => text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".") : null;

async function call(method, path, {body, type, signal} = {}) {
    const headers = {};
    if (key)
        headers.Authorization = `Bearer ${key}`;
    if (type)
        headers["Content-Type"] = type;
    let response;
    try {
        response = await fetch(path, {method, headers, body, signal, cache: "no-store"});
    } catch (error) {
        if (error.name === "AbortError")
            throw error;
        throw new Fault("The server cannot be reached.", 0);
    }
    if (response.status === 401) {
        const given = await askKey(key !== null);
        if (given) {
            key = given;
            sessionStorage.setItem("key", key);
            return call(method, path, {body, type, signal});
        }
    }
    if (!response.ok)
        throw await faultOf(response);
    return response;
}

const json = (value) => ({body: JSON.stringify(value), type: "application/json"});
const at = (id, ...rest) => `/v1/sessions/${[id, ...rest].map(encodeURIComponent).join("/")}`;

export const create = async () => (await call("POST", "/v1/sessions", json({}))).json();
export const get = async (id) => (await call("GET", at(id))).json();
export const remove = (id) => call("DELETE", at(id));
export const vote = (id, turn, vote) => call("POST", at(id, "turns", String(turn), "vote"), json({vote}));
export const cancel = (id) => call("POST", at(id, "cancel"), json({}));

export const models = async () => (await (await call("GET", "/v1/models")).json()).data;

/* Returns when no turn runs in the session any more, so that the next one can begin; after ten seconds in any case. */
export async function untilEnded(id) {
    const last = Date.now() + 10000;
    for (;;) {
        const {turns} = await get(id).catch(() => ({turns: []}));
        if (Date.now() > last || !turns.some((t) => t.status === "running"))
            return;
        await new Promise((done) => setTimeout(done, 100));
    }
}

/* Null where no key is needed: such a server knows no owners and lists nothing. */
export const list = async () => key === null ? null : (await (await call("GET", "/v1/sessions")).json()).data;

/* Both answer the new picture's object. */
export async function addPicture(id, blob) {
    return (await (await call("POST", at(id, "images"), {body: blob, type: blob.type})).json()).objects[0];
}
export async function addAgain(id, handle) {
    return (await (await call("POST", at(id, "images"), json({image: handle}))).json()).objects[0];
}

export const png = async (id, handle) => (await call("GET", at(id, "objects", `${handle}.png`))).blob();
export const object = async (id, handle) => (await call("GET", at(id, "objects", `${handle}.json`))).json();

/* Asks; on(event, data) hears all that the server tells. Ends when it has told all. */
export async function ask(id, message, on, signal) {
    const response = await call("POST", at(id, "messages"), {...json({...message, stream: true}), signal});
    let rest = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
        const {value, done} = await reader.read();
        if (done)
            break;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events)
            tell(event, on);
    }
}

function tell(event, on) {
    let name = "message", data = "";
    for (const line of event.split("\n")) {
        if (line.startsWith("event:"))
            name = line.slice(6).trim();
        else if (line.startsWith("data:"))
            data += line.slice(5).trim();
    }
    if (data)
        on(name, JSON.parse(data));
}
