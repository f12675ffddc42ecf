/* SPDX-License-Identifier: MIT */
/* What a skill is: one declaration from which come the planner's grammar, the checking of its calls, the command
 * line's flags, `skill list` and a JSON Schema. The table of all skills is skills.c; one skill a file. */
#ifndef LP_SKILL_SKILL_H
#define LP_SKILL_SKILL_H

#include "base/json.h"
#include "skill/object.h"

#include <stdatomic.h>

enum lp_param_kind {
    LP_PARAM_TEXT,   /* a string that is not empty */
    LP_PARAM_POINTS, /* [[x,y], ..], 0..1 of the picture */
    LP_PARAM_BOXES,  /* [[x0,y0,x1,y1], ..], 0..1 of the picture; an item may also be a box handle */
    LP_PARAM_LABELS, /* [1,0, ..]: whether each point belongs to the thing */
    LP_PARAM_HANDLE  /* the handle of an object of kind `handle`; absent: the newest of that kind */
};

/* A parameter of a skill. A list of them ends with a name of NULL. */
struct lp_param {
    const char *name, *alias; /* alias: another accepted name, or NULL */
    enum lp_param_kind kind;
    enum lp_object_kind handle; /* LP_PARAM_HANDLE: what it must name */
    bool required;              /* a planner must write it */
    bool one_of;                /* exactly one of the skill's parameters marked so must be given */
    bool hidden;                /* accepted, but a planner need not know it */
    int most;                   /* bytes of a text, items of a list */
    const char *about;
};

enum { /* lp_skill.needs */
    LP_NEEDS_PICTURE = 1,
    LP_NEEDS_REFERENCE = 2, /* a reference picture, with or without boxes, that comes with the request */
};

enum { /* lp_skill.leaves: bit of an object kind, and whether it leaves one or one for each thing found */
    LP_LEAVES_IMAGE = 1 << LP_OBJECT_IMAGE,
    LP_LEAVES_MASK = 1 << LP_OBJECT_MASK,
    LP_LEAVES_BOX = 1 << LP_OBJECT_BOX,
    LP_LEAVES_MAP = 1 << LP_OBJECT_MAP,
    LP_LEAVES_TEXT = 1 << LP_OBJECT_TEXT,
    LP_LEAVES_COUNT = 1 << LP_OBJECT_COUNT,
};

struct lp_call;

/* All constant and of process lifetime. */
struct lp_skill {
    const char *name;           /* the task: "detect" */
    const char *api_name;       /* what planners write: "grounding_dino" */
    const char *const *aliases; /* other accepted names, ended by NULL; NULL: none */
    const char *about;
    const struct lp_param *params; /* own parameters; see lp_skill_param for all. NULL: none */
    int needs, leaves;             /* LP_NEEDS_*, LP_LEAVES_* */
    const char *lacks;             /* what it needs to become ready; NULL: see `missing` */
    const char *(*missing)(void);  /* as `lacks`, looked up on this machine: NULL when nothing; NULL: built in */

    /* Opens what runs share (models, engines); `run` gets it, one run at a time. NULL on failure. Both NULL: none. */
    void *(*open)(struct lp_error *err);
    void (*close)(void *opened);
    /* Fills call->result, call->report and call->made from call->params, ->picture and the objects. */
    bool (*run)(struct lp_call *call, void *opened, struct lp_error *err);
};

#define LP_SKILL_COUNT 16
extern const struct lp_skill *const lp_skills[LP_SKILL_COUNT + 1]; /* ended by NULL; in the order of `skill list` */

/* By task name, api_name or any alias; exact spelling. NULL when there is none. */
const struct lp_skill *lp_skill_find(const char *name);
int lp_skill_index(const struct lp_skill *skill); /* place in lp_skills; LP_SKILL_COUNT: not there */

/* The i-th parameter (0, 1, ..) or NULL past the end: its own, then the optional `image` where it needs a picture. */
const struct lp_param *lp_skill_param(const struct lp_skill *skill, int i);

