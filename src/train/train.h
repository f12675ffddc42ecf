/* SPDX-License-Identifier: MIT */
/* Teaching a LLaVA dialogues: next-token prediction on the assistant's sequences only (LLaVA-Plus, equation 2),
 * AdamW or Muon, linear warm-up, cosine decay, clipped gradients. */
#ifndef LP_TRAIN_TRAIN_H
#define LP_TRAIN_TRAIN_H

#include "base/json.h"
#include "base/rng.h"
#include "model/llava_model.h"
#include "text/template.h"
#include "train/ranks.h"

#include <pthread.h>
#include <stdio.h>

/* ---- what is learnt ---- */

/* A picture's row and the word it is to be near: an index into the set's words. */
struct lp_train_name {
    int32_t row, word;
};

/* Where a dialogue or a picture was named first, for messages; file NULL: nowhere. */
struct lp_train_source {
    const char *file;
    int64_t line;
};

/* One for each path, however many samples show it. */
struct lp_train_picture {
    const char *path;
    struct lp_train_source source;
    uint8_t *pixel; /* [crop,crop,3] as the encoder takes it; NULL: not in memory */
    bool kept;      /* pixel stays until the set is done */
    int64_t wanted; /* the last step that will need it, as far as known */
};

struct lp_train_sample {
    struct lp_train_source source;
    int32_t *id;          /* [n], LP_IMAGE_TOKEN for a picture */
    int32_t *target;      /* [n]: the token that must follow, or LP_IGNORE */
    int32_t n, rows;      /* rows: n with pictures counted in full */
    struct lp_train_picture **picture; /* one for each LP_IMAGE_TOKEN */
    int32_t pictures;
    const struct lp_train_name *name; /* what rows of its one picture show */
    int32_t names;
};

struct lp_train_set {
    struct lp_arena arena;
    const struct lp_llava *model;      /* borrowed */
    const struct lp_template *template; /* the model's */
    struct lp_train_sample *sample;
    int64_t count, capacity, skipped; /* skipped: longer than the model's context */
    int32_t *word;                    /* tokens that picture rows are named by */
    int32_t words;
    struct lp_train_source source; /* of what is added next; the name is borrowed as long as the set lives */
    double hide;       /* 0..1: the share of a prompt's tokens that is hidden, see lp_train_set_add */
    struct lp_rng rng; /* that chooses them */
    struct lp_train_picture **picture; /* all there are, in the order of first use */
    int64_t pictures, picture_capacity;
    int64_t *slot, slots; /* index + 1 into picture by the path's hash; 0: free */
};

void lp_train_set_init(struct lp_train_set *set, const struct lp_llava *model);
void lp_train_set_done(struct lp_train_set *set);

/* Adds one dialogue: messages alternate, a human's first, an assistant's last. Texts and paths are copied. Of the
 * tokens before the first answer the share `hide` becomes the unknown token, but for those that the assistant says, too:
 * no single word is to decide (word dropout, Iyyer et al. 2015). */
bool lp_train_set_add(struct lp_train_set *set, const struct lp_message *message, size_t n,
                      const char *const *picture, size_t pictures, struct lp_error *err);

/* Naming: before any sentence, a picture's rows, as the projector hands them to the language model, learn to lie near
 * the embeddings of the words for what they show, among `words` tokens (copied). Call once, before the pictures. */
bool lp_train_set_words(struct lp_train_set *set, const int32_t *word, int32_t words, struct lp_error *err);
/* A picture whose rows are to be named; copied. */
bool lp_train_set_add_names(struct lp_train_set *set, const char *picture, const struct lp_train_name *name, int32_t names,
                            struct lp_error *err);

/* ---- pictures ---- */

/* The set's picture of a path, which is copied; NULL on failure. */
struct lp_train_picture *lp_train_set_picture(struct lp_train_set *set, const char *path, struct lp_error *err);
/* Whether every picture can be opened, by its header and its end: before a training, not at its step 5000. */
bool lp_train_pictures_check(const struct lp_train_set *set, struct lp_error *err);

