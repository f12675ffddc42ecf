/* SPDX-License-Identifier: MIT */
/* serve/seat.c - what the planner and its skills did, counted. */
#include "serve/seat.h"

#include "base/clock.h"

enum lp_skill_end lp_seat_end_of(const struct lp_step *result) {
    const struct lp_skill *skill = lp_skill_find(result->text);
    if (result->call)
        return LP_SKILL_DONE;
    return skill && lp_skill_lacks(skill) ? LP_SKILL_NOT_READY : LP_SKILL_FAILED;
}

void lp_seat_note(struct lp_seat *s, const struct lp_step *step) {
    switch (step->kind) {
    case LP_STEP_PLAN:
        s->planned = true;
        break;
    case LP_STEP_START:
        s->call_ms = lp_clock_ms();
        break;
    case LP_STEP_RESULT:
        lp_metrics_add_call(s->metrics, lp_skill_find(step->text), lp_seat_end_of(step), lp_clock_ms() - s->call_ms);
        break;
    default:
        break;
    }
}

/* Pictures that were looked at; of several the mean time counts for each. */
static void note_looks(struct lp_seat *s) {
    const struct lp_conversation *talk = &s->agent->talk;
    int n = talk->looks - s->looks;
    for (int i = 0; i < n; i++)
        lp_histogram_add(&s->metrics->encode, (talk->looks_ms - s->looks_ms) / n);
    s->looks = talk->looks;
    s->looks_ms = talk->looks_ms;
}

void lp_seat_note_end(struct lp_seat *s, bool done, const struct lp_error *err) {
    bool ours = err->code == LP_EINTERNAL || err->code == LP_EIO; /* no client's fault, no cancel, no lack of memory */
    if (!done && !s->planned && ours)
        atomic_fetch_add(&s->metrics->plan_failures, 1);
    s->planned = false;
    note_looks(s);
}
