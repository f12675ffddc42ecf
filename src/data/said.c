/* SPDX-License-Identifier: MIT */
/* data/said.c - the parts of a user's turn; what of it must survive a rewording, and whether it has. */
#include "data/said.h"

#include "base/str.h"
#include "text/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char picture[] = "<image>\n", outputs[] = " model outputs: ";

/* How what follows the user's words begins. */
static const char *const tails[] = {"\n\nInput point: ", "\n\nThe input points are: ", "\n\nInput box: ",
                                    "\n\nThe input boxes are: ", "\n\nReference box: ", "\n\nThe reference boxes are: ",
                                    "\n\nReference image given.", "\nAnswer the question using a single word or phrase.",
                                    "\nProvide a one-sentence caption for the provided image."};

void lp_said_split(const char *turn, struct lp_said *said) {
    const char *at = turn, *line;
    while (!strncmp(at, picture, sizeof picture - 1))
        at += sizeof picture - 1;
    while ((line = strchr(at, '\n'))) {
        const char *mark = memmem(at, (size_t)(line - at), outputs, sizeof outputs - 1);
        const char *blank = memchr(at, ' ', (size_t)(line - at));
        if (!mark || mark != blank)
            break;
        for (at = line + 1; *at == '\n';)
            at++;
    }
    const char *end = at + strlen(at);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        const char *tail = strstr(at, tails[i]);
        end = tail && tail < end ? tail : end;
    }
    if (!strncmp(at, tails[8] + 1, strlen(tails[8] + 1)))
        end = at;
    *said = (struct lp_said){turn, at, end, (size_t)(at - turn), (size_t)(end - at)};
}

static bool is_letter(char c) {
    return isalnum((unsigned char)c) || (c & 0x80);
}

/* Where `text` has `phrase` as whole words, letter case aside, an s or es behind it allowed. */
static bool has_words(const char *text, const char *phrase) {
    size_t n = strlen(phrase);
    for (const char *at = text; (at = strcasestr(at, phrase)); at++) {
        const char *end = at + n;
        if (at > text && is_letter(at[-1]) && is_letter(*phrase))
            continue;
        if (is_letter(phrase[n - 1])) {
            end += !strncasecmp(end, "es", 2) && !is_letter(end[2]) ? 2 : 0;
            end += (*end == 's' || *end == 'S') && !is_letter(end[1]);
            if (is_letter(*end))
                continue;
        }
        return true;
    }
    return false;
}

/* The same with the usual plurals of its last word: puppy, wolf, knife, and the irregular ones. */
static bool has_phrase(const char *text, const char *phrase) {
    static const char *const odd[][2] = {{"man", "men"},       {"person", "people"}, {"child", "children"}, {"mouse", "mice"},
                                         {"goose", "geese"},   {"foot", "feet"},     {"tooth", "teeth"},    {"leaf", "leaves"}};
    char other[256];
    size_t n = strlen(phrase);
    if (n == 0 || has_words(text, phrase))
        return n > 0;
    if (n + 8 > sizeof other)
        return false;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t k = strlen(odd[i][0]);
        if (n < k || strcasecmp(phrase + n - k, odd[i][0]))
            continue;
        snprintf(other, sizeof other, "%.*s%s", (int)(n - k), phrase, odd[i][1]);
        return has_words(text, other);
    }
    const char *end = phrase[n - 1] == 'y' ? "ies" : phrase[n - 1] == 'f' ? "ves" : n > 1 && !strcmp(phrase + n - 2, "fe") ? "ves" : NULL;
    if (!end)
        return false;
    snprintf(other, sizeof other, "%.*s%s", (int)(n - (phrase[n - 1] == 'e' ? 2 : 1)), phrase, end);
    return has_words(text, other);
}

static bool keep(json_t *keeps, const char *bytes, size_t n) {
    const json_t *item;
    size_t i;
    json_array_foreach(keeps, i, item)
        if (json_string_length(item) == n && !memcmp(json_string_value(item), bytes, n))
            return true;
    return json_array_append_new(keeps, json_stringn(bytes, n)) == 0;
}

