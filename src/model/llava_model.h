/* SPDX-License-Identifier: MIT */
/* The parts of a LLaVA, for what trains it. Others need only llava.h. */
#ifndef LP_MODEL_LLAVA_MODEL_H
#define LP_MODEL_LLAVA_MODEL_H

#include "image/preprocess.h"
#include "model/clip.h"
#include "model/llama.h"
#include "model/llava.h"
#include "text/template.h"

struct lp_llava_config {
    struct lp_clip_config clip;
    struct lp_llama_config llama;
    int64_t depth;      /* picture encoder blocks that are run */
    bool two_layers;    /* projector: linear, GELU, linear; else one linear */
    enum lp_act act;    /* of the projector */
    bool knows_handles;
    const struct lp_template *template; /* NULL: the model's name chooses */
};

/* Reads config.json's object: the Hugging Face layout (text_config, vision_config) or the original LLaVA one
 * (language model at the top level, mm_* keys; our "vision_config" holds the picture encoder). */
bool lp_llava_read_config(const json_t *config, struct lp_llava_config *c, struct lp_error *err);

/* Sets the identity of an opened model, from its digest and configuration. */
void lp_llava_identify(struct lp_llava *model);

/* The projector, Liu et al. 2023, arXiv:2304.08485 (linear) and arXiv:2310.03744 (two layers). */
struct lp_projector {
    struct lp_linear first, second; /* [hidden,C], [hidden,hidden]; second unused when one layer */
    bool two_layers;
    enum lp_act act;
};

/* What can be trained or frozen, in the order of the parameters; also bits of a set: 1 << part. */
enum lp_llava_part { LP_PART_PICTURE, LP_PART_PROJECTOR, LP_PART_LANGUAGE, LP_PARTS };

struct lp_llava {
    struct lp_arena arena;
    const struct lp_kernels *kernels;
    struct lp_weights *files; /* NULL for a new model */
    struct lp_weights *packed; /* what llava_packed.h has of it; NULL: nothing */
    bool packs_half;           /* the language model's float16 matrices are packed, as lp_bind says */
    struct lp_tokenizer *tokenizer;
    struct lp_preprocess preprocess;
    struct lp_llava_config config;
    const char *name;
    struct lp_clip clip;
    struct lp_projector projector;
    struct lp_llama llama;
    struct lp_parameters parameters; /* all weights, by their names in the file */
    int64_t part_end[LP_PARTS];      /* parameters before it are the part's or an earlier one's */
    bool rough;                      /* the picture encoder may be; see lp_llava_set_rough */
    struct lp_hash digest, identity; /* of the files, of the model; zero for a model that learns */
};

/* As lp_llava_open_with, the language model's matrices laid out as its packed file is to have them. */
struct lp_llava *lp_llava_open_to_pack(const char *model, const char *mmproj, const struct lp_kernels *kernels,
                                       struct lp_error *err);

/* Opens a folder for training: every weight is a float32 copy that wants a gradient. A folder without
 * *.safetensors gives a new model of its config.json, drawn from the seed. */
struct lp_llava *lp_llava_open_to_learn(const char *folder, const struct lp_kernels *kernels, uint64_t seed,
                                        struct lp_error *err);

/* Whether files hold all weights of a model of that configuration, in their shapes: LP_EMISSING names what is not
 * there. sees: with picture encoder and projector; else a LLaMA alone. *needed: their names, in the arena. */
bool lp_llava_check(const struct lp_weights *files, const struct lp_llava_config *c, bool sees, struct lp_arena *arena,
                    struct lp_parameters *needed, struct lp_error *err);

/* Only weights of the set of parts want gradients from now on: the rest is frozen. */
void lp_llava_learn(struct lp_llava *model, unsigned parts);

/* Writes model.safetensors in `type`, frozen weights as they were stored, into folder `to` (made if need be), with the configuration and tokenizer files
 * of folder `from`. config.json names the template, so that a renamed folder is still asked as it was trained. */
bool lp_llava_save(const struct lp_llava *model, const char *from, const char *to, enum lp_dtype type,
                   struct lp_error *err);

/* Pictures as the language model sees them.  pixels [n,3,S,S] -> [n*patches,hidden]. */
lp_tensor *lp_llava_project(lp_run *r, const struct lp_llava *model, lp_tensor *pixels);

/* Rows of embeddings: tokens, and the next row of `seen` [rows,hidden] (NULL: none) for each of
 * lp_llava_rows_a_picture at LP_IMAGE_TOKEN. -> [lp_llava_count_rows(id, n),hidden]. */
lp_tensor *lp_llava_embed(lp_run *r, const struct lp_llava *model, const int32_t *id, int64_t n, lp_tensor *seen);
int64_t lp_llava_rows_a_picture(const struct lp_llava *model);
int64_t lp_llava_count_rows(const struct lp_llava *model, const int32_t *id, int64_t n);

#endif
