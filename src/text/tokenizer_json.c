/* SPDX-License-Identifier: MIT */
/* text/tokenizer_json.c - a Hugging Face `tokenizer.json` as LLaMA's converters write it:
 *   normalizer      null, or Prepend "U+2581" and Replace " " by "U+2581" (one, both, or a Sequence of them)
 *   pre_tokenizer   null, or Metaspace
 *   model           BPE: vocab {name: id}, merges ["a b"] or [["a", "b"]], byte_fallback, unk_token, fuse_unk
 *   added_tokens    special ones are control pieces, the others user-defined ones
 *   post_processor  TemplateProcessing: its special token before the text is BOS
 * Whatever would make other ids than these rules is refused. */
#include "base/json.h"
#include "text/vocabulary.h"

#include <string.h>

/* Values of keys, NULL where absent or null. */
static const json_t *get(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static const char *get_string(const json_t *object, const char *key) {
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static bool is_type(const json_t *object, const char *type) {
    return strcmp(get_string(object, "type"), type) == 0;
}

static bool unknown(struct lp_error *err, const char *what, const json_t *object) {
    const char *type = get_string(object, "type");
    return lp_error_set(err, LP_EINPUT,
                        "its %s '%.40s' is not one that is known; use LLaMA's tokenizer.json or "
                        "its tokenizer.model",
                        what, *type ? type : "without a type");
}

static bool parse_normalizer(struct lp_tokenizer *t, const json_t *n, int depth, struct lp_error *err) {
    if (!n)
        return true;
    if (is_type(n, "Sequence") && depth == 0) {
        const json_t *list = get(n, "normalizers");
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!parse_normalizer(t, json_array_get(list, i), 1, err))
                return false;
        return json_is_array(list) || unknown(err, "normalizer", n);
    }
    if (is_type(n, "Prepend") && !t->dummy_prefix && strcmp(get_string(n, "prepend"), LP_SPACE) == 0)
        t->dummy_prefix = true;
    else if (is_type(n, "Replace") && strcmp(get_string(get(n, "pattern"), "String"), " ") == 0 &&
             strcmp(get_string(n, "content"), LP_SPACE) == 0)
        t->escape_spaces = true;
    else
        return unknown(err, "normalizer", n);
    return true;
}

static bool parse_pre_tokenizer(struct lp_tokenizer *t, const json_t *p, struct lp_error *err) {
    if (!p)
        return true;
    if (!is_type(p, "Metaspace") || strcmp(get_string(p, "replacement"), LP_SPACE) != 0)
        return unknown(err, "pre_tokenizer", p);
    const json_t *split = get(p, "split"), *scheme = get(p, "prepend_scheme"),
                 *old = get(p, "add_prefix_space");
    bool prepend = scheme ? strcmp(get_string(p, "prepend_scheme"), "never") != 0 : !json_is_false(old);
    t->escape_spaces = true;
    t->spaces_part_words = !json_is_false(split);
    t->prefix_unless = prepend && !t->dummy_prefix;
    t->dummy_prefix |= prepend;
    return true;
}

static bool is_off(const json_t *value) {
    return !value || json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static bool check_model(struct lp_tokenizer *t, const json_t *model, struct lp_error *err) {
    static const char *const off[] = {"dropout", "continuing_subword_prefix", "end_of_word_suffix",
                                      "ignore_merges"};
    const json_t *type = get(model, "type");
    if (!json_is_object(model) || !json_is_object(get(model, "vocab")) ||
        !json_is_array(get(model, "merges")))
        return lp_error_set(err, LP_EINPUT, "it has no BPE model with a vocab and merges");
    if (type && !is_type(model, "BPE"))
        return unknown(err, "model", model);
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
        if (!is_off(get(model, off[i])))
            return lp_error_set(err, LP_EINPUT, "its model sets '%s', which is not known", off[i]);
    t->byte_fallback = json_is_true(get(model, "byte_fallback"));
    t->split_unknown = !json_is_true(get(model, "fuse_unk"));
    return true;
}

/* One more than the largest id; 0 where an id is not a small whole number. */
static int64_t count_ids(const json_t *vocab, const json_t *added) {
    int64_t n = 0;
    const char *name;
    json_t *id, *token;
    size_t i;
    json_object_foreach((json_t *)vocab, name, id) {
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= LP_MAX_PIECES)
            return 0;
        n = json_integer_value(id) >= n ? json_integer_value(id) + 1 : n;
    }
    json_array_foreach((json_t *)added, i, token) {
        id = json_object_get(token, "id");
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= LP_MAX_PIECES)
            return 0;
        n = json_integer_value(id) >= n ? json_integer_value(id) + 1 : n;
    }
    return n;
}

static bool parse_vocab(struct lp_tokenizer *t, const json_t *model, struct lp_error *err) {
    const char *name, *unk = get_string(model, "unk_token");
    json_t *id;
    json_object_foreach((json_t *)get(model, "vocab"), name, id) {
        size_t n = strlen(name);
        enum lp_piece_type type = LP_PIECE_NORMAL;
        if (strcmp(name, unk) == 0)
            type = LP_PIECE_UNKNOWN;
        else if (t->byte_fallback && lp_vocabulary_byte(name, n) >= 0)
            type = LP_PIECE_BYTE;
        if (!lp_vocabulary_set(t, (int)json_integer_value(id), type, name, n, 0, err))
            return false;
    }
    return true;
}

