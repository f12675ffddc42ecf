/* SPDX-License-Identifier: MIT */
/* What the tests of training share: a tokenizer with byte pieces, small dialogues, a tiny model on disk. */
#ifndef LP_TESTS_TRAIN_DIALOGUES_H
#define LP_TESTS_TRAIN_DIALOGUES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/train.h"
#include "weights/folder.h"

#define TOKENIZER LP_TESTS_DIR "/golden/tokenizer/tokenizer.model"

static inline void require(bool ok, const struct lp_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

/* A folder for a new tiny model: config.json, tokenizer.model, and two pictures a.png and b.png. */
static inline void school_make(char folder[64], int hidden) {
    char path[300], config[1000];
    struct lp_error err = {0};
    folder_make(folder);
    snprintf(config, sizeof config,
             "{\"model_type\": \"llava\", \"text_config\": {\"model_type\": \"llama\", \"hidden_size\": %d, "
             "\"intermediate_size\": 48, \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"vocab_size\": 4096, "
             "\"max_position_embeddings\": 200}, \"vision_config\": {\"model_type\": \"clip_vision_model\", "
             "\"hidden_size\": 16, \"intermediate_size\": 32, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, "
             "\"image_size\": 16, \"patch_size\": 8}, \"rms_norm_eps\": 0.001}",
             hidden);
    folder_put(folder, "config.json", config, strlen(config));
    snprintf(path, sizeof path, "%s/tokenizer.model", folder);
    assert_int_equal(symlink(TOKENIZER, path), 0);
    for (int i = 0; i < 2; i++) {
        struct lp_image *image = lp_image_new(20, 16, &err);
        require(image != NULL, &err);
        for (int j = 0; j < 20 * 16 * 3; j++)
            image->pixel[j] = (uint8_t)(i ? 255 - j % 200 : j * 7);
        snprintf(path, sizeof path, "%s/%c.png", folder, 'a' + i);
        require(lp_image_save(image, path, &err), &err);
        lp_image_close(image);
    }
}

/* A group's folder for new models, its state. */
static inline int school_setup(void **state) {
    static char folder[64];
    school_make(folder, 32);
    *state = folder;
    return 0;
}

static inline int school_teardown(void **state) {
    folder_remove(*state);
    return 0;
}

static inline struct lp_llava *school_open(const char *folder, uint64_t seed) {
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open_to_learn(folder, lp_kernels_cpu(), seed, &err);
    require(m != NULL, &err);
    return m;
}

/* Four short dialogues: two with a picture, one of two exchanges. */
static inline void school_add(struct lp_train_set *set, const char *folder) {
    static const struct lp_message dialogue[4][4] = {
        {{"<image>\nWhat is it?", false}, {"A cat.", true}, {"Sure?", false}, {"Yes, a cat.", true}},
        {{"<image>\nWhat is it?", false}, {"Two dogs.", true}},
        {{"Say one.", false}, {"One", true}},
        {{"Say two.", false}, {"Two", true}},
    };
    for (int i = 0; i < 4; i++) {
        char path[300];
        const char *const pictures[] = {path};
        struct lp_error err = {0};
        snprintf(path, sizeof path, "%s/%c.png", folder, 'a' + i % 2);
        require(lp_train_set_add(set, dialogue[i], i ? 2 : 4, pictures, i < 2, &err), &err);
    }
}

#endif
