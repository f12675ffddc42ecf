/* SPDX-License-Identifier: MIT */
/* weights/torch_zip.c - reads a zip's directory. Format: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3. */
#include "weights/torch_zip.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOCAL_BYTES = 30,
    ENTRY_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    COMMENT_LIMIT = 65535,
    LOCAL = 0x04034b50,
    ENTRY = 0x02014b50,
    END = 0x06054b50,
    END64 = 0x06064b50,
    LOCATOR = 0x07064b50,
    ENCRYPTED = 1 | 1 << 6 | 1 << 13, /* flags */
};

/* One reading of one file. */
struct reader {
    struct lp_arena *arena;
    const char *file;
    const uint8_t *data;
    uint64_t size;
    uint64_t begin, end, count; /* of the directory: where it lies, its entries */
    struct lp_error *err;
};

/* An entry as the directory tells it. */
struct entry {
    const char *name;
    uint64_t name_bytes, packed, size, at; /* at: of the local header */
    unsigned method, flags;
};

/* What an entry occupies, from its local header on. */
struct range {
    uint64_t begin, end;
};

static uint64_t number(const uint8_t *b, int bytes) {
    uint64_t n = 0;
    for (int i = bytes - 1; i >= 0; i--)
        n = n << 8 | b[i];
    return n;
}

static bool refuse(const struct reader *r, const char *what) {
    return lp_error_set(r->err, LP_EINPUT, "%s: the zip %s", r->file, what);
}

static bool refuse_entry(const struct reader *r, const struct entry *e, const char *what) {
    int n = e->name_bytes < 80 ? (int)e->name_bytes : 80;
    return lp_error_set(r->err, LP_EINPUT, "%s: the zip's entry '%.*s' %s", r->file, n, e->name, what);
}

/* The record at the end that lies before a comment of just the length that it tells; NULL where there is
 * none. */
static const uint8_t *find_end(const struct reader *r) {
    for (uint64_t comment = 0; comment <= COMMENT_LIMIT && comment + END_BYTES <= r->size; comment++) {
        const uint8_t *end = r->data + r->size - END_BYTES - comment;
        if (number(end, 4) == END && number(end + 20, 2) == comment)
            return end;
    }
    return NULL;
}

/* The zip64 record instead, where there is one; *stop: where the directory must have ended. */
static bool read_end64(struct reader *r, uint64_t *stop) {
    const uint8_t *locator = *stop >= LOCATOR_BYTES ? r->data + *stop - LOCATOR_BYTES : NULL;
    if (!locator || number(locator, 4) != LOCATOR)
        return true;
    uint64_t at = number(locator + 8, 8), limit = *stop - LOCATOR_BYTES;
    if (limit < END64_BYTES || at > limit - END64_BYTES || number(r->data + at, 4) != END64)
        return refuse(r, "has a zip64 record that is not where it should be");
    const uint8_t *b = r->data + at;
    if (number(locator + 4, 4) || number(b + 16, 4) || number(b + 20, 4) ||
        number(b + 24, 8) != number(b + 32, 8))
        return refuse(r, "is in several volumes");
    r->count = number(b + 32, 8);
    r->end = number(b + 40, 8);
    r->begin = number(b + 48, 8);
    *stop = at;
    return true;
}

static bool read_end(struct reader *r) {
    const uint8_t *b = find_end(r);
    if (!b)
        return refuse(r, "has no directory at its end: the file is cut short or malformed");
    uint64_t stop = (uint64_t)(b - r->data);
    if (number(b + 4, 2) || number(b + 6, 2) || number(b + 8, 2) != number(b + 10, 2))
        return refuse(r, "is in several volumes");
    r->count = number(b + 10, 2);
    r->end = number(b + 12, 4); /* its length, so far */
    r->begin = number(b + 16, 4);
    if (!read_end64(r, &stop))
        return false;
    if (r->begin > stop || r->end > stop - r->begin)
        return refuse(r, "has a directory outside the file");
    r->end += r->begin;
    if (r->count > (r->end - r->begin) / ENTRY_BYTES)
        return refuse(r, "has more entries than room for them");
    return true;
}

/* Sizes of 32 bits that are all ones stand with 64 bits in the extra field of kind 1, in this order. */
static bool read_extra64(struct entry *e, const uint8_t *extra, uint64_t bytes) {
    uint64_t *wide[3] = {&e->size, &e->packed, &e->at};
    bool wanted = false;
    for (int i = 0; i < 3; i++)
        wanted = wanted || *wide[i] == UINT32_MAX;
    while (wanted && bytes >= 4) {
        uint64_t kind = number(extra, 2), n = number(extra + 2, 2);
        if (n > bytes - 4)
            return false;
        const uint8_t *b = extra + 4;
        for (int i = 0; kind == 1 && i < 3; i++) {
            if (*wide[i] != UINT32_MAX)
                continue;
            if (n < (uint64_t)(b - extra) + 4)
                return false;
            *wide[i] = number(b, 8);
            b += 8;
        }
        if (kind == 1)
            return true;
        extra += 4 + n;
        bytes -= 4 + n;
    }
    return !wanted;
}

