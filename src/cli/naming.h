/* SPDX-License-Identifier: MIT */
/* Scenes as lessons in naming: which word belongs to which row of a picture. */
#ifndef LP_CLI_NAMING_H
#define LP_CLI_NAMING_H

#include "train/train.h"

/* Adds every picture of a folder of scenes (data/truth.h) to the set. A row is named by what covers most of its square
 * and by its colour, by the background where there is nothing, and by "one" where the middle of a thing is. */
bool lp_naming_read(struct lp_train_set *set, const char *folder, struct lp_error *err);

#endif
