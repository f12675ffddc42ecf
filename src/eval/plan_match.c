/* SPDX-License-Identifier: MIT */
/* eval/plan_match.c - plans against what was expected. Words are compared by a rough stem, the same for both sides. */
#include "eval/plan_match.h"

#include "skill/skill.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define NEAR 0.011

enum { WORD = 64 };

static bool is_one_of(const char *word, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(word, *list))
            return true;
    return false;
}

/* Cuts a lower-case word to what its singular and its plural have in common. */
static void stem(char *word) {
    static const char *const irregular[][2] = {
        {"people", "person"}, {"men", "man"},     {"women", "woman"},  {"children", "child"}, {"mice", "mouse"},
        {"geese", "goose"},   {"feet", "foot"},   {"teeth", "tooth"},  {"leaves", "leaf"},    {"knives", "knife"},
        {"shelves", "shelf"}, {"loaves", "loaf"}, {"wolves", "wolf"},  {"scarves", "scarf"},  {"halves", "half"},
        {"wives", "wife"},    {"lives", "life"},  {"calves", "calf"},  {"oxen", "ox"},        {"hooves", "hoof"}};
    for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
        if (!strcmp(word, irregular[i][0])) {
            strcpy(word, irregular[i][1]);
            break;
        }
    size_t n = strlen(word);
    if (n > 3 && word[n - 1] == 's' && !strchr("sui", word[n - 2]))
        word[--n] = 0;
    if (n > 3 && !strcmp(word + n - 2, "ie"))
        strcpy(word + n - 2, "y");
    else if (n > 3 && word[n - 1] == 'e')
        word[n - 1] = 0;
}

void lp_plan_words(const char *text, size_t n, bool bare, struct lp_str *out) {
    static const char *const articles[] = {"a", "an", "the", NULL};
    static const char *const front[] = {"any", "some", "all", "every", "each", "my", "our", "your", "his", "her", "their",
                                        "its", "this", "that", "these", "those", "of", "both", "two", "three", "four",
                                        "five", "six", "single", "whole", NULL};
    bool start = true;
    lp_str_putc(out, ' ');
    for (size_t i = 0; i < n;) {
        char word[WORD];
        size_t k = 0;
        for (; i < n && (isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80 || text[i] == '\''); i++)
            if (text[i] != '\'' && k + 1 < sizeof word)
                word[k++] = (char)tolower((unsigned char)text[i]);
        word[k] = 0;
        i += i < n; /* what parts words */
        if (!k || is_one_of(word, articles) || (bare && start && is_one_of(word, front)))
            continue;
        start = false;
        stem(word);
        lp_str_printf(out, "%s ", word);
    }
}

/* Calls `each` for the pieces of text between `mark`s until one says true. */
static bool any_piece(const char *text, const char *mark, bool (*each)(void *, const char *, size_t), void *context) {
    for (;;) {
        const char *end = strstr(text, mark);
        if (each(context, text, end ? (size_t)(end - text) : strlen(text)))
            return true;
        if (!end)
            return false;
        text = end + strlen(mark);
    }
}

struct search {
    const char *in; /* words */
    bool whole;     /* the wording must be all of them */
    bool failed;
};

static bool piece_is_words(void *context, const char *text, size_t n) {
    struct search *s = context;
    struct lp_str words = {0};
    lp_plan_words(text, n, s->whole, &words);
    bool found = words.n > 1 && (s->whole ? !strcmp(words.s, s->in) : strstr(s->in, words.s) != NULL);
    s->failed |= words.failed;
    lp_str_done(&words);
    return found;
}

/* Whether one of the wordings in `wordings` ("bike|bicycle") is, or stands in, `words`. */
static bool says(const char *words, const char *wordings, bool whole, bool *failed) {
    struct search s = {.in = words, .whole = whole};
    bool found = any_piece(wordings, "|", piece_is_words, &s);
    *failed |= s.failed;
    return found;
}

