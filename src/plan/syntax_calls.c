/* SPDX-License-Identifier: MIT */
/* plan/syntax_calls.c - the actions of a turn as an automaton over bytes. */
#include "plan/action.h"
#include "plan/syntax_inner.h"

#include <string.h>

enum { END_BIT = 63, HANDLE_BIT = 62 };
#define BIT(i) ((uint64_t)1 << (i))

static const char *const open_text[] = {"[]", "[{\"API_name\": \""};
static const char *const more_text[] = {"]", ", {\"API_name\": \""};
static const char *const next_text[] = {"]", ", "};

static const struct lp_param *param_at(const struct lp_place *p, int i) {
    return lp_skill_param(lp_skills[p->skill], i);
}

/* Objects of a kind that a call at this place may name. */
static int nameable(const struct lp_place *p, const struct lp_syntax *s, enum lp_object_kind kind) {
    return s->facts.have[kind] + p->promised[kind];
}

/* Whether points or boxes can be taken from the conversation instead of being invented. */
static bool is_grounded(const struct lp_place *p, const struct lp_syntax *s, const struct lp_param *param) {
    if (param->kind == LP_PARAM_BOXES)
        return s->facts.boxes > 0 || nameable(p, s, LP_OBJECT_BOX) > 0;
    return param->kind == LP_PARAM_POINTS && s->facts.points > 0;
}

/* Whether a call of skill i makes sense here: what it needs is there or will be. */
static bool is_callable(const struct lp_place *p, const struct lp_syntax *s, int i) {
    const struct lp_skill *skill = lp_skills[i];
    const struct lp_param *param;
    if ((s->facts.barred >> i) & 1)
        return false;
    if ((skill->needs & LP_NEEDS_PICTURE) && nameable(p, s, LP_OBJECT_IMAGE) == 0)
        return false;
    if ((skill->needs & LP_NEEDS_REFERENCE) && !s->facts.reference)
        return false;
    for (int k = 0; (param = lp_skill_param(skill, k)); k++)
        if (param->kind == LP_PARAM_HANDLE && param->required && nameable(p, s, param->handle) == 0)
            return false;
    return true;
}

static uint64_t callable(const struct lp_place *p, const struct lp_syntax *s) {
    uint64_t set = 0;
    for (int i = 0; i < LP_SKILL_COUNT; i++)
        if (is_callable(p, s, i))
            set |= BIT(i);
    return set;
}

/* Whether parameter k may be written: of "one of" parameters the first that is written excludes the others,
 * and those that must be invented give way to those that need not. */
static bool is_writable(const struct lp_place *p, const struct lp_syntax *s, int k) {
    const struct lp_param *param = param_at(p, k), *other;
    if (param->hidden || (p->given & BIT(k)) || k >= 8)
        return false;
    if (param->kind == LP_PARAM_HANDLE)
        return param->required ? nameable(p, s, param->handle) > 0 : nameable(p, s, param->handle) > 1;
    for (int i = 0; param->one_of && (other = param_at(p, i)); i++)
        if (other->one_of && ((p->given & BIT(i)) || (!is_grounded(p, s, param) && is_grounded(p, s, other))))
            return false;
    return true;
}

/* Parameters that may come now, in schema order, and END_BIT where the call may end. */
static uint64_t writable(const struct lp_place *p, const struct lp_syntax *s) {
    const struct lp_param *param;
    uint64_t set = 0;
    bool may_end = true, one_of_open = false, one_of_done = false;
    for (int k = 0; (param = param_at(p, k)); k++)
        one_of_done = one_of_done || (param->one_of && (p->given & BIT(k)));
    for (int k = 0; (param = param_at(p, k)); k++) {
        if (p->given >> k) /* this or a later one is written already */
            continue;
        if (one_of_open && !param->one_of && !one_of_done)
            break;
        one_of_open = one_of_open || param->one_of;
        if (is_writable(p, s, k) && !(p->hurry && !param->required && !param->one_of))
            set |= BIT(k);
        if (param->required) {
            may_end = false;
            break;
        }
    }
    if (may_end && (!one_of_open || one_of_done))
        set |= BIT(END_BIT);
    return set;
}

static int most_items(const struct lp_place *p, const struct lp_syntax *s) {
    const struct lp_param *param = param_at(p, p->param);
    bool invented = !is_grounded(p, s, param);
    return invented && param->most > LP_SYNTAX_FREE_ITEMS ? LP_SYNTAX_FREE_ITEMS : param->most;
}

static bool is_boxes(const struct lp_place *p) {
    return param_at(p, p->param)->kind == LP_PARAM_BOXES;
}

/* Points or boxes not used yet, only in their order; HANDLE_BIT for box handles. 0: none. */
static uint64_t literals(const struct lp_place *p, const struct lp_syntax *s) {
    int n = is_boxes(p) ? s->facts.boxes : s->facts.points;
    uint64_t set = 0;
    for (int i = p->last; i < n; i++)
        set |= BIT(i);
    return is_boxes(p) && p->lo <= nameable(p, s, LP_OBJECT_BOX) ? set | BIT(HANDLE_BIT) : set;
}

