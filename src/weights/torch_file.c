/* SPDX-License-Identifier: MIT */
/* weights/torch_file.c - from a container and its pickle to named tensors. */
#include "weights/torch_file.h"

#include "base/memory.h"
#include "base/str.h"
#include "text/utf8.h"
#include "weights/pickle.h"
#include "weights/torch_legacy.h"
#include "weights/torch_zip.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_LIMIT = 4, NAME_LIMIT = 1000, KEY_LIMIT = 64, GROWTH_LIMIT = 4, SHOWN = 5 };

/* Where trainers put a model's state dictionary, the likeliest first. */
static const char *const containers[] = {"state_dict", "model_state_dict", "model", "module"};

/* One reading of one file. */
struct reader {
    struct lp_arena *arena;
    const char *file;
    const uint8_t *data;
    size_t size;
    const char *folder; /* of the storages among the parts: "data/" or "" */
    struct lp_torch_parts parts;
    const struct lp_pickle_value *root;
    struct lp_error *err;
};

static bool refuse(const struct reader *r, const char *what) {
    return lp_error_set(r->err, LP_EINPUT, "%s: %s", r->file, what);
}

static const struct lp_torch_part *find(const struct reader *r, const char *name) {
    return lp_torch_parts_find(&r->parts, name, strlen(name));
}

static bool open_zip(struct reader *r) {
    struct lp_pickle pickle;
    if (!lp_torch_zip_parse(&r->parts, r->arena, r->data, r->size, r->file, r->err))
        return false;
    if (find(r, "constants.pkl"))
        return refuse(
            r, "is a TorchScript program, not a dictionary of tensors: save model.state_dict() instead");
    const struct lp_torch_part *part = find(r, "data.pkl"), *order = find(r, "byteorder");
    if (!part)
        return refuse(r, "has no entry data.pkl: torch.save did not write this zip");
    if (order && (order->size != 6 || memcmp(order->data, "little", 6) != 0))
        return refuse(r, "has numbers of another byte order than this machine");
    if (!lp_pickle_read(&pickle, r->arena, part->data, part->size, r->file, r->err))
        return false;
    r->root = pickle.root;
    r->folder = "data/";
    return true;
}

static bool open_container(struct reader *r) {
    static const char pointer[] = "version https://git-lfs";
    r->folder = "";
    if (r->size >= 4 && memcmp(r->data, "PK\3\4", 4) == 0)
        return open_zip(r);
    if (r->size >= 1 && r->data[0] == 0x80)
        return lp_torch_legacy_parse(&r->parts, &r->root, r->arena, r->data, r->size, r->file, r->err);
    if (r->size >= sizeof pointer && memcmp(r->data, pointer, sizeof pointer - 1) == 0)
        return refuse(r, "is a pointer of Git LFS, not the file itself: fetch it with 'git lfs pull'");
    return refuse(r, "is no file of torch.save");
}

/* "'a', 'b', .." of a dictionary's keys but one, those of tensors only where `all`. NULL: err is set. */
static const char *list_keys(const struct reader *r, const struct lp_pickle_value *d, const char *but,
                             bool all) {
    struct lp_str text = {0};
    int listed = 0;
    for (size_t i = 0; i < d->items.n && listed <= SHOWN; i += 2) {
        const struct lp_pickle_value *key = d->items.item[i];
        bool tensor = d->items.item[i + 1]->kind == LP_PICKLE_TENSOR;
        if ((tensor && !all) || (but && lp_pickle_is(key, but)))
            continue;
        if (listed++ == SHOWN)
            lp_str_puts(&text, " and more");
        else if (key->kind != LP_PICKLE_TEXT)
            lp_str_printf(&text, "%sa nameless one", listed > 1 ? ", " : "");
        else
            lp_str_printf(&text, "%s'%.*s'", listed > 1 ? ", " : "",
                          (int)(key->text.n < 40 ? key->text.n : 40), key->text.s);
    }
    const char *list = text.failed ? NULL : lp_arena_strdup(r->arena, lp_str_text(&text));
    lp_str_done(&text);
    if (!list)
        lp_error_memory(r->err);
    return list;
}

static size_t count_tensors(const struct lp_pickle_value *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->items.n; i += 2)
        n += d->items.item[i + 1]->kind == LP_PICKLE_TENSOR;
    return n;
}

