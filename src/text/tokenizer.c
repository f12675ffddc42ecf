/* SPDX-License-Identifier: MIT */
/* text/tokenizer.c - opening either file format, prompts with pictures, and what a caller may ask about
 * tokens. */
#include "text/tokenizer.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/vocabulary.h"

#include <string.h>

#define MAX_FILE ((size_t)256 << 20)

bool lp_ids_push(struct lp_ids *ids, int32_t id, struct lp_error *err) {
    if (ids->n == ids->capacity) {
        size_t capacity = ids->capacity ? 2 * ids->capacity : 64;
        int32_t *list = lp_realloc(ids->id, capacity * sizeof *list);
        if (!list)
            return lp_error_memory(err);
        ids->id = list;
        ids->capacity = capacity;
    }
    ids->id[ids->n++] = id;
    return true;
}

void lp_ids_done(struct lp_ids *ids) {
    lp_free(ids->id);
    *ids = (struct lp_ids){0};
}

static size_t skip_blanks(const char *s, size_t n, size_t at) {
    while (at < n && (s[at] == ' ' || s[at] == '\t' || s[at] == '\r' || s[at] == '\n'))
        at++;
    return at;
}

/* A brace and then a name. A model starts with a line feed too, as its first piece's tag, but not like this.
 */
static bool looks_like_json(const char *data, size_t size) {
    size_t brace = skip_blanks(data, size, 0);
    size_t name = brace < size && data[brace] == '{' ? skip_blanks(data, size, brace + 1) : size;
    return name < size && (data[name] == '"' || data[name] == '}');
}

struct lp_tokenizer *lp_tokenizer_open_bytes(const void *data, size_t size, const char *name,
                                             struct lp_error *err) {
    struct lp_tokenizer *t = lp_alloc(sizeof *t);
    bool good = false;
    if (!t)
        lp_error_memory(err);
    else if (size == 0 || size > MAX_FILE)
        lp_error_set(err, LP_EINPUT, "%s has %zu bytes, but a tokenizer has 1 to %zu", name, size, MAX_FILE);
    else if (looks_like_json(data, size))
        good = lp_tokenizer_json_parse(t, data, size, name, err);
    else
        good = lp_sentencepiece_parse(t, data, size, err) || lp_error_prefix(err, "%s", name);
    if (good)
        return t;
    lp_tokenizer_close(t);
    return NULL;
}

struct lp_tokenizer *lp_tokenizer_open_list(const struct lp_token_list *list, const char *name,
                                            struct lp_error *err) {
    struct lp_tokenizer *t = lp_alloc(sizeof *t);
    if (!t)
        lp_error_memory(err);
    else if (lp_token_list_read(t, list, err) || lp_error_prefix(err, "%s", name))
        return t;
    lp_tokenizer_close(t);
    return NULL;
}

struct lp_tokenizer *lp_tokenizer_open(const char *path, struct lp_error *err) {
    struct lp_file file;
    if (!lp_file_open(&file, path, err))
        return NULL;
    struct lp_tokenizer *t = lp_tokenizer_open_bytes(file.data, file.size, path, err);
    lp_file_close(&file);
    return t;
}

void lp_tokenizer_close(struct lp_tokenizer *t) {
    if (!t)
        return;
    lp_arena_done(&t->arena);
    lp_free(t->piece);
    lp_free(t->slot);
    lp_free(t->merge);
    lp_free(t->user);
    lp_free(t);
}

/* Bytes of the mark that s starts with, and its id; 0 where there is none. */
static size_t match_mark(const struct lp_tokenizer *t, const char *s, size_t n, int32_t *id) {
    const int special[] = {t->bos, t->eos, t->unk};
    size_t image = strlen(LP_IMAGE_TEXT);
    *id = LP_IMAGE_TOKEN;
    if (n >= image && memcmp(s, LP_IMAGE_TEXT, image) == 0)
        return image;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        const struct lp_piece *p = special[i] < 0 ? NULL : &t->piece[special[i]];
        *id = special[i];
        if (p && p->n_name <= n && memcmp(p->name, s, p->n_name) == 0)
            return p->n_name;
    }
    return 0;
}

static bool encode_parts(const struct lp_tokenizer *t, const char *text, size_t n, struct lp_ids *out,
                         struct lp_error *err) {
    size_t start = 0, at = 0;
    while (at < n) {
        int32_t id;
        size_t mark = match_mark(t, text + at, n - at, &id);
        if (!mark) {
            at++;
            continue;
        }
        if (!lp_tokenizer_encode(t, text + start, at - start, out, err) || !lp_ids_push(out, id, err))
            return false;
        start = at += mark;
    }
    return lp_tokenizer_encode(t, text + start, n - start, out, err);
}

bool lp_tokenizer_encode_prompt(const struct lp_tokenizer *t, const char *text, size_t n, struct lp_ids *out,
                                struct lp_error *err) {
    size_t n_before = out->n;
    if (t->omits_bos)
        return encode_parts(t, text, n, out, err) || (out->n = n_before, false);
    if (t->bos < 0)
        return lp_error_set(err, LP_EINPUT,
                            "the tokenizer has no <s> to start a prompt with; use a LLaMA tokenizer");
    if (lp_ids_push(out, t->bos, err) && encode_parts(t, text, n, out, err))
        return true;
    out->n = n_before;
    return false;
}

int lp_tokenizer_size(const struct lp_tokenizer *t) {
    return t->n_pieces;
}

int lp_tokenizer_bos(const struct lp_tokenizer *t) {
    return t->bos;
}

int lp_tokenizer_eos(const struct lp_tokenizer *t) {
    return t->eos;
}

int lp_tokenizer_unk(const struct lp_tokenizer *t) {
    return t->unk;
}

int lp_tokenizer_pad(const struct lp_tokenizer *t) {
    return t->pad;
}

static const struct lp_piece *get_piece(const struct lp_tokenizer *t, int32_t id) {
    static const struct lp_piece none = {.name = "", .text = "", .type = LP_PIECE_NONE};
    return id >= 0 && id < t->n_pieces && t->piece[id].type != LP_PIECE_NONE ? &t->piece[id] : &none;
}

bool lp_tokenizer_is_control(const struct lp_tokenizer *t, int32_t id) {
    uint8_t type = get_piece(t, id)->type;
    return type == LP_PIECE_CONTROL || type == LP_PIECE_NONE;
}

const char *lp_tokenizer_piece(const struct lp_tokenizer *t, int32_t id, size_t *n) {
    const struct lp_piece *p = get_piece(t, id);
    *n = p->n_text;
    return p->text;
}

const char *lp_tokenizer_name(const struct lp_tokenizer *t, int32_t id, size_t *n) {
    const struct lp_piece *p = get_piece(t, id);
    *n = p->n_name;
    return p->name;
}

int lp_tokenizer_find(const struct lp_tokenizer *t, const char *name, size_t n) {
    return (int)lp_vocabulary_find(t, name, n);
}
