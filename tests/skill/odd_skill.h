/* SPDX-License-Identifier: MIT */
/* For tests: a skill in a process of its own that does what the colour of its picture says. The test's program is that process,
 * too: its main begins with odd_skill_main. */
#ifndef LP_TESTS_SKILL_ODD_SKILL_H
#define LP_TESTS_SKILL_ODD_SKILL_H

#include "base/memory.h"
#include "image/image.h"
#include "skill/children.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum odd { ODD_GOOD, ODD_ABORTS, ODD_LEAVES, ODD_HANGS, ODD_EATS, ODD_BABBLES, ODD_FAILS, ODD_LACKS_MEMORY };

extern char **environ;

/* Touches more and more memory. */
static void odd_eat(void) {
    enum { BLOCK = 4 << 20 };
    for (;;) {
        char *block = lp_alloc(BLOCK);
        if (!block)
            _exit(3);
        memset(block, 1, BLOCK);
    }
}

/* What the call came with, and in what process. */
static void odd_look_around(struct lp_call *call) {
    json_t *objects = json_array(), *variables = json_array();
    for (int i = 0; i < call->objects->n; i++)
        json_array_append_new(objects, json_string(call->objects->item[i]->handle));
    for (char **v = environ; *v; v++)
        json_array_append_new(variables, json_stringn(*v, strcspn(*v, "=")));
    int descriptors = -1; /* the folder's own */
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        descriptors++;
    closedir(folder);
    json_object_set_new(call->report, "pid", json_integer(getpid()));
    json_object_set_new(call->report, "objects", objects);
    json_object_set_new(call->report, "variables", variables);
    json_object_set_new(call->report, "descriptors", json_integer(descriptors - 2)); /* "." and ".." */
    json_object_set(call->report, "params", (json_t *)call->params);
    json_object_set_new(call->report, "picture", json_pack("[i,i]", call->picture->width, call->picture->height));
    if (call->reference)
        json_object_set_new(call->report, "reference", json_pack("[i,i,i,f]", call->reference->width, call->reference->height,
                                                                 call->reference->pixel[0], (double)call->reference_box[0][2]));
}

#define ODD_HANGING "hanging" /* the name of a process that does */

/* Leaves one object of each kind. */
static bool odd_leave(struct lp_call *call, struct lp_error *err) {
    static const uint8_t plane[6] = {1, 0, 0, 1, 1, 0};
    struct lp_objects *made = &call->made;
    return lp_objects_add_image(made, lp_image_copy(call->picture, err), err) &&
           lp_objects_add_mask(made, 3, 2, plane, "half", 0.1f, err) && lp_objects_add_map(made, 2, 3, plane, err) &&
           lp_objects_add_box(made, (const float[4]){0.1f, 1.f / 3, 0.7f, 1}, NULL, 0.9f, err) &&
           lp_objects_add_point(made, 0.3f, 0.6f, err) && lp_objects_add_text(made, "", 1, err) &&
           lp_objects_add_text(made, "gr\xc3\xbc\xc3\x9f", 0.5f, err) && lp_objects_add_count(made, -7, "things", err);
}

static bool odd_run(void *context, struct lp_call *call, struct lp_error *err) {
    (void)context;
    switch ((enum odd)call->picture->pixel[0]) {
    case ODD_GOOD:
        odd_look_around(call);
        return odd_leave(call, err);
    case ODD_ABORTS:
        abort();
    case ODD_LEAVES:
        _exit(7);
    case ODD_HANGS:
        prctl(PR_SET_NAME, ODD_HANGING);
        for (;;)
            pause();
    case ODD_EATS:
        odd_eat();
        break;
    case ODD_BABBLES:
        for (;;)
            send(STDIN_FILENO, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, MSG_NOSIGNAL);
    case ODD_FAILS:
        return lp_error_set(err, LP_EINPUT, "nothing is to be seen");
    case ODD_LACKS_MEMORY:
        return lp_error_memory(err);
    }
    return false;
}

/* Where this process is to be a skill's, it is that and ends. */
static void odd_skill_main(int argc, char **argv) {
    const struct lp_play play = {.run = odd_run};
    if (argc == 4 && !strcmp(argv[1], "skill") && !strcmp(argv[2], "child"))
        exit(!lp_child_run(lp_skill_find(argv[3]), &play));
}

#endif
