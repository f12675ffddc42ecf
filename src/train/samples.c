/* SPDX-License-Identifier: MIT */
/* train/samples.c - dialogues to token ids and targets.
 * Which tokens are trained is a matter of bytes: the prompt up to an assistant's turn is a prefix of the prompt with
 * that turn, and what the turn adds (its end mark included) is trained. Original: llava/train/train.py. */
#include "train/train.h"

#include "base/memory.h"

#include <string.h>

void lp_train_set_init(struct lp_train_set *set, const struct lp_llava *model) {
    *set = (struct lp_train_set){.model = model, .template = lp_llava_template(model)};
}

void lp_train_set_done(struct lp_train_set *set) {
    for (int64_t i = 0; i < set->pictures; i++)
        lp_free(set->picture[i]->pixel);
    lp_free(set->picture);
    lp_free(set->slot);
    lp_free(set->sample);
    lp_arena_done(&set->arena);
    *set = (struct lp_train_set){.model = set->model, .template = set->template};
}

/* Bytes of the text that token i of a prompt covers, given where in the text it starts. A piece's own bytes, but
 * for the mark of a picture, names of control tokens, and the space that is put before each stretch. */
static size_t covered(const struct lp_tokenizer *t, int32_t id, const char *text, size_t at, bool *fresh) {
    size_t n;
    if (id == LP_IMAGE_TOKEN) {
        *fresh = true;
        return strlen(LP_IMAGE_TEXT);
    }
    const char *piece = lp_tokenizer_piece(t, id, &n);
    if (lp_tokenizer_is_control(t, id)) {
        const char *close = id == lp_tokenizer_bos(t) && at == 0 ? NULL : strchr(text + at, '>');
        *fresh = true;
        return close ? (size_t)(close + 1 - (text + at)) : 0;
    }
    bool added_space = *fresh && n > 0 && piece[0] == ' ';
    *fresh = false;
    return n - added_space;
}

/* trained[i] for each byte of the whole prompt. */
static bool mark_trained(struct lp_train_set *set, const struct lp_message *message, size_t n, struct lp_str *whole,
                         uint8_t **trained) {
    lp_template_format(set->template, message, n, whole);
    *trained = lp_alloc(whole->n + 1);
    struct lp_message *part = lp_alloc_array(n, sizeof *part);
    struct lp_str prefix = {0};
    bool ok = *trained && part && !whole->failed;
    for (size_t i = 0; ok && i < n; i++) {
        part[i] = message[i];
        if (!message[i].assistant)
            continue;
        size_t from, to;
        part[i].text = NULL;
        lp_str_cut(&prefix, 0);
        lp_template_format(set->template, part, i + 1, &prefix);
        from = prefix.n;
        part[i].text = message[i].text;
        lp_str_cut(&prefix, 0);
        lp_template_format(set->template, part, i + 1, &prefix);
        to = prefix.n;
        ok = !prefix.failed && from <= to && to <= whole->n;
        if (ok)
            memset(*trained + from, 1, to - from);
    }
    lp_str_done(&prefix);
    lp_free(part);
    return ok;
}

bool lp_train_set_push(struct lp_train_set *set, const struct lp_train_sample *sample, struct lp_error *err) {
    if (set->count == set->capacity) {
        int64_t capacity = set->capacity ? 2 * set->capacity : 1024;
        struct lp_train_sample *grown = lp_realloc(set->sample, (size_t)capacity * sizeof *grown);
        if (!grown)
            return lp_error_memory(err);
        set->sample = grown;
        set->capacity = capacity;
    }
    set->sample[set->count++] = *sample;
    return true;
}

/* Targets: the next token, where that one is trained. False where the tokens do not spell the text: unknown
 * characters have a token whose bytes are not theirs. */
