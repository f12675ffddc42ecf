/* SPDX-License-Identifier: MIT */
/* text/wordpiece_file.c - where uncased BERT's pieces come from:
 *   vocab.txt        a piece a line, its id the line's number
 *   tokenizer.json   model WordPiece {vocab, unk_token, "##", 100}, normalizer BertNormalizer, pre_tokenizer
 *                    BertPreTokenizer, added_tokens that are marks in the text
 * A tokenizer_config.json beside them may say that letters keep their case. Whatever would make other ids
 * than wordpiece.c's rules is refused. */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "text/utf8.h"
#include "text/wordpiece_inner.h"

#include <limits.h>
#include <string.h>

#define MAX_FILE ((size_t)256 << 20)

static const char *get_string(const json_t *object, const char *key) {
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

/* The key holds `value` ('a' for absent or null, 't' for true, 'f' for false), or one of several such. */
static bool holds(const json_t *object, const char *key, const char *values) {
    const json_t *value = json_object_get(object, key);
    char is = !value || json_is_null(value) ? 'a'
              : json_is_true(value)         ? 't'
              : json_is_false(value)        ? 'f'
                                            : '?';
    return strchr(values, is);
}

static bool set_piece(struct lp_wordpiece *w, int id, const char *name, size_t n, struct lp_error *err) {
    w->longest = n > w->longest ? n : w->longest;
    return lp_vocabulary_set(w->pieces, id, LP_PIECE_NORMAL, name, n, 0, err);
}

static bool add_mark(struct lp_wordpiece *w, int id, struct lp_error *err) {
    if (w->marks == LP_WORDPIECE_MARKS)
        return lp_error_set(err, LP_EINPUT, "it has more than %d special tokens", LP_WORDPIECE_MARKS);
    w->mark[w->marks++] = id;
    return true;
}

/* The tokens that everything needs. */
static bool find_tokens(struct lp_wordpiece *w, struct lp_error *err) {
    static const char *const name[] = {"[UNK]", "[CLS]", "[SEP]"};
    int *const id[] = {&w->unk, &w->cls, &w->sep};
    for (int i = 0; i < 3; i++) {
        *id[i] = (int)lp_vocabulary_find(w->pieces, name[i], strlen(name[i]));
        if (*id[i] < 0)
            return lp_error_set(err, LP_EINPUT, "it has no piece %s, which BERT's vocabularies have",
                                name[i]);
    }
    return true;
}

static size_t line_length(const char *s, size_t n) {
    const char *end = memchr(s, '\n', n);
    return end ? (size_t)(end - s) : n;
}

static bool parse_lines(struct lp_wordpiece *w, const char *data, size_t size, struct lp_error *err) {
    static const char *const marks[] = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};
    int64_t lines = 0;
    for (size_t at = 0; at < size; at += line_length(data + at, size - at) + 1)
        lines++;
    if (!lp_utf8_valid(data, size))
        return lp_error_set(err, LP_EINPUT, "it is neither a vocab.txt in UTF-8 nor a tokenizer.json");
    if (!lp_vocabulary_init(w->pieces, lines, err))
        return false;
    int id = 0;
    for (size_t at = 0, n; at < size; at += n + 1) {
        n = line_length(data + at, size - at);
        size_t bare = n && data[at + n - 1] == '\r' ? n - 1 : n;
        if (!set_piece(w, id++, data + at, bare, err))
            return false;
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        int32_t mark = lp_vocabulary_find(w->pieces, marks[i], strlen(marks[i]));
        if (mark >= 0 && !add_mark(w, (int)mark, err))
            return false;
    }
    return true;
}

static bool check_rules(const json_t *root, struct lp_error *err) {
    const json_t *model = json_object_get(root, "model"), *normalizer = json_object_get(root, "normalizer");
    int64_t most;
    if (strcmp(get_string(model, "type"), "WordPiece") != 0 ||
        !json_is_object(json_object_get(model, "vocab")))
        return lp_error_set(err, LP_EINPUT, "it has no WordPiece model with a vocab, as BERT has");
    if (strcmp(get_string(model, "unk_token"), "[UNK]") != 0 ||
        strcmp(get_string(model, "continuing_subword_prefix"), "##") != 0)
        return lp_error_set(err, LP_EINPUT,
                            "its unk_token must be [UNK] and its continuing_subword_prefix ##");
    if (!lp_json_int(model, "max_input_chars_per_word", LP_WORD_MOST, LP_WORD_MOST, LP_WORD_MOST, &most, err))
        return false;
    if (strcmp(get_string(normalizer, "type"), "BertNormalizer") != 0 ||
        strcmp(get_string(json_object_get(root, "pre_tokenizer"), "type"), "BertPreTokenizer") != 0)
        return lp_error_set(err, LP_EINPUT, "its normalizer and pre_tokenizer are not BERT's");
    if (!holds(normalizer, "lowercase", "t") || !holds(normalizer, "strip_accents", "at") ||
        !holds(normalizer, "clean_text", "t") || !holds(normalizer, "handle_chinese_chars", "t"))
        return lp_error_set(err, LP_EINPUT,
                            "its normalizer is not uncased BERT's, the only one that is known");
    return true;
}

static bool is_id(const json_t *id) {
    return json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) < LP_MAX_PIECES;
}

