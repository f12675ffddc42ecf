/* SPDX-License-Identifier: MIT */
/* Any bytes as a WordPiece file, and as a caption: opened or refused with a sentence; what opens must hold
 * its promises. */
#include "fuzz/fuzz.h"
#include "text/phrases.h"

#include <string.h>

static void use(const struct lp_wordpiece *w, const char *text, size_t n) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct lp_str decoded = {0};
    LP_FUZZ_CHECK(lp_wordpiece_encode(w, text, n, &ids, &err));
    for (size_t i = 0; i < ids.n; i++)
        LP_FUZZ_CHECK(ids.id[i] >= 0 && ids.id[i] < lp_wordpiece_size(w));
    LP_FUZZ_CHECK(lp_wordpiece_decode(w, ids.id, ids.n, &decoded, &err));
    lp_ids_done(&ids);
    lp_str_done(&decoded);
    struct lp_phrases p = {0};
    if (lp_phrases_read(w, text, n, &p, &err)) {
        LP_FUZZ_CHECK(p.ids.n >= 2 && p.ids.n <= LP_PHRASES_TOKENS && p.count >= 1 && p.start[0] == 0);
        for (int64_t i = 0; i < p.count; i++)
            for (int32_t t = p.start[i]; t < p.start[i + 1]; t++)
                LP_FUZZ_CHECK(p.position[t] == t - p.start[i]);
        LP_FUZZ_CHECK(p.start[p.count] == (int32_t)p.ids.n);
    } else
        LP_FUZZ_CHECK(lp_wordpiece_find(w, ".", 1) < 0);
    lp_phrases_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lp_wordpiece *good; /* kept until exit */
    static const char text[] = "The Red-c\xc3\xa4r [SEP] . dog? \xe4\xb8\xad\xff zzz##a";
    struct lp_error err = {0};
    if (!good)
        good = lp_wordpiece_open(LP_TESTS_DIR "/golden/wordpiece", &err);
    LP_FUZZ_CHECK(good);
    use(good, (const char *)data, size);
    struct lp_wordpiece *w = lp_wordpiece_open_bytes(data, size, "wordpiece", &err);
    LP_FUZZ_CHECK(w || (err.code != LP_OK && strlen(err.text) > 10));
    if (!w)
        return 0;
    for (int32_t id = -1; id <= lp_wordpiece_size(w); id += 1 + id / 1000) {
        struct lp_str name = {0};
        LP_FUZZ_CHECK(lp_wordpiece_decode(w, &id, 1, &name, &err));
        lp_str_done(&name);
    }
    use(w, text, sizeof text);
    use(w, (const char *)data, size < 300 ? size : 300);
    lp_wordpiece_close(w);
    return 0;
}