/* Reads the pictures of a step ahead of it, on a thread of its own; keeps the first ones as long as there is room. */
struct lp_train_reader {
    const struct lp_llava *model;
    size_t limit, kept; /* bytes */
    struct lp_train_picture **list;
    int64_t count, capacity;
    struct lp_error error;
    bool running;
    pthread_t thread;
};
/* Begins to read what is not in memory of the samples' pictures, for step `wanted`. */
bool lp_train_reader_start(struct lp_train_reader *r, const struct lp_train_sample *const *sample, int64_t count,
                           int64_t wanted, struct lp_error *err);
bool lp_train_reader_wait(struct lp_train_reader *r, struct lp_error *err);
/* Frees the samples' pictures that are not kept and that no step after `step` is known to want. */
void lp_train_reader_drop(const struct lp_train_sample *const *sample, int64_t count, int64_t step);
void lp_train_reader_done(struct lp_train_reader *r);

/* ---- how ---- */

struct lp_train_progress {
    int64_t step, steps;
    double loss;        /* mean over the step's trained tokens, nats */
    double rate, gradient_norm, tokens_per_s, seconds_left;
    int64_t tokens;   /* positions of the step, pictures' rows included */
    double seconds;   /* at work so far, in all runs */
    double eval_loss; /* NAN: not measured at this step */
};

struct lp_train_settings {
    int64_t steps;       /* 0: as many as `epochs` take */
    double epochs;
    int64_t batch;       /* dialogues a batch */
    int64_t accumulate;  /* batches a step */
    int64_t rows_a_pass; /* most rows of activations at once: a step is cut into passes */
    double rate;         /* peak learning rate */
    double warm_up;      /* share of the steps */
    double decay, clip, beta2;
    bool muon;           /* moves the matrices of blocks; AdamW the rest */
    bool half;           /* activations and the weights in products are bfloat16; the weights themselves float32 */
    bool checkpointing;  /* blocks run again on the way back: about a third more time, much less memory */
    uint64_t seed;
    int64_t save_every;  /* steps; 0: never */
    const char *checkpoint; /* path of the checkpoint file; NULL: none */
    bool force;             /* go on from a checkpoint made with other settings, too */
    const char *log;        /* a JSONL file, a line a step; NULL: none */
    const char *curve;      /* a picture of the losses, drawn at every checkpoint; NULL: none */
    struct lp_train_set *eval; /* held-out dialogues; NULL: none */
    int64_t eval_every;        /* steps; at the last one, too */
    size_t picture_bytes;      /* decoded pictures kept in memory, at most */
    void (*progress)(void *context, const struct lp_train_progress *p);
    void *context;
    struct lp_ranks *ranks; /* who shares the batches; NULL: nobody. Only rank 0 has files to write */
    const volatile bool *stop; /* set: save a checkpoint and end with LP_ECANCELED */
};
void lp_train_defaults(struct lp_train_settings *s);

/* Trains the model in place; the set's pictures should have been checked. With a checkpoint path that exists it goes on from there. Same seed, data, settings
 * and number of threads: same weights. */
bool lp_train(struct lp_llava *model, struct lp_train_set *set, const struct lp_train_settings *s,
              struct lp_error *err);

/* ---- low-rank adapters ---- */

/* Freezes the language model and gives every linear layer of its blocks an adapter that learns. Once, after
 * lp_llava_learn; LP_EMEMORY. */
bool lp_lora_add(struct lp_llava *model, int64_t rank, double alpha, uint64_t seed, struct lp_error *err);
/* Adapters go into the weights and are no more. */
void lp_lora_merge(struct lp_llava *model);
/* adapter_model.safetensors and adapter_config.json, as Hugging Face's peft reads them; base names the model. */
bool lp_lora_save(const struct lp_llava *model, const char *base, const char *folder, struct lp_error *err);

/* ---- parts, for the loop and for tests ---- */

/* The sum of losses over the samples' trained tokens and named rows, on the run's tape. *trained counts both. */
lp_tensor *lp_train_loss(lp_run *r, const struct lp_train_set *set, const struct lp_train_sample *const *sample,
                         int64_t count, int64_t *trained);

/* The loss of the samples' names; seen [pictures*rows,hidden]. NULL when there are none, too. */
lp_tensor *lp_train_naming_loss(lp_run *r, const struct lp_train_set *set, const struct lp_train_sample *const *sample,
                                int64_t count, lp_tensor *seen, int64_t *named);

