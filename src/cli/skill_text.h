/* SPDX-License-Identifier: MIT */
/* Skills and their results as text for people and as JSON. */
#ifndef LP_CLI_SKILL_TEXT_H
#define LP_CLI_SKILL_TEXT_H

#include "skill/skill.h"

#include <stdio.h>

bool lp_skill_print_list(FILE *to, struct lp_error *err);
bool lp_skill_print_json(FILE *to, struct lp_error *err);

/* What a call left: its texts, or else a line for each object. After lp_call_keep. */
bool lp_skill_print_call(FILE *to, const struct lp_call *call, struct lp_error *err);
bool lp_skill_print_report(FILE *to, const struct lp_call *call, struct lp_error *err);
/* The same on one line, after the name of the picture that it is about: {"file": .., ..}. */
bool lp_skill_print_line(FILE *to, const struct lp_call *call, const char *file, struct lp_error *err);

/* The sentence for a name that is no skill's, with what was probably meant. Returns false. */
bool lp_skill_unknown(const char *name, struct lp_error *err);

#endif
