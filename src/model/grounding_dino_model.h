/* SPDX-License-Identifier: MIT */
/* The parts of a Grounding DINO and its stages, for what tests it. Others need only grounding_dino.h. */
#ifndef LP_MODEL_GROUNDING_DINO_MODEL_H
#define LP_MODEL_GROUNDING_DINO_MODEL_H

#include "image/preprocess.h"
#include "model/bert.h"
#include "model/grounding_dino.h"
#include "model/swin.h"
#include "text/phrases.h"

enum { LP_DINO_LEVELS = LP_DEFORM_LEVELS, LP_DINO_BOX_DEPTH = 3 };

struct lp_dino_config {
    struct lp_swin_config backbone;
    struct lp_bert_config text;
    int64_t channels, levels, queries;
    int64_t encoder_layers, encoder_heads, encoder_ffn, encoder_points;
    int64_t decoder_layers, decoder_heads, decoder_ffn, decoder_points;
    double temperature; /* of the places' codes */
    float eps;          /* of layer norms */
    float edge;         /* a number is at least this far from 0 and 1 when its logit is taken */
};

/* How each layout of files calls what both hold. Layer i of the encoder is "stem.i" + tail. */
struct lp_dino_names {
    bool packed; /* queries, keys and values are one weight, but in BERT */
    const char *backbone, *words, *project, *level_code, *targets;
    const char *chosen, *chosen_norm, *chosen_box;
    const char *fusion[2], *text[2], *deform[2]; /* stem, tail */
    const char *fusion_norm[2], *gamma[2];       /* of the picture, of the text */
    const char *fusion_in[2], *fusion_value[2], *fusion_out[2];
    const char *text_norm[2], *deform_norm[2], *fc[2];
    const char *decoder, *decoder_norm, *query_code;
    const char *self, *cross_text, *cross, *decoder_layer_norm[4]; /* behind self, text, picture, fc */
};

/* The layout of the files, NULL where they are no Grounding DINO; *prefix is what stands before all names. */
const struct lp_dino_names *lp_dino_find_names(const struct lp_weights *files, const char **prefix);
bool lp_dino_names_are_original(const struct lp_dino_names *names);

/* Sizes from config.json's object; absent ones are GroundingDinoConfig's defaults. */
bool lp_dino_read_config(const json_t *config, struct lp_dino_config *c, struct lp_error *err);
/* Sizes of the original's weights, which come without a configuration, from their shapes. */
bool lp_dino_read_shapes(const struct lp_weights *files, const char *prefix, struct lp_dino_config *c,
                         struct lp_error *err);

struct lp_dino_attention {
    struct lp_linear q, k, v, out; /* [C,C] */
    int64_t heads;
};

struct lp_dino_deform {
    struct lp_linear offset, weight; /* [heads*levels*points*2,C], [heads*levels*points,C] */
    struct lp_linear value, out;     /* [C,C] */
    int64_t heads, points;
};

/* Each text token looks at all places and each place at all tokens; E = F / 2 of the encoder. */
struct lp_dino_fusion {
    struct lp_norm norm, text_norm;                 /* [C] */
    lp_tensor *gamma, *text_gamma;                  /* [C] */
    struct lp_linear in, value, out;                /* of places: [E,C], [E,C], [C,E] */
    struct lp_linear text_in, text_value, text_out; /* of tokens: alike */
    int64_t heads;
};

struct lp_dino_encoder_layer {
    struct lp_dino_fusion fusion;
    struct lp_dino_attention text; /* tokens among themselves */
    struct lp_norm text_norm[2];
    struct lp_linear text_fc[2]; /* [F/2,C], [C,F/2] */
    struct lp_dino_deform deform;
    struct lp_norm norm[2];
    struct lp_linear fc[2]; /* [F,C], [C,F] */
};

/* C -> C -> C -> 4: how a box should change. */
struct lp_dino_box_head {
    struct lp_linear layer[LP_DINO_BOX_DEPTH];
};

struct lp_dino_decoder_layer {
    struct lp_dino_attention self, text;
    struct lp_dino_deform deform;
    struct lp_norm norm[4]; /* behind each of self, text, deform, fc */
    struct lp_linear fc[2]; /* [F,C], [C,F] */
    struct lp_dino_box_head box;
};

struct lp_grounding_dino {
    struct lp_arena arena;
    const struct lp_kernels *kernels;
    struct lp_weights *files;
    struct lp_wordpiece *vocabulary;
    struct lp_preprocess preprocess; /* means, deviations and filter; sizes are: */
    int64_t shortest_px, longest_px; /* what a picture's sides become at least and at most */
    struct lp_dino_config config;
    struct lp_swin backbone;
    struct lp_bert text;
    struct lp_linear words;                      /* [C,text.hidden] */
    struct lp_linear project[LP_DINO_LEVELS];    /* [C,map's,1,1], the extra ones [C,..,3,3] of stride 2 */
    struct lp_norm project_norm[LP_DINO_LEVELS]; /* [C], of groups */
    lp_tensor *level_code;                       /* [levels,C] */
    struct lp_dino_encoder_layer *encoder;       /* [encoder_layers] */
    struct lp_linear chosen;                     /* [C,C] */
    struct lp_norm chosen_norm;
    struct lp_dino_box_head chosen_box;
    lp_tensor *targets;                    /* [queries,C] */
    struct lp_linear query_code[2];        /* [C,2*C], [C,C] */
    struct lp_dino_decoder_layer *decoder; /* [decoder_layers] */
    struct lp_norm decoder_norm;
    struct lp_parameters parameters;
};

