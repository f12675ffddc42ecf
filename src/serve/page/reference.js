/* SPDX-License-Identifier: MIT */
/* The dialog where a picture is marked that shows what to look for. */

import {$, alert, h} from "/page/dom.js";
import {Marks} from "/page/marks.js";

const MOST_PX = 2048; /* of the longer side: it travels within JSON */

export class Reference extends EventTarget {
    /* Fires "change" when `value` is another. */
    constructor() {
        super();
        this.value = null; /* {image: data URL, boxes, strokes} */
        this.dialog = $("like");
        this.frame = $("like-frame");
        this.frame.tabIndex = 0;
        this.frame.setAttribute("role", "application");
        this.frame.setAttribute("aria-label", "Reference picture. Arrow keys move the crosshair, Enter begins and ends a mark.");
        this.image = h("img", {alt: "", draggable: "false"});
        this.frame.append(this.image);
        this.marks = new Marks(this.frame, "box");
        $("like-open").addEventListener("click", () => this.dialog.showModal());
        $("like-pick").addEventListener("click", () => $("like-file").click());
        $("like-file").addEventListener("change", () => this.#take($("like-file").files[0]));
        $("like-undo").addEventListener("click", () => this.marks.undo());
        $("like-remove").addEventListener("click", () => this.clear());
        $("like-use").addEventListener("click", () => this.#use());
        for (const radio of document.getElementsByName("like-tool"))
            radio.addEventListener("change", () => this.marks.use(radio.value));
    }

    get isOpen() {
        return this.dialog.open;
    }

    async #take(file) {
        $("like-file").value = "";
        if (!file)
            return;
        try {
            const bitmap = await createImageBitmap(file);
            const scale = Math.min(1, MOST_PX / Math.max(bitmap.width, bitmap.height));
            const canvas = h("canvas", {width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale)});
            canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
            this.data = canvas.toDataURL("image/png");
            await this.#show(canvas);
        } catch {
            alert("This picture cannot be read.");
        }
    }

    take(file) {
        return this.#take(file);
    }

    async #show(canvas) {
        this.image.src = URL.createObjectURL(await new Promise((done) => canvas.toBlob(done)));
        this.image.alt = "Reference";
        this.frame.hidden = false;
        $("like-empty").hidden = true;
        this.frame.style.setProperty("--ratio", canvas.width / canvas.height);
        this.marks.clear();
        this.marks.size(canvas.width, canvas.height);
        this.frame.focus();
    }

    #use() {
        const {boxes, strokes} = this.marks.message;
        if (!this.data)
            return alert("Choose a picture first.");
        if (!boxes && !strokes)
            return alert("Mark what to look for, with a box or the brush.");
        this.value = {image: this.data, ...boxes && {boxes}, ...strokes && {strokes}};
        this.dialog.close();
        this.dispatchEvent(new Event("change"));
    }

    clear() {
        this.value = this.data = null;
        this.frame.hidden = true;
        $("like-empty").hidden = false;
        this.image.removeAttribute("src");
        this.marks.clear();
        this.dialog.close();
        this.dispatchEvent(new Event("change"));
    }
}
