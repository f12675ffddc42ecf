/* SPDX-License-Identifier: MIT */
/* The drawer with earlier sessions: the server's list where it tells one, else those that this browser remembers. */

import * as api from "/page/api.js";
import {$, alert, button, h} from "/page/dom.js";
import {forget, known} from "/page/session.js";

const when = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "short"});

export class History {
    /* `on`: {open(id), gone(id), current()}. */
    constructor(on) {
        this.on = on;
        this.dialog = $("history");
        $("history-open").addEventListener("click", () => this.open());
    }

    async open() {
        this.dialog.showModal();
        try {
            this.#render(await api.list() ?? known());
        } catch (fault) {
            this.#render(known());
            alert(fault.message);
        }
    }

    #render(sessions) {
        $("none").hidden = sessions.length > 0;
        $("sessions").replaceChildren(...sessions.map((s) => this.#item(s)));
    }

    #item(s) {
        const name = s.title || "Without a question yet";
        const item = h("li", null,
            h("button", {type: "button", class: "session", "aria-current": s.id === this.on.current() ? "true" : null,
                         onclick: () => { this.dialog.close(); this.on.open(s.id); }},
              h("span", null, name), h("span", {class: "quiet"}, when.format(new Date(1000 * s.changed)))),
            button("clear", `Delete ${name}`, () => this.#delete(s.id, item), {seen: false}));
        return item;
    }

    async #delete(id, item) {
        try {
            await api.remove(id);
        } catch (fault) {
            if (fault.status !== 404)
                return alert(fault.message);
        }
        forget(id);
        const next = item.nextElementSibling ?? item.previousElementSibling;
        item.remove();
        (next?.querySelector("button") ?? this.dialog.querySelector("[data-close]")).focus();
        $("none").hidden = $("sessions").children.length > 0;
        this.on.gone(id);
    }
}
