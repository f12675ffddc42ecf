/* SPDX-License-Identifier: MIT */
/* eval/played.c - results of data/results.h as a skill's own: dict and objects. */
#include "eval/played.h"

#include "base/memory.h"
#include "data/results.h"

struct lp_played {
    struct lp_stage stage;
    struct lp_rng rng;
    const struct lp_truth_picture *picture;
};

struct lp_played *lp_played_open(const struct lp_truth *truth, bool imperfect, struct lp_error *err) {
    struct lp_played *p = lp_alloc(sizeof *p);
    if (!p) {
        lp_error_memory(err);
        return NULL;
    }
    p->stage = (struct lp_stage){.truth = truth, .how = imperfect ? &lp_skills_imperfect : &lp_skills_perfect, .rng = &p->rng};
    return p;
}

void lp_played_close(struct lp_played *p) {
    lp_free(p);
}

void lp_played_picture(struct lp_played *p, const struct lp_truth_picture *picture, uint64_t seed) {
    p->picture = picture;
    lp_rng_seed(&p->rng, seed);
}

/* The result's texts, count and boxes as objects. */
static bool leave(struct lp_call *call, const struct lp_result *r, struct lp_error *err) {
    if (r->left[LP_LEFT_MASK] || r->left[LP_LEFT_MAP] || r->left[LP_LEFT_IMAGE])
        return lp_error_set(err, LP_EMISSING, "it is not played here: it leaves pixels");
    for (int i = 0; i < r->left[LP_LEFT_TEXT]; i++)
        if (!lp_objects_add_text(&call->made, json_string_value(json_array_get(r->texts, (size_t)i)), 1, err))
            return false;
    int n = (int)json_array_size(r->boxes);
    if (r->left[LP_LEFT_COUNT] && !lp_objects_add_count(&call->made, n, NULL, err))
        return false;
    for (int i = 0; i < n && i < r->left[LP_LEFT_BOX]; i++) {
        float box[4];
        for (size_t k = 0; k < 4; k++)
            box[k] = (float)json_number_value(json_array_get(json_array_get(r->boxes, (size_t)i), k));
        if (!lp_objects_add_box(&call->made, box, json_string_value(json_array_get(r->phrases, (size_t)i)),
                                (float)json_number_value(json_array_get(r->scores, (size_t)i)), err))
            return false;
    }
    return true;
}

static bool run(void *context, struct lp_call *call, struct lp_error *err) {
    struct lp_played *p = context;
    struct lp_result r = {0};
    int made[LP_LEFTS] = {0}, task = lp_task_find(call->skill->name);
    if (task < 0 || task >= LP_TASKS)
        return lp_error_set(err, LP_EINTERNAL, "there is no task '%s'", call->skill->name);
    bool ok = lp_result_play(&r, &p->stage, (enum lp_task)task, call->params, p->picture, false, made, err);
    if (ok && (r.outcome == LP_FAILED || r.outcome == LP_NOT_READY))
        ok = lp_error_set(err, LP_EINPUT, "%s", r.what ? r.what : "it gave nothing");
    ok = ok && leave(call, &r, err);
    if (ok) {
        json_decref(call->result);
        call->result = json_incref(r.dict);
        json_object_del(call->result, "handles"); /* the call's own come */
    }
    lp_result_done(&r);
    return ok;
}

struct lp_play lp_played_play(struct lp_played *p) {
    return (struct lp_play){.run = run, .context = p};
}
