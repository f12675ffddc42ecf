/* SPDX-License-Identifier: MIT */
/* Reading a body of the type multipart/form-data. */
#ifndef LP_SERVE_FORM_H
#define LP_SERVE_FORM_H

#include "serve/exchange.h"

enum { LP_FORM_FIELDS = 64, LP_FORM_NAME = 40 };

struct lp_form_field {
    char name[LP_FORM_NAME]; /* cut */
    bool file;               /* it came with a file's name */
    struct lp_str value;
};

/* Zero it first; then lp_form_done, also after failure. */
struct lp_form {
    struct lp_form_field field[LP_FORM_FIELDS]; /* as they came; a name may come twice */
    int n;
    bool too_many;
};

/* Reads the exchange's body. */
bool lp_form_read(struct lp_form *f, struct lp_exchange *x, struct lp_fault *fault);
void lp_form_done(struct lp_form *f);

#endif
