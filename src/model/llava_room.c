/* SPDX-License-Identifier: MIT */
/* model/llava_room.c - see llava_room.h. */
#include "model/llava_room.h"

#include "model/llava_source.h"
#include "weights/weights.h"

int64_t lp_llava_copied_bytes(const struct lp_llava *m) {
    int64_t bytes = 0;
    for (size_t i = 0; !m->packed && i < lp_weights_count(m->files); i++) {
        char name[LP_GGUF_NAME];
        const struct lp_weight *w = lp_weights_at(m->files, i);
        bool packs = m->packs_half && w->type == LP_WEIGHT_F16 &&
                     lp_llava_place(&m->config, w->name, name) == LP_PLACE_LANGUAGE;
        if (packs || lp_weight_type_block(w->type) > 1)
            bytes += (int64_t)w->bytes;
    }
    return bytes;
}

/* Of all weights that are needed, with the language model's matrices in `type`, about; LP_DTYPES: as they
 * are. */
static int64_t bytes_in(const struct lp_llava *m, enum lp_dtype type) {
    int64_t bytes = 0;
    for (size_t i = 0; i < lp_weights_count(m->files); i++) {
        char name[LP_GGUF_NAME];
        const struct lp_weight *w = lp_weights_at(m->files, i);
        enum lp_llava_place place = lp_llava_place(&m->config, w->name, name);
        if (place == LP_PLACE_LANGUAGE && w->ndim > 1 && type != LP_DTYPES)
            bytes += lp_dtype_row_bytes(type, lp_weight_elements(w));
        else if (place != LP_PLACE_NONE)
            bytes += (int64_t)w->bytes;
    }
    return bytes;
}

static double gigabytes(int64_t bytes) {
    return 1e-9 * (double)bytes;
}

bool lp_llava_no_room(const struct lp_llava *m, const char *path, int64_t available, struct lp_error *err) {
    static const struct {
        enum lp_dtype type;
        const char *name;
    } types[] = {{LP_Q8_0, "q8_0"}, {LP_Q6_K, "q6_K"}, {LP_Q4_K, "q4_K"}};
    double now = gigabytes(bytes_in(m, LP_DTYPES)), free = gigabytes(available);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        double then = gigabytes(bytes_in(m, types[i].type));
        if (then < now && then < free)
            return lp_error_set(err, LP_EMEMORY,
                                "%s: its weights take %.2f GB of memory, and %.2f GB are free; quantised to "
                                "%s, about %.2f GB, "
                                "they would fit: see 'llava-plus model quantize'",
                                path, now, free, types[i].name, then);
    }
    return lp_error_set(
        err, LP_EMEMORY,
        "%s: its weights take %.2f GB of memory, and %.2f GB are free: too few for it in any type; take a "
        "smaller model",
        path, now, free);
}
