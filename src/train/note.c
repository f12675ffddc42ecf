/* SPDX-License-Identifier: MIT */
/* train/note.c - what a training was begun with. A checkpoint carries it, and goes on only with the same. */
#include "train/train.h"

#include <string.h>

static uint64_t mix(uint64_t h, uint64_t x) {
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t mix_bytes(uint64_t h, const void *data, size_t n) {
    const uint8_t *at = data;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        h = mix(h, word);
    }
    uint64_t rest = 0;
    if (n)
        memcpy(&rest, at, n);
    return mix(h, rest + (uint64_t)n);
}

/* Dialogues with their pictures' names, but not the folders: these may move. */
static uint64_t hash_set(const struct lp_train_set *set) {
    uint64_t h = mix_bytes(1, set->word, sizeof(int32_t) * (size_t)set->words);
    for (int64_t i = 0; i < set->count; i++) {
        const struct lp_train_sample *s = &set->sample[i];
        h = mix_bytes(h, s->id, sizeof(int32_t) * (size_t)s->n);
        h = mix_bytes(h, s->target, sizeof(int32_t) * (size_t)s->n);
        if (s->names)
            h = mix_bytes(h, s->name, sizeof *s->name * (size_t)s->names);
        for (int32_t j = 0; j < s->pictures; j++) {
            const char *slash = strrchr(s->picture[j]->path, '/'), *name = slash ? slash + 1 : s->picture[j]->path;
            h = mix_bytes(h, name, strlen(name));
        }
    }
    return h;
}

static uint64_t hash_frozen(const struct lp_llava *m) {
    uint64_t h = 1;
    for (int64_t i = 0; i < m->parameters.count; i++) {
        const lp_tensor *x = m->parameters.item[i].tensor;
        if (!x->learns)
            h = mix_bytes(h, x->data, (size_t)lp_dtype_row_bytes(x->type, lp_count(x)));
    }
    return h;
}

static json_t *parts(const struct lp_llava *m) {
    static const char *const name[LP_PARTS] = {"picture", "projector", "language"};
    char list[64] = "";
    for (int part = 0; part < LP_PARTS; part++)
        if (m->part_end[part] && m->parameters.item[m->part_end[part] - 1].tensor->learns)
            strcat(strcat(list, *list ? "," : ""), name[part]);
    return json_string(list);
}

/* The adapters' rank, 0 without them, and how much they count. */
static int64_t find_lora(const struct lp_llava *m, double *alpha) {
    struct lp_linear *linear[LP_LLAMA_LINEARS];
    lp_llama_linears(&m->llama, 0, linear);
    const struct lp_lora *lora = linear[0]->lora;
    int64_t rank = lora ? lp_dim(lora->down, 0) : 0;
    *alpha = lora ? (double)lora->scale * (double)rank : 0;
    return rank;
}

json_t *lp_train_note(const struct lp_llava *m, const struct lp_train_set *set, const struct lp_train_settings *s,
                      int64_t steps, struct lp_error *err) {
    json_t *note = json_object();
    double alpha;
    int64_t rank = find_lora(m, &alpha);
    const struct {
        const char *key;
        json_t *value;
    } entry[] = {
        {"data", json_sprintf("%016lx", (unsigned long)hash_set(set))},
        {"frozen weights", json_sprintf("%016lx", (unsigned long)hash_frozen(m))},
        {"--train", parts(m)},
        {"--steps", json_integer(steps)},
        {"--batch", json_integer(s->batch)},
        {"--accumulate", json_integer(s->accumulate)},
        {"--optimizer", json_string(s->muon ? "muon" : "adamw")},
        {"--rate", json_real(s->rate)},
        {"--warm-up", json_real(s->warm_up)},
        {"--decay", json_real(s->decay)},
        {"--clip", json_real(s->clip)},
        {"--seed", json_integer((json_int_t)s->seed)},
        {"--lora", json_integer(rank)},
        {"--lora-alpha", json_real(alpha)},
        {"--precision", json_string(s->half ? "bf16" : "f32")},
    };
    bool ok = note;
    for (size_t i = 0; i < sizeof entry / sizeof *entry; i++)
        ok = !json_object_set_new(note, entry[i].key, entry[i].value) && ok;
    if (ok)
        return note;
    json_decref(note);
    lp_error_memory(err);
    return NULL;
}

static const char *text_of(const json_t *value, char text[40]) {
    if (json_is_integer(value))
        snprintf(text, 40, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, 40, "%g", json_real_value(value));
    else
        snprintf(text, 40, "%s", json_is_string(value) ? json_string_value(value) : "none");
    return text;
}

bool lp_train_note_compare(const json_t *then, const json_t *now, struct lp_error *err) {
    const char *key;
    json_t *value;
    char was[40], is[40];
    json_object_foreach((json_t *)now, key, value) {
        const json_t *other = json_object_get(then, key);
        if (!other || !strcmp(text_of(other, was), text_of(value, is)))
            continue;
        if (key[0] == '-')
            return lp_error_set(err, LP_EINPUT, "it was made with %s %s, not %s: use that, another --out, or --force", key,
                                was, is);
        return lp_error_set(err, LP_EINPUT, "it was made with other %s: use the same, another --out, or --force", key);
    }
    return true;
}