/* The phrases of a caption: pieces of "dog . red cat", without the empty ones. */
static bool next_phrase(const char **at, const char **phrase, size_t *n) {
    while (**at) {
        const char *from = *at + strspn(*at, " .,;");
        size_t length = strcspn(from, ".,;");
        *at = from + length;
        while (length && from[length - 1] == ' ')
            length--;
        if (length) {
            *phrase = from;
            *n = length;
            return true;
        }
    }
    return false;
}

/* Whether every phrase of `all` has its like in `in`; `swap`: the wordings stand in `in`. */
static bool covers(const char *all, const char *in, bool swap, bool *failed) {
    const char *phrase, *other;
    size_t n, m;
    while (next_phrase(&all, &phrase, &n)) {
        bool found = false;
        for (const char *at = in; !found && next_phrase(&at, &other, &m);) {
            struct lp_str words = {0}, wordings = {0};
            lp_plan_words(swap ? phrase : other, swap ? n : m, true, &words);
            lp_str_add(&wordings, swap ? other : phrase, swap ? m : n);
            found = says(lp_str_text(&words), lp_str_text(&wordings), true, failed);
            *failed |= words.failed || wordings.failed;
            lp_str_done(&words);
            lp_str_done(&wordings);
        }
        if (!found)
            return false;
    }
    return true;
}

/* A text with its words against {"contains": [..], "lacks": [..]}. */
static bool has_words(const json_t *want, const char *text, bool *failed) {
    const json_t *contains = json_object_get(want, "contains"), *lacks = json_object_get(want, "lacks");
    struct lp_str words = {0};
    bool good = true;
    lp_plan_words(text, strlen(text), false, &words);
    for (size_t i = 0; good && i < json_array_size(contains); i++)
        good = says(lp_str_text(&words), json_string_value(json_array_get(contains, i)), false, failed);
    for (size_t i = 0; good && i < json_array_size(lacks); i++)
        good = !says(lp_str_text(&words), json_string_value(json_array_get(lacks, i)), false, failed);
    *failed |= words.failed;
    lp_str_done(&words);
    return good;
}

static bool is_near(const json_t *a, const json_t *b) {
    if (json_is_string(a))
        return json_equal(a, b);
    bool near = json_is_array(b) && json_array_size(a) == json_array_size(b);
    for (size_t i = 0; near && i < json_array_size(a); i++)
        near = fabs(json_number_value(json_array_get(a, i)) - json_number_value(json_array_get(b, i))) < NEAR;
    return near;
}

/* The same places in any order. */
static bool same_places(const json_t *want, const json_t *got) {
    bool used[64] = {false};
    size_t n = json_array_size(want);
    if (n != json_array_size(got) || n > 64)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n && (used[k] || !is_near(json_array_get(want, i), json_array_get(got, k))))
            k++;
        if (k == n)
            return false;
        used[k] = true;
    }
    return true;
}

static bool same_param(const struct lp_param *p, const json_t *want, const json_t *got, bool *failed) {
    if (p->kind == LP_PARAM_POINTS || p->kind == LP_PARAM_BOXES)
        return same_places(want, got);
    if (p->kind != LP_PARAM_TEXT || !json_is_string(got))
        return json_equal(want, got);
    if (json_is_object(want))
        return has_words(want, json_string_value(got), failed);
    const char *a = json_string_value(want), *b = json_string_value(got);
    return covers(a, b, false, failed) && covers(b, a, true, failed);
}

static const struct lp_skill *skill_of(const json_t *call, const char *key) {
    const char *name = json_string_value(json_object_get(call, key));
    return name ? lp_skill_find(name) : NULL;
}

static bool same_arguments(const json_t *want, const json_t *action, bool *failed, struct lp_error *err) {
    const struct lp_skill *skill = skill_of(want, "skill");
    const json_t *params = json_object_get(want, "params");
    struct lp_error why = {0};
    json_t *got = lp_skill_check(skill, json_object_get(action, "API_params"), &why);
    bool same = got != NULL;
    if (!got && why.code == LP_EMEMORY)
        *failed = !lp_error_memory(err);
    const struct lp_param *p;
    for (int i = 0; same && (p = lp_skill_param(skill, i)); i++) {
        const json_t *value = json_object_get(params, p->name);
        same = !value || same_param(p, value, json_object_get(got, p->name), failed);
    }
    json_decref(got);
    return same;
}

