/* SPDX-License-Identifier: MIT */
/* Bodies that workers and a controller get. The first byte says who: a planner worker, a controller, or which skill's worker. */
#include "fuzz.h"

#include "plan/fake_lmm.h"
#include "serve/fields.h"
#include "serve/generation.h"
#include "serve/roster.h"
#include "skill/wire.h"

enum { TOKENS = 8 };

static void frame(void *context, const json_t *frame, bool last) {
    int *lasts = context;
    LP_FUZZ_CHECK(json_is_string(json_object_get(frame, "text")) && json_is_integer(json_object_get(frame, "error_code")));
    LP_FUZZ_CHECK(!*lasts); /* none follows the last */
    *lasts += last;
}

/* Takes the body. */
static void ask_planner(json_t *body) {
    static struct fake fake;
    static struct lp_planner_worker worker;
    struct lp_generation g = {0};
    struct lp_error err = {0};
    atomic_bool cancel = false;
    int lasts = 0;
    if (!worker.lmm)
        LP_FUZZ_CHECK(fake_open(&fake, NULL, 1, 4000) && lp_planner_worker_init(&worker, &fake.lmm, NULL, &err));
    bool read = lp_generation_read(&g, body, &err);
    LP_FUZZ_CHECK(read || *err.text); /* no refusal without a reason */
    g.most_tokens = g.most_tokens < TOKENS ? g.most_tokens : TOKENS;
    const struct lp_generation_listener listener = {frame, &lasts};
    if (read) {
        lp_generation_run(&g, &worker, &cancel, &listener);
        LP_FUZZ_CHECK(lasts == 1 && lp_generation_count(&worker, g.prompt) >= 0);
    }
    lp_generation_done(&g);
}

/* Of the statuses that are a list's items, or of one. */
static void tell_controller(const json_t *body) {
    static struct lp_roster roster;
    const json_t *list = json_object_get(body, "workers");
    struct lp_error err = {0};
    char name[40], address[LP_ROSTER_LONGEST];
    lp_roster_init(&roster, LP_LOTTERY, 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *status = json_array_get(list, i);
        snprintf(name, sizeof name, "http://localhost:%zu", i % 300);
        bool good = lp_roster_check(status, &err);
        LP_FUZZ_CHECK(good || *err.text);
        if (good && lp_roster_put(&roster, name, status, true, i % 2, (double)i, &err))
            LP_FUZZ_CHECK(lp_roster_update(&roster, name, status, (double)i) && lp_roster_beat(&roster, name, 3, (double)i));
    }
    json_t *models = lp_roster_models(&roster, LP_ROSTER_ALL), *all = lp_roster_status(&roster);
    LP_FUZZ_CHECK(models && lp_roster_check(all, &err)); /* a controller may be another's worker */
    for (size_t i = 0; i < json_array_size(models); i++) {
        lp_roster_choose(&roster, json_string_value(json_array_get(models, i)), address);
        LP_FUZZ_CHECK(!*address || strstr(address, "http://localhost:") == address);
    }
    json_decref(models);
    json_decref(all);
    lp_roster_done(&roster);
}

static void ask_skill(const struct lp_skill *skill, const json_t *body) {
    atomic_bool cancel = false;
    struct lp_error err = {0};
    if (lp_skill_ready(skill, NULL)) /* it would do its work, which is not what is looked for here */
        return;
    json_t *response = lp_wire_serve(skill, body, NULL, &cancel, &err);
    LP_FUZZ_CHECK(response || *err.text);
    json_decref(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_fault fault = {0};
    const char *text = (const char *)data + 1;
    if (!size)
        return 0;
    json_t *body = lp_take_body(text, size - 1, &fault);
    LP_FUZZ_CHECK(body || (fault.status == 400 && *fault.err.text));
    if (!body)
        return 0;
    if (data[0] == 'p') {
        ask_planner(body);
        return 0;
    }
    if (data[0] == 'c')
        tell_controller(body);
    else
        ask_skill(lp_skills[data[0] % LP_SKILL_COUNT], body);
    json_decref(body);
    return 0;
}
