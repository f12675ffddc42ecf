/* SPDX-License-Identifier: MIT */
/* skill/child.c - the process of a skill: a call comes in, what it left goes out. */
#include "base/memory.h"
#include "base/process.h"
#include "skill/channel.h"
#include "skill/children.h"

#include <unistd.h>

/* A call as it came. */
struct work {
    json_t *request;
    struct lp_objects objects;
    struct lp_image *reference;
    float (*reference_box)[4];
    struct lp_call call;
};

static void work_done(struct work *w) {
    lp_call_done(&w->call);
    json_decref(w->request);
    lp_objects_done(&w->objects);
    lp_image_close(w->reference);
    lp_free(w->reference_box);
}

/* The last object is the reference, where the request says so. */
static bool take_reference(struct work *w, struct lp_error *err) {
    const json_t *boxes = json_object_get(w->request, "reference_boxes");
    size_t n = json_array_size(boxes);
    if (!json_is_array(boxes))
        return true;
    struct lp_object *last = w->objects.item[w->objects.n - 1];
    w->reference = last->picture;
    last->picture = NULL;
    lp_objects_cut(&w->objects, w->objects.n - 1);
    w->reference_box = lp_alloc_array(n + 1, sizeof *w->reference_box);
    if (!w->reference_box)
        return lp_error_memory(err);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 4; k++)
            w->reference_box[i][k] = (float)json_number_value(json_array_get(json_array_get(boxes, i), k));
    w->call.reference = w->reference;
    w->call.reference_box = (const float(*)[4])w->reference_box;
    w->call.reference_boxes = (int)n;
    return true;
}

/* Sends what the call left, or why it failed. */
static bool answer(const struct lp_stream *stream, const struct work *w, bool good, const struct lp_error *why) {
    const struct lp_objects *made = &w->call.made;
    json_t *value = good ? json_pack("{s:O, s:O}", "result", w->call.result, "report", w->call.report)
                         : json_pack("{s:s}", "error", why->text);
    bool done = value && lp_channel_send(stream, value, (const struct lp_object *const *)made->item, good ? made->n : 0, NULL);
    json_decref(value);
    return done;
}

/* Works on one call. False: there is none, or its answer cannot be sent. */
static bool serve(const struct lp_stream *stream, const struct lp_skill *skill, const struct lp_play *play,
                  struct lp_bench *bench) {
    struct work w = {.call = {.skill = skill, .bench = bench, .play = *play}};
    struct lp_error err = {0};
    bool done = (w.request = lp_channel_receive(stream, &w.objects, SIZE_MAX, NULL)) != NULL;
    if (done) {
        w.call.params = json_object_get(w.request, "params");
        w.call.objects = &w.objects;
        bool good = take_reference(&w, &err) && lp_call_work(&w.call, &err);
        done = answer(stream, &w, good, &err);
    }
    work_done(&w);
    return done;
}

bool lp_child_run(const struct lp_skill *skill, const struct lp_play *play) {
    const struct lp_stream stream = {.socket = STDIN_FILENO};
    if (!lp_process_know_its_place())
        return false;
    struct lp_bench *bench = lp_bench_open(NULL);
    while (bench && serve(&stream, skill, play, bench)) {
    }
    lp_bench_close(bench);
    return true;
}