static bool no_tensors(const struct reader *r, const struct lp_pickle_value *d) {
    if (lp_pickle_get(d, "param_groups"))
        return lp_error_set(r->err, LP_EMISSING, "%s: is an optimizer's state, not a model", r->file);
    const char *keys = list_keys(r, d, NULL, true);
    if (!keys)
        return false;
    return lp_error_set(
        r->err, LP_EMISSING,
        "%s: there is no tensor by name, only %.120s: say with --entry which holds the weights", r->file,
        keys[0] ? keys : "an empty dictionary");
}

/* The dictionary within d that holds the model, and its name; NULL where d itself does. */
static const struct lp_pickle_value *inner_of(const struct lp_pickle_value *d, const char **name) {
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        const struct lp_pickle_value *inner = lp_pickle_get(d, *name = containers[i]);
        if (inner && inner->kind == LP_PICKLE_DICT)
            return inner;
    }
    *name = NULL;
    return NULL;
}

/* Adds to out->skipped what lies in d beside the chosen entry, or beside the tensors where nothing was
 * chosen. */
static bool note_skipped(const struct reader *r, const struct lp_pickle_value *d, const char *chosen,
                         struct lp_torch_file *out) {
    const char *list = list_keys(r, d, chosen, chosen != NULL);
    if (list && list[0])
        list = lp_arena_printf(r->arena, "%s%s%s", out->skipped, out->skipped[0] ? ", " : "", list);
    if (!list)
        return lp_error_memory(r->err);
    if (list[0])
        out->skipped = list;
    return true;
}

/* The dictionary whose values are the tensors. NULL: err is set. */
static const struct lp_pickle_value *choose(const struct reader *r, const char *entry,
                                            struct lp_torch_file *out) {
    const struct lp_pickle_value *d = r->root;
    for (int depth = 0; d->kind == LP_PICKLE_DICT && depth <= DEPTH_LIMIT; depth++) {
        const char *name = entry;
        const struct lp_pickle_value *inner = entry ? lp_pickle_get(d, entry) : inner_of(d, &name);
        if (entry && (!inner || inner->kind != LP_PICKLE_DICT)) {
            lp_error_set(r->err, LP_EMISSING, "%s: there is no dictionary '%.60s' at the top", r->file,
                         entry);
            return NULL;
        }
        if (!note_skipped(r, d, name, out))
            return NULL;
        if (!inner)
            return d;
        out->entry = name;
        entry = NULL;
        d = inner;
    }
    if (d->kind == LP_PICKLE_DICT)
        refuse(r, "has dictionaries in dictionaries, deeper than any model's");
    else
        refuse(r, "holds no dictionary of tensors: save model.state_dict()");
    return NULL;
}

/* A tensor's bytes in its storage, which must be just as large as the pickle says. */
static bool locate(const struct reader *r, const struct lp_pickle_tensor *from, struct lp_torch_tensor *t) {
    const struct lp_pickle_storage *s = from->storage;
    char key[KEY_LIMIT + 8];
    size_t folder = strlen(r->folder), width = lp_weight_type_bytes(s->type);
    const struct lp_torch_part *part = NULL;
    if (s->key_bytes <= KEY_LIMIT) {
        memcpy(key, r->folder, folder);
        memcpy(key + folder, s->key, s->key_bytes);
        part = lp_torch_parts_find(&r->parts, key, folder + s->key_bytes);
    }
    if (!part)
        return lp_error_set(r->err, LP_EINPUT, "%s: the data of the tensor '%.100s' is not there", r->file,
                            t->name);
    if (part->size != (uint64_t)s->elements * width)
        return lp_error_set(r->err, LP_EINPUT,
                            "%s: the data of the tensor '%.100s' has %zu bytes, its storage should have %llu",
                            r->file, t->name, part->size, (unsigned long long)s->elements * width);
    t->data = part->data + (uint64_t)from->offset * width;
    return true;
}

static bool read_tensor(const struct reader *r, const struct lp_pickle_value *key,
                        const struct lp_pickle_tensor *from, struct lp_torch_tensor *t) {
    if (key->kind != LP_PICKLE_TEXT || key->text.n == 0 || key->text.n > NAME_LIMIT)
        return refuse(r, "has a tensor whose name is no text, empty or overlong");
    t->name = lp_arena_strndup(r->arena, key->text.s, key->text.n);
    if (!t->name)
        return lp_error_memory(r->err);
    if (strlen(t->name) < key->text.n || !lp_utf8_valid(t->name, key->text.n) ||
        !strcmp(t->name, "__metadata__"))
        return refuse(r, "has a tensor whose name safetensors does not allow");
    t->type = from->storage->type;
    t->ndim = from->ndim;
    memcpy(t->dim, from->dim, sizeof t->dim);
    memcpy(t->stride, from->stride, sizeof t->stride);
    t->bytes = from->bytes;
    return locate(r, from, t);
}