static bool same_skills(const json_t *want, const json_t *actions) {
    bool same = json_array_size(want) == json_array_size(actions);
    for (size_t i = 0; same && i < json_array_size(want); i++) {
        const struct lp_skill *got = skill_of(json_array_get(actions, i), "API_name");
        same = got && got == skill_of(json_array_get(want, i), "skill");
    }
    return same;
}

bool lp_plan_match(const json_t *expected, const json_t *actions, enum lp_plan_verdict *verdict, struct lp_error *err) {
    bool failed = false;
    *verdict = LP_PLAN_WRONG_SKILLS;
    for (size_t i = 0; *verdict != LP_PLAN_RIGHT && i < json_array_size(expected); i++) {
        const json_t *want = json_array_get(expected, i);
        if (!same_skills(want, actions))
            continue;
        bool same = true;
        for (size_t k = 0; same && k < json_array_size(want); k++)
            same = same_arguments(json_array_get(want, k), json_array_get(actions, k), &failed, err);
        *verdict = same ? LP_PLAN_RIGHT : LP_PLAN_WRONG_ARGUMENTS;
    }
    return !failed || lp_error_memory(err);
}

static bool all_strings(const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    return true;
}

/* The param's value as a plan could have it, so far as that can be told. */
static bool check_value(const struct lp_param *p, const json_t *value, struct lp_error *err) {
    if (p->kind == LP_PARAM_TEXT && json_is_object(value)) {
        const char *key;
        json_t *list;
        json_object_foreach((json_t *)value, key, list)
            if ((strcmp(key, "contains") && strcmp(key, "lacks")) || !json_is_array(list) || !all_strings(list))
                return lp_error_set(err, LP_EINPUT, "'%s' must be a text or an object with lists of words 'contains' "
                                                    "and 'lacks'", p->name);
        return true;
    }
    bool list = p->kind == LP_PARAM_POINTS || p->kind == LP_PARAM_BOXES;
    if (list ? !json_is_array(value) : !json_is_string(value))
        return lp_error_set(err, LP_EINPUT, "'%s' must be a %s", p->name, list ? "list of places" : "text");
    return true;
}

static bool check_call(const json_t *call, struct lp_error *err) {
    const char *name = json_string_value(json_object_get(call, "skill")), *key;
    const struct lp_skill *skill = name ? lp_skill_find(name) : NULL;
    json_t *params = json_object_get(call, "params"), *value;
    if (!skill)
        return lp_error_set(err, LP_EINPUT, "'%s' is no skill: each call is {\"skill\": .., \"params\": ..}",
                            name ? name : "");
    if (params && !json_is_object(params))
        return lp_error_set(err, LP_EINPUT, "'params' must be an object");
    json_object_foreach(params, key, value) {
        const struct lp_param *p;
        int i = 0;
        while ((p = lp_skill_param(skill, i)) && strcmp(p->name, key))
            i++;
        if (!p)
            return lp_error_set(err, LP_EINPUT, "%s has no parameter '%s'", name, key);
        if (!check_value(p, value, err))
            return false;
    }
    return true;
}

bool lp_expected_check(const json_t *expected, struct lp_error *err) {
    if (!json_is_array(expected) || !json_array_size(expected))
        return lp_error_set(err, LP_EINPUT, "'expected' must be a list of acceptable plans");
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *plan = json_array_get(expected, i);
        if (!json_is_array(plan))
            return lp_error_set(err, LP_EINPUT, "a plan in 'expected' must be a list of calls");
        for (size_t k = 0; k < json_array_size(plan); k++)
            if (!check_call(json_array_get(plan, k), err))
                return false;
    }
    return true;
}
