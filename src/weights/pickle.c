/* SPDX-License-Identifier: MIT */
/* weights/pickle.c - the pickle machine: a stack, marks, a memo. Opcodes as Python's pickletools.py describes
 * them.
 *
 * Every push is counted and takes at least a byte, values are shared and never copied: memory follows the
 * pickle's size. Nothing recurses: values that hold themselves are just pointers. */
#include "weights/pickle_inner.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_BYTES = 64 << 20,
    MOST_VALUES = 8 << 20,
    MOST_PROTOCOL = 5,
};

enum opcode {
    MARK = '(',
    STOP = '.',
    BINFLOAT = 'G',
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    NONE = 'N',
    BINPERSID = 'Q',
    REDUCE = 'R',
    BINSTRING = 'T',
    SHORT_BINSTRING = 'U',
    BINUNICODE = 'X',
    EMPTY_LIST = ']',
    APPEND = 'a',
    BUILD = 'b',
    GLOBAL = 'c',
    APPENDS = 'e',
    BINGET = 'h',
    LONG_BINGET = 'j',
    BINPUT = 'q',
    LONG_BINPUT = 'r',
    SETITEM = 's',
    TUPLE = 't',
    SETITEMS = 'u',
    EMPTY_DICT = '}',
    EMPTY_TUPLE = ')',
    PROTO = 0x80,
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    LONG1 = 0x8a,
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE8 = 0x8d,
    STACK_GLOBAL = 0x93,
    MEMOIZE = 0x94,
    FRAME = 0x95
};

/* Those of pickle that dictionaries of tensors have no use for, by code. */
static const char *const refused[256] = {['0'] = "POP",
                                         ['1'] = "POP_MARK",
                                         ['2'] = "DUP",
                                         ['F'] = "FLOAT",
                                         ['I'] = "INT",
                                         ['L'] = "LONG",
                                         ['P'] = "PERSID",
                                         ['S'] = "STRING",
                                         ['V'] = "UNICODE",
                                         ['d'] = "DICT",
                                         ['g'] = "GET",
                                         ['i'] = "INST",
                                         ['l'] = "LIST",
                                         ['o'] = "OBJ",
                                         ['p'] = "PUT",
                                         ['B'] = "BINBYTES",
                                         ['C'] = "SHORT_BINBYTES",
                                         [0x81] = "NEWOBJ",
                                         [0x82] = "EXT1",
                                         [0x83] = "EXT2",
                                         [0x84] = "EXT4",
                                         [0x8b] = "LONG4",
                                         [0x8e] = "BINBYTES8",
                                         [0x8f] = "EMPTY_SET",
                                         [0x90] = "ADDITEMS",
                                         [0x91] = "FROZENSET",
                                         [0x92] = "NEWOBJ_EX",
                                         [0x96] = "BYTEARRAY8",
                                         [0x97] = "NEXT_BUFFER",
                                         [0x98] = "READONLY_BUFFER"};

bool lp_pickle_refuse(struct lp_pickle_machine *m, const char *format, ...) {
    char words[220];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return lp_error_set(m->err, LP_EINPUT, "%s: the pickle %s", m->name, words);
}

static bool refuse_opcode(struct lp_pickle_machine *m, uint8_t op) {
    if (refused[op])
        return lp_pickle_refuse(m, "has the opcode %s, which is refused: tensors alone are read",
                                refused[op]);
    return lp_pickle_refuse(m, "has the unknown opcode 0x%02x", op);
}

/* Room for one more pointer. */
static bool grow(struct lp_pickle_machine *m, struct lp_pickle_value ***array, size_t *room, size_t need) {
    if (need <= *room)
        return true;
    size_t more = need < 64 ? 64 : need * 2;
    struct lp_pickle_value **bigger = lp_realloc(*array, more * sizeof *bigger);
    if (!bigger)
        return lp_error_memory(m->err);
    memset(bigger + *room, 0, (more - *room) * sizeof *bigger);
    *array = bigger;
    *room = more;
    return true;
}

