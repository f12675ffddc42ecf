/* SPDX-License-Identifier: MIT */
/* cli/cmd_bench_planner.c - llava-plus bench planner: what a planner's answer costs, part by part: opening the model, seeing a
 * picture, reading a prompt, writing tokens. Tokens are drawn at random: none of this depends on what they mean. */
#include "cli/cmd_bench.h"
#include "cli/command.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "cli/options.h"
#include "model/llava_model.h"
#include "plan/folder.h"
#include "plan/lmm.h"

#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { IDS_MOST = 1 << 16, TALKS_MOST = 64 };

/* One thing that is measured, in every round. */
struct part {
    const char *name, *unit;
    double work; /* of which the unit counts; 0: milliseconds are told */
    double ms[LP_BENCH_ROUNDS];
};

enum { OPEN, PREPARE, SEE, READ, WRITE, BATCH, PARTS };

struct trial {
    const char *model, *mmproj, *image;
    int64_t prompt, tokens, rounds, talks;
    bool blind; /* no picture is seen */
    struct part part[PARTS];
    int32_t *id; /* [IDS_MOST] */
    int64_t peak_kib;
};

static double rate(const struct part *p, int64_t rounds) {
    double ms = lp_bench_median(p->ms, rounds);
    return p->work > 0 ? p->work / ms * 1000 : ms;
}

/* A picture of noise, as large as the encoder takes; owned by caller. */
static struct lp_image *noise(const struct lp_llava *m, struct lp_error *err) {
    int side = (int)m->config.clip.image_px;
    struct lp_image *image = lp_image_new(side, side, err);
    struct lp_rng rng;
    lp_rng_seed(&rng, 1);
    for (int64_t i = 0; image && i < (int64_t)side * side * 3; i++)
        image->pixel[i] = (uint8_t)lp_rng_below(&rng, 256);
    return image;
}

/* Decoding, resizing and normalising alone. */
static bool prepare(struct trial *t, const struct lp_llava *m, int64_t round, struct lp_image **image, struct lp_error *err) {
    int64_t S = m->config.clip.image_px;
    float *pixels = lp_alloc_array((size_t)(3 * S * S), sizeof *pixels);
    double start = lp_clock_ms();
    *image = t->image ? lp_image_open(t->image, err) : noise(m, err);
    bool ok = *image && (pixels || lp_error_memory(err)) && lp_preprocess_run(&m->preprocess, *image, pixels, err);
    t->part[PREPARE].ms[round] = lp_clock_ms() - start;
    lp_free(pixels);
    return ok;
}

static bool see(struct trial *t, struct lp_lmm *lmm, const struct lp_image *image, int64_t round, struct lp_error *err) {
    double start = lp_clock_ms();
    struct lp_llava_picture *picture = lmm->kind->see(lmm->self, image, err);
    t->part[SEE].ms[round] = lp_clock_ms() - start;
    lp_llava_picture_close(picture);
    return picture != NULL;
}

/* A prompt at once, then one token after the other. */
static bool talk(struct trial *t, struct lp_lmm *lmm, int64_t round, struct lp_error *err) {
    double start = lp_clock_ms();
    lmm->kind->cut(lmm->self, 0);
    if (!lmm->kind->feed(lmm->self, t->id, t->prompt, NULL, 0, err))
        return false;
    t->part[READ].ms[round] = lp_clock_ms() - start;
    start = lp_clock_ms();
    for (int64_t i = 0; i < t->tokens; i++)
        if (!lmm->kind->feed(lmm->self, t->id + i, 1, NULL, 0, err))
            return false;
    t->part[WRITE].ms[round] = lp_clock_ms() - start;
    return true;
}

/* So many conversations, one token each at a time. */
static bool talk_together(struct trial *t, const struct lp_llava *m, int64_t round, struct lp_error *err) {
    struct lp_llava_state *state[TALKS_MOST] = {NULL};
    bool ok = true;
    for (int64_t i = 0; ok && i < t->talks; i++)
        ok = (state[i] = lp_llava_state_open(m, err)) != NULL;
    double start = lp_clock_ms();
    for (int64_t i = 0; ok && i < t->tokens; i++)
        ok = lp_llava_feed_batch(state, t->id + i, t->talks, err) != NULL;
    t->part[BATCH].ms[round] = lp_clock_ms() - start;
    for (int64_t i = 0; i < t->talks; i++)
        lp_llava_state_close(state[i]);
    return ok;
}

/* Whether the trial has the part. */
static bool measures(const struct trial *t, int part) {
    return part == BATCH ? t->talks > 1 : !(t->blind && (part == PREPARE || part == SEE));
}

static bool run_round(struct trial *t, int64_t round, struct lp_error *err) {
    struct lp_lmm lmm = {0};
    struct lp_image *image = NULL;
    double start = lp_clock_ms();
    struct lp_llava *m = lp_llava_open_with(t->model, t->mmproj, lp_kernels_cpu(), err);
    t->part[OPEN].ms[round] = lp_clock_ms() - start;
    if (m)
        lp_llava_set_rough(m, true);
    bool ok = m && lp_lmm_open_llava(&lmm, m, NULL, err);
    if (ok && t->prompt + t->tokens > lmm.context)
        ok = lp_error_set(err, LP_EUSAGE, "the model holds %ld positions, fewer than --prompt and --tokens together",
                          (long)lmm.context);
    struct lp_rng rng;
    lp_rng_seed(&rng, 7);
    for (int64_t i = 0; ok && i < IDS_MOST; i++)
        t->id[i] = (int32_t)lp_rng_below(&rng, (uint32_t)lmm.vocabulary);
    ok = ok && (t->blind || (prepare(t, m, round, &image, err) && see(t, &lmm, image, round, err))) &&
         talk(t, &lmm, round, err) && (t->talks == 1 || talk_together(t, m, round, err));
    lp_image_close(image);
    lp_lmm_close(&lmm);
    lp_llava_close(m);
    return ok;
}

