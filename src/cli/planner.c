/* SPDX-License-Identifier: MIT */
/* cli/planner.c - what chat and plan share. */
#include "cli/planner.h"

#include "base/memory.h"
#include "cli/serving.h"
#include "kernel/kernel.h"
#include "plan/folder.h"
#include "plan/remote.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

void lp_planner_options(struct lp_planner_flags *f, struct lp_option *o) {
    const struct lp_option options[LP_PLANNER_OPTIONS - LP_CACHE_OPTIONS] = {
        {.name = "image",
         .letter = 'i',
         .argument = "FILE",
         .kind = LP_OPTION_LIST,
         .target = &f->image,
         .help = "a picture; may be given several times; - is standard input"},
        {.name = "points",
         .argument = "JSON",
         .kind = LP_OPTION_STRING,
         .target = &f->points,
         .help = "points on the picture that the request is about: [[x,y], ..], 0..1"},
        {.name = "boxes",
         .argument = "JSON",
         .kind = LP_OPTION_STRING,
         .target = &f->boxes,
         .help = "boxes: [[x0,y0,x1,y1], ..], 0..1"},
        {.name = "reference",
         .argument = "FILE",
         .kind = LP_OPTION_STRING,
         .target = &f->reference,
         .help = "a picture that shows what to look for"},
        {.name = "reference-boxes",
         .argument = "JSON",
         .kind = LP_OPTION_STRING,
         .target = &f->reference_boxes,
         .help = "where in it: [[x0,y0,x1,y1], ..], 0..1"},
        {.name = "tools",
         .argument = "WHICH",
         .kind = LP_OPTION_STRING,
         .target = &f->tools,
         .fallback = "fly",
         .help = "fly: skills that the plan asks for; all: understanding skills look first; none"},
        {.name = "model",
         .letter = 'm',
         .argument = "PATH",
         .kind = LP_OPTION_STRING,
         .target = &f->model,
         .help = "the planner: a model folder or a GGUF file (else $LLAVA_PLUS_MODEL, else the nano planner)"},
        {.name = "mmproj",
         .argument = "PATH",
         .kind = LP_OPTION_STRING,
         .target = &f->mmproj,
         .help = "the picture encoder of a GGUF model or an original folder (else what is found beside it)"},
        {.name = "temperature",
         .argument = "T",
         .kind = LP_OPTION_FLOAT,
         .target = &f->temperature,
         .fallback = "0",
         .lo = 0,
         .hi = 10,
         .help = "0 always takes the most likely word"},
        {.name = "top-p",
         .argument = "P",
         .kind = LP_OPTION_FLOAT,
         .target = &f->top_p,
         .fallback = "1",
         .lo = 0,
         .hi = 1,
         .help = "samples only from the most likely words that together have this share"},
        {.name = "seed",
         .argument = "N",
         .kind = LP_OPTION_INT,
         .target = &f->seed,
         .fallback = "0",
         .lo = 0,
         .hi = 9e15,
         .help = "of the sampling"},
        {.name = "max-tokens",
         .argument = "N",
         .kind = LP_OPTION_INT,
         .target = &f->most_tokens,
         .fallback = "512",
         .lo = 100,
         .hi = 100000,
         .help = "most tokens of one turn"},
        {.name = "planner",
         .argument = "URL",
         .kind = LP_OPTION_STRING,
         .target = &f->planner,
         .help = "plan on an OpenAI-compatible server, such as http://localhost:8080/v1, instead of --model; "
                 "its key is "
                 "read from OPENAI_API_KEY"},
        {.name = "planner-model",
         .argument = "NAME",
         .kind = LP_OPTION_STRING,
         .target = &f->planner_model,
         .help = "the model that it shall use"},
        {.name = "planner-tools",
         .argument = "HOW",
         .kind = LP_OPTION_STRING,
         .target = &f->planner_tools,
         .fallback = "auto",
         .help = "native: its tool calls; text: the unified format; auto: native where it can"},
        {.name = "planner-timeout",
         .argument = "SECONDS",
         .kind = LP_OPTION_INT,
         .target = &f->planner_timeout,
         .fallback = "120",
         .lo = 1,
         .hi = 3600,
         .help = "how long it may be silent"},
        {.name = "controller",
         .argument = "URL",
         .kind = LP_OPTION_STRING,
         .target = &f->controller,
         .help = "use the skills of workers that this controller knows, such as http://localhost:21001"},
        {.name = "allow-network",
         .argument = "NETWORK",
         .kind = LP_OPTION_LIST,
         .target = &f->network,
         .help = "workers may also be on machines of this network, such as 192.168.1.0/24, over which keys then travel in clear "
                 "text; may be given several times"},
    };
    memcpy(o, options, sizeof options);
    lp_cache_options(f, o + LP_PLANNER_OPTIONS - LP_CACHE_OPTIONS);
}

void lp_cache_options(struct lp_planner_flags *f, struct lp_option *o) {
    const struct lp_option options[LP_CACHE_OPTIONS] = {
        {.name = "cache",
         .argument = "DIR",
         .kind = LP_OPTION_STRING,
         .target = &f->cache,
         .help = "keep what the planner saw and read in this folder, too: also after a restart a picture costs nothing again"},
        {.name = "cache-memory",
         .argument = "MiB",
         .kind = LP_OPTION_INT,
         .target = &f->cache_memory,
         .lo = 0,
         .hi = 1 << 24,
         .help = "most memory for that (default an eighth of the machine's, at most 2048; 0 for a single request)"},
        {.name = "cache-disk",
         .argument = "MiB",
         .kind = LP_OPTION_INT,
         .target = &f->cache_disk,
         .fallback = "8192",
         .lo = 1,
         .hi = 1 << 24,
         .help = "most of that in the folder"},
    };
    f->cache_memory = -1;
    memcpy(o, options, sizeof options);
}

