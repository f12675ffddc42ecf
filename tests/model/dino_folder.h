/* SPDX-License-Identifier: MIT */
/* A miniature of Grounding DINO as a folder: its weights follow from their names by the formula of
 * tools/golden/grounding_dino.py. */
#ifndef LP_TESTS_MODEL_DINO_FOLDER_H
#define LP_TESTS_MODEL_DINO_FOLDER_H

#include "base/json.h"
#include "base/memory.h"
#include "model/numbers.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

#include <math.h>

/* Matrices of deviation 1 / sqrt(inputs), biases within 1/4, offsets' within 2 places, scales about 1. */
static inline void dino_fill(float *x, const struct lp_weight *w) {
    int64_t n = lp_weight_elements(w);
    bool matrix = w->ndim > 1, bias = ends_with(w->name, "bias");
    float reach = matrix ? (float)sqrt(3 / ((double)n / (double)w->dim[0])) : bias ? 0.25f : 0.125f;
    if (bias && strstr(w->name, "sampling_offsets"))
        reach = 2;
    if (ends_with(w->name, "table"))
        reach = 1;
    numbers(x, w->name, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] * reach + (matrix || bias ? 0 : 1);
}

static inline void dino_link(const char *folder, const char *from, const char *name) {
    char old[400], new[400];
    snprintf(old, sizeof old, LP_TESTS_DIR "/golden/%s/%s", from, name);
    snprintf(new, sizeof new, "%s/%s", folder, name);
    if (access(old, R_OK) == 0 && symlink(old, new))
        abort();
}

/* Makes the folder of the miniature `name` of tests/golden; folder_remove ends it. `left_out`: a weight that
 * it shall not have, or NULL; `broken`: one that shall hold no numbers. */
static inline void dino_folder_make(char folder[64], const char *name, const char *left_out,
                                    const char *broken) {
    char path[400];
    struct lp_error err = {0};
    snprintf(path, sizeof path, LP_TESTS_DIR "/golden/%s/shapes.json", name);
    json_t *shapes = lp_json_load(path, &err), *shape;
    size_t n = 0, axis;
    struct lp_weight *weight = lp_alloc_array(json_object_size(shapes), sizeof *weight);
    const char *key;
    json_object_foreach(shapes, key, shape) {
        struct lp_weight *w = &weight[n];
        json_t *dim;
        if (left_out && !strcmp(key, left_out))
            continue;
        *w = (struct lp_weight){.name = key, .type = LP_WEIGHT_F32, .ndim = (int)json_array_size(shape)};
        w->bytes = sizeof(float);
        json_array_foreach(shape, axis, dim) {
            w->dim[axis] = json_integer_value(dim);
            w->bytes *= (size_t)w->dim[axis];
        }
        float *x = lp_alloc(w->bytes);
        dino_fill(x, w);
        for (size_t i = 0; broken && !strcmp(key, broken) && i < w->bytes / sizeof *x; i++)
            x[i] = NAN;
        w->data = x;
        n++;
    }
    folder_make(folder);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    if (!n || !lp_safetensors_write(path, weight, n, NULL, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    dino_link(folder, name, "config.json");
    dino_link(folder, name, "preprocessor_config.json");
    dino_link(folder, "wordpiece", "vocab.txt");
    for (size_t i = 0; i < n; i++)
        lp_free((void *)weight[i].data);
    lp_free(weight);
    json_decref(shapes);
}

#endif
