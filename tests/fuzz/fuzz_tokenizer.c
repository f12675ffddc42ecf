/* SPDX-License-Identifier: MIT */
/* Any bytes as a tokenizer file: opened or refused with a sentence; what opens must hold its promises. */
#include "fuzz/fuzz.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#include <string.h>

static void use(const struct lp_tokenizer *t, const char *text, size_t n) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct lp_str decoded = {0};
    size_t n_piece;
    LP_FUZZ_CHECK(lp_tokenizer_encode(t, text, n, &ids, &err));
    for (size_t i = 0; i < ids.n; i++) {
        LP_FUZZ_CHECK(ids.id[i] >= 0 && ids.id[i] < lp_tokenizer_size(t));
        LP_FUZZ_CHECK(lp_tokenizer_piece(t, ids.id[i], &n_piece) != NULL);
    }
    LP_FUZZ_CHECK(lp_tokenizer_decode(t, ids.id, ids.n, &decoded, &err));
    ids.n = 0;
    LP_FUZZ_CHECK(lp_tokenizer_encode_prompt(t, text, n, &ids, &err) == (lp_tokenizer_bos(t) >= 0));
    lp_ids_done(&ids);
    lp_str_done(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] = "a  the cat <image>\nis \xf0\x9f\xa4\x94 aaaa</s> \xff 42";
    struct lp_error err = {0};
    struct lp_tokenizer *t = lp_tokenizer_open_bytes(data, size, "tokenizer", &err);
    LP_FUZZ_CHECK(t || (err.code != LP_OK && strlen(err.text) > 10));
    if (!t)
        return 0;
    for (int id = -1; id <= lp_tokenizer_size(t); id += 1 + id / 1000) {
        size_t n;
        const char *piece = lp_tokenizer_piece(t, id, &n);
        LP_FUZZ_CHECK(piece && (!lp_tokenizer_is_control(t, id) || n == 0));
    }
    use(t, text, sizeof text);
    use(t, (const char *)data, size < 300 ? size : 300);
    use(t, "", 0);
    lp_tokenizer_close(t);
    return 0;
}
