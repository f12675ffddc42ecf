/* SPDX-License-Identifier: MIT */
/* text/literal.c - reads JSON or Python literals into JSON values. text [n] -> json_t. */
#include "text/literal.h"

#include "base/memory.h"
#include "base/str.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { DEEPEST = 64 };

struct reader {
    const char *at, *end;
    struct lp_error *err;
};

static json_t *value(struct reader *r, int depth);

static json_t *bad(struct reader *r, const char *what) {
    lp_error_set(r->err, LP_EINPUT, "the actions are neither JSON nor a Python literal: %s", what);
    return NULL;
}

static json_t *checked(struct reader *r, json_t *v) {
    if (!v)
        lp_error_memory(r->err);
    return v;
}

static void skip_space(struct reader *r) {
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

static bool next_is(struct reader *r, char c) {
    skip_space(r);
    return r->at < r->end && *r->at == c;
}

/* Whether a quote at `at` stands where a string can end. */
static bool can_end(const struct reader *r, const char *at) {
    for (at++; at < r->end && isspace((unsigned char)*at); at++)
        ;
    return at == r->end || strchr(",:]})", *at);
}

/* `digits` hexadecimal digits; -1 when they are not there. */
static int32_t hex(struct reader *r, int digits) {
    int32_t x = 0;
    if (r->end - r->at < digits)
        return -1;
    for (int i = 0; i < digits; i++, r->at++) {
        if (!isxdigit((unsigned char)*r->at) || x > 0x1ffff)
            return -1;
        x = x * 16 + (isdigit((unsigned char)*r->at) ? *r->at - '0' : (*r->at | 32) - 'a' + 10);
    }
    return x;
}

static void add_code_point(struct lp_str *s, int32_t c) {
    utf8proc_uint8_t bytes[4];
    if (c <= 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    lp_str_add(s, (const char *)bytes, (size_t)utf8proc_encode_char(c, bytes));
}

/* The rest of an escape of `digits` digits; two \uXXXX that form a surrogate pair make one character. */
static void escaped_code_point(struct reader *r, int digits, struct lp_str *s) {
    int32_t c = hex(r, digits);
    if (c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        struct reader ahead = {r->at + 2, r->end, r->err};
        int32_t low = hex(&ahead, 4);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            r->at = ahead.at;
        }
    }
    add_code_point(s, c);
}

static void escape(struct reader *r, struct lp_str *s) {
    static const char from[] = "ntrbfv0\\'\"/", to[] = "\n\t\r\b\f\v \\'\"/";
    char c = *r->at++;
    const char *known = strchr(from, c);
    if (known && c)
        lp_str_putc(s, to[known - from]);
    else if (c == 'x' || c == 'u' || c == 'U')
        escaped_code_point(r, c == 'x' ? 2 : c == 'u' ? 4 : 8, s);
    else if (c != '\n') { /* as Python: an unknown escape stays, a line's end joins lines */
        lp_str_putc(s, '\\');
        lp_str_putc(s, c);
    }
}

static bool string_into(struct reader *r, struct lp_str *s) {
    char quote = *r->at++;
    while (r->at < r->end) {
        char c = *r->at;
        if (c == quote && (quote == '"' || can_end(r, r->at))) {
            r->at++;
            return true;
        }
        r->at++;
        if (c == '\\' && r->at < r->end)
            escape(r, s);
        else
            lp_str_putc(s, c);
    }
    bad(r, "a string has no end");
    return false;
}

static json_t *string(struct reader *r) {
    struct lp_str s = {0};
    json_t *v = NULL;
    if (string_into(r, &s))
        v = s.failed ? NULL : checked(r, json_stringn(lp_str_text(&s), s.n));
    if (s.failed)
        lp_error_memory(r->err);
    lp_str_done(&s);
    return v;
}

static json_t *number(struct reader *r) {
    char text[64];
    size_t n = 0;
    bool whole = true;
    while (r->at < r->end && n + 1 < sizeof text &&
           (isdigit((unsigned char)*r->at) || strchr("+-.eE", *r->at))) {
        whole = whole && (isdigit((unsigned char)*r->at) || *r->at == '-');
        text[n++] = *r->at++;
    }
    text[n] = 0;
    char *end;
    double x = strtod(text, &end);
    if (!n || *end || !isfinite(x))
        return bad(r, "a number is malformed");
    if (whole && fabs(x) < 9e15)
        return checked(r, json_integer(strtoll(text, NULL, 10)));
    return checked(r, json_real(x));
}

static json_t *word(struct reader *r) {
    static const struct {
        const char *name;
        int kind; /* 0 null, 1 false, 2 true */
    } words[] = {{"None", 0}, {"null", 0}, {"False", 1}, {"false", 1}, {"True", 2}, {"true", 2}};
    const char *start = r->at;
    while (r->at < r->end && isalpha((unsigned char)*r->at))
        r->at++;
    size_t n = (size_t)(r->at - start);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].name) == n && !memcmp(words[i].name, start, n))
            return words[i].kind == 0 ? json_null() : json_boolean(words[i].kind == 2);
    return bad(r, "a word is not quoted");
}