/* The i-th fixed text of a choice. */
static const char *option(const struct lp_place *p, const struct lp_syntax *s, int i) {
    switch (p->phase) {
    case OPEN:
        return open_text[i];
    case NAME:
        return s->name[i];
    case PARAM: /* the texts begin with the comma that the first parameter does without */
        return i == END_BIT ? "}}" : s->param[p->skill][i] + (p->given ? 0 : 2);
    case MORE:
        return more_text[i];
    case NEXT:
        return next_text[i];
    default: /* ITEM */
        return i == HANDLE_BIT ? "\"box_" : is_boxes(p) ? s->facts.box[i] : s->facts.point[i];
    }
}

static void enter_item(struct lp_place *p, const struct lp_syntax *s) {
    if (is_grounded(p, s, param_at(p, p->param))) {
        p->alive = literals(p, s);
        return;
    }
    p->number_of = 0;
    lp_place_fix(p, "[", NUMBER);
}

static void enter_next(struct lp_place *p, const struct lp_syntax *s) {
    bool left = !is_grounded(p, s, param_at(p, p->param)) || literals(p, s);
    bool more = p->items < most_items(p, s) && left && !p->hurry;
    p->alive = BIT(0) | (more ? BIT(1) : 0);
}

void lp_calls_enter(struct lp_place *p, const struct lp_syntax *s, enum phase phase) {
    bool last = p->hurry || p->calls >= LP_SYNTAX_CALLS || s->facts.no_tools || !callable(p, s);
    p->sub = 0;
    switch (phase) {
    case OPEN:
    case MORE:
        p->alive = (phase == OPEN && s->facts.must_call && !last ? 0 : BIT(0)) | (last ? 0 : BIT(1));
        break;
    case NAME:
        p->alive = callable(p, s);
        break;
    case PARAM:
        p->alive = writable(p, s);
        break;
    case ITEM:
        enter_item(p, s);
        break;
    case NEXT:
        enter_next(p, s);
        break;
    case STRING:
        p->length = 0;
        break;
    default:
        break;
    }
}

static void enter_handle(struct lp_place *p, const struct lp_syntax *s, enum lp_object_kind kind) {
    p->phase = HANDLE;
    p->handle = 0;
    p->hi = nameable(p, s, kind);
}

static void begin_value(struct lp_place *p, const struct lp_syntax *s, int k) {
    const struct lp_param *param = param_at(p, k);
    p->param = (uint8_t)k;
    p->given |= (uint32_t)BIT(k);
    p->lo = 1;
    p->last = p->items = 0;
    if (param->kind == LP_PARAM_TEXT)
        lp_place_enter(p, s, STRING);
    else if (param->kind == LP_PARAM_HANDLE)
        enter_handle(p, s, param->handle);
    else
        lp_place_enter(p, s, ITEM);
}

static void end_call(struct lp_place *p, const struct lp_syntax *s) {
    for (int kind = 0; kind < LP_OBJECT_KINDS; kind++)
        p->promised[kind] += (lp_skills[p->skill]->leaves >> kind) & 1;
    p->calls++;
    lp_place_enter(p, s, MORE);
}

/* The i-th text of a choice has been written. */
static void chosen(struct lp_place *p, const struct lp_syntax *s, int i) {
    switch (p->phase) {
    case OPEN:
    case MORE:
        if (i)
            lp_place_enter(p, s, NAME);
        else
            lp_place_fix(p, "\n" LP_MARK_VALUE " ", VALUE);
        break;
    case NAME:
        p->skill = (uint8_t)i;
        p->given = 0;
        lp_place_fix(p, ", \"API_params\": {", PARAM);
        break;
    case PARAM:
        if (i == END_BIT)
            end_call(p, s);
        else
            begin_value(p, s, i);
        break;
    case ITEM:
        p->items++;
        if (i == HANDLE_BIT) {
            enter_handle(p, s, LP_OBJECT_BOX);
            break;
        }
        p->last = (uint8_t)(i + 1);
        lp_place_enter(p, s, NEXT);
        break;
    default: /* NEXT */
        lp_place_enter(p, s, i ? ITEM : PARAM);
        break;
    }
}

/* Keeps the options that go on with the byte; the texts of a choice are never beginnings of one another. */
static bool choice(struct lp_place *p, const struct lp_syntax *s, uint8_t byte) {
    uint64_t left = 0;
    int first = 0;
    for (uint64_t rest = p->alive; rest; rest &= rest - 1) {
        int i = __builtin_ctzll(rest);
        if ((uint8_t)option(p, s, i)[p->at] != byte || !byte)
            continue;
        first = left ? first : i;
        left |= BIT(i);
    }
    p->alive = left;
    p->at++;
    if (left && !option(p, s, first)[p->at])
        chosen(p, s, first);
    return left != 0;
}