/* Puts a sample, whose parts live in the set's arena, at the end; LP_EMEMORY. */
bool lp_train_set_push(struct lp_train_set *set, const struct lp_train_sample *sample, struct lp_error *err);

/* Learning rate at step (0-based) of steps. */
double lp_train_rate(const struct lp_train_settings *s, int64_t step, int64_t steps);

/* AdamW's state for those of a model's parameters that learn. */
struct lp_optimizer {
    float *data; /* gradients, first and second moments, one after the other */
    int64_t numbers, step;
    float *gradient, *first, *second; /* [numbers], parameters that learn in their order */
    float *room; /* Muon's; NULL: all is AdamW's */
};
bool lp_optimizer_init(struct lp_optimizer *o, struct lp_llava *model, struct lp_error *err); /* gives grads */
/* From now on Muon moves the matrices of blocks. */
bool lp_optimizer_use_muon(struct lp_optimizer *o, const struct lp_llava *model, struct lp_error *err);
void lp_optimizer_done(struct lp_optimizer *o);
/* One step on gradients that are sums over `count` tokens; clears them. Returns the norm before clipping; where it is
 * no finite number the weights stay as they are. */
double lp_optimizer_step(struct lp_optimizer *o, struct lp_llava *model, const struct lp_train_settings *s,
                         double rate, int64_t count);

/* Muon's parts: whether it moves a weight; the numbers of scratch room it takes; from the gradient and the moment the
 * direction, written over the gradient; the step along it. */
bool lp_muon_learns(const struct lp_parameter *p);
int64_t lp_muon_room(const lp_tensor *x);
void lp_muon_direction(const struct lp_kernels *k, const lp_tensor *x, float *moment, float gradient_scale, float *room);
void lp_muon_apply(const struct lp_kernels *k, lp_tensor *x, double rate, double decay);

/* What a training was begun with, as a JSON object of texts and numbers under the command's names: a checkpoint of
 * another one is refused. Owned by caller. */
json_t *lp_train_note(const struct lp_llava *model, const struct lp_train_set *set, const struct lp_train_settings *s,
                      int64_t steps, struct lp_error *err);
/* Where they differ: false, with a sentence of the first thing that does. */
bool lp_train_note_compare(const json_t *then, const json_t *now, struct lp_error *err);

/* note: NULL, or an object that is stored beside. */
bool lp_checkpoint_save(const char *path, const struct lp_llava *model, const struct lp_optimizer *o,
                        const json_t *note, struct lp_error *err);
/* *found is false, and nothing changes, where there is no such file. With a note, the file's must be equal. */
bool lp_checkpoint_load(const char *path, struct lp_llava *model, struct lp_optimizer *o, const json_t *note,
                        bool *found, struct lp_error *err);
/* Removes what a killed save left beside the path. */
void lp_checkpoint_tidy(const char *path);

/* The log: a line a step, each step once. */
struct lp_train_log {
    FILE *file; /* NULL: none */
    const char *path;
    double seconds;                /* of the last line kept */
    struct lp_train_point {
        int64_t step;
        double loss, eval_loss; /* NAN: not measured */
    } *point;
    int64_t points, capacity;
};
/* Keeps what the file says of steps 1..step and drops the rest. path NULL: only the points are kept. */
bool lp_train_log_open(struct lp_train_log *log, const char *path, int64_t step, struct lp_error *err);
bool lp_train_log_add(struct lp_train_log *log, const struct lp_train_progress *p, struct lp_error *err);
bool lp_train_log_sync(struct lp_train_log *log, struct lp_error *err); /* before a checkpoint of its last step */
void lp_train_log_close(struct lp_train_log *log);

/* The losses over the steps as a picture. */
bool lp_train_curve(const struct lp_train_log *log, const char *path, struct lp_error *err);

/* The mean loss over a set's trained tokens; nothing learns. */
bool lp_train_eval(lp_run *r, struct lp_train_set *set, int64_t rows_a_pass, struct lp_train_reader *reader,
                   double *loss, struct lp_error *err);

#endif
