/* SPDX-License-Identifier: MIT */
/* Where a LLaVA comes from: a Hugging Face folder, at times with the one of its picture encoder, or a GGUF language model with the mmproj file that holds
 * its picture encoder and projector. Both say the same things in the words of the folder. */
#ifndef LP_MODEL_LLAVA_SOURCE_H
#define LP_MODEL_LLAVA_SOURCE_H

#include "base/arena.h"
#include "base/json.h"
#include "model/llava_model.h"
#include "text/tokenizer.h"
#include "weights/gguf_names.h"

struct lp_llava_source {
    struct lp_arena arena;
    const char *path;          /* the folder or GGUF file */
    const char *mmproj;        /* where the picture encoder is: a GGUF file, or a folder of its own; NULL: in the model's */
    const char *name;          /* last part of the path, without ".gguf" */
    struct lp_weights *files;  /* NULL before lp_llava_source_load */
    struct lp_tokenizer *tokenizer;
    json_t *config;       /* as config.json */
    json_t *preprocessor; /* as preprocessor_config.json; NULL: none */
    const char *config_file, *preprocessor_file, *tokenizer_file; /* their names in errors */
};

/* Whether a path is taken for a GGUF file: by its ending, or because a file of that name begins as one. */
bool lp_llava_is_gguf(const char *path);

/* Reads the configurations. mmproj NULL: of a GGUF model, the "mmproj-" file of the same name beside it, else
 * the one GGUF file beside it that has "mmproj" in its name; of a folder whose config.json names a picture encoder,
 * that one's folder (weights/tower.h). Zeroes *s first; lp_llava_source_done also after
 * failure. LP_EMISSING where there is none, LP_EUSAGE where there are several or mmproj is given with a
 * folder. */
bool lp_llava_source_open(struct lp_llava_source *s, const char *path, const char *mmproj,
                          struct lp_error *err);
/* As above, but does without a picture encoder where none is found: the config's model_type is "llama" then.
 */
bool lp_llava_source_open_alone(struct lp_llava_source *s, const char *path, const char *mmproj,
                                struct lp_error *err);
/* Opens the tokenizer and, unless is_new, the weights. */
bool lp_llava_source_load(struct lp_llava_source *s, bool is_new, struct lp_error *err);
void lp_llava_source_done(struct lp_llava_source *s);

/* The sizes that the configuration tells. *sees: there is a picture encoder; else only c->llama is filled,
 * for a language model alone (model_type "llama"). */
bool lp_llava_source_config(const struct lp_llava_source *s, struct lp_llava_config *c, bool *sees,
                            struct lp_error *err);

/* Which part of a model of that configuration needs the tensor of this name, and llama.cpp's name for it. */
enum lp_llava_place { LP_PLACE_NONE, LP_PLACE_LANGUAGE, LP_PLACE_PICTURE };
enum lp_llava_place lp_llava_place(const struct lp_llava_config *c, const char *name,
                                   char gguf[LP_GGUF_NAME]);

#endif
