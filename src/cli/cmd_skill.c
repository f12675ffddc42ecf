/* SPDX-License-Identifier: MIT */
/* cli/cmd_skill.c - llava-plus skill list, skill run: the skills one by one, without a planner; skill child: one for a
 * server. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/skill_text.h"
#include "image/image.h"
#include "skill/children.h"

#include <stdio.h>
#include <string.h>

enum { PARAMS_MOST = 8, OPTIONS_MOST = 16 };

static int list(int argc, char **argv) {
    bool json = false;
    int status;
    const struct lp_option options[] = {
        {.name = "json", .help = "print JSON, parameters as JSON Schema", .target = &json},
        {.name = NULL},
    };
    const struct lp_usage usage = {"skill list",
                                   "[options]",
                                   "Shows every skill: what it needs, what it leaves, "
                                   "and whether it is ready on this machine.",
                                   options,
                                   0,
                                   0};
    struct lp_error err = {0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    if (json ? lp_skill_print_json(stdout, &err) : lp_skill_print_list(stdout, &err))
        return 0;
    return lp_command_fail("skill list", &err);
}

/* What the command line of `skill run` says, and what was read from it. */
struct run {
    const struct lp_skill *skill;
    const char *image, *reference, *reference_boxes, *out;
    const char *value[PARAMS_MOST]; /* as written, in the order of lp_skill_param */
    bool json;

    struct lp_image *picture, *reference_picture;
    struct lp_objects objects;
    json_t *params, *boxes;
    float (*box)[4];
};

static const char *argument_of(enum lp_param_kind kind) {
    static const char *const names[] = {"TEXT", "JSON", "JSON", "JSON", "FILE"};
    return names[kind];
}

/* The options of `skill run` for one skill: the common ones, then its parameters. */
static void make_options(struct run *r, struct lp_option options[OPTIONS_MOST]) {
    int n = 0;
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(r->skill, i)) && i < PARAMS_MOST; i++)
        if (p->kind != LP_PARAM_HANDLE || p->handle != LP_OBJECT_IMAGE)
            options[n++] = (struct lp_option){.name = p->name,
                                              .argument = argument_of(p->kind),
                                              .help = p->about,
                                              .kind = LP_OPTION_STRING,
                                              .target = &r->value[i]};
    if (r->skill->needs & LP_NEEDS_PICTURE)
        options[n++] = (struct lp_option){.name = "image",
                                          .letter = 'i',
                                          .argument = "FILE",
                                          .help = "the picture; - is standard input",
                                          .kind = LP_OPTION_STRING,
                                          .target = &r->image};
    if (r->skill->needs & LP_NEEDS_REFERENCE) {
        options[n++] = (struct lp_option){.name = "reference",
                                          .argument = "FILE",
                                          .help = "the reference picture",
                                          .kind = LP_OPTION_STRING,
                                          .target = &r->reference};
        options[n++] = (struct lp_option){.name = "reference-boxes",
                                          .argument = "JSON",
                                          .help = "what to look at in it: [[x0,y0,x1,y1], ..], 0..1",
                                          .kind = LP_OPTION_STRING,
                                          .target = &r->reference_boxes};
    }
    options[n++] = (struct lp_option){
        .name = "json", .help = "print the whole result as JSON, boxes in pixels", .target = &r->json};
    options[n++] =
        (struct lp_option){.name = "out",
                           .letter = 'o',
                           .argument = "FILE",
                           .help = "save the picture it made, or else the picture with the result drawn in",
                           .kind = LP_OPTION_STRING,
                           .target = &r->out};
    options[n] = (struct lp_option){.name = NULL};
}

/* Outside a conversation a mask or class map comes as a picture: white is inside; the grey value is the
 * class. */
static bool load_plane(struct run *r, const struct lp_param *p, const char *path, struct lp_error *err) {
    struct lp_image *image = lp_image_open(path, err);
    size_t n = image ? (size_t)image->width * (size_t)image->height : 0;
    uint8_t *plane = image ? lp_alloc(n) : NULL;
    bool ok = image && (plane || lp_error_memory(err)), mask = p->handle == LP_OBJECT_MASK;
    for (size_t i = 0; ok && i < n; i++)
        plane[i] = mask ? image->pixel[3 * i] > 127 : image->pixel[3 * i];
    if (ok)
        ok = mask ? lp_objects_add_mask(&r->objects, image->width, image->height, plane, NULL, 1, err) != NULL
                  : lp_objects_add_map(&r->objects, image->width, image->height, plane, err) != NULL;
    lp_free(plane);
    lp_image_close(image);
    return ok;
}

static bool load_param(struct run *r, const struct lp_param *p, const char *text, struct lp_error *err) {
    char name[64];
    json_t *value;
    if (p->kind == LP_PARAM_HANDLE)
        return load_plane(r, p, text, err);
    snprintf(name, sizeof name, "--%s", p->name);
    value = p->kind == LP_PARAM_TEXT ? json_string(text) : lp_json_parse(text, strlen(text), name, err);
    if (!value)
        return lp_error_set(err, LP_EUSAGE, "--%s is not %s", p->name,
                            p->kind == LP_PARAM_TEXT ? "UTF-8" : "a JSON list such as [[0.5,0.4]]");
    return !json_object_set_new(r->params, p->name, value) || lp_error_memory(err);
}