static bool read_tensors(const struct reader *r, const struct lp_pickle_value *d, struct lp_torch_file *out) {
    size_t n = count_tensors(d), bytes = 0;
    if (n == 0)
        return no_tensors(r, d);
    out->tensors = lp_arena_array(r->arena, n, sizeof *out->tensors);
    if (!out->tensors)
        return lp_error_memory(r->err);
    for (size_t i = 0; i < d->items.n; i += 2) {
        const struct lp_pickle_value *v = d->items.item[i + 1];
        if (v->kind != LP_PICKLE_TENSOR)
            continue;
        struct lp_torch_tensor *t = &out->tensors[out->count++];
        if (!read_tensor(r, d->items.item[i], v->tensor, t))
            return false;
        if (__builtin_add_overflow(bytes, t->bytes, &bytes) || bytes / GROWTH_LIMIT > r->size)
            return refuse(r, "has tensors that repeat their storages until they are more than four times as "
                             "large as the file");
    }
    return true;
}

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* 0: the same memory seen the same way. The stride of an axis of one says nothing. */
static int by_memory(const struct lp_torch_tensor *x, const struct lp_torch_tensor *y) {
    int order = (x->data > y->data) - (x->data < y->data);
    order = order ? order : compare(x->type, y->type);
    order = order ? order : compare(x->ndim, y->ndim);
    for (int i = 0; !order && i < x->ndim; i++) {
        order = compare(x->dim[i], y->dim[i]);
        order = order || x->dim[i] == 1 ? order : compare(x->stride[i], y->stride[i]);
    }
    return order;
}

static int by_memory_then_place(const void *a, const void *b) {
    const struct lp_torch_tensor *x = *(struct lp_torch_tensor *const *)a,
                                 *y = *(struct lp_torch_tensor *const *)b;
    int order = by_memory(x, y);
    return order ? order : (x > y) - (x < y);
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(struct lp_torch_tensor *const *)a)->name, (*(struct lp_torch_tensor *const *)b)->name);
}

/* Names must differ; of tensors that are the same memory the later ones are tied to the first. */
static bool compare_all(const struct reader *r, struct lp_torch_file *out) {
    struct lp_torch_tensor **list = lp_alloc_array(out->count, sizeof *list);
    if (!list)
        return lp_error_memory(r->err);
    for (size_t i = 0; i < out->count; i++)
        list[i] = &out->tensors[i];
    qsort(list, out->count, sizeof *list, by_name);
    bool ok = true;
    for (size_t i = 1; ok && i < out->count; i++)
        if (strcmp(list[i - 1]->name, list[i]->name) == 0)
            ok = lp_error_set(r->err, LP_EINPUT, "%s: the tensor '%.100s' is there twice", r->file,
                              list[i]->name);
    qsort(list, out->count, sizeof *list, by_memory_then_place);
    for (size_t i = 1; ok && i < out->count; i++)
        if (list[i]->bytes && by_memory(list[i - 1], list[i]) == 0)
            list[i]->tied = list[i - 1]->tied ? list[i - 1]->tied : list[i - 1]->name;
    lp_free(list);
    return ok;
}

bool lp_torch_file_parse(struct lp_torch_file *out, struct lp_arena *arena, const void *data, size_t size,
                         const char *name, const char *entry, struct lp_error *err) {
    struct reader r = {.arena = arena, .file = name, .data = data, .size = size, .err = err};
    *out = (struct lp_torch_file){.entry = "", .skipped = ""};
    if (!open_container(&r))
        return false;
    const struct lp_pickle_value *d = choose(&r, entry, out);
    return d && read_tensors(&r, d, out) && compare_all(&r, out);
}

void lp_torch_tensor_gather(const struct lp_torch_tensor *t, int64_t first, int64_t count, void *to) {
    size_t width = lp_weight_type_bytes(t->type);
    int outer = t->ndim; /* axes from here on lie without gaps */
    int64_t run = 1;     /* elements of those */
    while (outer > 0 && (t->dim[outer - 1] == 1 || t->stride[outer - 1] == run))
        run *= t->dim[--outer];
    for (uint8_t *out = to; count > 0;) {
        int64_t within = first % run, rest = first / run, at = within;
        for (int i = outer - 1; i >= 0; i--) {
            at += rest % t->dim[i] * t->stride[i];
            rest /= t->dim[i];
        }
        int64_t n = run - within < count ? run - within : count;
        memcpy(out, t->data + (size_t)at * width, (size_t)n * width);
        out += (size_t)n * width;
        first += n;
        count -= n;
    }
}
