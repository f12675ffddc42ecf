/* SPDX-License-Identifier: MIT */
/* plan/syntax.c - an assistant's turn as an automaton over bytes: fixed texts and the two free ones. */
#include "plan/syntax.h"

#include "plan/action.h"
#include "plan/syntax_inner.h"

#include <string.h>

static const char *const marks[3] = {LP_MARK_THOUGHTS, LP_MARK_ACTIONS, LP_MARK_VALUE};

bool lp_syntax_init(struct lp_syntax *s, const struct lp_facts *facts, struct lp_error *err) {
    *s = (struct lp_syntax){.facts = *facts};
    const struct lp_param *param;
    bool done = true;
    for (int i = 0; i < LP_SKILL_COUNT; i++) {
        s->name[i] = lp_arena_printf(&s->arena, "%s\"", lp_skills[i]->api_name);
        done = done && s->name[i];
        for (int k = 0; k < 8 && (param = lp_skill_param(lp_skills[i], k)); k++) {
            const char *open = param->kind == LP_PARAM_TEXT ? "\"" : "[";
            s->param[i][k] = param->kind == LP_PARAM_HANDLE
                                 ? lp_arena_printf(&s->arena, ", \"%s\": \"%s_", param->name,
                                                   lp_object_kind_name(param->handle))
                                 : lp_arena_printf(&s->arena, ", \"%s\": %s", param->name, open);
            done = done && s->param[i][k];
        }
    }
    if (done)
        return true;
    lp_syntax_done(s);
    return lp_error_memory(err);
}

void lp_syntax_done(struct lp_syntax *s) {
    lp_arena_done(&s->arena);
}

void lp_place_fix(struct lp_place *p, const char *text, enum phase then) {
    p->phase = FIXED;
    p->text = text;
    p->at = 0;
    p->then = then;
}

void lp_place_enter(struct lp_place *p, const struct lp_syntax *s, enum phase phase) {
    p->phase = phase;
    p->at = 0;
    if (phase == THOUGHTS || phase == VALUE) {
        p->length = 0;
        p->utf8_left = 0;
        p->stop = 0;
        memset(p->mark, 0, sizeof p->mark);
    } else if (phase > ENDED) {
        lp_calls_enter(p, s, phase);
    }
}

void lp_place_init(struct lp_place *p, const struct lp_syntax *s) {
    static const char with_space[] = " " LP_MARK_THOUGHTS " ";
    *p = (struct lp_place){0};
    lp_place_fix(p, with_space + !s->facts.space, THOUGHTS);
}

/* UTF-8 without overlong forms, surrogates and what is beyond U+10FFFF. */
static bool utf8(struct lp_place *p, uint8_t b) {
    if (p->utf8_left) {
        bool good = b >= p->utf8_lo && b <= p->utf8_hi;
        p->utf8_left--;
        p->utf8_lo = 0x80;
        p->utf8_hi = 0xbf;
        return good;
    }
    p->utf8_left = b < 0x80 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
    p->utf8_lo = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
    p->utf8_hi = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
    return b < 0x80 || (b >= 0xc2 && b <= 0xf4);
}

/* Matches `text` on; true when it is complete. Right for texts whose first byte does not come again before
 * the last (all our markers and stop strings but "###", where starting anew is right, too). */
static bool match(const char *text, uint8_t *n, uint8_t b) {
    *n = (uint8_t)text[*n] == b ? *n + 1 : (uint8_t)text[0] == b;
    return !text[*n];
}

/* One byte of thoughts or value. */
static bool free_text(struct lp_place *p, const struct lp_syntax *s, uint8_t b) {
    bool value = p->phase == VALUE, whole = !p->utf8_left;
    if (b == '\n' && whole && !value) {
        lp_place_fix(p, LP_MARK_ACTIONS " ", OPEN);
        return p->length > 0;
    }
    if (!p->length && (b == ' ' || b == '\n'))
        return false;
    if ((b < ' ' && !(value && b == '\n')) || b == 127)
        return false;
    if (whole && p->length && !value && (p->hurry || p->length >= LP_SYNTAX_THOUGHTS))
        return false;
    if (!utf8(p, b))
        return false;
    for (int i = 0; i < 3; i++)
        if (match(marks[i], &p->mark[i], b))
            return false;
    p->length += p->length < UINT16_MAX;
    if (value && *s->facts.stop && match(s->facts.stop, &p->stop, b))
        p->phase = ENDED;
    return true;
}

bool lp_place_step(struct lp_place *p, const struct lp_syntax *s, uint8_t byte) {
    switch (p->phase) {
    case FIXED:
        if ((uint8_t)p->text[p->at] != byte)
            return false;
        if (!p->text[++p->at])
            lp_place_enter(p, s, p->then);
        return true;
    case THOUGHTS:
    case VALUE:
        return free_text(p, s, byte);
    case ENDED:
        return true;
    default:
        return lp_calls_step(p, s, byte);
    }
}

bool lp_place_is_text(const struct lp_place *p) {
    return p->phase == THOUGHTS || p->phase == VALUE;
}

bool lp_place_in_value(const struct lp_place *p) {
    return p->phase == VALUE || p->phase == ENDED;
}

bool lp_place_may_end(const struct lp_place *p) {
    return p->phase == ENDED || (p->phase == VALUE && p->length > 0 && !p->utf8_left);
}

bool lp_place_ended(const struct lp_place *p) {
    return p->phase == ENDED;
}

void lp_place_legal(const struct lp_place *p, const struct lp_syntax *s, bool legal[256]) {
    for (int b = 0; b < 256; b++) {
        struct lp_place next = *p;
        legal[b] = lp_place_step(&next, s, (uint8_t)b);
    }
}

size_t lp_syntax_forced(const struct lp_syntax *s, const struct lp_place *place, char *out) {
    struct lp_place p = *place;
    size_t n = 0;
    while (n < LP_SYNTAX_FORCED && p.phase != ENDED) {
        bool legal[256];
        int only = -1, count = 0;
        if (p.phase == FIXED) {
            only = (uint8_t)p.text[p.at];
            count = 1;
        } else {
            lp_place_legal(&p, s, legal);
            for (int b = 0; b < 256 && count < 2; b++)
                if (legal[b]) {
                    only = b;
                    count++;
                }
        }
        if (count != 1)
            break;
        lp_place_step(&p, s, (uint8_t)only);
        out[n++] = (char)only;
    }
    return n;
}
