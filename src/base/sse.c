/* SPDX-License-Identifier: MIT */
/* base/sse.c - the event stream format of the HTML standard, section 9.2.6. Comments, ids and names of events
 * are dropped; "error:", which llama.cpp's server has written, is data as well. */
#include "base/sse.h"

#include <string.h>

/* What stands behind the field's name, or NULL. */
static const char *field(const struct lp_str *line, const char *name) {
    size_t n = strlen(name);
    if (line->n < n || memcmp(line->s, name, n))
        return NULL;
    return line->s + n + (line->s[n] == ' ');
}

static bool end_event(struct lp_sse *s) {
    bool more = !s->begun || s->event(s->context, lp_str_text(&s->data), s->data.n);
    lp_str_cut(&s->data, 0);
    s->begun = false;
    return more;
}

static bool end_line(struct lp_sse *s) {
    bool more = true;
    const char *value = s->line.n ? field(&s->line, "data:") : NULL;
    if (s->line.n && !value)
        value = field(&s->line, "error:");
    if (!s->line.n) {
        more = end_event(s);
    } else if (value) {
        size_t n = s->line.n - (size_t)(value - s->line.s);
        s->over = s->data.n + n > LP_SSE_MOST;
        if (s->begun)
            lp_str_putc(&s->data, '\n');
        if (!s->over)
            lp_str_add(&s->data, value, n);
        s->begun = true;
    }
    lp_str_cut(&s->line, 0);
    return more && !s->over && !s->data.failed;
}

bool lp_sse_feed(struct lp_sse *s, const char *bytes, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t from = i;
        if (s->cr && bytes[i] == '\n')
            from = ++i;
        s->cr = false;
        while (i < n && bytes[i] != '\n' && bytes[i] != '\r')
            i++;
        s->over = s->line.n + (i - from) > LP_SSE_MOST;
        if (s->over)
            return false;
        lp_str_add(&s->line, bytes + from, i - from);
        if (s->line.failed)
            return false;
        if (i == n)
            break;
        s->cr = bytes[i++] == '\r';
        if (!end_line(s))
            return false;
    }
    return true;
}

bool lp_sse_end(struct lp_sse *s) {
    return (!s->line.n || end_line(s)) && end_event(s);
}

void lp_sse_done(struct lp_sse *s) {
    lp_str_done(&s->line);
    lp_str_done(&s->data);
}
