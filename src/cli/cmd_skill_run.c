/* SPDX-License-Identifier: MIT */
/* cli/cmd_skill_run.c - llava-plus skill run: one skill without a planner, on a picture, on many, or on none.
 */
#include "base/file.h"
#include "base/memory.h"
#include "cli/cmd_skill.h"
#include "cli/coco_results.h"
#include "cli/options.h"
#include "cli/pictures.h"
#include "cli/progress.h"
#include "cli/skill_text.h"
#include "image/image.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PARAMS_MOST = 8, OPTIONS_MOST = 18 };

/* What the command line of `skill run` says, and what was read from it. */
struct run {
    const struct lp_skill *skill;
    struct lp_option_list images;
    const char *reference, *reference_boxes, *out, *results, *truth;
    const char *value[PARAMS_MOST]; /* as written, in the order of lp_skill_param */
    bool json;

    struct lp_pictures pictures;
    struct lp_image *reference_picture;
    struct lp_objects objects;
    int given; /* of them: masks and maps from the command line */
    json_t *params, *boxes;
    float (*box)[4];
    struct lp_bench *bench;
    struct lp_coco_results found;
    int64_t failed; /* pictures */
};

static const char *argument_of(enum lp_param_kind kind) {
    static const char *const names[] = {"TEXT", "JSON", "JSON", "JSON", "FILE"};
    return names[kind];
}