static bool parse_added(struct lp_tokenizer *t, const json_t *added, struct lp_error *err) {
    size_t i;
    json_t *token;
    json_array_foreach((json_t *)added, i, token) {
        const char *name = get_string(token, "content");
        int id = (int)json_integer_value(json_object_get(token, "id"));
        int known = lp_vocabulary_find(t, name, strlen(name));
        enum lp_piece_type type = json_is_true(get(token, "special")) ? LP_PIECE_CONTROL : LP_PIECE_USER;
        if (known >= 0 && known != id)
            return lp_error_set(err, LP_EINPUT, "its added token %d has the name of piece %d", id, known);
        if (known < 0 && !lp_vocabulary_set(t, id, type, name, strlen(name), 0, err))
            return false;
        if (t->piece[id].type == LP_PIECE_NORMAL)
            t->piece[id].type = (uint8_t)type;
    }
    return true;
}

/* The two names of a merge: ["a", "b"] or "a b". */
static bool merge_names(const json_t *merge, const char *name[2], size_t n[2]) {
    if (json_is_array(merge) && json_array_size(merge) == 2) {
        for (size_t i = 0; i < 2; i++) {
            name[i] = json_string_value(json_array_get(merge, i));
            n[i] = json_string_length(json_array_get(merge, i));
        }
        return name[0] && name[1];
    }
    const char *s = json_string_value(merge), *space = s ? strchr(s, ' ') : NULL;
    if (!space || strchr(space + 1, ' '))
        return false;
    name[0] = s;
    n[0] = (size_t)(space - s);
    name[1] = space + 1;
    n[1] = strlen(space + 1);
    return true;
}

static bool parse_merges(struct lp_tokenizer *t, const json_t *merges, struct lp_error *err) {
    struct lp_str joined = {0};
    bool good = lp_vocabulary_init_merges(t, json_array_size(merges), err);
    for (size_t i = 0; good && i < json_array_size(merges); i++) {
        const char *name[2];
        size_t n[2];
        int32_t id[3] = {-1, -1, -1};
        if (merge_names(json_array_get(merges, i), name, n)) {
            lp_str_cut(&joined, 0);
            lp_str_add(&joined, name[0], n[0]);
            lp_str_add(&joined, name[1], n[1]);
            id[0] = lp_vocabulary_find(t, name[0], n[0]);
            id[1] = lp_vocabulary_find(t, name[1], n[1]);
            id[2] = joined.failed ? -1 : lp_vocabulary_find(t, joined.s, joined.n);
        }
        if (joined.failed)
            good = lp_error_memory(err);
        else if (id[0] < 0 || id[1] < 0 || id[2] < 0)
            good = lp_error_set(err, LP_EINPUT, "its merge %zu is not two pieces that make a third", i);
        else
            lp_vocabulary_add_merge(t, id[0], id[1], id[2], (uint32_t)i);
    }
    lp_str_done(&joined);
    return good;
}

static int find_control(const struct lp_tokenizer *t, const char *name) {
    int id = lp_vocabulary_find(t, name, strlen(name));
    return id >= 0 && t->piece[id].type == LP_PIECE_CONTROL ? id : -1;
}

/* BOS and EOS are the special tokens around the text in the template, or else go by their usual names. */
static void parse_template(struct lp_tokenizer *t, const json_t *post) {
    const json_t *single = is_type(post, "TemplateProcessing") ? get(post, "single") : NULL;
    bool after = false;
    for (size_t i = 0; i < json_array_size(single); i++) {
        const json_t *token = get(json_array_get(single, i), "SpecialToken");
        int *id = after ? &t->eos : &t->bos;
        after |= get(json_array_get(single, i), "Sequence") != NULL;
        if (token && *id < 0)
            *id = find_control(t, get_string(token, "id"));
    }
    t->bos = t->bos < 0 ? find_control(t, "<s>") : t->bos;
    t->eos = t->eos < 0 ? find_control(t, "</s>") : t->eos;
    t->pad = find_control(t, "<pad>");
}

static bool parse_root(struct lp_tokenizer *t, const json_t *root, struct lp_error *err) {
    const json_t *model = get(root, "model"), *added = get(root, "added_tokens");
    if (!check_model(t, model, err) || !parse_normalizer(t, get(root, "normalizer"), 0, err) ||
        !parse_pre_tokenizer(t, get(root, "pre_tokenizer"), err))
        return false;
    int64_t n = count_ids(get(model, "vocab"), added);
    if (n == 0)
        return lp_error_set(err, LP_EINPUT, "its ids must be whole numbers from 0 to %d", LP_MAX_PIECES - 1);
    if (!lp_vocabulary_init(t, n, err) || !parse_vocab(t, model, err) || !parse_added(t, added, err) ||
        !parse_merges(t, get(model, "merges"), err) ||
        !lp_vocabulary_finish(t, LP_UNKNOWN_TEXT, strlen(LP_UNKNOWN_TEXT), err))
        return false;
    parse_template(t, get(root, "post_processor"));
    return true;
}

bool lp_tokenizer_json_parse(struct lp_tokenizer *t, const char *data, size_t size, const char *name,
                             struct lp_error *err) {
    json_t *root = lp_json_parse(data, size, name, err);
    if (!root)
        return false;
    bool good = parse_root(t, root, err) || lp_error_prefix(err, "%s", name);
    json_decref(root);
    return good;
}
