/* SPDX-License-Identifier: MIT */
/* A conversation between a user and a planner: its messages, its objects, what the model has seen of it. */
#ifndef LP_PLAN_CONVERSATION_H
#define LP_PLAN_CONVERSATION_H

#include "image/image.h"
#include "plan/action.h"
#include "plan/decode.h"
#include "skill/object.h"
#include "text/template.h"

/* What a user asks. All borrowed. Coordinates 0..1 of the newest picture. */
struct lp_request {
    const char *text; /* the instruction */
    const char *known; /* lines of results that stand before it; NULL: none */
    const float (*point)[2];
    const int *point_label; /* of each point: 1 where it is on the thing, 0 where not; NULL: they are several things */
    int points;
    const float (*box)[4];
    int boxes;
    const struct lp_image *reference; /* for segment_like; NULL: none */
    const float (*reference_box)[4];  /* 0..1 of the reference */
    int reference_boxes;
};

/* One message with the pictures that it shows: the image objects first + 1 .. first + pictures. */
struct lp_said {
    char *text;              /* with an "<image>" for each picture */
    bool assistant, request; /* request: a user's own message, not a result turn */
    int first, pictures;
    json_t *told; /* a result turn for a server: what each call gave, a text a call; else NULL. Owned */
};

/* What the planner sees of an image object; several objects of equal content share one. */
struct lp_seen {
    struct lp_llava_picture *picture;
    bool owned;
};

/* A result turn's part: what one call gave. */
struct lp_outcome {
    const char *api_name;
    const json_t *result; /* dict for the planner; NULL: message tells */
    const char *message;  /* "The sam is not ready ..." */
};

struct lp_conversation {
    struct lp_lmm *lmm; /* borrowed */
    const struct lp_template *template;
    struct lp_decoder decoder;
    struct lp_objects objects;
    struct lp_said *said;
    int n, capacity;
    struct lp_seen *seen;  /* by number of the image object - 1 */
    int n_seen, shown;     /* image objects encoded; image objects that some message shows */
    int looks;             /* pictures that the model has looked at since lp_conversation_init, */
    double looks_ms;       /* and how long that took */
    struct lp_facts facts; /* for the grammar */
    struct lp_arena arena; /* what facts borrow */
    char *question;        /* the current request's text without its pictures */
};

bool lp_conversation_init(struct lp_conversation *c, struct lp_lmm *lmm, struct lp_error *err);
void lp_conversation_done(struct lp_conversation *c);
/* Begins anew; what the model holds of the prompt's beginning stays useful. */
void lp_conversation_reset(struct lp_conversation *c);

/* Adds a picture that the next request will show; takes it, also on failure. Returns the object, borrowed. */
struct lp_object *lp_conversation_add_picture(struct lp_conversation *c, struct lp_image *taken,
                                              struct lp_error *err);

/* Adds the user's message, with the pictures that no message has shown yet. An empty text, coordinates
 * outside 0..1 and what does not fit are LP_EINPUT. */
bool lp_conversation_ask(struct lp_conversation *c, const struct lp_request *request, struct lp_error *err);

/* Adds a turn that the planner, or another, gave to the last message: for a conversation told anew. `actions`: what it wanted
 * run, as in struct lp_plan; NULL: nothing, it is an answer. */
bool lp_conversation_recall(struct lp_conversation *c, const json_t *actions, const char *value, struct lp_error *err);

/* Adds a message as it was before: for a conversation that was kept elsewhere. Copies what it is given. `marks`, of a
 * request: its points and boxes, which later plans may name; NULL: none. */
bool lp_conversation_restore(struct lp_conversation *c, const struct lp_said *said, const struct lp_request *marks,
                             struct lp_error *err);

/* Adds the human message that tells the results of the last plan, in order. `show`: with the pictures that no message has
 * shown yet, as a planner on a server always gets them; a model is trained to see them with the next request. */
bool lp_conversation_tell(struct lp_conversation *c, const struct lp_outcome *outcome, int n, bool show,
                          struct lp_error *err);

/* Lets the planner write its turn and adds it. `answer`: without actions. Older messages are dropped when the
 * context would overflow. `turn` as in lp_decode (lp_turn_done); on failure no message is added. */
bool lp_conversation_write(struct lp_conversation *c, bool answer, const struct lp_decoding *how,
                           struct lp_turn *turn, struct lp_error *err);

/* Forgets the messages from number n on, after a failure. Objects stay. */
void lp_conversation_rewind(struct lp_conversation *c, int n);

/* The lines of results, and the text of a result turn; `most` items of each list. Out of memory shows in out->failed. */
void lp_result_lines(struct lp_str *out, const struct lp_outcome *outcome, int n, int most, bool handles);
void lp_result_turn(struct lp_str *out, const struct lp_outcome *outcome, int n, const char *question,
                    int most, bool handles);

/* "[0.45, 0.9]": numbers as prompts and plans have them, rounded to two decimals. */
void lp_format_numbers(struct lp_str *out, const float *x, int n);

#endif