static int hex_digit(uint8_t b) {
    return b >= '0' && b <= '9' ? b - '0' : b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

enum {
    PLAIN = 0,
    ESCAPE,
    UNIT,
    LOW_ESCAPE = UNIT + 4,
    LOW_U,
    LOW_UNIT,
    LOW_LAST = LOW_UNIT + 3
}; /* string's sub */

/* A digit of \uXXXX: U+00A0 and up, surrogates only as pairs. */
static bool unit_digit(struct lp_place *p, uint8_t b) {
    int d = hex_digit(b), at = p->sub - (p->sub >= LOW_UNIT ? LOW_UNIT : UNIT);
    bool low = p->sub >= LOW_UNIT;
    if (d < 0 || (low && at == 0 && d != 0xd) || (low && at == 1 && d < 0xc))
        return false;
    if (!low && ((at == 1 && p->unit == 0xd && d >= 0xc) || (at == 2 && p->unit == 0 && d < 0xa)))
        return false;
    p->unit = (uint16_t)(at ? p->unit * 16 + d : d);
    p->sub++;
    if (at == 3) {
        bool high = !low && p->unit >= 0xd800 && p->unit < 0xdc00;
        p->sub = high ? LOW_ESCAPE : PLAIN;
        p->length = (uint16_t)(p->length + (low ? 2 : high ? 2 : 3));
    }
    return true;
}

/* Inside a JSON string: printable ASCII, \" \\ and \uXXXX, as json.dumps writes. */
static bool string(struct lp_place *p, const struct lp_syntax *s, uint8_t b) {
    int room = param_at(p, p->param)->most - p->length;
    switch (p->sub) {
    case PLAIN:
        if (b == '"' && p->length) {
            lp_place_enter(p, s, PARAM);
            return true;
        }
        if (b < ' ' || b > '~' || b == '"' || (b == ' ' && !p->length) || room < (b == '\\' ? 4 : 1) ||
            (p->hurry && p->length))
            return false;
        p->sub = b == '\\' ? ESCAPE : PLAIN;
        p->length += b != '\\';
        return true;
    case ESCAPE:
        p->sub = b == 'u' ? UNIT : PLAIN;
        p->length += b != 'u';
        return b == 'u' || b == '"' || b == '\\';
    case LOW_ESCAPE:
        p->sub = LOW_U;
        return b == '\\';
    case LOW_U:
        p->sub = LOW_UNIT;
        return b == 'u';
    default:
        return unit_digit(p, b);
    }
}

/* Whether more digits after v can still make a number of lo..hi. */
static bool can_become(int64_t v, int lo, int hi) {
    for (int64_t first = v, last = v; first <= hi; first *= 10, last = last * 10 + 9)
        if (last >= lo)
            return true;
    return false;
}

static bool handle(struct lp_place *p, const struct lp_syntax *s, uint8_t b) {
    if (b == '"' && p->handle) {
        bool good = p->handle >= p->lo && p->handle <= p->hi;
        p->lo = p->handle + 1;
        if (good)
            lp_place_enter(p, s, param_at(p, p->param)->kind == LP_PARAM_HANDLE ? PARAM : NEXT);
        return good;
    }
    if (b < '0' || b > '9' || (b == '0' && !p->handle))
        return false;
    p->handle = p->handle * 10 + (b - '0');
    return can_become(p->handle, p->lo, p->hi);
}

enum { WHOLE = 0, ZERO, ZERO_POINT, TENTHS, ONE, ONE_POINT, FULL, SPACE }; /* number's sub */

/* After a number: the next of the same point or box, or its end. */
static bool after_number(struct lp_place *p, const struct lp_syntax *s, uint8_t b) {
    int want = is_boxes(p) ? 4 : 2;
    if (p->number_of + 1 < want) {
        p->number_of++;
        p->sub = SPACE;
        return b == ',';
    }
    p->items++;
    lp_place_enter(p, s, NEXT);
    return b == ']';
}

/* 0.0 .. 1.0 with at most two decimals, as Python writes such floats. */
static bool number(struct lp_place *p, const struct lp_syntax *s, uint8_t b) {
    bool digit = b >= '0' && b <= '9';
    switch (p->sub) {
    case WHOLE:
        p->sub = b == '0' ? ZERO : ONE;
        return b == '0' || b == '1';
    case ZERO:
    case ONE:
        p->sub++;
        return b == '.';
    case ZERO_POINT:
        p->sub = TENTHS;
        return digit;
    case ONE_POINT:
        p->sub = FULL;
        return b == '0';
    case TENTHS:
        if (digit) {
            p->sub = FULL;
            return b != '0';
        }
        return after_number(p, s, b);
    case FULL:
        return after_number(p, s, b);
    default: /* SPACE */
        p->sub = WHOLE;
        return b == ' ';
    }
}

bool lp_calls_step(struct lp_place *p, const struct lp_syntax *s, uint8_t byte) {
    switch (p->phase) {
    case STRING:
        return string(p, s, byte);
    case HANDLE:
        return handle(p, s, byte);
    case NUMBER:
        return number(p, s, byte);
    default:
        return choice(p, s, byte);
    }
}
