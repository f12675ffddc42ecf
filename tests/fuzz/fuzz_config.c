/* SPDX-License-Identifier: MIT */
/* Any bytes as a model's config.json: refused with a sentence, or sizes that the model can be built by. */
#include "fuzz/fuzz.h"
#include "model/llava_model.h"

#include <string.h>

static void check(const struct lp_llava_config *c) {
    const struct lp_llama_config *t = &c->llama;
    const struct lp_clip_config *v = &c->clip;
    LP_FUZZ_CHECK(t->heads > 0 && t->key_heads > 0 && t->heads % t->key_heads == 0);
    LP_FUZZ_CHECK(t->hidden > 0 && t->hidden % t->heads == 0 && t->hidden / t->heads % 2 == 0);
    LP_FUZZ_CHECK(t->layers > 0 && t->ffn > 0 && t->vocabulary > 0 && t->context > 0);
    LP_FUZZ_CHECK(t->eps > 0 && t->eps < 1 && t->theta >= 1 && t->theta <= 1e12f);
    LP_FUZZ_CHECK(v->heads > 0 && v->hidden > 0 && v->hidden % v->heads == 0 && v->ffn > 0 && v->eps > 0);
    LP_FUZZ_CHECK(v->layers > 0 && v->patch_px > 0 && lp_clip_patches(v) > 0);
    LP_FUZZ_CHECK(c->depth >= 0 && c->depth <= v->layers);
    LP_FUZZ_CHECK(v->act == LP_GELU || v->act == LP_QUICK_GELU);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_error err = {0};
    struct lp_llava_config c;
    json_t *json = lp_json_parse((const char *)data, size, "config.json", &err);
    bool ok = json && lp_llava_read_config(json, &c, &err);
    LP_FUZZ_CHECK(ok || (err.code != LP_OK && strlen(err.text) > 10));
    if (ok)
        check(&c);
    json_decref(json);
    return 0;
}
