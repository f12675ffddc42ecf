/* SPDX-License-Identifier: MIT */
/* plan/prompt_text.c - what stands in human messages: numbers, result turns. The wording is what planners are
 * trained on, to the byte. */
#include "base/memory.h"
#include "plan/conversation.h"
#include "text/python.h"

#include <string.h>

void lp_format_numbers(struct lp_str *out, const float *x, int n) {
    lp_str_putc(out, '[');
    for (int i = 0; i < n; i++) {
        json_t *number = json_real(lp_python_round(x[i], 2));
        char *text = number ? lp_python_repr(number) : NULL;
        if (i)
            lp_str_puts(out, ", ");
        if (text)
            lp_str_puts(out, text);
        out->failed = out->failed || !text;
        lp_free(text);
        json_decref(number);
    }
    lp_str_putc(out, ']');
}

/* A copy of the dict with lists cut after `most` items, handles only where wanted and not empty. */
static json_t *shortened(const json_t *dict, int most, bool handles) {
    json_t *copy = json_deep_copy(dict);
    const char *key;
    json_t *value;
    json_object_foreach(copy, key, value) {
        while (json_is_array(value) && json_array_size(value) > (size_t)most)
            json_array_remove(value, (size_t)most);
    }
    const json_t *told = json_object_get(copy, "handles");
    if (told && (!handles || !json_string_length(told)))
        json_object_del(copy, "handles");
    return copy;
}

void lp_result_lines(struct lp_str *out, const struct lp_outcome *outcome, int n, int most, bool handles) {
    for (int i = 0; i < n; i++) {
        json_t *dict = outcome[i].result ? shortened(outcome[i].result, most, handles)
                                         : json_pack("{s:s}", "message", outcome[i].message);
        char *text = dict ? lp_python_repr(dict) : NULL;
        if (text)
            lp_str_printf(out, "%s model outputs: %s\n", outcome[i].api_name, text);
        out->failed = out->failed || !text;
        lp_free(text);
        json_decref(dict);
    }
}

void lp_result_turn(struct lp_str *out, const struct lp_outcome *outcome, int n, const char *question,
                    int most, bool handles) {
    lp_result_lines(out, outcome, n, most, handles);
    lp_str_printf(out, "\nPlease summarize the model outputs and answer my first question: %s", question);
}
