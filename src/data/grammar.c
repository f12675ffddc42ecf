/* SPDX-License-Identifier: MIT */
/* data/grammar.c - a phrase file's lines become trees once; an expansion walks them with the random numbers it is
 * given. The syntax is told in data/README.md. */
#include "data/grammar_inner.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/wording.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 24, FILE_BYTES = 4 << 20 };

struct parser {
    struct lp_grammar *g;
    const char *p, *file;
    int line, depth;
    struct lp_error *err;
};

static bool complain(struct parser *s, const char *what) {
    return lp_error_set(s->err, LP_EINPUT, "%s:%d: %s; see data/README.md for the syntax", s->file, s->line, what);
}

static struct lp_node *new_node(struct parser *s, enum lp_node_kind kind) {
    struct lp_node *node = lp_arena_alloc(&s->g->arena, sizeof *node);
    if (!node) {
        lp_error_memory(s->err);
        return NULL;
    }
    node->kind = kind;
    node->file = s->file;
    node->line = s->line;
    return node;
}

static bool parse_sequence(struct parser *s, struct lp_node **out);

/* The alternatives up to the closing bracket. */
static bool parse_choice(struct parser *s, char close, struct lp_node *node) {
    struct lp_branch **end = &node->branch;
    if (++s->depth > DEPTH)
        return complain(s, "brackets are nested too deep");
    for (;;) {
        struct lp_branch *b = lp_arena_alloc(&s->g->arena, sizeof *b);
        if (!b)
            return lp_error_memory(s->err);
        if (!parse_sequence(s, &b->first))
            return false;
        *end = b;
        end = &b->next;
        node->branches++;
        if (*s->p == close)
            break;
        if (*s->p != '|')
            return complain(s, close == ')' ? "a '(' is not closed" : "a '[' is not closed");
        s->p++;
    }
    s->p++;
    s->depth--;
    return true;
}

static bool parse_reference(struct parser *s, char close, struct lp_node *node) {
    size_t n = strcspn(s->p, "<>{}()[]| ");
    if (n == 0 || s->p[n] != close)
        return complain(s, close == '>' ? "a '<' needs a name and '>'" : "a '{' needs a name and '}'");
    node->plural = s->p[n - 1] == '+';
    node->capture = close == '}';
    node->text = lp_arena_strndup(&s->g->arena, s->p, n - node->plural);
    s->p += n + 1;
    return node->text ? true : lp_error_memory(s->err);
}

static bool parse_text(struct parser *s, struct lp_node *node) {
    struct lp_str text = {0};
    while (*s->p && !strchr("()[]|<>{}", *s->p) && strncmp(s->p, "=>", 2)) {
        if (*s->p == '\\' && s->p[1])
            s->p++;
        lp_str_putc(&text, *s->p++);
    }
    node->text = text.failed ? NULL : lp_arena_strdup(&s->g->arena, lp_str_text(&text));
    lp_str_done(&text);
    return node->text ? true : lp_error_memory(s->err);
}

/* Up to the end, a '|', a closing bracket or "=>". */
static bool parse_sequence(struct parser *s, struct lp_node **out) {
    while (*s->p && !strchr(")]|", *s->p) && strncmp(s->p, "=>", 2)) {
        char c = *s->p;
        bool bracket = c == '(' || c == '[', reference = c == '<' || c == '{';
        if (c == '>' || c == '}')
            return complain(s, c == '>' ? "a '>' without '<'" : "a '}' without '{'");
        struct lp_node *node = new_node(s, c == '(' ? CHOICE : c == '[' ? OPTION : reference ? REFERENCE : TEXT);
        if (!node)
            return false;
        s->p += bracket || reference;
        bool ok = bracket     ? parse_choice(s, c == '(' ? ')' : ']', node)
                  : reference ? parse_reference(s, c == '<' ? '>' : '}', node)
                              : parse_text(s, node);
        if (!ok)
            return false;
        *out = node;
        out = &node->next;
    }
    return true;
}

static struct lp_list *list_of(struct parser *s, const char *name) {
    struct lp_list *list = (struct lp_list *)lp_grammar_find(s->g, name);
    if (list)
        return list;
    list = lp_arena_alloc(&s->g->arena, sizeof *list);
    if (!list || !(list->name = lp_arena_strdup(&s->g->arena, name))) {
        lp_error_memory(s->err);
        return NULL;
    }
    if (s->g->last)
        s->g->last->next = list;
    else
        s->g->first = list;
    return s->g->last = list;
}