/* A parameter's phrase: whole where the text has it, else the words of three letters and more that it has. */
static bool keep_phrase(json_t *keeps, const char *text, const char *bytes, size_t n, bool *found) {
    char phrase[256], *rest = NULL;
    while (n && isspace((unsigned char)*bytes))
        bytes++, n--;
    while (n && isspace((unsigned char)bytes[n - 1]))
        n--;
    if (n == 0)
        return true;
    if (n >= sizeof phrase) {
        *found = false;
        return true;
    }
    snprintf(phrase, sizeof phrase, "%.*s", (int)n, bytes);
    if (has_phrase(text, phrase))
        return keep(keeps, phrase, strlen(phrase));
    bool any = false, ok = true;
    for (char *word = strtok_r(phrase, " ,.;:!?", &rest); ok && word; word = strtok_r(NULL, " ,.;:!?", &rest))
        if (strlen(word) >= 3 && has_phrase(text, word)) {
            any = true;
            ok = keep(keeps, word, strlen(word));
        }
    *found &= any;
    return ok;
}

static bool is_handle(const char *text) {
    static const char *const kinds[] = {"img_", "mask_", "box_", "map_", "point_", "text_", "count_"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strncmp(text, kinds[i], strlen(kinds[i])))
            return strspn(text + strlen(kinds[i]), "0123456789") == strlen(text + strlen(kinds[i]));
    return false;
}

/* A caption's phrases are parted by dots. */
static bool keep_param(json_t *keeps, const char *text, const char *key, const char *value, bool *found) {
    if (is_handle(value))
        return true;
    if (strcmp(key, "caption"))
        return keep_phrase(keeps, text, value, strlen(value), found);
    for (;; value++) {
        size_t n = strcspn(value, ".");
        if (!keep_phrase(keeps, text, value, n, found))
            return false;
        value += n;
        if (!*value)
            return true;
    }
}

/* Numbers, and what stands in double quotes. */
static bool keep_marks(json_t *keeps, const char *text) {
    bool ok = true;
    for (const char *at = text; ok && *at;) {
        size_t n = 1;
        const char *close = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (close) {
            n = (size_t)(close - at) + 1;
            ok = n == 2 || keep(keeps, at + 1, n - 2);
        } else if (isdigit((unsigned char)*at)) {
            n = strspn(at, "0123456789.");
            while (at[n - 1] == '.')
                n--;
            ok = keep(keeps, at, n);
        }
        at += n;
    }
    return ok;
}

json_t *lp_said_keeps(const char *text, const json_t *actions, bool *found) {
    json_t *keeps = json_array();
    bool ok = keeps;
    const json_t *action;
    size_t i;
    *found = true;
    json_array_foreach(actions, i, action) {
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(action, "API_params"), key, value)
            if (ok && json_is_string(value))
                ok = keep_param(keeps, text, key, json_string_value(value), found);
    }
    if (ok && keep_marks(keeps, text))
        return keeps;
    json_decref(keeps);
    return NULL;
}

/* Equal but for letter case, blanks and punctuation. */
static bool same_words(const char *a, const char *b) {
    for (;; a++, b++) {
        while (*a && !is_letter(*a))
            a++;
        while (*b && !is_letter(*b))
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

static bool is_shapely(const char *seed, const char *wording) {
    static const char *const marks[] = {"<image>", " model outputs:", "\"thoughts", "\"actions", "\"value", "{", "}",
                                        "Input point:", "Input box:", "Reference box:"};
    size_t n = strlen(wording);
    bool letters = false;
    if (n == 0 || n > 4 * strlen(seed) + 200 || !lp_utf8_valid(wording, n))
        return false;
    for (const char *c = wording; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127)
            return false;
        letters |= is_letter(*c);
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcasestr(wording, marks[i]) && !strcasestr(seed, marks[i]))
            return false;
    return letters;
}

enum lp_wording lp_said_check(const char *seed, const json_t *keeps, const char *wording) {
    const json_t *item;
    size_t i;
    if (!is_shapely(seed, wording))
        return LP_WORDING_SHAPE;
    if (same_words(seed, wording))
        return LP_WORDING_SAME;
    json_array_foreach(keeps, i, item)
        if (!has_phrase(wording, json_string_value(item)))
            return LP_WORDING_LOST;
    return LP_WORDING_GOOD;
}