static void print_table(const struct trial *t) {
    printf("%s, %d threads, %s kernels, medians of %ld rounds\n", t->model, omp_get_max_threads(), lp_kernels_cpu()->name,
           (long)t->rounds);
    for (int i = 0; i < PARTS; i++)
        if (measures(t, i))
            printf("%-34s %10.1f %s\n", t->part[i].name, rate(&t->part[i], t->rounds), t->part[i].unit);
    printf("%-34s %10.1f MiB\n", "most memory in use", (double)t->peak_kib / 1024);
}

static bool print_json(const struct trial *t, struct lp_error *err) {
    static const char *const keys[PARTS] = {"open_ms", "prepare_ms", "see_ms", "prompt_tokens_per_s", "tokens_per_s",
                                              "batch_tokens_per_s"};
    json_t *all = json_pack("{s:s, s:i, s:s, s:I, s:I}", "model", t->model, "threads", omp_get_max_threads(), "kernels",
                            lp_kernels_cpu()->name, "prompt", (json_int_t)t->prompt, "tokens", (json_int_t)t->tokens);
    bool bad = !all;
    for (int i = 0; i < PARTS; i++)
        bad |= measures(t, i) && json_object_set_new(all, keys[i], json_real(rate(&t->part[i], t->rounds))) != 0;
    bad |= json_object_set_new(all, "peak_mib", json_real((double)t->peak_kib / 1024)) != 0;
    char *text = bad ? NULL : json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(all);
    if (!text)
        return lp_error_memory(err);
    puts(text);
    lp_free(text);
    return true;
}

static bool run(struct trial *t, bool json, struct lp_error *err) {
    struct rusage use;
    for (int64_t i = 0; i < t->rounds; i++)
        if (!run_round(t, i, err))
            return false;
    getrusage(RUSAGE_SELF, &use);
    t->peak_kib = use.ru_maxrss;
    if (json)
        return print_json(t, err);
    print_table(t);
    return true;
}

int lp_cmd_bench_planner(int argc, char **argv) {
    struct trial t = {.part = {{.name = "opening the model", .unit = "ms"},
                               {.name = "preparing the picture", .unit = "ms"},
                               {.name = "seeing it, resizing included", .unit = "ms"},
                               {.name = "reading the prompt", .unit = "tokens/s"},
                               {.name = "writing after it", .unit = "tokens/s"},
                               {.name = "writing all conversations at once", .unit = "tokens/s"}}};
    const char *model = NULL;
    char folder[PATH_MAX];
    bool json = false;
    int status;
    const struct lp_option options[] = {
        {"model", 'm', "PATH", "the planner's model folder or GGUF file (else $LLAVA_PLUS_MODEL, else the nano planner)", LP_OPTION_STRING,
         NULL, &model, 0, 0},
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)", LP_OPTION_STRING,
         NULL, &t.mmproj, 0, 0},
        {"image", 'i', "FILE", "the picture that is seen (else noise of the encoder's size)", LP_OPTION_STRING, NULL, &t.image, 0, 0},
        {"prompt", 'p', "N", "tokens of the prompt", LP_OPTION_INT, "512", &t.prompt, 1, IDS_MOST},
        {"tokens", 'n', "N", "tokens written after it", LP_OPTION_INT, "64", &t.tokens, 1, IDS_MOST},
        {"conversations", 'c', "N", "more than 1: so many written at once, too", LP_OPTION_INT, "1", &t.talks, 1, TALKS_MOST},
        {"blind", 0, NULL, "see no picture: the language model alone", LP_OPTION_FLAG, NULL, &t.blind, 0, 0},
        {"rounds", 'r', "N", "how often everything is measured; medians are told", LP_OPTION_INT, "3", &t.rounds, 1, LP_BENCH_ROUNDS},
        {"json", 0, NULL, "print JSON", LP_OPTION_FLAG, NULL, &json, 0, 0},
        {0}};
    const struct lp_usage usage = {"bench planner", "[options]",
                                   "Measures what a planner's answer costs: opening the model, seeing a picture, reading a prompt, "
                                   "writing tokens. OMP_NUM_THREADS sets the threads.",
                                   options, 0, 0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    struct lp_error err = {0};
    t.id = lp_alloc_array(IDS_MOST, sizeof *t.id);
    bool ok = t.id ? lp_planner_folder(model, folder, sizeof folder, &err) : lp_error_memory(&err);
    t.model = folder;
    t.part[READ].work = (double)t.prompt;
    t.part[WRITE].work = (double)t.tokens;
    t.part[BATCH].work = (double)(t.tokens * t.talks);
    ok = ok && run(&t, json, &err);
    lp_free(t.id);
    return ok ? 0 : lp_command_fail("bench planner", &err);
}
