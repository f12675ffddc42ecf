/* SPDX-License-Identifier: MIT */
/* JSON values written as Python writes them: what the planner was trained on is Python's text, to the byte. */
#ifndef LP_TEXT_PYTHON_H
#define LP_TEXT_PYTHON_H

#include <jansson.h>

/* str(value) of Python 3: {'a': [1, 0.5, None, True]}. Round numbers first if you mean to.
 * Owned by caller (lp_free); NULL when out of memory. */
char *lp_python_repr(const json_t *value);

/* json.dumps(value) with its defaults: {"a": [1, 0.5, null, true]}, all beyond ASCII as \uXXXX.
 * Owned by caller (lp_free); NULL when out of memory. */
char *lp_python_json(const json_t *value);

/* round(x, digits) of Python: the decimal nearest to the exact binary value. 0 <= digits <= 15. */
double lp_python_round(double x, int digits);

#endif
