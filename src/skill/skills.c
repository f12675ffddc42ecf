/* SPDX-License-Identifier: MIT */
/* skill/skills.c - the table of all skills. Adding one: its file, a line in table.h, a line here. */
#include "skill/table.h"

#include <string.h>

const struct lp_skill *const lp_skills[LP_SKILL_COUNT + 1] = {
    &lp_skill_detect,       &lp_skill_segment_instances, &lp_skill_segment_semantic,
    &lp_skill_segment_at,   &lp_skill_segment_levels,    &lp_skill_segment_like,
    &lp_skill_caption,      &lp_skill_tag,               &lp_skill_caption_ground,
    &lp_skill_tag_ground,   &lp_skill_ocr,               &lp_skill_retrieve,
    &lp_skill_generate,     &lp_skill_edit,              &lp_skill_inpaint,
    &lp_skill_generate_from_layout,
    NULL,
};

static bool is_called(const struct lp_skill *skill, const char *name) {
    if (!strcmp(name, skill->name) || !strcmp(name, skill->api_name))
        return true;
    for (const char *const *alias = skill->aliases; alias && *alias; alias++)
        if (!strcmp(name, *alias))
            return true;
    return false;
}

const struct lp_skill *lp_skill_find(const char *name) {
    for (int i = 0; lp_skills[i]; i++)
        if (is_called(lp_skills[i], name))
            return lp_skills[i];
    return NULL;
}

int lp_skill_index(const struct lp_skill *skill) {
    int i = 0;
    while (lp_skills[i] && lp_skills[i] != skill)
        i++;
    return i;
}

static const struct lp_param image_param = {
    .name = "image",
    .kind = LP_PARAM_HANDLE,
    .handle = LP_OBJECT_IMAGE,
    .about = "the picture to work on, where it is not the newest",
};

const struct lp_param *lp_skill_param(const struct lp_skill *skill, int i) {
    int n = 0;
    while (skill->params && skill->params[n].name)
        n++;
    if (i < n)
        return &skill->params[i];
    return i == n && (skill->needs & LP_NEEDS_PICTURE) ? &image_param : NULL;
}

const char *lp_skill_lacks(const struct lp_skill *skill) {
    if (skill->lacks)
        return skill->lacks;
    return skill->missing ? skill->missing() : NULL;
}

bool lp_skill_ready(const struct lp_skill *skill, struct lp_error *why) {
    const char *lacks = lp_skill_lacks(skill);
    if (!lacks)
        return true;
    return lp_error_set(why, LP_EMISSING, "%s is not ready on this machine: it needs %s", skill->name, lacks);
}
