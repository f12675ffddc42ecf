/* SPDX-License-Identifier: MIT */
/* skill/wire.c - names and ports of the original's workers. */
#include "skill/wire.h"

#include "skill/wire_inner.h"

#include <string.h>

static const struct {
    const char *skill;
    int port;
} ports[LP_SKILL_COUNT] = {
    {"detect", 21003},        {"segment_levels", 21004}, {"caption", 21006},         {"tag", 21009},
    {"ocr", 21029},           {"segment_like", 21043},   {"retrieve", 21046},        {"caption_ground", 21078},
    {"segment_at", 21273},    {"segment_instances", 21293}, {"edit", 21306},         {"generate", 21307},
    {"segment_semantic", 22003}, {"generate_from_layout", 22003}, {"tag_ground", 22078}, {"inpaint", 23336},
};

int lp_wire_port(const struct lp_skill *skill) {
    int i = 0;
    while (i < LP_SKILL_COUNT - 1 && strcmp(ports[i].skill, skill->name))
        i++;
    return ports[i].port;
}

void lp_wire_names(const struct lp_skill *skill, const char *names[LP_WIRE_NAMES + 1]) {
    int n = 0;
    names[n++] = skill->api_name;
    for (const char *const *alias = skill->aliases; alias && *alias && n < LP_WIRE_NAMES; alias++)
        names[n++] = *alias;
    names[n] = NULL;
}

const struct lp_skill *lp_wire_partner(const struct lp_skill *skill) {
    return lp_skill_find(!strcmp(skill->api_name, "controlnet") ? "openseed"
                         : !strcmp(skill->api_name, "openseed") ? "controlnet"
                                                                : "");
}