/* Blanks around a phrase are not part of it. */
static void trim(struct lp_node *first) {
    if (first && first->kind == TEXT)
        first->text += strspn(first->text, " ");
    for (; first; first = first->next)
        if (!first->next && first->kind == TEXT)
            for (size_t n = strlen(first->text); n && first->text[n - 1] == ' ';)
                first->text[--n] = 0;
}

/* A line of phrases: alternatives parted by '|'; "=> .." after the last holds for all of the line. */
static bool parse_line(struct parser *s, struct lp_list *list) {
    struct lp_branch *before = list->last;
    struct lp_node *param = NULL;
    for (;;) {
        struct lp_branch *b = lp_arena_alloc(&s->g->arena, sizeof *b);
        if (!b)
            return lp_error_memory(s->err);
        if (!parse_sequence(s, &b->first))
            return false;
        trim(b->first);
        if (list->last)
            list->last->next = b;
        else
            list->first = b;
        list->last = b;
        list->entries++;
        if (*s->p != '|')
            break;
        s->p++;
    }
    if (!strncmp(s->p, "=>", 2)) {
        s->p += 2;
        if (!parse_sequence(s, &param))
            return false;
        trim(param);
    }
    if (*s->p)
        return complain(s, "a closing bracket without its opening one, or text after the end");
    for (struct lp_branch *b = before ? before->next : list->first; b; b = b->next)
        b->param = param;
    return true;
}

/* "== name" or "== <name>" begins a list. */
static struct lp_list *parse_header(struct parser *s, const char *base, char *text) {
    char name[512];
    text += strspn(text, "= ");
    size_t n = strlen(text);
    if (n > 100) {
        complain(s, "the name of a list is longer than 100 letters");
        return NULL;
    }
    if (n > 2 && text[0] == '<' && text[n - 1] == '>') {
        snprintf(name, sizeof name, "%.*s", (int)(n - 2), text + 1);
    } else if (n) {
        snprintf(name, sizeof name, "%s/%s", base, text);
    } else {
        complain(s, "'==' needs the name of a section or a <list>");
        return NULL;
    }
    return list_of(s, name);
}

static bool read_file(struct lp_grammar *g, const char *path, const char *base, struct lp_error *err) {
    size_t size;
    char *text = lp_file_read(path, FILE_BYTES, &size, err);
    if (!text)
        return false;
    struct parser s = {.g = g, .file = lp_arena_strdup(&g->arena, path), .err = err};
    struct lp_list *list = s.file ? list_of(&s, base) : NULL;
    bool ok = list != NULL;
    char *end = NULL;
    for (char *line = text; ok && line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        s.line++;
        size_t n = strlen(line);
        while (n && (line[n - 1] == ' ' || line[n - 1] == '\r' || line[n - 1] == '\t'))
            line[--n] = 0;
        s.depth = 0;
        s.p = line;
        if (!strncmp(line, "==", 2))
            ok = (list = parse_header(&s, base, line)) != NULL;
        else if (n && *line != '#')
            ok = parse_line(&s, list);
    }
    lp_free(text);
    return ok;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder's .txt files in the order of their names, so that every machine reads them alike. */
static bool read_folder(struct lp_grammar *g, const char *root, const char *part, struct lp_error *err) {
    char folder[PATH_MAX], path[PATH_MAX], base[256];
    char *name[256];
    size_t n = 0;
    if (!lp_file_join(folder, sizeof folder, root, part, err))
        return false;
    DIR *dir = opendir(folder);
    if (!dir)
        return lp_error_set(err, LP_EIO, "cannot open the grammar's folder '%s'; give --grammar the data folder",
                            folder);
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || length > 64 || strcmp(entry->d_name + length - 4, ".txt") || entry->d_name[0] == '.')
            continue;
        if (n == sizeof name / sizeof *name)
            ok = lp_error_set(err, LP_EINPUT, "'%s' holds more than 256 files", folder);
        else if (!(name[n++] = lp_arena_strdup(&g->arena, entry->d_name)))
            ok = lp_error_memory(err);
    }
    closedir(dir);
    if (ok)
        qsort(name, n, sizeof *name, by_name);
    for (size_t i = 0; ok && i < n; i++) {
        snprintf(base, sizeof base, "%s/%.*s", part, (int)strlen(name[i]) - 4, name[i]);
        ok = lp_file_join(path, sizeof path, folder, name[i], err) && read_file(g, path, base, err);
    }
    return ok;
}

