/* SPDX-License-Identifier: MIT */
/* Pictures come by a file dialog, by pasting and by dropping. */

import {$} from "/page/dom.js";

const carriesFiles = (e) => e.dataTransfer?.types.includes("Files");

/* `add(files)` gets what comes. */
export function receiveFiles(add) {
    const over = (is) => $("drop").classList.toggle("over", is);
    $("pick").addEventListener("click", () => $("files").click());
    $("attach").addEventListener("click", () => $("files").click());
    $("files").addEventListener("change", () => {
        add([...$("files").files]);
        $("files").value = "";
    });
    document.addEventListener("paste", (e) => {
        if (e.clipboardData?.files.length) {
            e.preventDefault();
            add([...e.clipboardData.files]);
        }
    });
    document.addEventListener("dragover", (e) => {
        if (carriesFiles(e)) {
            e.preventDefault();
            over(true);
        }
    });
    document.addEventListener("dragleave", (e) => {
        if (!e.relatedTarget)
            over(false);
    });
    document.addEventListener("drop", (e) => {
        over(false);
        if (carriesFiles(e)) {
            e.preventDefault();
            add([...e.dataTransfer.files]);
        }
    });
}
