/* SPDX-License-Identifier: MIT */
/* Whatever a planner writes: parsing it never fails but for memory, and what was parsed can be written and
 * read again to the same plan. */
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "plan/action.h"
#include "skill/skill.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_plan plan, again;
    LP_FUZZ_CHECK(lp_plan_parse((const char *)data, size, &plan, NULL));
    LP_FUZZ_CHECK(plan.thoughts && plan.value && json_is_array(plan.actions));
    LP_FUZZ_CHECK(plan.marked || !*plan.thoughts);
    for (size_t i = 0; i < json_array_size(plan.actions); i++) {
        const json_t *call = json_array_get(plan.actions, i);
        const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(call, "API_name")));
        LP_FUZZ_CHECK(json_is_object(json_object_get(call, "API_params")));
        if (skill)
            json_decref(lp_skill_check(skill, json_object_get(call, "API_params"), NULL));
    }
    if (!plan.marked || strstr(plan.value, LP_MARK_VALUE) || strstr(plan.thoughts, LP_MARK_ACTIONS)) {
        lp_plan_done(&plan);
        return 0;
    }
    struct lp_str text = {0};
    lp_plan_format(&text, plan.thoughts, plan.actions, plan.value);
    LP_FUZZ_CHECK(!text.failed && lp_plan_parse(text.s, text.n, &again, NULL));
    LP_FUZZ_CHECK(again.marked && !again.bad_actions && json_equal(again.actions, plan.actions));
    lp_plan_done(&again);
    lp_plan_done(&plan);
    lp_str_done(&text);
    return 0;
}
