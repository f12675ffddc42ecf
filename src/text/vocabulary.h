/* SPDX-License-Identifier: MIT */
/* What the tokenizer's parts share: the pieces of a model, the ways to find them, and its settings. */
#ifndef LP_TEXT_VOCABULARY_H
#define LP_TEXT_VOCABULARY_H

#include "base/arena.h"
#include "text/tokenizer.h"

#define LP_SPACE LP_SPACE_MARK           /* U+2581 stands for a space inside pieces */
#define LP_UNKNOWN_TEXT " \xe2\x81\x87 " /* what an unknown decodes to unless the model says otherwise */
#define LP_MAX_PIECES LP_TOKENS_MOST

/* The numbers are SentencePiece's; LP_PIECE_NONE is an id that no piece has. */
enum lp_piece_type {
    LP_PIECE_NONE = 0,
    LP_PIECE_NORMAL = 1,
    LP_PIECE_UNKNOWN = 2,
    LP_PIECE_CONTROL = 3,
    LP_PIECE_USER = 4,   /* always one token where its name stands in the text */
    LP_PIECE_UNUSED = 5, /* may be merged to, but is taken apart again at the end */
    LP_PIECE_BYTE = 6
};

struct lp_piece {
    const char *name, *text; /* as the model spells it; as it decodes */
    uint32_t n_name, n_text; /* bytes */
    float score;
    uint32_t rank;   /* 0 is the best score; equal scores have equal ranks */
    uint32_t unused; /* number among the unused pieces, for those */
    uint8_t type;    /* enum lp_piece_type */
};

/* Two tokens that may become one: how a tokenizer.json spells its merges. */
struct lp_merge {
    int32_t left, right, id; /* id -1: an empty slot */
    uint32_t rank;           /* 0 merges first */
};

struct lp_tokenizer {
    struct lp_arena arena; /* names and texts */
    struct lp_piece *piece;
    int n_pieces;
    int bos, eos, unk, pad;
    int32_t byte_id[256]; /* -1 where there is none */
    int32_t *slot;        /* hash table of ids by name, -1: empty */
    size_t slot_mask;
    struct lp_merge
        *merge; /* hash table by (left, right); NULL: any two whose joined name is a piece merge */
    size_t merge_mask;
    uint64_t secret; /* of the hash, so that no file can be made of collisions */
    int32_t *user;   /* ids of the user-defined pieces, sorted by name */
    int n_user;
    uint32_t n_unused;
    uint32_t longest; /* name of a piece that can be merged to, bytes */
    bool user_first[256];
    bool dummy_prefix;      /* a space is put before the text */
    bool prefix_unless;     /* but not where the text starts with one */
    bool remove_spaces;     /* leading, trailing and repeated spaces go */
    bool escape_spaces;     /* ' ' becomes U+2581 */
    bool spaces_end_words;  /* the dummy prefix is a suffix */
    bool spaces_part_words; /* nothing merges across the start of a U+2581 */
    bool byte_fallback;     /* unknown characters become byte tokens */
    bool split_unknown;     /* neighbouring unknown characters are a token each */
    bool omits_bos;         /* prompts do not begin with BOS */
};

/* Makes room for n ids (1..LP_MAX_PIECES), all LP_PIECE_NONE. */
bool lp_vocabulary_init(struct lp_tokenizer *t, int64_t n, struct lp_error *err);
/* Fills an id that is free. The name is copied; an empty or a taken name is refused. */
bool lp_vocabulary_set(struct lp_tokenizer *t, int id, enum lp_piece_type type, const char *name, size_t n,
                       float score, struct lp_error *err);
/* Makes room for n merges; then adds them. A later merge of the same two replaces the earlier. */
bool lp_vocabulary_init_merges(struct lp_tokenizer *t, size_t n, struct lp_error *err);
void lp_vocabulary_add_merge(struct lp_tokenizer *t, int32_t left, int32_t right, int32_t id, uint32_t rank);
/* Once all pieces are set: texts, ranks and tables, and whether the whole makes sense. */
bool lp_vocabulary_finish(struct lp_tokenizer *t, const char *unk_text, size_t n_unk_text,
                          struct lp_error *err);

int32_t lp_vocabulary_find(const struct lp_tokenizer *t, const char *name, size_t n); /* -1: absent */
const struct lp_merge *lp_vocabulary_find_merge(const struct lp_tokenizer *t, int32_t left, int32_t right);
/* Bytes of the longest user-defined piece that s[0..n) starts with, 0 for none. */
size_t lp_vocabulary_match_user(const struct lp_tokenizer *t, const char *s, size_t n);
int lp_vocabulary_byte(const char *name, size_t n); /* 0..255 for "<0x00>".."<0xFF>", else -1 */

/* The two file formats and a vocabulary in arrays; t is zeroed and closed by the caller also on failure. */
bool lp_token_list_read(struct lp_tokenizer *t, const struct lp_token_list *list, struct lp_error *err);
bool lp_sentencepiece_parse(struct lp_tokenizer *t, const uint8_t *data, size_t size, struct lp_error *err);
bool lp_tokenizer_json_parse(struct lp_tokenizer *t, const char *data, size_t size, const char *name,
                             struct lp_error *err);

#endif
