/* SPDX-License-Identifier: MIT */
/* Text to token ids and back, as the LLaMA family does it: SentencePiece's byte-pair encoding
 * (Kudo, Richardson 2018, arXiv:1808.06226; Sennrich, Haddow, Birch 2016, arXiv:1508.07909).
 * Text is bytes; it may hold NULs and broken UTF-8. A tokenizer is const once open: threads may share it. */
#ifndef LP_TEXT_TOKENIZER_H
#define LP_TEXT_TOKENIZER_H

#include "base/error.h"
#include "base/str.h"

#define LP_IMAGE_TOKEN (-200)   /* stands in a prompt's ids where a picture's features go */
#define LP_IMAGE_TEXT "<image>" /* stands in a prompt's text for the same */

/* Token ids. Zero-initialised is a valid empty list. */
struct lp_ids {
    int32_t *id;
    size_t n, capacity;
};

bool lp_ids_push(struct lp_ids *ids, int32_t id, struct lp_error *err); /* fails only when out of memory */
void lp_ids_done(struct lp_ids *ids);

struct lp_tokenizer;

/* path: a SentencePiece `tokenizer.model` or a Hugging Face `tokenizer.json`; the content decides, not the
 * name. Owned by caller (lp_tokenizer_close); NULL on failure. Only BPE models with identity normalisation
 * are known, which are LLaMA's; every other kind is LP_EINPUT. */
struct lp_tokenizer *lp_tokenizer_open(const char *path, struct lp_error *err);
/* The same from bytes in memory, borrowed only during the call; `name` names them in errors. */
struct lp_tokenizer *lp_tokenizer_open_bytes(const void *data, size_t size, const char *name,
                                             struct lp_error *err);
void lp_tokenizer_close(struct lp_tokenizer *t); /* NULL is fine */

enum { LP_TOKENS_MOST = 1 << 20 };

/* A SentencePiece BPE vocabulary in arrays, as GGUF files have it. */
struct lp_token {
    const char *name; /* n bytes as the model spells it: U+2581 for a space, "<0x0A>" for a byte */
    size_t n;
    float score;
    int type; /* SentencePiece's number: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte */
};
struct lp_token_list {
    const struct lp_token *token; /* the id is the index */
    int64_t count;                /* 1..LP_TOKENS_MOST */
    int bos, eos, pad;            /* -1: none; they become control tokens whatever their type says */
    bool add_bos;                 /* prompts begin with BOS */
    bool space_prefix;            /* LLaMA: true */
    bool remove_spaces;           /* leading, trailing and repeated spaces go; LLaMA: false */
};
/* As lp_tokenizer_open; the list is borrowed only during the call. */
struct lp_tokenizer *lp_tokenizer_open_list(const struct lp_token_list *list, const char *name, struct lp_error *err);

/* The vocabulary of t in arrays that lp_tokenizer_open_list makes the same tokenizer of; `count` tokens in the
 * arena, the tokenizer's size at least: ids without a piece are unused, named "[PAD7]". Names are borrowed from t.
 * LP_EINPUT where arrays cannot say what it does: tried with all its pieces, alone and in pairs. */
struct lp_arena;
bool lp_tokenizer_list(const struct lp_tokenizer *t, int64_t count, struct lp_arena *arena, struct lp_token_list *list,
                       struct lp_error *err);

/* Appends the ids of text[0..n) to out: no BOS, no EOS, the dummy prefix space where the model has one. Empty
 * text gives no ids. Malformed UTF-8 becomes U+FFFD, one for each byte. Text that looks like a control token
 * ("</s>") is ordinary text. On failure out keeps what it had before. */
bool lp_tokenizer_encode(const struct lp_tokenizer *t, const char *text, size_t n, struct lp_ids *out,
                         struct lp_error *err);

/* Appends a prompt's ids, as LLaVA does: one BOS, then the stretches between "<image>" marks, each encoded by
 * itself (each has its own dummy prefix), with LP_IMAGE_TOKEN for each mark. The names of BOS, EOS and UNK in
 * the text ("</s>" ends a turn in the v1 template) divide it the same way and become their ids. Empty text
 * gives BOS alone. */
bool lp_tokenizer_encode_prompt(const struct lp_tokenizer *t, const char *text, size_t n, struct lp_ids *out,
                                struct lp_error *err);

int lp_tokenizer_size(const struct lp_tokenizer *t); /* ids are 0..size-1 */
int lp_tokenizer_bos(const struct lp_tokenizer *t);  /* these four: -1 where the model has none */
int lp_tokenizer_eos(const struct lp_tokenizer *t);
int lp_tokenizer_unk(const struct lp_tokenizer *t);
int lp_tokenizer_pad(const struct lp_tokenizer *t);
bool lp_tokenizer_is_control(const struct lp_tokenizer *t, int32_t id); /* also true outside 0..size-1 */

/* The bytes that a token adds when decoded in the middle of a text: a space for each U+2581, the one byte of
 * a byte token, nothing for a control token or an id outside 0..size-1. Not NUL-terminated; borrowed until
 * lp_tokenizer_close; never NULL. */
const char *lp_tokenizer_piece(const struct lp_tokenizer *t, int32_t id, size_t *n);

/* Its name as the model file spells it; as above. */
const char *lp_tokenizer_name(const struct lp_tokenizer *t, int32_t id, size_t *n);

/* The id of a piece by its name as the model file spells it ("</s>", "<0x0A>", "\xe2\x96\x81the"), -1 if
 * absent. */
int lp_tokenizer_find(const struct lp_tokenizer *t, const char *name, size_t n);

/* Appends the text of ids: lp_tokenizer_piece of each, less the dummy prefix space at the start of the text,
 * malformed UTF-8 that byte tokens make replaced by U+FFFD, one for each byte. LP_IMAGE_TOKEN adds nothing.
 */
bool lp_tokenizer_decode(const struct lp_tokenizer *t, const int32_t *id, size_t n, struct lp_str *out,
                         struct lp_error *err);

/* Decoding while tokens arrive. Its concatenated output is lp_tokenizer_decode of all the ids. */
struct lp_token_stream {
    const struct lp_tokenizer *t; /* borrowed */
    char held[4];                 /* the start of a character whose last bytes have not come yet */
    uint8_t n_held;
    bool started; /* spaces count now; set it to go on after text decoded before */
};

void lp_token_stream_init(struct lp_token_stream *s, const struct lp_tokenizer *t);
/* Appends what has become complete characters to out; out of memory shows in out->failed. */
void lp_token_stream_push(struct lp_token_stream *s, int32_t id, struct lp_str *out);
void lp_token_stream_end(struct lp_token_stream *s, struct lp_str *out); /* held bytes will stay incomplete */

#endif