/* Moves *at behind the entry. */
static bool read_entry(const struct reader *r, uint64_t *at, struct entry *e) {
    if (r->end - *at < ENTRY_BYTES || number(r->data + *at, 4) != ENTRY)
        return refuse(r, "has a malformed directory");
    const uint8_t *b = r->data + *at;
    uint64_t extra = number(b + 30, 2), comment = number(b + 32, 2);
    *e = (struct entry){(const char *)b + ENTRY_BYTES,
                        number(b + 28, 2),
                        number(b + 20, 4),
                        number(b + 24, 4),
                        number(b + 42, 4),
                        (unsigned)number(b + 10, 2),
                        (unsigned)number(b + 8, 2)};
    if (e->name_bytes + extra + comment > r->end - *at - ENTRY_BYTES)
        return refuse(r, "has a malformed directory");
    if (!read_extra64(e, b + ENTRY_BYTES + e->name_bytes, extra))
        return refuse_entry(r, e, "lacks its zip64 sizes");
    *at += ENTRY_BYTES + e->name_bytes + extra + comment;
    if (e->flags & ENCRYPTED)
        return refuse_entry(r, e, "is encrypted");
    if (e->method != 0 || e->packed != e->size)
        return refuse_entry(r, e,
                            "is compressed, which torch.save never does: pack it again without compression");
    return true;
}

/* Finds the entry's bytes behind its local header, which must say the same. */
static bool locate(const struct reader *r, const struct entry *e, struct lp_torch_part *part,
                   struct range *range) {
    if (r->begin < LOCAL_BYTES || e->at > r->begin - LOCAL_BYTES || number(r->data + e->at, 4) != LOCAL)
        return refuse_entry(r, e, "does not begin where the directory says");
    const uint8_t *b = r->data + e->at;
    uint64_t name = number(b + 26, 2), data = e->at + LOCAL_BYTES + name + number(b + 28, 2);
    if (data > r->begin || e->size > r->begin - data)
        return refuse_entry(r, e, "reaches outside the file");
    if (number(b + 8, 2) != 0 || name != e->name_bytes || memcmp(b + LOCAL_BYTES, e->name, name) != 0)
        return refuse_entry(r, e, "is something else in its own header");
    *range = (struct range){e->at, data + e->size};
    part->data = r->data + data;
    part->size = (size_t)e->size;
    return true;
}

/* All names share a first folder, which is cut off. */
static bool name_part(const struct reader *r, const struct entry *e, const struct lp_torch_part *first,
                      size_t *top, struct lp_torch_part *part) {
    const char *slash = memchr(e->name, '/', e->name_bytes);
    if (!first)
        *top = slash ? (size_t)(slash - e->name) + 1 : 0;
    if (*top < 2 || e->name_bytes < *top || (first && memcmp(first->name - *top, e->name, *top) != 0))
        return refuse_entry(r, e, "is not below one folder, as torch.save puts all");
    part->name = e->name + *top;
    part->name_bytes = e->name_bytes - *top;
    return true;
}

static int by_begin(const void *a, const void *b) {
    const struct range *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int by_name(const void *a, const void *b) {
    const struct lp_torch_part *x = a, *y = b;
    if (x->name_bytes != y->name_bytes)
        return x->name_bytes < y->name_bytes ? -1 : 1;
    return memcmp(x->name, y->name, x->name_bytes);
}

bool lp_torch_parts_sort(struct lp_torch_parts *parts) {
    qsort(parts->part, parts->count, sizeof *parts->part, by_name);
    for (size_t i = 1; i < parts->count; i++)
        if (by_name(&parts->part[i - 1], &parts->part[i]) == 0)
            return false;
    return true;
}

const struct lp_torch_part *lp_torch_parts_find(const struct lp_torch_parts *parts, const char *name,
                                                size_t name_bytes) {
    struct lp_torch_part key = {.name = name, .name_bytes = name_bytes};
    return bsearch(&key, parts->part, parts->count, sizeof key, by_name);
}

static bool read_all(struct reader *r, struct lp_torch_parts *out) {
    struct range *range = lp_arena_array(r->arena, (size_t)r->count + 1, sizeof *range);
    out->part = lp_arena_array(r->arena, (size_t)r->count + 1, sizeof *out->part);
    if (!range || !out->part)
        return lp_error_memory(r->err);
    uint64_t at = r->begin;
    size_t top = 0;
    for (; out->count < r->count; out->count++) {
        struct entry e;
        struct lp_torch_part *part = &out->part[out->count];
        if (!read_entry(r, &at, &e) || !name_part(r, &e, out->count ? out->part : NULL, &top, part) ||
            !locate(r, &e, part, &range[out->count]))
            return false;
    }
    qsort(range, out->count, sizeof *range, by_begin);
    for (size_t i = 1; i < out->count; i++)
        if (range[i].begin < range[i - 1].end)
            return refuse(r, "has entries that lie over each other");
    return lp_torch_parts_sort(out) || refuse(r, "has two entries of the same name");
}

bool lp_torch_zip_parse(struct lp_torch_parts *out, struct lp_arena *arena, const void *data, size_t size,
                        const char *name, struct lp_error *err) {
    struct reader r = {.arena = arena, .file = name, .data = data, .size = size, .err = err};
    *out = (struct lp_torch_parts){0};
    return read_end(&r) && read_all(&r, out);
}
