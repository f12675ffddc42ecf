/* SPDX-License-Identifier: MIT */
/* data/pages.c - printed pages, by the forms of data/scenes/pages.txt. */
#include "data/pages.h"

#include "base/memory.h"
#include "data/lines.h"
#include "data/scene.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Lines of print of one kind: so many, each one of `words`, which are parted by " / ". */
struct part {
    int least, most;
    const char *words;
};

struct lp_pages {
    struct lp_arena arena;
    struct part *part;
    int parts, *first, forms; /* form f has the parts first[f] .. first[f + 1] - 1 */
    bool begins;              /* while reading: the next line is the first of a form */
};

/* ---- reading ---- */

static bool add_line(void *context, char *line, struct lp_error *err) {
    struct lp_pages *pages = context;
    int least = 0, most = 0, at = 0;
    if (*line == '[')
        return pages->begins = true;
    bool range = sscanf(line, "%d-%d: %n", &least, &most, &at) == 2 && at;
    if (!range && sscanf(line, "%d: %n", &least, &at) == 1)
        most = least;
    if (!at || !line[at] || least < 0 || most < least || most > LP_SCENE_LINES || !(pages->forms || pages->begins))
        return lp_error_set(err, LP_EINPUT, "a line below a form's [name] is \"HOW MANY: words / words\", %d at most", LP_SCENE_LINES);
    if (pages->begins && !least)
        return lp_error_set(err, LP_EINPUT, "the first line of a form is always there: begin with 1 or more");
    if (pages->begins)
        pages->first[pages->forms++] = pages->parts;
    pages->begins = false;
    const char *words = lp_arena_strdup(&pages->arena, line + at);
    pages->part[pages->parts++] = (struct part){least, most, words};
    pages->first[pages->forms] = pages->parts;
    return words || lp_error_memory(err);
}

static bool read_forms(struct lp_pages *pages, const char *folder, struct lp_error *err) {
    struct lp_lines lines;
    bool ok = lp_lines_read(&lines, folder, "pages.txt", err);
    if (ok) {
        pages->part = lp_arena_array(&pages->arena, lines.count, sizeof *pages->part);
        pages->first = lp_arena_array(&pages->arena, lines.count + 1, sizeof *pages->first);
        ok = (pages->part && pages->first) || lp_error_memory(err);
    }
    ok = ok && lp_lines_each(&lines, add_line, pages, err);
    if (ok && !pages->forms)
        ok = lp_error_set(err, LP_EINPUT, "%s has no forms of pages", lines.path);
    lp_lines_done(&lines);
    return ok;
}

struct lp_pages *lp_pages_open(const char *folder, struct lp_error *err) {
    struct lp_pages *pages = lp_alloc(sizeof *pages);
    if (!pages)
        lp_error_memory(err);
    if (pages && read_forms(pages, folder, err))
        return pages;
    lp_pages_close(pages);
    return NULL;
}

void lp_pages_close(struct lp_pages *pages) {
    if (!pages)
        return;
    lp_arena_done(&pages->arena);
    lp_free(pages);
}

/* ---- writing ---- */

/* Text in the making, and the letters of its last line. */
struct print {
    char *text;
    size_t size, n, column;
};

/* What is past the end of a line, or of the text, is cut off. */
static void put(struct print *p, char c) {
    if (p->n + 1 >= p->size || (c != '\n' && p->column + 1 >= LP_LINE_LETTERS))
        return;
    p->text[p->n++] = c;
    p->column = c == '\n' ? 0 : p->column + 1;
}

void lp_print_fill(const char *form, size_t n, const struct lp_stickers *stickers, struct lp_rng *rng, char *text, size_t size) {
    struct print p = {text, size, 0, 0};
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || form[i - 1] != '#'; /* a number does not begin with 0 */
        if (form[i] == '#') {
            put(&p, (char)('0' + first + (int)lp_rng_below(rng, 10u - first)));
        } else if (form[i] == '*' || form[i] == '^') {
            const char *name = stickers->name[lp_rng_below(rng, (uint32_t)stickers->count)].name;
            for (size_t k = 0; name[k]; k++)
                put(&p, (char)(form[i] == '^' || k == 0 ? toupper((unsigned char)name[k]) : name[k]));
        } else {
            put(&p, form[i] == '|' ? '\n' : form[i]);
        }
    }
    text[p.n] = 0;
}

/* One of the words of a part, filled in. */
static void write_line(const struct part *part, const struct lp_stickers *stickers, struct lp_rng *rng, char line[LP_LINE_LETTERS]) {
    static const char between[] = " / ";
    uint32_t choices = 1;
    for (const char *c = part->words; (c = strstr(c, between)); c += strlen(between))
        choices++;
    const char *words = part->words;
    for (uint32_t skip = lp_rng_below(rng, choices); skip; skip--)
        words = strstr(words, between) + strlen(between);
    const char *end = strstr(words, between);
    lp_print_fill(words, end ? (size_t)(end - words) : strlen(words), stickers, rng, line, LP_LINE_LETTERS);
}

void lp_pages_write(const struct lp_pages *pages, const struct lp_stickers *stickers, struct lp_rng *rng, char *text, size_t size) {
    uint32_t form = lp_rng_below(rng, (uint32_t)pages->forms);
    size_t n = 0;
    int lines = 0;
    text[0] = 0;
    for (int p = pages->first[form]; p < pages->first[form + 1]; p++) {
        const struct part *part = &pages->part[p];
        int count = part->least + (int)lp_rng_below(rng, (uint32_t)(part->most - part->least) + 1);
        for (; count > 0 && lines < LP_SCENE_LINES; count--, lines++) {
            char line[LP_LINE_LETTERS];
            write_line(part, stickers, rng, line);
            if (n + strlen(line) + 2 > size)
                return;
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? "\n" : "", line);
        }
    }
}