static bool push(struct lp_pickle_machine *m, struct lp_pickle_value *v) {
    if (!v)
        return false;
    if (++m->pushed > MOST_VALUES)
        return lp_pickle_refuse(m, "has more than %d values", MOST_VALUES);
    if (!grow(m, &m->stack, &m->room, m->n + 1))
        return false;
    m->stack[m->n++] = v;
    return true;
}

/* The k values on top, above the last mark; they stay until the caller lowers n. NULL: refused. */
static struct lp_pickle_value **top(struct lp_pickle_machine *m, size_t k) {
    size_t floor = m->marks ? m->mark[m->marks - 1] : 0;
    if (m->n - floor >= k)
        return m->stack + m->n - k;
    lp_pickle_refuse(m, "takes a value that is not there");
    return NULL;
}

/* Takes the last mark away; how many values lie above it, -1: refused. */
static long unmark(struct lp_pickle_machine *m) {
    if (m->marks)
        return (long)(m->n - m->mark[--m->marks]);
    lp_pickle_refuse(m, "takes a mark that is not there");
    return -1;
}

/* The next n bytes; NULL: refused. */
static const uint8_t *take(struct lp_pickle_machine *m, uint64_t n) {
    if ((uint64_t)(m->end - m->at) < n) {
        lp_pickle_refuse(m, "is cut short or larger than %d MiB", MOST_BYTES >> 20);
        return NULL;
    }
    const uint8_t *bytes = m->at;
    m->at += n;
    return bytes;
}

/* A little-endian number of 1 to 8 bytes. */
static bool take_number(struct lp_pickle_machine *m, int bytes, uint64_t *out) {
    const uint8_t *b = take(m, (uint64_t)bytes);
    *out = 0;
    for (int i = bytes - 1; b && i >= 0; i--)
        *out = *out << 8 | b[i];
    return b;
}

static bool push_integer(struct lp_pickle_machine *m, enum lp_pickle_kind kind, int64_t integer) {
    struct lp_pickle_value *v = lp_pickle_make(m, kind);
    if (v)
        v->integer = integer;
    return push(m, v);
}

