/* SPDX-License-Identifier: MIT */
/* base/json_parse.c - jansson looks at every byte of a string several times. Long plain strings, which pictures in base64 are,
 * are cut out of the text before, a mark of few bytes in their place, and put back after. */
#include "base/json.h"

#include "base/memory.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>

enum {
    LONG = 2 << 10, /* bytes: what is worth it */
    MOST = 32,      /* strings that are cut out of a text */
    MARK = 0x7f     /* a mark is this, a character from '0' on, and no more */
};

/* Strings that were cut out, and which of them are back. */
struct cuts {
    const char *at[MOST];
    size_t bytes[MOST];
    bool back[MOST];
    int n, put;
    bool odd; /* something else stands for one of them, or there was no memory */
};

const char *lp_json_string_end(const char *from, const char *end) {
    for (const char *at = from; at < end; at++) {
        const char *quote = memchr(at, '"', (size_t)(end - at)), *before = quote;
        if (!quote)
            return NULL;
        while (before > at && before[-1] == '\\')
            before--;
        if ((quote - before) % 2 == 0)
            return quote;
        at = quote;
    }
    return NULL;
}

/* Whether a string's content stands for itself, byte by byte. */
static bool is_plain(const char *s, size_t n) {
    unsigned odd = 0;
    for (size_t i = 0; i < n; i++)
        odd |= (uint8_t)s[i] < ' ' || (uint8_t)s[i] >= MARK || s[i] == '\\';
    return !odd;
}

/* The text without its long strings, into out. */
static void cut(struct cuts *c, const char *text, size_t n, struct lp_str *out) {
    const char *end = text + n, *copied = text;
    for (const char *at = text; c->n < MOST && (at = memchr(at, '"', (size_t)(end - at))); at++) {
        const char *from = at + 1;
        if (!(at = lp_json_string_end(from, end)))
            break;
        size_t bytes = (size_t)(at - from);
        if (bytes < LONG || !is_plain(from, bytes))
            continue;
        lp_str_add(out, copied, (size_t)(from - copied));
        lp_str_printf(out, "%c%c", MARK, '0' + c->n);
        c->at[c->n] = from;
        c->bytes[c->n++] = bytes;
        copied = at;
    }
    lp_str_add(out, copied, (size_t)(end - copied));
}

/* The string that a text is the mark of; -1: of none. */
static int mark_of(const struct cuts *c, const char *s) {
    int i = s && s[0] == MARK && s[1] && !s[2] ? (uint8_t)s[1] - '0' : -1;
    return i < c->n ? i : -1;
}

/* The string that belongs in the value's place; NULL: the value itself. */
static json_t *original(struct cuts *c, const json_t *value) {
    int i = mark_of(c, json_string_value(value));
    if (i < 0)
        return NULL;
    json_t *whole = c->back[i] ? NULL : json_stringn_nocheck(c->at[i], c->bytes[i]);
    c->odd = c->odd || !whole;
    c->back[i] = true;
    c->put++;
    return whole;
}

/* Puts back what was cut out of the value, deep down. */
static void put_back(struct cuts *c, json_t *value) {
    size_t i;
    const char *key;
    json_t *inner, *whole;
    json_array_foreach(value, i, inner) {
        put_back(c, inner);
        if ((whole = original(c, inner)) && json_array_set_new(value, i, whole))
            c->odd = true;
    }
    json_object_foreach(value, key, inner) {
        c->odd = c->odd || mark_of(c, key) >= 0;
        put_back(c, inner);
        if ((whole = original(c, inner)) && json_object_iter_set_new(value, json_object_key_to_iter(key), whole))
            c->odd = true;
    }
}

/* NULL where there are no long strings, and where anything is odd: a mark that is the text's own, a long key, a mistake. */
static json_t *parse_cut(const char *text, size_t n, size_t flags) {
    struct cuts c = {.n = 0};
    struct lp_str rest = {0};
    if (n >= LONG)
        cut(&c, text, n, &rest);
    json_t *value = c.n && !rest.failed ? json_loadb(rest.s, rest.n, flags, NULL) : NULL;
    put_back(&c, value);
    if (c.odd || c.put < c.n) {
        json_decref(value);
        value = NULL;
    }
    lp_str_done(&rest);
    return value;
}

json_t *lp_json_parse(const char *text, size_t n, const char *name, struct lp_error *err) {
    static const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_error_t e;
    json_t *value = parse_cut(text, n, flags);
    if (value)
        return value;
    lp_alloc_take_failure();
    value = json_loadb(text, n, flags, &e);
    if (!value && lp_alloc_take_failure()) /* jansson itself may call that a syntax error */
        lp_error_memory(err);
    else if (!value)
        lp_error_set(err, LP_EINPUT, "%s is not valid JSON (line %d: %s)", name, e.line, e.text);
    return value;
}
