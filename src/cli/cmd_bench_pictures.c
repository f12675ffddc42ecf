/* SPDX-License-Identifier: MIT */
/* cli/cmd_bench_pictures.c - llava-plus bench pictures: what seeing a picture costs, by a planner's encoder and by SAM, stage
 * by stage. The stages are the kernels: the models are given a table whose functions take the time. */
#include "cli/cmd_bench.h"
#include "cli/command.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cli/options.h"
#include "kernel/kernel.h"
#include "model/llava_model.h"
#include "model/sam.h"
#include "model/sam_model.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* ---- a table of kernels that takes the time ---- */

enum stage { PRODUCTS, ATTENTION, NORMS, ACTIVATIONS, SUMS, STAGES };

static const char *const stage_names[STAGES] = {"matrix products", "attention", "norms", "activations", "sums"};

static const struct lp_kernels *real;
static struct taken {
    double ms, operations;
} taken[STAGES];

static void note(enum stage stage, double start_ms, double operations) {
    taken[stage].ms += lp_clock_ms() - start_ms;
    taken[stage].operations += operations;
}

static void matmul_nt(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias, int64_t M, int64_t N,
                      int64_t K) {
    double start = lp_clock_ms();
    real->matmul_nt(y, x, w, type, bias, M, N, K);
    note(PRODUCTS, start, 2.0 * (double)M * (double)N * (double)K);
}

static void matmul_rough(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias, int64_t M,
                         int64_t N, int64_t K) {
    double start = lp_clock_ms();
    real->matmul_rough(y, x, w, type, bias, M, N, K);
    note(PRODUCTS, start, 2.0 * (double)M * (double)N * (double)K);
}

static void attention(float *out, float *lse, const float *q, const float *k, const float *v,
                      const struct lp_attention_shape *a) {
    double start = lp_clock_ms();
    real->attention(out, lse, q, k, v, a);
    note(ATTENTION, start, 4.0 * (double)a->T * (double)a->S * (double)(a->H * a->D));
}

static void layer_norm(float *y, float *stat, const float *x, const float *w, const float *b, int64_t rows, int64_t C,
                       float eps) {
    double start = lp_clock_ms();
    real->layer_norm(y, stat, x, w, b, rows, C, eps);
    note(NORMS, start, 0);
}

static void act(float *y, const float *x, enum lp_act kind, int64_t n) {
    double start = lp_clock_ms();
    real->act(y, x, kind, n);
    note(ACTIVATIONS, start, 0);
}

static void add(float *y, const float *a, const float *b, int64_t n) {
    double start = lp_clock_ms();
    real->add(y, a, b, n);
    note(SUMS, start, 0);
}

static const struct lp_kernels *timed_kernels(void) {
    static struct lp_kernels table;
    real = lp_kernels_cpu();
    table = *real;
    table.matmul_nt = matmul_nt;
    table.matmul_rough = matmul_rough;
    table.attention = attention;
    table.layer_norm = layer_norm;
    table.act = act;
    table.add = add;
    return &table;
}

/* ---- measuring ---- */

enum { MOST_PARTS = 5, SPREAD = 40 /* runs until threads have spread over the cores */ };

struct part {
    const char *name, *key;
    double ms[LP_BENCH_ROUNDS];
    bool has_stages;
    double stage_ms[STAGES][LP_BENCH_ROUNDS], operations[STAGES]; /* of one round */
};

struct trial {
    const char *model, *mmproj, *sam, *image;
    int64_t rounds;
    struct part part[MOST_PARTS];
    int parts;
    double peak_gflops; /* of this machine's fastest multiply-add, all threads */
};

static struct part *add_part(struct trial *t, const char *name, const char *key) {
    struct part *p = &t->part[t->parts++];
    *p = (struct part){.name = name, .key = key};
    return p;
}

static void begin(double *start) {
    memset(taken, 0, sizeof taken);
    *start = lp_clock_ms();
}

static void end(struct part *p, int64_t round, double start) {
    p->ms[round] = lp_clock_ms() - start;
    for (int i = 0; i < STAGES; i++) {
        p->stage_ms[i][round] = taken[i].ms;
        p->operations[i] = taken[i].operations;
        p->has_stages |= taken[i].operations > 0;
    }
}

static bool measure_planner(struct trial *t, struct lp_error *err) {
    struct lp_llava *m = lp_llava_open_with(t->model, t->mmproj, timed_kernels(), err);
    if (!m)
        return false;
    lp_llava_set_rough(m, true);
    struct part *prepare = add_part(t, "planner: decode, resize, normalise", "planner_prepare"),
                *see = add_part(t, "planner: encode", "planner_encode");
    size_t n = (size_t)m->preprocess.crop * (size_t)m->preprocess.crop * 3;
    float *pixels = lp_alloc_array(n, sizeof *pixels);
    bool ok = pixels || lp_error_memory(err);
    for (int64_t i = -1; ok && i < t->rounds; i++) { /* the first does not count */
        double start;
        begin(&start);
        struct lp_image *image = lp_image_open(t->image, err), *small = image ? lp_preprocess_pixels(&m->preprocess, image, err) : NULL;
        if (small)
            lp_preprocess_numbers(&m->preprocess, small->pixel, pixels);
        end(prepare, i < 0 ? 0 : i, start);
        lp_image_close(image);
        begin(&start);
        struct lp_llava_picture *p = small ? lp_llava_see(m, small, NULL, NULL, err) : NULL;
        end(see, i < 0 ? 0 : i, start);
        ok = p;
        lp_image_close(small);
        lp_llava_picture_close(p);
    }
    lp_free(pixels);
    lp_llava_close(m);
    return ok;
}