static json_t *array(struct reader *r, char close, int depth) {
    json_t *list = checked(r, json_array());
    bool more = true;
    r->at++;
    while (list && !next_is(r, close)) {
        json_t *item = more ? value(r, depth + 1) : bad(r, "a comma is missing in a list");
        if (!item || json_array_append_new(list, item)) {
            json_decref(list);
            return item ? checked(r, NULL) : NULL;
        }
        more = next_is(r, ',');
        r->at += more;
    }
    r->at++;
    return list;
}

/* One `key: value` into the object. */
static bool pair(struct reader *r, json_t *object, int depth) {
    struct lp_str key = {0};
    json_t *item = NULL;
    skip_space(r);
    if (r->at == r->end || (*r->at != '"' && *r->at != '\''))
        bad(r, "a key is not a string");
    else if (string_into(r, &key) && !next_is(r, ':'))
        bad(r, "a colon is missing");
    else if (r->at < r->end && *r->at == ':') {
        r->at++;
        item = value(r, depth + 1);
    }
    bool done = item && !key.failed && !json_object_set_new(object, lp_str_text(&key), item);
    if (item && !done)
        lp_error_memory(r->err);
    if (item && key.failed)
        json_decref(item);
    lp_str_done(&key);
    return done;
}

static json_t *object(struct reader *r, int depth) {
    json_t *o = checked(r, json_object());
    bool more = true;
    r->at++;
    while (o && !next_is(r, '}')) {
        if (!more)
            bad(r, "a comma is missing in a dictionary");
        if (!more || !pair(r, o, depth)) {
            json_decref(o);
            return NULL;
        }
        more = next_is(r, ',');
        r->at += more;
    }
    r->at++;
    return o;
}

static json_t *value(struct reader *r, int depth) {
    skip_space(r);
    if (r->at == r->end)
        return bad(r, "the text ends too early");
    if (depth > DEEPEST)
        return bad(r, "it is nested too deeply");
    switch (*r->at) {
    case '{':
        return object(r, depth);
    case '[':
        return array(r, ']', depth);
    case '(':
        return array(r, ')', depth);
    case '"':
    case '\'':
        return string(r);
    default:
        return isalpha((unsigned char)*r->at) ? word(r) : number(r);
    }
}

/* Whether brackets outside nothing in particular nest deeper than we read: jansson would take 2048. */
static bool too_deep(const char *text, size_t n) {
    int depth = 0;
    for (size_t i = 0; i < n; i++) {
        depth += text[i] == '[' || text[i] == '{';
        depth -= text[i] == ']' || text[i] == '}';
        if (depth > DEEPEST)
            return true;
    }
    return false;
}

json_t *lp_literal_parse(const char *text, size_t n, struct lp_error *err) {
    json_error_t e;
    json_t *v = too_deep(text, n) ? NULL : json_loadb(text, n, JSON_DECODE_ANY, &e);
    if (v)
        return v;
    struct reader r = {text, text + n, err};
    v = value(&r, 0);
    skip_space(&r);
    if (v && r.at != r.end) {
        json_decref(v);
        return bad(&r, "something follows the value");
    }
    return v;
}