static bool load_reference(struct run *r, struct lp_error *err) {
    if (r->reference && !(r->reference_picture = lp_image_open(r->reference, err)))
        return false;
    if (!r->reference_boxes)
        return true;
    r->boxes = lp_json_parse(r->reference_boxes, strlen(r->reference_boxes), "--reference-boxes", err);
    r->box = lp_alloc_array(json_array_size(r->boxes) + 1, sizeof *r->box);
    if (!r->box)
        return lp_error_memory(err);
    for (size_t i = 0; i < json_array_size(r->boxes); i++)
        for (size_t k = 0; k < 4; k++)
            r->box[i][k] = (float)json_number_value(json_array_get(json_array_get(r->boxes, i), k));
    return json_array_size(r->boxes) ||
           lp_error_set(err, LP_EUSAGE, "--reference-boxes is not a list such as [[0.1,0.2,0.5,0.6]]");
}

/* Reads the pictures and parameters that the command line names. */
static bool load(struct run *r, struct lp_error *err) {
    const struct lp_param *p;
    r->params = json_object();
    if (!r->params)
        return lp_error_memory(err);
    if ((r->skill->needs & LP_NEEDS_PICTURE) && !r->image)
        return lp_error_set(err, LP_EUSAGE, "%s needs a picture: give one with --image FILE", r->skill->name);
    if (r->image && !(r->picture = lp_image_open(r->image, err)))
        return false;
    for (int i = 0; (p = lp_skill_param(r->skill, i)); i++)
        if (r->value[i] && !load_param(r, p, r->value[i], err))
            return false;
    return load_reference(r, err);
}

static bool save(const struct run *r, const struct lp_call *call, struct lp_error *err) {
    for (int i = call->first; i < call->first + call->count; i++)
        if (r->objects.item[i]->kind == LP_OBJECT_IMAGE)
            return lp_image_save(r->objects.item[i]->picture, r->out, err);
    struct lp_image *image = lp_call_annotate(call, err);
    bool ok = image && lp_image_save(image, r->out, err);
    lp_image_close(image);
    return ok;
}

static bool call_skill(struct run *r, struct lp_error *err) {
    if (!lp_skill_ready(r->skill, err))
        return false;
    json_t *params = lp_skill_check(r->skill, r->params, err);
    if (!params) {
        if (err->code == LP_EINPUT)
            err->code = LP_EUSAGE; /* here they are flags */
        return false;
    }
    struct lp_call call = {.skill = r->skill,
                           .params = params,
                           .objects = &r->objects,
                           .picture = r->picture,
                           .reference = r->reference_picture,
                           .reference_box = (const float(*)[4])r->box,
                           .reference_boxes = (int)json_array_size(r->boxes)};
    bool ok = lp_skill_run(&call, err) && (!r->out || save(r, &call, err)) &&
              (r->json ? lp_skill_print_report(stdout, &call, err) : lp_skill_print_call(stdout, &call, err));
    lp_call_done(&call);
    json_decref(params);
    return ok;
}

static int run(int argc, char **argv) {
    static const char about[] =
        "Runs one skill on a picture. Its parameters are options; see 'llava-plus skill list'.";
    static const char operands[] = "NAME [options]";
    struct lp_error err = {0};
    struct run r = {0};
    struct lp_option options[OPTIONS_MOST] = {{.name = NULL}};
    int status;
    if (argc > 1 && argv[1][0] != '-') {
        if (!(r.skill = lp_skill_find(argv[1]))) {
            lp_skill_unknown(argv[1], &err);
            return lp_command_fail("skill run", &err);
        }
        make_options(&r, options);
    } else if (argc > 1 && strcmp(argv[1], "--help") && strcmp(argv[1], "-h")) {
        lp_error_set(&err, LP_EUSAGE, "name the skill first: llava-plus skill run NAME %s", argv[1]);
        return lp_command_fail("skill run", &err);
    }
    const struct lp_usage usage = {"skill run", operands, r.skill ? r.skill->about : about, options, 1, 1};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool ok = load(&r, &err) && call_skill(&r, &err);
    json_decref(r.params);
    json_decref(r.boxes);
    lp_free(r.box);
    lp_objects_done(&r.objects);
    lp_image_close(r.picture);
    lp_image_close(r.reference_picture);
    return ok ? 0 : lp_command_fail("skill run", &err);
}

static int child(int argc, char **argv) {
    static const struct lp_option none = {.name = NULL};
    static const struct lp_play nobody = {0};
    const struct lp_usage usage = {"skill child", "NAME",
                                   "Runs one skill for 'llava-plus serve', which starts this itself: calls come on standard "
                                   "input, a socket.",
                                   &none, 1, 1};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    const struct lp_skill *skill = lp_skill_find(argv[1]);
    if (!skill)
        lp_skill_unknown(argv[1], &err);
    else if (!lp_child_run(skill, &nobody))
        lp_error_set(&err, LP_EUSAGE, "standard input is no socket: 'llava-plus serve' starts this, nobody else");
    return err.code ? lp_command_fail("skill child", &err) : 0;
}

int lp_cmd_skill(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "list"))
        return list(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "run"))
        return run(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "child"))
        return child(argc - 1, argv + 1);
    bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
    fputs("usage: llava-plus skill list [--json]\n"
          "       llava-plus skill run NAME --image FILE [--json] [--out FILE] [parameters]\n",
          help ? stdout : stderr);
    return help ? 0 : 2;
}
