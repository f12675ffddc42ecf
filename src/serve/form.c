/* SPDX-License-Identifier: MIT */
/* serve/form.c - the fields of a form, by libmicrohttpd's reader. */
#include "serve/form.h"

#include "serve/fields.h"

#include <stdio.h>

/* More of a field; from 0 on a new one. */
static enum MHD_Result take(void *context, enum MHD_ValueKind kind, const char *key, const char *file, const char *type,
                            const char *encoding, const char *data, uint64_t at, size_t n) {
    struct lp_form *f = context;
    (void)kind;
    (void)type;
    (void)encoding;
    f->too_many = f->too_many || (!at && f->n == LP_FORM_FIELDS);
    if (f->too_many)
        return MHD_YES;
    struct lp_form_field *field = &f->field[at ? f->n - 1 : f->n++];
    if (!at)
        snprintf(field->name, sizeof field->name, "%s", key ? key : "");
    field->file = file != NULL;
    lp_str_add(&field->value, data, n);
    return field->value.failed ? MHD_NO : MHD_YES;
}

bool lp_form_read(struct lp_form *f, struct lp_exchange *x, struct lp_fault *fault) {
    struct MHD_PostProcessor *reader = MHD_create_post_processor(x->connection, 4096, take, f);
    bool good = reader && MHD_post_process(reader, lp_str_text(&x->body), x->body.n) == MHD_YES;
    good = (!reader || MHD_destroy_post_processor(reader) == MHD_YES) && good;
    if (f->too_many)
        return lp_fault_set(fault, 400, NULL, NULL, "a form may have at most %d fields", LP_FORM_FIELDS);
    return (good && f->n) || lp_bad(fault, NULL, "the form cannot be read, or has no field in it");
}

void lp_form_done(struct lp_form *f) {
    for (int i = 0; i < f->n; i++)
        lp_str_done(&f->field[i].value);
    f->n = 0;
}