static bool measure_sam(struct trial *t, struct lp_error *err) {
    struct lp_sam *m = lp_sam_open(t->sam, timed_kernels(), err);
    if (!m)
        return false;
    lp_sam_set_rough(m, true);
    struct lp_image *image = lp_image_open(t->image, err);
    struct part *see = add_part(t, "SAM: encode, resizing included", "sam_encode"),
                *click = add_part(t, "SAM: masks of one click", "sam_click");
    bool ok = image;
    for (int64_t i = -1; ok && i < t->rounds; i++) {
        double start;
        begin(&start);
        struct lp_sam_embedding *e = lp_sam_see(m, image, NULL, err);
        end(see, i < 0 ? 0 : i, start);
        const float middle[1][2] = {{(float)image->width / 2, (float)image->height / 2}};
        const struct lp_sam_prompt prompt = {.points = 1, .point = middle};
        begin(&start);
        struct lp_sam_masks *masks = e ? lp_sam_segment(m, e, &prompt, 1, LP_SAM_BEST, NULL, err) : NULL;
        end(click, i < 0 ? 0 : i, start);
        ok = masks;
        lp_sam_masks_close(masks);
        lp_sam_embedding_close(e);
    }
    lp_image_close(image);
    lp_sam_close(m);
    return ok;
}

static double peak_mib(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_maxrss / 1024;
}

static void print_table(const struct trial *t) {
    printf("%d threads, %s kernels, medians of %ld rounds; the machine multiplies %.0f GFLOP/s at most\n", omp_get_max_threads(),
           lp_kernels_cpu()->name, (long)t->rounds, t->peak_gflops);
    for (int i = 0; i < t->parts; i++) {
        const struct part *p = &t->part[i];
        double whole = lp_bench_median(p->ms, t->rounds), rest = whole;
        printf("%-36s %10.1f ms\n", p->name, whole);
        for (int j = 0; j < STAGES && p->has_stages; j++) {
            double ms = lp_bench_median(p->stage_ms[j], t->rounds);
            rest -= ms;
            printf("  %-34s %10.1f ms", stage_names[j], ms);
            if (p->operations[j] > 0)
                printf("  %7.1f GFLOP  %6.1f GFLOP/s  %3.0f %%", p->operations[j] / 1e9, p->operations[j] / ms / 1e6,
                       100 * p->operations[j] / ms / 1e6 / t->peak_gflops);
            printf("\n");
        }
        if (p->has_stages)
            printf("  %-34s %10.1f ms\n", "the rest", rest);
    }
    printf("%-36s %10.1f MiB\n", "most memory in use", peak_mib());
}

static bool print_json(const struct trial *t, struct lp_error *err) {
    json_t *all = json_pack("{s:i, s:s, s:f, s:f}", "threads", omp_get_max_threads(), "kernels", lp_kernels_cpu()->name,
                            "peak_gflops", t->peak_gflops, "peak_mib", peak_mib());
    bool bad = !all;
    for (int i = 0; i < t->parts && !bad; i++) {
        const struct part *p = &t->part[i];
        json_t *one = json_pack("{s:f}", "ms", lp_bench_median(p->ms, t->rounds));
        for (int j = 0; j < STAGES && p->has_stages; j++)
            bad |= json_object_set_new(one, stage_names[j],
                                       json_pack("{s:f, s:f}", "ms", lp_bench_median(p->stage_ms[j], t->rounds), "gflop",
                                                 p->operations[j] / 1e9)) != 0;
        bad |= json_object_set_new(all, p->key, one) != 0;
    }
    char *text = bad ? NULL : json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(all);
    if (!text)
        return lp_error_memory(err);
    puts(text);
    lp_free(text);
    return true;
}

int lp_cmd_bench_pictures(int argc, char **argv) {
    static struct trial t;
    bool json = false;
    int status;
    const struct lp_option options[] = {
        {"model", 'm', "PATH", "a planner's model folder or GGUF file", LP_OPTION_STRING, NULL, &t.model, 0, 0},
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)",
         LP_OPTION_STRING, NULL, &t.mmproj, 0, 0},
        {"sam", 0, "DIR", "a folder with SAM's weights", LP_OPTION_STRING, NULL, &t.sam, 0, 0},
        {"image", 'i', "FILE", "the picture that is seen", LP_OPTION_STRING, NULL, &t.image, 0, 0},
        {"rounds", 'r', "N", "how often everything is measured; medians are told", LP_OPTION_INT, "3", &t.rounds, 1, LP_BENCH_ROUNDS},
        {"json", 0, NULL, "print JSON", LP_OPTION_FLAG, NULL, &json, 0, 0},
        {0}};
    const struct lp_usage usage = {"bench pictures", "--image FILE [--model PATH] [--sam DIR] [options]",
                                   "Measures what seeing a picture costs, by a planner's encoder and by SAM, kernel by kernel. "
                                   "OMP_NUM_THREADS sets the threads.",
                                   options, 0, 0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    struct lp_error err = {0};
    bool ok = (t.image && (t.model || t.sam)) ||
              lp_error_set(&err, LP_EUSAGE, "give a picture with --image, and --model or --sam");
    if (ok)
        t.peak_gflops = lp_bench_fastest_rate(omp_get_max_threads(), SPREAD);
    ok = ok && (!t.model || measure_planner(&t, &err)) && (!t.sam || measure_sam(&t, &err));
    if (ok && json)
        ok = print_json(&t, &err);
    else if (ok)
        print_table(&t);
    return ok ? 0 : lp_command_fail("bench pictures", &err);
}