/* One more than the largest id; 0 where an id is not a small whole number. */
static int64_t count_ids(const json_t *vocab, const json_t *added) {
    int64_t n = 0;
    const char *name;
    json_t *id, *token;
    size_t i;
    json_object_foreach((json_t *)vocab, name, id) {
        if (!is_id(id))
            return 0;
        n = json_integer_value(id) >= n ? json_integer_value(id) + 1 : n;
    }
    json_array_foreach((json_t *)added, i, token) {
        id = json_object_get(token, "id");
        if (!is_id(id))
            return 0;
        n = json_integer_value(id) >= n ? json_integer_value(id) + 1 : n;
    }
    return n;
}

static bool parse_added(struct lp_wordpiece *w, const json_t *added, struct lp_error *err) {
    size_t i;
    json_t *token;
    json_array_foreach((json_t *)added, i, token) {
        const char *name = get_string(token, "content");
        int id = (int)json_integer_value(json_object_get(token, "id"));
        int known = lp_wordpiece_find(w, name, strlen(name));
        if (!holds(token, "lstrip", "af") || !holds(token, "rstrip", "af") ||
            !holds(token, "single_word", "af") || !holds(token, "normalized", "af"))
            return lp_error_set(err, LP_EINPUT, "its added token %d has a flag that BERT's have not", id);
        if (known >= 0 && known != id)
            return lp_error_set(err, LP_EINPUT, "its added token %d has the name of piece %d", id, known);
        if ((known < 0 && !set_piece(w, id, name, strlen(name), err)) || !add_mark(w, id, err))
            return false;
    }
    return true;
}

static bool parse_root(struct lp_wordpiece *w, const json_t *root, struct lp_error *err) {
    if (!check_rules(root, err))
        return false;
    const json_t *vocab = json_object_get(json_object_get(root, "model"), "vocab");
    const json_t *added = json_object_get(root, "added_tokens");
    int64_t n = count_ids(vocab, added);
    if (n == 0)
        return lp_error_set(err, LP_EINPUT, "its ids must be whole numbers from 0 to %d", LP_MAX_PIECES - 1);
    if (!lp_vocabulary_init(w->pieces, n, err))
        return false;
    const char *name;
    json_t *id;
    json_object_foreach((json_t *)vocab, name, id) {
        if (!set_piece(w, (int)json_integer_value(id), name, strlen(name), err))
            return false;
    }
    return parse_added(w, added, err);
}

static bool parse_json(struct lp_wordpiece *w, const char *data, size_t size, const char *name,
                       struct lp_error *err) {
    json_t *root = lp_json_parse(data, size, name, err);
    if (!root)
        return false;
    bool good = (parse_root(w, root, err) && find_tokens(w, err)) || lp_error_prefix(err, "%s", name);
    json_decref(root);
    return good;
}

/* No vocabulary of BERT's has a first piece that starts with a brace. */
static bool looks_like_json(const char *text, size_t size) {
    size_t at = 0;
    while (at < size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
        at++;
    return at < size && text[at] == '{';
}

struct lp_wordpiece *lp_wordpiece_open_bytes(const void *data, size_t size, const char *name,
                                             struct lp_error *err) {
    const char *text = data;
    struct lp_wordpiece *w = lp_alloc(sizeof *w);
    bool good = false;
    if (!w || !(w->pieces = lp_alloc(sizeof *w->pieces)))
        lp_error_memory(err);
    else if (size == 0 || size > MAX_FILE)
        lp_error_set(err, LP_EINPUT, "%s has %zu bytes, but a tokenizer has 1 to %zu", name, size, MAX_FILE);
    else if (looks_like_json(text, size))
        good = parse_json(w, text, size, name, err);
    else
        good = (parse_lines(w, text, size, err) && find_tokens(w, err)) || lp_error_prefix(err, "%s", name);
    if (good)
        return w;
    lp_wordpiece_close(w);
    return NULL;
}

/* Uncased unless a tokenizer_config.json says otherwise. */
static bool check_case(const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, folder, "tokenizer_config.json", err))
        return false;
    if (!lp_file_exists(path))
        return true;
    json_t *config = lp_json_load(path, err);
    if (!config)
        return false;
    bool good = holds(config, "do_lower_case", "at") && holds(config, "strip_accents", "at") &&
                holds(config, "tokenize_chinese_chars", "at");
    json_decref(config);
    return good ||
           lp_error_set(err, LP_EINPUT, "%s does not tell of uncased BERT, the only one that is known", path);
}

struct lp_wordpiece *lp_wordpiece_open(const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_file file;
    if (!check_case(folder, err) || !lp_file_join(path, sizeof path, folder, "tokenizer.json", err))
        return NULL;
    if (!lp_file_exists(path) && !lp_file_join(path, sizeof path, folder, "vocab.txt", err))
        return NULL;
    if (!lp_file_exists(path)) {
        lp_error_set(err, LP_EMISSING, "%s has neither tokenizer.json nor vocab.txt", folder);
        return NULL;
    }
    if (!lp_file_open(&file, path, err))
        return NULL;
    struct lp_wordpiece *w = lp_wordpiece_open_bytes(file.data, file.size, path, err);
    lp_file_close(&file);
    return w;
}

void lp_wordpiece_close(struct lp_wordpiece *w) {
    if (!w)
        return;
    lp_tokenizer_close(w->pieces);
    lp_free(w);
}