/* Each binds its part; false when out of memory. */
bool lp_dino_bind_encoder(struct lp_bind *b, const struct lp_dino_names *n, struct lp_grounding_dino *m);
bool lp_dino_bind_decoder(struct lp_bind *b, const struct lp_dino_names *n, struct lp_grounding_dino *m);
void lp_dino_bind_fusion(struct lp_bind *b, const struct lp_dino_names *n, const struct lp_dino_config *c,
                         struct lp_dino_fusion *f);
void lp_dino_bind_attention(struct lp_bind *b, const struct lp_dino_names *n, const char *name, int64_t C,
                            int64_t heads, struct lp_dino_attention *a);
void lp_dino_bind_deform(struct lp_bind *b, const char *name, const struct lp_dino_config *c, int64_t heads,
                         int64_t points, struct lp_dino_deform *d);

/* The maps of a picture, place after place, map after map. */
struct lp_dino_maps {
    int64_t count, places;
    struct {
        int64_t H, W;
    } map[LP_DINO_LEVELS];
};

/* The size at which a picture is seen; false (LP_EINPUT) where a side would be 0 px. */
bool lp_dino_fit(const struct lp_grounding_dino *m, int width, int height, int *scaled_width,
                 int *scaled_height, struct lp_error *err);
/* The picture at that size, normalised -> pixels [3,scaled_height,scaled_width]. */
bool lp_dino_prepare(const struct lp_grounding_dino *m, const struct lp_image *image, int scaled_width,
                     int scaled_height, float *pixels, struct lp_error *err);

/* pixels [1,3,h,w] -> [places,C] and how they lie. */
lp_tensor *lp_dino_see(lp_run *r, const struct lp_grounding_dino *m, lp_tensor *pixels,
                       struct lp_dino_maps *maps);
/* What tells places apart -> [places,C]; and their middles, 0..1 of the picture -> [places,2]. */
lp_tensor *lp_dino_place_codes(lp_run *r, const struct lp_grounding_dino *m, const struct lp_dino_maps *maps);
lp_tensor *lp_dino_middles(lp_run *r, const struct lp_dino_maps *maps);
/* to[C] = sines and cosines of x, where 1 is a full turn of the first, with rising periods [C] (Vaswani et
 * al. 2017, arXiv:1706.03762, section 3.5). In float32, as the reference: whole turns show its rounding. */
void lp_dino_periods(float *period, int64_t C, double temperature);
void lp_dino_wave(float *to, float x, const float *period, int64_t C);

/* A caption's tokens -> [tokens,C]. */
lp_tensor *lp_dino_read(lp_run *r, const struct lp_grounding_dino *m, const struct lp_phrases *phrases);
/* What tells tokens of a phrase apart -> [tokens,C]. */
lp_tensor *lp_dino_token_codes(lp_run *r, const struct lp_grounding_dino *m,
                               const struct lp_phrases *phrases);

/* Places and tokens. What the encoder makes of them takes the place of what they were. */
struct lp_dino_both {
    lp_tensor *place, *token; /* [places,C], [tokens,C] */
};
void lp_dino_renew(lp_run *r, lp_mark m, struct lp_dino_both *x, const lp_tensor *place,
                   const lp_tensor *token);
void lp_dino_fuse(lp_run *r, const struct lp_dino_fusion *f, struct lp_dino_both *x);

/* What all layers of the encoder share. */
struct lp_dino_scene {
    struct lp_dino_maps maps;
    const struct lp_phrases *phrases;
    lp_tensor *place_code, *middle, *token_code;
};
/* The part of encoder layer i behind its fusion. */
void lp_dino_enhance(lp_run *r, const struct lp_grounding_dino *m, int64_t i,
                     const struct lp_dino_scene *scene, struct lp_dino_both *x);

lp_tensor *lp_dino_attend(lp_run *r, const struct lp_dino_attention *a, lp_tensor *q, lp_tensor *k,
                          lp_tensor *v, const struct lp_phrases *phrases);
lp_tensor *lp_dino_sample(lp_run *r, const struct lp_dino_deform *d, lp_tensor *query, lp_tensor *place,
                          lp_tensor *reference, const struct lp_dino_maps *maps);

/* Queries, their boxes (centre's x y, width, height, 0..1) and what the boxes were before. */
struct lp_dino_queries {
    lp_tensor *x, *box, *before; /* [n,C], [n,4], [n,4] */
};
/* As many places as there are queries, those that fit a token best. */
void lp_dino_choose(lp_run *r, const struct lp_grounding_dino *m, const struct lp_dino_maps *maps,
                    const struct lp_dino_both *x, struct lp_dino_queries *q);
/* Decoder layer i. */
void lp_dino_decode(lp_run *r, const struct lp_grounding_dino *m, int64_t i, const struct lp_dino_maps *maps,
                    const struct lp_dino_both *x, struct lp_dino_queries *q);
/* -> logits [n,tokens] and *box [n,4]. */
lp_tensor *lp_dino_conclude(lp_run *r, const struct lp_grounding_dino *m, const struct lp_dino_both *x,
                            const struct lp_dino_queries *q, lp_tensor **box);

/* logits [n,ids], box [n,4] as above -> what was found in a picture of width x height px. NULL on failure. */
struct lp_detections *lp_dino_answer(const struct lp_wordpiece *vocabulary, const struct lp_ids *ids,
                                     const float *logits, const float *box, int64_t n, int width, int height,
                                     const struct lp_detect_limits *limits, struct lp_error *err);
/* The same as ranks: lp_grounding_dino_rank. */
int64_t lp_dino_rank(const struct lp_phrases *phrases, const float *logits, const float *box, int64_t n,
                     int width, int height, double share, struct lp_ranked *best, int64_t most,
                     struct lp_error *err);

#endif