static bool integer(struct lp_pickle_machine *m, int bytes) {
    uint64_t number;
    return take_number(m, bytes, &number) &&
           push_integer(m, LP_PICKLE_INT, bytes == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

static bool push_text(struct lp_pickle_machine *m, enum lp_pickle_kind kind, uint64_t n) {
    const uint8_t *bytes = take(m, n);
    struct lp_pickle_value *v = bytes ? lp_pickle_make(m, kind) : NULL;
    if (v) {
        v->text.s = (const char *)bytes;
        v->text.n = (size_t)n;
    }
    return push(m, v);
}

static bool text(struct lp_pickle_machine *m, int length_bytes) {
    uint64_t n;
    return take_number(m, length_bytes, &n) && push_text(m, LP_PICKLE_TEXT, n);
}

/* Two's complement of any length; beyond 8 bytes it stays bytes. */
static bool long_integer(struct lp_pickle_machine *m) {
    uint64_t n, number;
    if (!take_number(m, 1, &n))
        return false;
    if (n > 8)
        return push_text(m, LP_PICKLE_BIG, n);
    if (!take_number(m, (int)n, &number))
        return false;
    if (n > 0 && n < 8 && number >> (8 * n - 1))
        number |= UINT64_MAX << (8 * n);
    return push_integer(m, LP_PICKLE_INT, (int64_t)number);
}

static bool number(struct lp_pickle_machine *m) {
    const uint8_t *b = take(m, 8);
    struct lp_pickle_value *v = b ? lp_pickle_make(m, LP_PICKLE_FLOAT) : NULL;
    uint64_t bits = 0;
    for (int i = 0; v && i < 8; i++)
        bits = bits << 8 | b[i];
    if (v)
        memcpy(&v->number, &bits, sizeof bits);
    return push(m, v);
}

static bool tuple(struct lp_pickle_machine *m, long n) {
    struct lp_pickle_value **item = n < 0 ? NULL : top(m, (size_t)n);
    struct lp_pickle_value *v = item ? lp_pickle_make(m, LP_PICKLE_TUPLE) : NULL;
    if (!v || !lp_pickle_append(m, v, item, (size_t)n))
        return false;
    m->n -= (size_t)n;
    return push(m, v);
}

/* Adds the n values on top to the list or the dictionary below them. */
static bool add_items(struct lp_pickle_machine *m, enum lp_pickle_kind kind, long n) {
    struct lp_pickle_value **item = n < 0 ? NULL : top(m, (size_t)n + 1);
    if (!item)
        return false;
    if (item[0]->kind != kind || (kind == LP_PICKLE_DICT && n % 2))
        return lp_pickle_refuse(m, "adds to something that is no %s",
                                kind == LP_PICKLE_DICT ? "dictionary" : "list");
    m->n -= (size_t)n;
    return lp_pickle_append(m, item[0], item + 1, (size_t)n);
}

static bool put(struct lp_pickle_machine *m, uint64_t at) {
    struct lp_pickle_value **v = top(m, 1);
    if (!v)
        return false;
    if (at >= MOST_VALUES || at > m->memo_count + 65536)
        return lp_pickle_refuse(m, "remembers a value under the number %llu", (unsigned long long)at);
    if (!grow(m, &m->memo, &m->memo_room, (size_t)at + 1))
        return false;
    m->memo_count += !m->memo[at];
    m->memo[at] = *v;
    return true;
}

static bool get(struct lp_pickle_machine *m, uint64_t at) {
    if (at < m->memo_room && m->memo[at])
        return push(m, m->memo[at]);
    return lp_pickle_refuse(m, "recalls the value %llu, which it did not remember", (unsigned long long)at);
}

static bool memo(struct lp_pickle_machine *m, uint8_t op) {
    uint64_t at = m->memo_count;
    if (op != MEMOIZE && !take_number(m, op == BINPUT || op == BINGET ? 1 : 4, &at))
        return false;
    return op == BINGET || op == LONG_BINGET ? get(m, at) : put(m, at);
}

/* "module\nname\n" */
static bool global(struct lp_pickle_machine *m) {
    const uint8_t *module = m->at, *cut = memchr(m->at, '\n', (size_t)(m->end - m->at));
    const uint8_t *stop = cut ? memchr(cut + 1, '\n', (size_t)(m->end - cut - 1)) : NULL;
    if (!stop)
        return lp_pickle_refuse(m, "is cut short");
    m->at = stop + 1;
    return push(m, lp_pickle_global(m, (const char *)module, (size_t)(cut - module), (const char *)cut + 1,
                                    (size_t)(stop - cut - 1)));
}

static bool stack_global(struct lp_pickle_machine *m) {
    struct lp_pickle_value **pair = top(m, 2);
    if (!pair)
        return false;
    if (pair[0]->kind != LP_PICKLE_TEXT || pair[1]->kind != LP_PICKLE_TEXT)
        return lp_pickle_refuse(m, "names a global by something that is no text");
    m->n -= 2;
    return push(m, lp_pickle_global(m, pair[0]->text.s, pair[0]->text.n, pair[1]->text.s, pair[1]->text.n));
}

static bool reduce(struct lp_pickle_machine *m) {
    struct lp_pickle_value **pair = top(m, 2);
    if (!pair)
        return false;
    m->n -= 2;
    return push(m, lp_pickle_reduce(m, pair[0], pair[1]));
}

static bool persistent(struct lp_pickle_machine *m) {
    struct lp_pickle_value **id = top(m, 1);
    if (!id)
        return false;
    m->n--;
    return push(m, lp_pickle_persistent(m, *id));
}

/* What an OrderedDict carries beside its items (a state dictionary's _metadata) is dropped. */
static bool build(struct lp_pickle_machine *m) {
    struct lp_pickle_value **pair = top(m, 2);
    if (!pair)
        return false;
    if (pair[0]->kind != LP_PICKLE_DICT || pair[1]->kind != LP_PICKLE_DICT)
        return lp_pickle_refuse(m, "has the opcode BUILD on something that is no dictionary");
    m->n--;
    return true;
}

static bool frame(struct lp_pickle_machine *m) {
    uint64_t n;
    if (!take_number(m, 8, &n))
        return false;
    return n <= (uint64_t)(m->end - m->at) || lp_pickle_refuse(m, "has a frame that is longer than the file");
}

static bool mark(struct lp_pickle_machine *m) {
    if (m->marks == LP_PICKLE_MARKS)
        return lp_pickle_refuse(m, "is nested deeper than %d", LP_PICKLE_MARKS);
    m->mark[m->marks++] = m->n;
    return true;
}

static bool stop(struct lp_pickle_machine *m) {
    m->done = m->n == 1 && !m->marks;
    return m->done || lp_pickle_refuse(m, "ends with %zu values instead of one", m->n);
}

static bool step(struct lp_pickle_machine *m, uint8_t op) {
    switch (op) {
    case STOP:
        return stop(m);
    case MARK:
        return mark(m);
    case FRAME:
        return frame(m);
    case NONE:
        return push(m, lp_pickle_make(m, LP_PICKLE_NONE));
    case NEWTRUE:
    case NEWFALSE:
        return push_integer(m, LP_PICKLE_BOOL, op == NEWTRUE);
    case BININT:
        return integer(m, 4);
    case BININT1:
        return integer(m, 1);
    case BININT2:
        return integer(m, 2);
    case LONG1:
        return long_integer(m);
    case BINFLOAT:
        return number(m);
    case SHORT_BINSTRING:
    case SHORT_BINUNICODE:
        return text(m, 1);
    case BINSTRING:
    case BINUNICODE:
        return text(m, 4);
    case BINUNICODE8:
        return text(m, 8);
    case EMPTY_TUPLE:
        return tuple(m, 0);
    case TUPLE1:
        return tuple(m, 1);
    case TUPLE2:
        return tuple(m, 2);
    case TUPLE3:
        return tuple(m, 3);
    case TUPLE:
        return tuple(m, unmark(m));
    case EMPTY_LIST:
        return push(m, lp_pickle_make(m, LP_PICKLE_LIST));
    case APPEND:
        return add_items(m, LP_PICKLE_LIST, 1);
    case APPENDS:
        return add_items(m, LP_PICKLE_LIST, unmark(m));
    case EMPTY_DICT:
        return push(m, lp_pickle_make(m, LP_PICKLE_DICT));
    case SETITEM:
        return add_items(m, LP_PICKLE_DICT, 2);
    case SETITEMS:
        return add_items(m, LP_PICKLE_DICT, unmark(m));
    case BINPUT:
    case LONG_BINPUT:
    case MEMOIZE:
    case BINGET:
    case LONG_BINGET:
        return memo(m, op);
    case GLOBAL:
        return global(m);
    case STACK_GLOBAL:
        return stack_global(m);
    case REDUCE:
        return reduce(m);
    case BUILD:
        return build(m);
    case BINPERSID:
        return persistent(m);
    default:
        return refuse_opcode(m, op);
    }
}

bool lp_pickle_read(struct lp_pickle *out, struct lp_arena *arena, const void *data, size_t size,
                    const char *name, struct lp_error *err) {
    const uint8_t *bytes = data;
    struct lp_pickle_machine m = {.arena = arena, .name = name, .at = bytes, .err = err};
    *out = (struct lp_pickle){0};
    if (size < 2 || bytes[0] != PROTO || bytes[1] < 2 || bytes[1] > MOST_PROTOCOL)
        return lp_error_set(err, LP_EINPUT, "%s: there is no pickle of protocol 2 to %d", name,
                            MOST_PROTOCOL);
    m.end = bytes + (size < MOST_BYTES ? size : MOST_BYTES);
    m.at += 2;
    bool ok = grow(&m, &m.stack, &m.room, 1); /* so that no values are a pointer, too */
    while (ok && !m.done) {
        const uint8_t *op = take(&m, 1);
        ok = op && step(&m, *op);
    }
    if (ok)
        *out = (struct lp_pickle){m.stack[0], m.storages, (size_t)(m.at - bytes)};
    lp_free(m.stack);
    lp_free(m.memo);
    return ok;
}