bool lp_planner_prompts(const struct lp_planner_flags *f, struct lp_prompts *p, struct lp_error *err) {
    const struct {
        const char *text, *name;
        int kind; /* 0 points, 1 boxes, 2 reference boxes */
    } lists[] = {
        {f->points, "--points", 0}, {f->boxes, "--boxes", 1}, {f->reference_boxes, "--reference-boxes", 2}};
    for (int i = 0; i < 3; i++) {
        if (!lists[i].text)
            continue;
        json_t *value = lp_json_parse(lists[i].text, strlen(lists[i].text), lists[i].name, err);
        bool done = value && (i == 0 ? lp_prompts_points(p, value, lists[i].name, err)
                                     : lp_prompts_boxes(p, value, i == 2, lists[i].name, err));
        json_decref(value);
        if (!done && err->code == LP_EINPUT)
            err->code = LP_EUSAGE; /* a flag is wrong */
        if (!done)
            return false;
    }
    if (f->reference_boxes && !f->reference)
        return lp_error_set(err, LP_EUSAGE, "--reference-boxes needs --reference");
    return !f->reference || (p->reference = lp_image_open(f->reference, err)) != NULL;
}

static int64_t default_memory_mib(void) {
    int64_t all = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) >> 20, most = 2048;
    return all / 8 < most ? all / 8 : most;
}

static bool open_store(struct lp_planner *p, const struct lp_planner_flags *f, struct lp_error *err) {
    int64_t memory = f->cache_memory >= 0 ? f->cache_memory : f->once ? 0 : default_memory_mib();
    const struct lp_store_settings s = {(size_t)memory << 20, f->cache, (size_t)f->cache_disk << 20};
    return (!memory && !f->cache) || (p->store = lp_store_open(&s, err)) != NULL;
}

static bool open_folder(struct lp_planner *p, const struct lp_planner_flags *f, struct lp_error *err) {
    char folder[PATH_MAX];
    if (!lp_planner_folder(f->model, folder, sizeof folder, err))
        return false;
    p->model = lp_llava_open_with(folder, f->mmproj, lp_kernels_cpu(), err);
    if (p->model)
        lp_llava_set_rough(p->model, true);
    return p->model && open_store(p, f, err) && lp_lmm_open_llava(&p->lmm, p->model, p->store, err);
}

static bool open_remote(struct lp_planner *p, const struct lp_planner_flags *f, struct lp_error *err) {
    struct lp_remote_settings s;
    lp_remote_defaults(&s);
    s.at.url = f->planner;
    s.at.key = lp_endpoint_key();
    s.at.wait_ms = (long)f->planner_timeout * 1000;
    s.model = f->planner_model;
    if (!s.model)
        return lp_error_set(err, LP_EUSAGE, "say with --planner-model NAME which model %s shall use",
                            f->planner);
    if (f->model || f->mmproj)
        return lp_error_set(err, LP_EUSAGE, "give either --%s or --planner", f->model ? "model" : "mmproj");
    if (f->cache)
        return lp_error_set(err, LP_EUSAGE, "--cache is for a model on this machine, not for --planner");
    return lp_remote_tools_parse(f->planner_tools, &s.tools, err) && lp_lmm_open_remote(&p->lmm, &s, err);
}

static bool open_workers(struct lp_planner *p, const struct lp_planner_flags *f, struct lp_error *err) {
    struct lp_workers_settings s;
    if (f->network.n && !f->controller)
        return lp_error_set(err, LP_EUSAGE, "--allow-network needs --controller");
    lp_workers_defaults(&s);
    s.controller = f->controller;
    s.reach = &p->reach;
    return lp_serving_key(&f->network, &p->reach, &s.key, &s.in_clear, err) &&
           (!f->controller || (p->workers = lp_workers_open(&s, err)) != NULL);
}

bool lp_planner_open(struct lp_planner *p, const struct lp_planner_flags *f, struct lp_error *err) {
    const struct lp_sampling sampling = {f->temperature, f->top_p, (uint64_t)f->seed, (int)f->most_tokens};
    enum lp_tools tools;
    if (!lp_tools_parse(f->tools, &tools, err))
        return false;
    if (!f->planner && f->planner_model)
        return lp_error_set(err, LP_EUSAGE, "--planner-model needs --planner");
    bool done = open_workers(p, f, err) && (f->planner ? open_remote : open_folder)(p, f, err) &&
                (p->bench = lp_bench_open(err)) && lp_agent_init(&p->agent, &p->lmm, p->bench, &sampling, err);
    p->agent.tools = tools;
    if (done && p->workers)
        p->agent.play = lp_workers_play(p->workers);
    return done;
}

void lp_planner_close(struct lp_planner *p) {
    lp_agent_done(&p->agent);
    lp_lmm_close(&p->lmm);
    lp_bench_close(p->bench);
    lp_workers_close(p->workers);
    lp_llava_close(p->model);
    lp_store_close(p->store);
    *p = (struct lp_planner){0};
}

bool lp_planner_add_pictures(struct lp_planner *p, const struct lp_option_list *image, struct lp_error *err) {
    for (int i = 0; i < image->n; i++) {
        struct lp_image *picture = lp_image_open(image->item[i], err);
        if (!picture || !lp_conversation_add_picture(&p->agent.talk, picture, err))
            return false;
    }
    return true;
}
