/* SPDX-License-Identifier: MIT */
/* The four steps of a request: plan, run the skills, tell the planner, answer. Paper section 3.1. */
#ifndef LP_PLAN_AGENT_H
#define LP_PLAN_AGENT_H

#include "plan/conversation.h"
#include "skill/skill.h"

enum lp_step_kind {
    LP_STEP_THOUGHTS, /* text: what the planner thinks; once a turn */
    LP_STEP_PLAN,     /* actions: what it wants run */
    LP_STEP_START,    /* text: the API name of the skill that starts now */
    LP_STEP_RESULT,   /* text: the API name; call: what it gave, NULL when it did not run; message: why */
    LP_STEP_ANSWER,   /* text: more of the answer; whole characters, handles replaced */
    LP_STEP_TURN      /* text: a whole message of the dialogue, as the planner wrote or reads it */
};

/* All borrowed during the callback. */
struct lp_step {
    enum lp_step_kind kind;
    const char *text, *message;
    const json_t *actions;
    const struct lp_call *call;
    const struct lp_turn *turn; /* of LP_STEP_TURN where a model on this machine wrote it; else NULL */
    double first_ms;            /* until its first token, pictures' encoding included */
};

struct lp_hooks {
    void (*step)(void *context, const struct lp_step *step); /* NULL: none */
    void *context;
    const atomic_bool *cancel; /* NULL: never; set by another thread or a hook */
};

/* Which skills a request may use (LLaVA-Plus, section 2.4). */
enum lp_tools {
    LP_TOOLS_FLY, /* those that the plan asks for */
    LP_TOOLS_ALL, /* understanding skills but segmentation look at every new picture first; the plan calls nothing */
    LP_TOOLS_NONE /* none: the answer comes from the picture alone */
};

/* "fly", "all" or "none"; LP_EUSAGE. */
bool lp_tools_parse(const char *name, enum lp_tools *tools, struct lp_error *err);

struct lp_agent {
    struct lp_conversation talk;
    struct lp_bench *bench; /* borrowed; NULL: skills open what they need at every call */
    struct lp_sampling sampling;
    struct lp_rng rng;
    enum lp_tools tools;
    struct lp_play play; /* skills played by another: by workers, or for evaluation; zero: the skills themselves */
};

/* Starts a conversation. lmm and bench are borrowed. Ends with lp_agent_done, also after failure. */
bool lp_agent_init(struct lp_agent *a, struct lp_lmm *lmm, struct lp_bench *bench,
                   const struct lp_sampling *sampling, struct lp_error *err);
void lp_agent_done(struct lp_agent *a);

/* What a request came to. End with lp_reply_done. */
struct lp_reply {
    char *thoughts;  /* of the plan */
    json_t *actions; /* [{"API_name", "API_params"}] */
    json_t *skills;  /* task names of the actions */
    json_t *results; /* [{"API_name", "skill", "status": "done" | "not ready" | "failed", "message", "result",
                        "handles"}] */
    char *value;     /* the answer, handles replaced; of lp_agent_plan: the plan's value */
    bool cut_short;  /* the most tokens of a turn ended the answer */
};
void lp_reply_done(struct lp_reply *reply);
/* The reply as one object, with the conversation's objects; NULL when out of memory; owned by caller. */
json_t *lp_reply_json(const struct lp_reply *reply, const struct lp_objects *objects);
/* {"handle", "kind", ...} of one object, of a map with its pixels also "classes". */
json_t *lp_object_json(const struct lp_object *object);
json_t *lp_objects_json(const struct lp_objects *objects); /* an array of them */

/* A whole request. A skill that fails or is not ready is no error: the answer tells. On failure the
 * conversation is as before, but for the objects that were made. */
bool lp_agent_ask(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                  struct lp_reply *reply, struct lp_error *err);

/* Only the answer to what lp_conversation_tell told last, which another has run. On failure the conversation is as before. */
bool lp_agent_answer(struct lp_agent *a, const struct lp_hooks *hooks, struct lp_reply *reply, struct lp_error *err);

/* Only the plan: nothing is run and nothing remembered. reply->results stays empty. */
bool lp_agent_plan(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                   struct lp_reply *reply, struct lp_error *err);

#endif