/* Boxes and masks with scores, as COCO has them. */
static bool finds_things(const struct lp_skill *skill) {
    return skill->leaves & (LP_LEAVES_BOX | LP_LEAVES_MASK) &&
           !(skill->leaves & (LP_LEAVES_TEXT | LP_LEAVES_IMAGE));
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
        options[n++] =
            (struct lp_option){.name = "image",
                               .letter = 'i',
                               .argument = "PICTURE",
                               .help = "the picture: a file, or - for standard input; a folder, or given "
                                       "several times: each in turn",
                               .kind = LP_OPTION_LIST,
                               .target = &r->images};
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
    options[n++] = (struct lp_option){
        .name = "out",
        .letter = 'o',
        .argument = "PLACE",
        .help = "save the picture it made, or else the picture with the result drawn in; of "
                "many pictures PLACE is a folder",
        .kind = LP_OPTION_STRING,
        .target = &r->out};
    if (finds_things(r->skill)) {
        options[n++] = (struct lp_option){
            .name = "results",
            .argument = "FILE",
            .help = "write what was found as COCO's results, for 'eval detect' and 'eval segment'",
            .kind = LP_OPTION_STRING,
            .target = &r->results};
        options[n++] =
            (struct lp_option){.name = "truth",
                               .argument = "FILE",
                               .help = "COCO's annotations, which tell the ids of pictures and categories",
                               .kind = LP_OPTION_STRING,
                               .target = &r->truth};
    }
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

/* The parameters in their normal form; nothing of them depends on the picture. */
static bool load_params(struct run *r, struct lp_error *err) {
    const struct lp_param *p;
    r->params = json_object();
    if (!r->params)
        return lp_error_memory(err);
    for (int i = 0; (p = lp_skill_param(r->skill, i)); i++)
        if (r->value[i] && !load_param(r, p, r->value[i], err))
            return false;
    r->given = r->objects.n;
    return load_reference(r, err);
}

static bool check_params(struct run *r, struct lp_error *err) {
    json_t *params = lp_skill_check(r->skill, r->params, err);
    if (!params && err->code == LP_EINPUT)
        err->code = LP_EUSAGE; /* here they are flags */
    json_decref(r->params);
    return (r->params = params) != NULL;
}

static bool load_pictures(struct run *r, struct lp_error *err) {
    if ((r->skill->needs & LP_NEEDS_PICTURE) && !r->images.n)
        return lp_error_set(err, LP_EUSAGE, "%s needs a picture: give one with --image FILE", r->skill->name);
    for (int i = 0; i < r->images.n; i++)
        if (!lp_pictures_add(&r->pictures, r->images.item[i], err))
            return false;
    return true;
}

static bool save(const struct run *r, const struct lp_call *call, const char *path, struct lp_error *err) {
    for (int i = call->first; i < call->first + call->count; i++)
        if (r->objects.item[i]->kind == LP_OBJECT_IMAGE)
            return lp_image_save(r->objects.item[i]->picture, path, err);
    struct lp_image *image = lp_call_annotate(call, err);
    bool ok = image && lp_image_save(image, path, err);
    lp_image_close(image);
    return ok;
}

/* What a call did, told: `file` is one picture of many, NULL the only one. */
static bool tell(struct run *r, const struct lp_call *call, const char *file, struct lp_error *err) {
    if (r->results && !lp_coco_results_add(&r->found, file ? file : r->images.item[0], call->report, err))
        return false;
    if (!file)
        return r->json ? lp_skill_print_report(stdout, call, err) : lp_skill_print_call(stdout, call, err);
    if (r->json)
        return lp_skill_print_line(stdout, call, file, err);
    printf("%s:\n", file);
    return lp_skill_print_call(stdout, call, err);
}

/* Runs the skill on a picture or, where path is NULL, on none. */
static bool call_skill(struct run *r, const char *path, const char *file, const char *out,
                       struct lp_error *err) {
    struct lp_image *picture = path ? lp_image_open(path, err) : NULL;
    if (path && !picture)
        return false;
    struct lp_call call = {.skill = r->skill,
                           .params = r->params,
                           .objects = &r->objects,
                           .picture = picture,
                           .reference = r->reference_picture,
                           .reference_box = (const float(*)[4])r->box,
                           .reference_boxes = (int)json_array_size(r->boxes),
                           .bench = r->bench};
    bool ok = lp_skill_run(&call, err) && (!out || save(r, &call, out, err)) && tell(r, &call, file, err);
    if (!ok && file)
        lp_error_prefix(err, "%s", file);
    lp_call_done(&call);
    lp_objects_cut(&r->objects, r->given);
    lp_image_close(picture);
    return ok;
}

/* "folder/dog.jpg" -> "OUT/dog.png". */
static bool drawn_path(char out[PATH_MAX], const char *folder, const char *picture, struct lp_error *err) {
    char name[NAME_MAX + 1];
    const char *slash = strrchr(picture, '/'), *file = slash ? slash + 1 : picture, *dot = strrchr(file, '.');
    snprintf(name, sizeof name, "%.*s.png", dot ? (int)(dot - file) : (int)strlen(file), file);
    return lp_file_join(out, PATH_MAX, folder, name, err);
}

static bool is_same_file(const char *a, const char *b) {
    struct stat of_a, of_b;
    return !stat(a, &of_a) && !stat(b, &of_b) && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/* No picture is drawn over another, nor over itself. */
static bool check_drawn(const struct run *r, struct lp_error *err) {
    json_t *taken = json_object();
    bool ok = taken || lp_error_memory(err);
    for (const char *path = NULL; ok && (path = lp_pictures_next(&r->pictures, path));) {
        char drawn[PATH_MAX];
        ok = drawn_path(drawn, r->out, path, err);
        if (ok && json_object_get(taken, drawn))
            ok = lp_error_set(err, LP_EUSAGE, "two pictures would be drawn into '%s': take them in turn",
                              drawn);
        if (ok && is_same_file(drawn, path))
            ok = lp_error_set(err, LP_EUSAGE,
                              "'%s' would be drawn over itself: take another folder for --out", path);
        ok = ok && (!json_object_set_new(taken, drawn, json_true()) || lp_error_memory(err));
    }
    json_decref(taken);
    return ok;
}

/* A picture that fails is told, and does not stop the others. */
static bool run_many(struct run *r, struct lp_error *err) {
    int64_t done = 0;
    double told_ms = 0;
    if (r->out && (!check_drawn(r, err) || !lp_file_make_folder(r->out, err)))
        return false;
    for (const char *path = NULL; (path = lp_pictures_next(&r->pictures, path)); done++) {
        struct lp_error why = {0};
        char drawn[PATH_MAX];
        bool ok = (!r->out || drawn_path(drawn, r->out, path, &why)) &&
                  call_skill(r, path, path, r->out ? drawn : NULL, &why);
        if (!ok && why.code == LP_EIO && ferror(stdout)) {
            *err = why;
            return false;
        }
        if (!ok) {
            r->failed++;
            lp_command_fail("skill run", &why);
        }
        lp_progress_show(done + 1, r->pictures.n, "pictures", &told_ms);
    }
    return true;
}

static bool run_all(struct run *r, struct lp_error *err) {
    bool ok = r->pictures.several ? run_many(r, err)
                                  : call_skill(r, lp_pictures_next(&r->pictures, NULL), NULL, r->out, err);
    if (!ok || (r->results && !lp_coco_results_write(&r->found, r->results, err)))
        return false;
    if (r->found.strangers)
        fprintf(stderr, "%ld finds are called as no category of %s is, and were left out of %s\n",
                (long)r->found.strangers, r->truth, r->results);
    return !r->failed ||
           lp_error_set(err, LP_EINPUT, "%ld of %ld pictures failed", (long)r->failed, (long)r->pictures.n);
}

static bool start(struct run *r, struct lp_error *err) {
    if (!r->results != !r->truth)
        return lp_error_set(err, LP_EUSAGE,
                            "--results and --truth belong together: what was found, and whose ids it has");
    return load_pictures(r, err) && load_params(r, err) && lp_skill_ready(r->skill, err) &&
           check_params(r, err) && (!r->truth || lp_coco_results_open(&r->found, r->truth, err)) &&
           (r->bench = lp_bench_open(err));
}

int lp_cmd_skill_run(int argc, char **argv) {
    static const char about[] =
        "Runs one skill on pictures. Its parameters are options; see 'llava-plus skill list'.";
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
    bool ok = start(&r, &err) && run_all(&r, &err);
    json_decref(r.params);
    json_decref(r.boxes);
    lp_free(r.box);
    lp_objects_done(&r.objects);
    lp_image_close(r.reference_picture);
    lp_coco_results_done(&r.found);
    lp_pictures_done(&r.pictures);
    lp_bench_close(r.bench);
    return ok ? 0 : lp_command_fail("skill run", &err);
}
