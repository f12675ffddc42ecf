/* SPDX-License-Identifier: MIT */
/* What the browser remembers of how the page shall be, and the key while the tab is open. */

import {$, alert} from "/page/dom.js";

function toggle(open) {
    $("settings").hidden = !open;
    $("settings-open").setAttribute("aria-expanded", String(open));
}

function restoreColours() {
    const kept = localStorage.getItem("theme") ?? "";
    const apply = (value) => { document.documentElement.dataset.theme = value; };
    apply(kept);
    for (const radio of document.getElementsByName("theme")) {
        radio.checked = radio.value === kept;
        radio.addEventListener("change", () => {
            localStorage.setItem("theme", radio.value);
            apply(radio.value);
        });
    }
}

function restoreDetails() {
    const apply = () => document.documentElement.toggleAttribute("data-details", $("details").checked);
    $("details").checked = localStorage.getItem("details") === "1";
    $("details").addEventListener("change", () => {
        localStorage.setItem("details", $("details").checked ? "1" : "0");
        apply();
    });
    apply();
}

export function openSettings() {
    restoreColours();
    restoreDetails();
    $("settings-open").addEventListener("click", () => toggle($("settings").hidden));
    document.addEventListener("keydown", (e) => {
        if (e.key === "Escape" && !$("settings").hidden) {
            toggle(false);
            $("settings-open").focus();
        }
    });
    document.addEventListener("pointerdown", (e) => {
        if (!e.target.closest("#settings, #settings-open"))
            toggle(false);
    });
}

/* The key that the user types, or null. */
export function askKey(wrong) {
    const dialog = $("key");
    $("key-value").value = "";
    dialog.returnValue = "";
    dialog.showModal();
    if (wrong)
        alert("That key was not accepted.");
    return new Promise((done) => {
        dialog.addEventListener("close", () => done(dialog.returnValue ? $("key-value").value : null), {once: true});
    });
}