static bool fill(struct lp_train_set *set, struct lp_train_sample *s, const struct lp_ids *ids, const char *text,
                 const uint8_t *trained) {
    const struct lp_tokenizer *t = set->model->tokenizer;
    size_t at = 0, whole = strlen(text);
    bool fresh = true;
    for (size_t i = 0; i < ids->n; i++) {
        size_t end = at + covered(t, ids->id[i], text, at, &fresh);
        if (end > whole || ids->id[i] == lp_tokenizer_unk(t))
            return false;
        s->id[i] = ids->id[i];
        s->target[i] = LP_IGNORE;
        if (i > 0 && end > at && trained[end - 1] && ids->id[i] != LP_IMAGE_TOKEN)
            s->target[i - 1] = ids->id[i];
        at = end;
    }
    return at == whole;
}

static void hide(struct lp_train_set *set, struct lp_train_sample *s) {
    const struct lp_tokenizer *t = set->model->tokenizer;
    int32_t end = 0;
    while (end < s->n && s->target[end] == LP_IGNORE)
        end++;
    for (int32_t i = 0; i < end; i++) {
        bool kept = s->id[i] == LP_IMAGE_TOKEN || lp_tokenizer_is_control(t, s->id[i]);
        for (int32_t j = end; j < s->n && !kept; j++)
            kept = s->target[j] == s->id[i];
        if (!kept && lp_rng_float(&set->rng) < set->hide)
            s->id[i] = lp_tokenizer_unk(t);
    }
}

static bool add(struct lp_train_set *set, const struct lp_ids *ids, const char *text, const uint8_t *trained,
                const char *const *picture, size_t pictures, struct lp_error *err) {
    size_t marks = 0;
    for (size_t i = 0; i < ids->n; i++)
        marks += ids->id[i] == LP_IMAGE_TOKEN;
    if (marks != pictures)
        return lp_error_set(err, LP_EINPUT, "the text has %zu '<image>' marks for %zu pictures", marks, pictures);
    int64_t rows = lp_llava_count_rows(set->model, ids->id, (int64_t)ids->n);
    if (rows > lp_llava_context(set->model)) {
        set->skipped++;
        return true;
    }
    struct lp_train_sample s = {.source = set->source, .n = (int32_t)ids->n, .rows = (int32_t)rows, .pictures = (int32_t)pictures};
    s.id = lp_arena_array(&set->arena, ids->n, sizeof *s.id);
    s.target = lp_arena_array(&set->arena, ids->n, sizeof *s.target);
    s.picture = lp_arena_array(&set->arena, pictures ? pictures : 1, sizeof *s.picture);
    bool ok = s.id && s.target && s.picture;
    for (size_t i = 0; ok && i < pictures; i++)
        if (!(s.picture[i] = lp_train_set_picture(set, picture[i], err)))
            return false;
    if (!ok)
        return lp_error_memory(err);
    if (!fill(set, &s, ids, text, trained))
        return lp_error_set(err, LP_EINPUT, "the model's tokenizer cannot spell the text; use one with byte pieces");
    if (set->hide > 0 && lp_tokenizer_unk(set->model->tokenizer) < 0)
        return lp_error_set(err, LP_EINPUT, "the model's tokenizer has no unknown token, behind which words could be hidden");
    if (set->hide > 0)
        hide(set, &s);
    return lp_train_set_push(set, &s, err);
}

bool lp_train_set_add(struct lp_train_set *set, const struct lp_message *message, size_t n,
                      const char *const *picture, size_t pictures, struct lp_error *err) {
    struct lp_str whole = {0};
    struct lp_ids ids = {0};
    uint8_t *trained = NULL;
    bool ok = false;
    if (!mark_trained(set, message, n, &whole, &trained))
        lp_error_memory(err);
    else
        ok = lp_tokenizer_encode_prompt(set->model->tokenizer, whole.s, whole.n, &ids, err) &&
             add(set, &ids, whole.s, trained, picture, pictures, err);
    lp_free(trained);
    lp_ids_done(&ids);
    lp_str_done(&whole);
    return ok;
}
