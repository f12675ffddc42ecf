/* SPDX-License-Identifier: MIT */
/* serve/frame.c - frames as Python's json writes them. */
#include "serve/fields.h"
#include "serve/frame.h"

#include "base/memory.h"
#include "serve/chat.h"
#include "text/python.h"

void lp_frame_add_json(struct lp_str *out, const json_t *frame) {
    char *text = frame ? lp_python_json(frame) : NULL;
    if (text)
        lp_str_puts(out, text);
    lp_str_putc(out, 0);
    out->failed = out->failed || !text;
    lp_free(text);
}

void lp_frame_add(struct lp_str *out, const char *text, int code) {
    json_t *frame = json_pack("{s:s, s:i}", "text", text, "error_code", code);
    lp_frame_add_json(out, frame);
    json_decref(frame);
}

void lp_frame_add_trouble(struct lp_str *out, int code, const char *why) {
    struct lp_str text = {0};
    lp_str_printf(&text, LP_FRAME_TROUBLE "\n\n(%s)", why);
    lp_frame_add(out, lp_str_text(&text), code);
    lp_str_done(&text);
}

bool lp_frame_check(const char *text, size_t n, int *code) {
    json_t *frame = lp_body_is_modest(text, n) ? lp_json_parse(text, n, "a frame", NULL) : NULL;
    const json_t *number = json_object_get(frame, "error_code");
    bool good = json_is_string(json_object_get(frame, "text")) && (!number || json_is_integer(number));
    *code = good ? (int)json_integer_value(number) : LP_FRAME_WORKER_SILENT;
    json_decref(frame);
    return good;
}
