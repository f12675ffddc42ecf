/* SPDX-License-Identifier: MIT */
/* eval/plan_score.c - counts of plans, and the same as a table, as JSON and as a picture. */
#include "eval/plan_score.h"

#include "image/chart.h"

#include <math.h>
#include <string.h>

enum { NONE = LP_SKILL_COUNT, OTHER = LP_PLAN_GROUPS };

const char *lp_plan_group_name(int group) {
    return group < NONE ? lp_skills[group]->name : group == NONE ? "none" : "other plan";
}

static int last_skill(const json_t *plan, const char *key) {
    size_t n = json_array_size(plan);
    const char *name = n ? json_string_value(json_object_get(json_array_get(plan, n - 1), key)) : NULL;
    const struct lp_skill *skill = name ? lp_skill_find(name) : NULL;
    return skill ? lp_skill_index(skill) : NONE;
}

int lp_plan_group(const json_t *expected) {
    return last_skill(json_array_get(expected, 0), "skill");
}

void lp_plan_score_add(struct lp_plan_score *s, const json_t *expected, const json_t *actions,
                       enum lp_plan_verdict verdict) {
    int group = lp_plan_group(expected), got = last_skill(actions, "API_name");
    bool wrong = verdict == LP_PLAN_WRONG_SKILLS;
    s->lines[group]++;
    s->skills[group] += !wrong;
    s->arguments[group] += verdict == LP_PLAN_RIGHT;
    s->empty[group] += wrong && !json_array_size(actions);
    s->confusion[group][!wrong ? group : got == group ? OTHER : got]++;
}

static double share(int part, int all) {
    return all ? (double)part / all : 0;
}

struct lp_plan_rates lp_plan_score_rates(const struct lp_plan_score *s) {
    struct lp_plan_rates r = {.none = s->lines[NONE]};
    int skills = 0, arguments = 0, empty = 0;
    for (int g = 0; g < NONE; g++) {
        r.lines += s->lines[g];
        skills += s->skills[g];
        arguments += s->arguments[g];
        empty += s->empty[g];
    }
    r.skills = share(skills, r.lines);
    r.arguments = share(arguments, r.lines);
    r.missed = share(empty, r.lines);
    r.needless = share(r.none - s->skills[NONE], r.none);
    return r;
}

/* The 95 % interval of a share (Wilson 1927), which holds for small counts and for shares near 0 and 1. */
static void interval(double p, int n, double *low, double *high) {
    const double z = 1.96, z2 = z * z;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z * sqrt(p * (1 - p) / n + z2 / (4.0 * n * n)) / (1 + z2 / n);
    *low = n ? fmax(middle - half, 0) : 0;
    *high = n ? fmin(middle + half, 1) : 1;
}

static void add_rate(struct lp_str *out, const char *name, double p, int n) {
    double low, high;
    interval(p, n, &low, &high);
    lp_str_printf(out, "%-20s %6.1f %%  of %d lines (95 %% interval %.1f .. %.1f %%)\n", name, 100 * p, n, 100 * low,
                  100 * high);
}

void lp_plan_score_table(const struct lp_plan_score *s, struct lp_str *out) {
    struct lp_plan_rates r = lp_plan_score_rates(s);
    lp_str_printf(out, "%-22s %6s %8s %10s %8s\n", "skill", "lines", "skill", "arguments", "missed");
    for (int g = 0; g < NONE; g++)
        if (s->lines[g])
            lp_str_printf(out, "%-22s %6d %6.1f %% %8.1f %% %6.1f %%\n", lp_plan_group_name(g), s->lines[g],
                          100 * share(s->skills[g], s->lines[g]), 100 * share(s->arguments[g], s->lines[g]),
                          100 * share(s->empty[g], s->lines[g]));
    if (r.none)
        lp_str_printf(out, "%-22s %6d %6.1f %%\n", "none", r.none, 100 * share(s->skills[NONE], r.none));
    lp_str_putc(out, '\n');
    add_rate(out, "right skill", r.skills, r.lines);
    add_rate(out, "right arguments", r.arguments, r.lines);
    add_rate(out, "missed calls", r.missed, r.lines);
    add_rate(out, "needless calls", r.needless, r.none);
}

static json_t *json_groups(const struct lp_plan_score *s) {
    json_t *groups = json_object();
    for (int g = 0; groups && g <= NONE; g++) {
        json_t *one = json_pack("{s:i, s:i, s:i, s:i}", "lines", s->lines[g], "right_skill", s->skills[g],
                                "right_arguments", s->arguments[g], g < NONE ? "missed" : "needless",
                                g < NONE ? s->empty[g] : s->lines[g] - s->skills[g]);
        if (!one || json_object_set_new(groups, lp_plan_group_name(g), one)) {
            json_decref(groups);
            return NULL;
        }
    }
    return groups;
}

static json_t *json_confusion(const struct lp_plan_score *s) {
    json_t *columns = json_array(), *rows = json_object();
    bool ok = columns && rows;
    for (int c = 0; ok && c <= OTHER; c++)
        ok = !json_array_append_new(columns, json_string(lp_plan_group_name(c)));
    for (int g = 0; ok && g <= NONE; g++) {
        json_t *row = json_array();
        for (int c = 0; ok && c <= OTHER; c++)
            ok = !json_array_append_new(row, json_integer(s->confusion[g][c]));
        ok = !json_object_set_new(rows, lp_plan_group_name(g), row) && ok;
    }
    if (ok)
        return json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
    json_decref(columns);
    json_decref(rows);
    return NULL;
}

json_t *lp_plan_score_json(const struct lp_plan_score *s, struct lp_error *err) {
    struct lp_plan_rates r = lp_plan_score_rates(s);
    json_t *groups = json_groups(s), *confusion = json_confusion(s), *out = NULL;
    if (groups && confusion)
        out = json_pack("{s:i, s:i, s:{s:f, s:f, s:f, s:f}, s:O, s:O}", "skill_lines", r.lines, "none_lines", r.none,
                        "rates", "right_skill", r.skills, "right_arguments", r.arguments, "missed_calls", r.missed,
                        "needless_calls", r.needless, "skills", groups, "confusion", confusion);
    json_decref(groups);
    json_decref(confusion);
    if (!out)
        lp_error_memory(err);
    return out;
}

struct lp_image *lp_plan_score_picture(const struct lp_plan_score *s, struct lp_error *err) {
    const char *name[LP_PLAN_GROUPS + 1];
    for (int g = 0; g <= OTHER; g++)
        name[g] = lp_plan_group_name(g);
    const struct lp_chart_matrix m = {.title = "planned",
                                      .side = "expected",
                                      .row = name,
                                      .column = name,
                                      .rows = LP_PLAN_GROUPS,
                                      .columns = LP_PLAN_GROUPS + 1,
                                      .count = &s->confusion[0][0]};
    return lp_chart_matrix(&m, err);
}
