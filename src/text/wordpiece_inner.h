/* SPDX-License-Identifier: MIT */
/* What a WordPiece tokenizer is inside. */
#ifndef LP_TEXT_WORDPIECE_INNER_H
#define LP_TEXT_WORDPIECE_INNER_H

#include "text/vocabulary.h"
#include "text/wordpiece.h"

enum { LP_WORDPIECE_MARKS = 32 };

struct lp_wordpiece {
    struct lp_tokenizer *pieces; /* names by id and ids by name; nothing else of it is used */
    size_t longest;              /* piece, bytes with its "##" */
    int unk, cls, sep;
    int mark[LP_WORDPIECE_MARKS]; /* ids of the special tokens, each by its name in the text */
    int marks;
};

#endif
