/* SPDX-License-Identifier: MIT */
/* Scores of readings by their characters, and whether plans are legal. */
#ifndef LP_E2E_SCORING_H
#define LP_E2E_SCORING_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/* Edit distance between the truth and the part of the answer that fits it best, in code points, runs of white
 * space counted as one space and none at the ends. *length is the truth's length. False only without memory.
 */
bool score_reading(const char *truth, const char *answer, long *distance, long *length);

/* A JSONL file as an array, every line an object that has the string `key`; empty lines skipped. NULL on
 * failure. */
json_t *score_lines(const char *path, const char *key, struct lp_error *err);

/* Reads the files, prints the table to `out`, puts the rate 0..1 over all into *rate. False when a file cannot
 * be read. `answers` is JSONL ({"image", "answer"}) or a folder of texts named <image>.txt.
 */
bool score_readings(const char *truth, const char *answers, FILE *out, double *rate, struct lp_error *err);

/* Checks every call of every plan in a JSONL file: a known API_name with legal API_params. Prints the plans that
 * are not so; *rate is the share of plans that are. */
bool score_validity(const char *got, FILE *out, double *rate, struct lp_error *err);

#endif