static bool resolve_sequence(struct lp_grammar *g, struct lp_node *node, double *variety, struct lp_error *err);

static bool resolve_list(struct lp_grammar *g, struct lp_list *list, struct lp_error *err) {
    if (list->state == 2)
        return true;
    if (list->state == 1)
        return lp_error_set(err, LP_EINPUT, "the list <%s> contains itself; break the circle", list->name);
    list->state = 1;
    list->entry = lp_arena_array(&g->arena, list->entries + 1, sizeof *list->entry);
    if (!list->entry)
        return lp_error_memory(err);
    size_t i = 0;
    for (struct lp_branch *b = list->first; b; b = b->next) {
        double variety = 1, ignored = 1;
        if (!resolve_sequence(g, b->first, &variety, err) || !resolve_sequence(g, b->param, &ignored, err))
            return false;
        list->entry[i++] = b;
        list->variety += variety;
    }
    list->state = 2;
    return true;
}

static bool resolve_reference(struct lp_grammar *g, struct lp_node *node, double *variety, struct lp_error *err) {
    struct lp_list *list = (struct lp_list *)lp_grammar_find(g, node->text);
    node->list = list;
    if (list) {
        if (!list->entries)
            return lp_error_set(err, LP_EINPUT, "%s:%d: the list <%s> is empty", node->file, node->line, node->text);
        if (!resolve_list(g, list, err))
            return false;
        *variety *= list->variety;
        return true;
    }
    for (const char *const *slot = g->slots; *slot; slot++)
        if (!strcmp(*slot, node->text)) {
            node->slot = *slot;
            return true;
        }
    return lp_error_set(err, LP_EINPUT, "%s:%d: there is no list or slot <%s>; a list begins with '== <%s>'",
                        node->file, node->line, node->text, node->text);
}

static bool resolve_sequence(struct lp_grammar *g, struct lp_node *node, double *variety, struct lp_error *err) {
    for (; node; node = node->next) {
        double sum = node->kind == OPTION;
        for (struct lp_branch *b = node->branch; b; b = b->next) {
            double each = 1;
            if (!resolve_sequence(g, b->first, &each, err))
                return false;
            sum += each;
        }
        if (node->branch)
            *variety *= sum;
        if (node->kind == REFERENCE && !resolve_reference(g, node, variety, err))
            return false;
    }
    return true;
}

struct lp_grammar *lp_grammar_open(const char *folder, const char *const *slots, struct lp_error *err) {
    static const char *const parts[] = {"words", "phrasings", "thoughts", "answers"};
    struct lp_grammar *g = lp_alloc(sizeof *g);
    if (!g) {
        lp_error_memory(err);
        return NULL;
    }
    g->slots = slots;
    bool ok = true;
    for (size_t k = 0; ok && k < sizeof parts / sizeof *parts; k++)
        ok = read_folder(g, folder, parts[k], err);
    for (struct lp_list *list = g->first; ok && list; list = list->next, g->lists++)
        ok = resolve_list(g, list, err);
    if (ok && !(g->list = lp_arena_array(&g->arena, g->lists + 1, sizeof *g->list)))
        ok = lp_error_memory(err);
    size_t i = 0;
    for (struct lp_list *list = g->first; ok && list; list = list->next)
        g->list[i++] = list;
    if (ok)
        return g;
    lp_grammar_close(g);
    return NULL;
}

void lp_grammar_close(struct lp_grammar *g) {
    if (!g)
        return;
    lp_arena_done(&g->arena);
    lp_free(g);
}

const char *lp_grammar_folder(void) {
    return LP_SOURCE_DIR "/data";
}

const struct lp_list *lp_grammar_find(const struct lp_grammar *g, const char *name) {
    const struct lp_list *list = g->first;
    while (list && strcmp(list->name, name))
        list = list->next;
    return list;
}

const struct lp_list *lp_grammar_at(const struct lp_grammar *g, size_t i, const char **name) {
    *name = i < g->lists ? g->list[i]->name : NULL;
    return i < g->lists ? g->list[i] : NULL;
}

size_t lp_list_entries(const struct lp_list *list) {
    return list->entries;
}

double lp_list_variety(const struct lp_list *list) {
    return list->variety;
}

