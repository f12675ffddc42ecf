/* SPDX-License-Identifier: MIT */
/* skill/segment_instances.c - boxes and masks of what a caption names: Grounding DINO finds, SAM cuts out
 * what each box surrounds (Ren et al. 2024, arXiv:2401.14159). */
#include "base/memory.h"
#include "skill/detector.h"
#include "skill/masker.h"
#include "skill/table.h"

static const char *const aliases[] = {"grounded_sam", NULL};
static const struct lp_param params[] = {
    {.name = "caption",
     .kind = LP_PARAM_TEXT,
     .required = true,
     .most = 1000,
     .about = "what to look for: phrases joined by \" . \""},
    {.name = NULL},
};

struct pair {
    void *detector, *masker;
};

static const char *missing(void) {
    return lp_detector_missing() ? lp_detector_missing() : lp_masker_missing();
}

static void close_pair(void *opened) {
    struct pair *p = opened;
    if (!p)
        return;
    lp_detector_close(p->detector);
    lp_masker_close(p->masker);
    lp_free(p);
}

static void *open_pair(struct lp_error *err) {
    struct pair *p = lp_alloc(sizeof *p);
    if (!p)
        lp_error_memory(err);
    else if ((p->detector = lp_detector_open(err)) && (p->masker = lp_masker_open(err)))
        return p;
    close_pair(p);
    return NULL;
}

/* A mask of what each box surrounds; where nothing was found, none, and SAM need not look. */
static bool cut_out(void *masker, struct lp_call *call, const struct lp_detections *found,
                    struct lp_error *err) {
    struct lp_sam_prompt *prompt = lp_alloc_array((size_t)found->count, sizeof *prompt);
    const char **label = lp_alloc_array((size_t)found->count, sizeof *label);
    bool ok = (prompt && label) || lp_error_memory(err);
    for (int64_t i = 0; ok && i < found->count; i++) {
        prompt[i].box = found->item[i].box;
        label[i] = found->item[i].phrase;
    }
    if (ok && found->count)
        ok = lp_masker_run(masker, call, prompt, found->count, label, err);
    else if (ok)
        ok = !json_object_set_new(call->report, "masks", json_array()) || lp_error_memory(err);
    lp_free(prompt);
    lp_free(label);
    return ok;
}

static bool run(struct lp_call *call, void *opened, struct lp_error *err) {
    struct pair *p = opened;
    struct lp_detections *found = lp_detector_find(p->detector, call, err);
    bool ok = found && lp_detector_give(call, found, err) && cut_out(p->masker, call, found, err);
    lp_detections_close(found);
    return ok;
}

const struct lp_skill lp_skill_segment_instances = {
    .name = "segment_instances",
    .api_name = "grounding_dino+sam",
    .aliases = aliases,
    .about = "finds what a caption names; a box and a mask for each one",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_BOX | LP_LEAVES_MASK | LP_LEAVES_COUNT,
    .missing = missing,
    .open = open_pair,
    .close = close_pair,
    .run = run,
};
