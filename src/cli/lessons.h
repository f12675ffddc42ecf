/* SPDX-License-Identifier: MIT */
/* Data files read for a training. */
#ifndef LP_CLI_LESSONS_H
#define LP_CLI_LESSONS_H

#include "train/train.h"

/* What becomes of the records. */
struct lp_lessons {
    struct lp_train_set *set; /* they are added; NULL: their texts are */
    struct lp_str text;
    char *const *folder; /* where pictures are looked for */
    int folders;
    int64_t turns; /* only so many of each dialogue; 0: all */
    bool blind;    /* pictures and their marks are left out; the line breaks behind the marks stay */
};

/* Splits "a,b,c" in place; more than `most` is LP_EUSAGE. */
bool lp_lessons_split(char *list, char **item, int most, int *n, struct lp_error *err);

/* Reads all records of "FILE,FILE", which is cut in place and must live as long as the set. */
bool lp_lessons_read(char *list, struct lp_lessons *to, struct lp_error *err);

#endif