static void expand_sequence(const struct lp_node *node, struct lp_expansion *x);

/* What a slot stands for, in the number that is wanted; inside a list the outermost reference chooses. */
static void fill_slot(const struct lp_node *node, struct lp_expansion *x) {
    struct lp_str outer = x->text;
    x->text = (struct lp_str){0};
    x->fill(x, node->slot);
    struct lp_str inner = x->text;
    x->text = outer;
    if (node->plural || (!x->nested && strchr(lp_str_text(&inner), '~')))
        lp_wording_number(lp_str_text(&inner), node->plural, &x->text);
    else
        lp_str_puts(&x->text, lp_str_text(&inner));
    x->failed |= inner.failed;
    lp_str_done(&inner);
}

/* The reference's text is made apart, since its number (dog~dogs) is chosen afterwards. */
static void expand_reference(const struct lp_node *node, struct lp_expansion *x) {
    const char *known = node->capture ? lp_expansion_find(x, node->text) : NULL;
    if (!node->list && !known) {
        fill_slot(node, x);
        return;
    }
    if (known) { /* after => a name that was captured stands for what was captured */
        lp_str_puts(&x->text, known);
        return;
    }
    if (x->nested && !node->plural && !node->capture) { /* the outermost reference chooses */
        lp_grammar_expand(node->list, x);
        return;
    }
    struct lp_str outer = x->text, inner = {0};
    x->text = (struct lp_str){0};
    x->nested++;
    lp_grammar_expand(node->list, x);
    x->nested--;
    lp_wording_number(lp_str_text(&x->text), node->plural, &inner);
    x->failed |= x->text.failed || inner.failed;
    lp_str_done(&x->text);
    x->text = outer;
    if (node->capture)
        lp_expansion_capture(x, node->text, lp_str_text(&inner));
    else
        lp_str_puts(&x->text, lp_str_text(&inner));
    lp_str_done(&inner);
}

static void expand_sequence(const struct lp_node *node, struct lp_expansion *x) {
    for (; node; node = node->next) {
        const struct lp_branch *b = node->branch;
        switch (node->kind) {
        case TEXT:
            lp_str_puts(&x->text, node->text);
            break;
        case REFERENCE:
            expand_reference(node, x);
            break;
        case OPTION:
            if (lp_rng_below(x->rng, 2))
                break;
            /* fall through */
        case CHOICE:
            for (uint32_t i = lp_rng_below(x->rng, (uint32_t)node->branches); i; i--)
                b = b->next;
            expand_sequence(b->first, x);
        }
    }
}

void lp_grammar_expand(const struct lp_list *list, struct lp_expansion *x) {
    const struct lp_branch *b = list->entry[lp_rng_below(x->rng, (uint32_t)list->entries)];
    expand_sequence(b->first, x);
    if (!b->param)
        return;
    struct lp_str text = x->text;
    x->text = (struct lp_str){0};
    expand_sequence(b->param, x);
    lp_str_done(&x->param);
    x->param = x->text;
    x->text = text;
}

void lp_expansion_remember(struct lp_expansion *x, const char *name, const char *text) {
    struct lp_str plain = {0};
    lp_wording_unmark(text, &plain);
    lp_wording_tidy(&plain);
    lp_str_add(&plain, "", 0); /* an empty text, not NULL */
    if (x->n_captures == LP_CAPTURES || plain.failed) {
        x->failed = true;
        lp_str_done(&plain);
        return;
    }
    x->capture[x->n_captures].name = name;
    x->capture[x->n_captures++].text = plain.s;
}

void lp_expansion_capture(struct lp_expansion *x, const char *name, const char *text) {
    lp_expansion_remember(x, name, text);
    lp_str_putc(&x->text, LP_MARK_BEGIN);
    lp_str_puts(&x->text, text);
    lp_str_putc(&x->text, LP_MARK_END);
}

const char *lp_expansion_find(const struct lp_expansion *x, const char *name) {
    for (int i = x->n_captures; i--;)
        if (!strcmp(x->capture[i].name, name))
            return x->capture[i].text;
    return NULL;
}

void lp_expansion_done(struct lp_expansion *x) {
    for (int i = 0; i < x->n_captures; i++)
        lp_free(x->capture[i].text);
    lp_str_done(&x->text);
    lp_str_done(&x->param);
    x->n_captures = 0;
}