/* What the skill lacks on this machine ("Grounding DINO weights (...)"), static; NULL when it is ready. */
const char *lp_skill_lacks(const struct lp_skill *skill);
/* The same as one sentence, LP_EMISSING. */
bool lp_skill_ready(const struct lp_skill *skill, struct lp_error *why);

/* Validates parameters that a planner or a user wrote and returns them in their normal form: schema order, real
 * names, lists of lists, unknown keys (thresholds, say) and an `image` that is no handle dropped, {"caption": ..}
 * for a text unpacked. Handles are checked for their kind, not for existence. `params` NULL or JSON null is {}.
 * Owned by caller (json_decref); NULL on failure (LP_EINPUT). */
json_t *lp_skill_check(const struct lp_skill *skill, const json_t *params, struct lp_error *err);

/* The parameters as a JSON Schema object; owned by caller; NULL when out of memory. */
json_t *lp_skill_schema(const struct lp_skill *skill, struct lp_error *err);

/* Keeps what skills opened between calls. Its calls may come from several threads; runs of one skill queue up. */
struct lp_bench;
struct lp_bench *lp_bench_open(struct lp_error *err); /* owned by caller */
void lp_bench_close(struct lp_bench *bench);

/* Another who plays the skills: fills result, report and made as a skill's own run does. */
struct lp_play {
    bool (*has)(void *context, const struct lp_skill *skill);               /* which of them; NULL: all */
    bool (*run)(void *context, struct lp_call *call, struct lp_error *err); /* NULL: nobody */
    void *context;
};
bool lp_play_has(const struct lp_play *play, const struct lp_skill *skill);

/* One call of a skill. Zero it, fill the first part, run it, read the second part, end with lp_call_done. */
struct lp_call {
    const struct lp_skill *skill;
    const json_t *params;             /* normal form from lp_skill_check, borrowed; NULL: {} */
    struct lp_objects *objects;       /* the conversation's; borrowed */
    const struct lp_image *picture;   /* borrowed; params' `image` wins; NULL: the newest picture of `objects` */
    int on;                           /* number of the image object that the picture is; 0: none; set with it */
    const struct lp_image *reference; /* borrowed; NULL: none */
    const float (*reference_box)[4];  /* x0y0x1y1, 0..1 of the reference; borrowed */
    int reference_boxes;
    struct lp_bench *bench;    /* NULL: what the skill opens is closed after the call */
    struct lp_play play;
    const atomic_bool *cancel; /* set to true by another thread to stop the run (LP_ECANCELED); NULL: never */

    json_t *result;         /* an object for the planner's result turn: coordinates 0..1 rounded, `handles` last */
    json_t *report;         /* an object for people and programs: boxes x0y0x1y1 in pixels of the picture */
    struct lp_objects made; /* between lp_call_work and lp_call_keep: what the skill left */
    int first, count;       /* after lp_call_keep: it left objects->item[first] .. [first + count - 1] */
};

/* Picks the picture, checks readiness (LP_EMISSING: the one sentence) and that handles exist (LP_EINPUT), runs.
 * Only reads `objects`: calls that do not need each other's objects may work side by side. */
bool lp_call_work(struct lp_call *call, struct lp_error *err);
/* Moves what was made into `objects`, giving it handles, and completes result and report with them. */
bool lp_call_keep(struct lp_call *call, struct lp_error *err);
/* Both in turn. */
bool lp_skill_run(struct lp_call *call, struct lp_error *err);
void lp_call_done(struct lp_call *call); /* frees result, report and what was not kept */

bool lp_call_canceled(const struct lp_call *call);
/* The object that a handle parameter means: the named one, else the newest of its kind. Borrowed; NULL: none. */
const struct lp_object *lp_call_object(const struct lp_call *call, const struct lp_param *param);

/* A copy of the call's picture with the boxes, labels and masks that it left drawn in. After lp_call_keep.
 * Owned by caller; NULL on failure (LP_EINPUT when it had no picture). */
struct lp_image *lp_call_annotate(const struct lp_call *call, struct lp_error *err);

#endif
