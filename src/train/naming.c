/* SPDX-License-Identifier: MIT */
/* train/naming.c - pictures' rows learn the words for what they show, before there is any sentence: the loss says at
 * every row at once what a caption would say once, and a language model then meets rows that lie near words.
 *   seen [pictures*p,hidden] --named rows--> [n,hidden] --embeddings of the words--> logits [n,words] --> loss [1] */
#include "train/train.h"

#include <string.h>

bool lp_train_set_words(struct lp_train_set *set, const int32_t *word, int32_t words, struct lp_error *err) {
    for (int32_t i = 0; i < words; i++)
        if (word[i] < 0 || word[i] >= lp_llava_vocabulary(set->model))
            return lp_error_set(err, LP_EINPUT, "token %d is not in the vocabulary", (int)word[i]);
    set->word = lp_arena_array(&set->arena, (size_t)words, sizeof *set->word);
    if (!set->word)
        return lp_error_memory(err);
    memcpy(set->word, word, sizeof *word * (size_t)words);
    set->words = words;
    return true;
}

bool lp_train_set_add_names(struct lp_train_set *set, const char *picture, const struct lp_train_name *name, int32_t names,
                            struct lp_error *err) {
    int64_t rows = lp_llava_rows_a_picture(set->model);
    for (int32_t i = 0; i < names; i++)
        if (name[i].row < 0 || name[i].row >= rows || name[i].word < 0 || name[i].word >= set->words)
            return lp_error_set(err, LP_EINPUT, "row %d of %ld cannot have word %d of %d", (int)name[i].row, (long)rows,
                                (int)name[i].word, (int)set->words);
    struct lp_train_sample s = {.source = set->source, .n = 1, .rows = (int32_t)rows, .pictures = 1, .names = names};
    struct lp_train_name *copy = lp_arena_array(&set->arena, (size_t)names, sizeof *copy);
    s.id = lp_arena_array(&set->arena, 1, sizeof *s.id);
    s.target = lp_arena_array(&set->arena, 1, sizeof *s.target);
    s.picture = lp_arena_array(&set->arena, 1, sizeof *s.picture);
    if (!copy || !s.id || !s.target || !s.picture)
        return lp_error_memory(err);
    if (!(s.picture[0] = lp_train_set_picture(set, picture, err)))
        return false;
    memcpy(copy, name, sizeof *copy * (size_t)names);
    s.name = copy;
    s.id[0] = LP_IMAGE_TOKEN;
    s.target[0] = LP_IGNORE;
    return lp_train_set_push(set, &s, err);
}

lp_tensor *lp_train_naming_loss(lp_run *r, const struct lp_train_set *set, const struct lp_train_sample *const *sample,
                                int64_t count, lp_tensor *seen, int64_t *named) {
    int64_t n = 0, picture = 0, p = lp_llava_rows_a_picture(set->model);
    for (int64_t i = 0; i < count; i++)
        n += sample[i]->names;
    *named = n;
    int32_t *row = n ? lp_run_alloc(r, sizeof(int32_t) * (size_t)n) : NULL;
    int32_t *target = n ? lp_run_alloc(r, sizeof(int32_t) * (size_t)n) : NULL;
    if (!row || !target)
        return NULL;
    n = 0;
    for (int64_t i = 0; i < count; picture += sample[i++]->pictures)
        for (int32_t j = 0; j < sample[i]->names; j++, n++) {
            row[n] = (int32_t)(picture * p) + sample[i]->name[j].row;
            target[n] = sample[i]->name[j].word;
        }
    lp_tensor *word = lp_embedding(r, set->model->llama.embedding, set->word, set->words);
    return lp_cross_entropy(r, lp_matmul(r, lp_pick_rows(r, seen, NULL, row, n), word, NULL), target);
}
