/* SPDX-License-Identifier: MIT */
/* text/python.c - JSON values in Python's two spellings, str() for results and json.dumps for actions.
 * Source: the Python 3 language reference (repr of str and float), library reference (json). */
#include "text/python.h"

#include "base/memory.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef void add_string(struct lp_str *out, const char *s, size_t n);

struct spelling {
    const char *null, *yes, *no;
    add_string *string;
};

/* The fewest digits that read back as the same number; an exponent below 1e-4 and from 1e16 on. */
static void add_float(struct lp_str *out, double x) {
    char digits[40];
    int precision = 0;
    do
        snprintf(digits, sizeof digits, "%.*e", precision, x);
    while (strtod(digits, NULL) != x && ++precision < 17);
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent >= -4 && exponent < 16) {
        int after = precision - exponent;
        lp_str_printf(out, "%.*f", after > 1 ? after : 1, x);
    } else {
        *strchr(digits, 'e') = 0;
        lp_str_printf(out, "%se%+03d", digits, exponent);
    }
}

static bool printable(utf8proc_int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    case UTF8PROC_CATEGORY_ZS:
        return c == ' ';
    default:
        return true;
    }
}

/* One character at s of at most n bytes; a byte that is not UTF-8 stands for itself. Returns its bytes. */
static size_t read_char(const char *s, size_t n, utf8proc_int32_t *c) {
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, c);
    if (used > 0)
        return (size_t)used;
    *c = (unsigned char)*s;
    return 1;
}

static void add_repr_string(struct lp_str *out, const char *s, size_t n) {
    char quote = memchr(s, '\'', n) && !memchr(s, '"', n) ? '"' : '\'';
    lp_str_putc(out, quote);
    for (size_t i = 0, used; i < n; i += used) {
        utf8proc_int32_t c;
        used = read_char(s + i, n - i, &c);
        if (c == quote || c == '\\')
            lp_str_printf(out, "\\%c", (char)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            lp_str_puts(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (printable(c))
            lp_str_add(out, s + i, used);
        else
            lp_str_printf(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    }
    lp_str_putc(out, quote);
}

static void add_json_string(struct lp_str *out, const char *s, size_t n) {
    static const char named[] = "\"\\\n\r\t\f\b", letters[] = "\"\\nrtfb";
    lp_str_putc(out, '"');
    for (size_t i = 0, used; i < n; i += used) {
        utf8proc_int32_t c;
        used = read_char(s + i, n - i, &c);
        const char *at = c > 0 && c < 0x80 ? strchr(named, c) : NULL;
        if (at)
            lp_str_printf(out, "\\%c", letters[at - named]);
        else if (c >= ' ' && c <= '~')
            lp_str_putc(out, (char)c);
        else if (c < 0x10000)
            lp_str_printf(out, "\\u%04x", (unsigned)c);
        else
            lp_str_printf(out, "\\u%04x\\u%04x", 0xd800 + (((unsigned)c - 0x10000) >> 10),
                          0xdc00 + ((unsigned)c & 0x3ff));
    }
    lp_str_putc(out, '"');
}

static void add_value(struct lp_str *out, const json_t *v, const struct spelling *as) {
    switch (json_typeof(v)) {
    case JSON_OBJECT: {
        const char *key, *between = "{";
        json_t *item;
        json_object_foreach((json_t *)v, key, item) {
            lp_str_puts(out, between);
            as->string(out, key, strlen(key));
            lp_str_puts(out, ": ");
            add_value(out, item, as);
            between = ", ";
        }
        lp_str_puts(out, json_object_size(v) ? "}" : "{}");
        break;
    }
    case JSON_ARRAY:
        lp_str_putc(out, '[');
        for (size_t i = 0; i < json_array_size(v); i++) {
            lp_str_puts(out, i ? ", " : "");
            add_value(out, json_array_get(v, i), as);
        }
        lp_str_putc(out, ']');
        break;
    case JSON_STRING:
        as->string(out, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        lp_str_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        break;
    case JSON_REAL:
        add_float(out, json_real_value(v));
        break;
    case JSON_TRUE:
        lp_str_puts(out, as->yes);
        break;
    case JSON_FALSE:
        lp_str_puts(out, as->no);
        break;
    default:
        lp_str_puts(out, as->null);
    }
}

static char *text_of(const json_t *v, const struct spelling *as) {
    struct lp_str out = {0};
    if (v)
        add_value(&out, v, as);
    if (!v || out.failed) {
        lp_str_done(&out);
        return NULL;
    }
    return out.s;
}

char *lp_python_repr(const json_t *value) {
    static const struct spelling python = {"None", "True", "False", add_repr_string};
    return text_of(value, &python);
}

char *lp_python_json(const json_t *value) {
    static const struct spelling json = {"null", "true", "false", add_json_string};
    return text_of(value, &json);
}

double lp_python_round(double x, int digits) {
    char text[400]; /* 1.8e308 has 309 digits before the point */
    snprintf(text, sizeof text, "%.*f", digits, x);
    return strtod(text, NULL);
}
