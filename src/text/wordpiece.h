/* SPDX-License-Identifier: MIT */
/* Text to token ids and back, as uncased BERT does it: words, then the longest pieces of them (Devlin et al.
 * 2018, arXiv:1810.04805, section 3; Wu et al. 2016, arXiv:1609.08144, for the pieces). The ids are those of
 * transformers' BertTokenizerFast. Text is bytes; it may hold NULs, and broken UTF-8, which is left out. A
 * tokenizer is const once open: threads may share it. */
#ifndef LP_TEXT_WORDPIECE_H
#define LP_TEXT_WORDPIECE_H

#include "text/tokenizer.h"

enum { LP_WORD_MOST = 100 }; /* characters; a longer word is [UNK] */

struct lp_wordpiece;

/* A Hugging Face folder's tokenizer.json or, where there is none, vocab.txt. Owned by caller
 * (lp_wordpiece_close); NULL on failure: LP_EMISSING (neither file), LP_EIO, LP_EMEMORY, LP_EINPUT
 * (malformed, or a tokenizer that would make other ids than uncased BERT's rules). */
struct lp_wordpiece *lp_wordpiece_open(const char *folder, struct lp_error *err);
/* One such file's bytes, borrowed only during the call; the content decides which it is; `name` names it in
 * errors. */
struct lp_wordpiece *lp_wordpiece_open_bytes(const void *data, size_t size, const char *name,
                                             struct lp_error *err);
void lp_wordpiece_close(struct lp_wordpiece *w); /* NULL is fine */

/* Appends the ids of text[0..n) to out, without [CLS] and [SEP] around them. The names of special tokens in
 * the text ("[SEP]", spelled so) become their ids, as they do in transformers. On failure, which is
 * LP_EMEMORY, out keeps what it had before. */
bool lp_wordpiece_encode(const struct lp_wordpiece *w, const char *text, size_t n, struct lp_ids *out,
                         struct lp_error *err);

/* Appends the text of ids: pieces joined, a space between words but none before . ? ! , and English endings
 * ("n't", "'s"), as transformers' decode does. Special tokens appear by name, ids of no token add nothing. */
bool lp_wordpiece_decode(const struct lp_wordpiece *w, const int32_t *id, size_t n, struct lp_str *out,
                         struct lp_error *err);

int lp_wordpiece_size(const struct lp_wordpiece *w);                             /* ids are 0..size-1 */
int lp_wordpiece_find(const struct lp_wordpiece *w, const char *name, size_t n); /* -1 if absent */
int lp_wordpiece_cls(const struct lp_wordpiece *w);                              /* starts a text */
int lp_wordpiece_sep(const struct lp_wordpiece *w);                              /* ends it */

#endif
