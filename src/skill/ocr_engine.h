/* SPDX-License-Identifier: MIT */
/* Tesseract behind our own types: a grey picture in, words with boxes out. */
#ifndef LP_SKILL_OCR_ENGINE_H
#define LP_SKILL_OCR_ENGINE_H

#include "base/arena.h"
#include "base/error.h"

#include <stdatomic.h>

struct lp_ocr_word {
    float box[4];     /* x0y0x1y1, px of the picture that was read */
    float confidence; /* 0..1 */
    int line;         /* words of one line are consecutive and carry the same number */
    const char *text; /* UTF-8, not empty; in the reading's arena */
};

/* Zero-initialised is a valid empty reading. */
struct lp_ocr_reading {
    struct lp_arena arena;
    struct lp_ocr_word *word; /* in reading order */
    int n, capacity;
};

void lp_ocr_reading_done(struct lp_ocr_reading *reading);

/* How the text lies in the picture. */
enum lp_ocr_layout { LP_OCR_PAGE, LP_OCR_BLOCK, LP_OCR_LINE, LP_OCR_SCATTERED };

/* What is missing for it to work ("the English data ..."), static; NULL when nothing is. */
const char *lp_ocr_engine_missing(void);

struct lp_ocr_engine; /* for one thread at a time */
struct lp_ocr_engine *lp_ocr_engine_open(struct lp_error *err); /* owned by caller */
void lp_ocr_engine_close(struct lp_ocr_engine *engine);

/* Adds what it reads in grey[height,width] to an empty reading. Nothing to read is no error. cancel may be NULL. */
bool lp_ocr_engine_read(struct lp_ocr_engine *engine, const uint8_t *grey, int width, int height,
                        enum lp_ocr_layout layout, const atomic_bool *cancel, struct lp_ocr_reading *reading,
                        struct lp_error *err);

#endif
