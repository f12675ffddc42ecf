/* SPDX-License-Identifier: MIT */
/* llava_plus.h - the public interface of libllavaplus: an assistant that looks at pictures, plans which
 * skills to use, runs them and answers.
 *
 *     struct lp_error err = {LP_OK, ""};
 *     struct lp_settings settings;
 *     struct lp_question question;
 *     lp_settings_defaults(&settings);
 *     lp_question_defaults(&question);
 *     question.text = "What does the sign say?";
 *     struct lp_image *image = lp_image_open("sign.jpg", &err);
 *     struct lp_assistant *assistant = image ? lp_assistant_open(&settings, &err) : NULL;
 *     char *reply = NULL;
 *     if (assistant && lp_assistant_show(assistant, image, &err))
 *         reply = lp_assistant_ask(assistant, &question, NULL, NULL, &err);
 *     puts(reply ? reply : err.text);
 *     lp_text_free(reply);
 *     lp_assistant_close(assistant);
 *     lp_image_close(image);
 *
 * Ownership: *borrowed* is valid until the named moment, *owned by caller* must be given back, *copied* stays
 * the caller's. Close and free functions take NULL. Texts are UTF-8 and end with NUL. The library never
 * prints, exits or aborts. */
#ifndef LLAVA_PLUS_H
#define LLAVA_PLUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LP_API __attribute__((visibility("default")))

/* ---- Errors ---- */

/* Kinds of error. LP_EUSAGE exits the command line with 2, every other with 1. */
enum lp_code {
    LP_OK = 0,
    LP_EUSAGE,    /* the caller asked for something that makes no sense */
    LP_EINPUT,    /* a file, picture, prompt or request is malformed */
    LP_EIO,       /* reading or writing failed */
    LP_EMEMORY,   /* out of memory, or over a limit */
    LP_ESHAPE,    /* tensors do not fit each other */
    LP_EMISSING,  /* weights, a file or a skill are not there */
    LP_ECANCELED, /* the caller asked to stop */
    LP_EINTERNAL  /* a bug of ours */
};

/* Filled by every call that fails. The caller's; zero it before use; may be NULL where taken. */
struct lp_error {
    enum lp_code code;
    char text[252]; /* one sentence: what is wrong and what to do, no trailing newline */
};

/* "0.1.0". Static. */
LP_API const char *lp_version(void);

/* Gives back a text that is *owned by caller*. Any thread. */
LP_API void lp_text_free(char *text);

/* ---- Pictures: 8-bit RGB [height,width,3] ---- */

struct lp_image; /* constant once made: threads may share it */

/* Reads JPEG, PNG, WebP, GIF or TIFF from a file; "-" is standard input. Orientation and colour profile are
 * applied. Returns the picture, owned by caller (lp_image_close), or NULL: LP_EIO (cannot be read), LP_EINPUT
 * (no whole picture of a known kind), LP_EMEMORY. Any thread. */
LP_API struct lp_image *lp_image_open(const char *path, struct lp_error *err);

/* The same from n bytes, borrowed during the call. `name` names them in errors. */
LP_API struct lp_image *lp_image_decode(const void *bytes, size_t n, const char *name, struct lp_error *err);

/* A picture from pixels [height,width,3], copied. NULL: LP_EUSAGE (sizes), LP_EMEMORY. Owned by caller. */
LP_API struct lp_image *lp_image_from_pixels(const uint8_t *pixel, int width, int height,
                                             struct lp_error *err);

/* Its pixels [height,width,3] without padding, borrowed until lp_image_close; the sizes in pixels to where
 * the pointers show (NULL: not wanted). */
LP_API const uint8_t *lp_image_pixels(const struct lp_image *image, int *width, int *height);

/* Writes a file whose kind its name tells: .png .jpg .jpeg .webp. It appears whole or not at all. False:
 * LP_EUSAGE (another ending), LP_EIO, LP_EMEMORY. */
LP_API bool lp_image_save(const struct lp_image *image, const char *path, struct lp_error *err);

LP_API void lp_image_close(struct lp_image *image);

/* ---- The assistant: one conversation ---- */

struct lp_assistant; /* for one thread at a time, but for lp_assistant_cancel */

struct lp_settings {
    const char *model;  /* planner's folder or GGUF file; NULL: $LLAVA_PLUS_MODEL, else the one that comes
                           with the program */
    double temperature; /* 0 and up; below 0.001 always takes the most likely token */
    double top_p;       /* 0..1; samples from the most likely tokens that together have this share */
    uint64_t seed;      /* of the sampling */
    int most_tokens;    /* of one turn */
    const char *mmproj; /* picture encoder of a GGUF model or an original folder; NULL: what is found beside it */
    void *reserved[7];
};

/* NULL, 0, 1, 0, 512, NULL. Always begin with it: later versions may add settings. */
LP_API void lp_settings_defaults(struct lp_settings *settings);

/* Reads the planner and begins a conversation. settings: borrowed during the call; NULL: the defaults.
 * Returns it, owned by caller (lp_assistant_close), or NULL: LP_EMISSING and LP_EIO (no such model),
 * LP_EINPUT (a malformed one), LP_EMEMORY. */
LP_API struct lp_assistant *lp_assistant_open(const struct lp_settings *settings, struct lp_error *err);
LP_API void lp_assistant_close(struct lp_assistant *assistant);

/* Begins a new conversation with the same planner: no messages, no objects. */
LP_API void lp_assistant_reset(struct lp_assistant *assistant);

/* Adds a picture, copied, that the next question shows. Returns its handle ("img_1"), borrowed until reset or
 * close, or NULL: LP_EMEMORY. */
LP_API const char *lp_assistant_show(struct lp_assistant *assistant, const struct lp_image *image,
                                     struct lp_error *err);

/* What to ask; all borrowed during the call. Coordinates are 0..1 of the newest picture. */
struct lp_question {
    const char *text;         /* the instruction */
    const float (*points)[2]; /* [point_count,2] x y: where the user points; NULL: none */
    size_t point_count;
    const float (*boxes)[4]; /* [box_count,4] x0 y0 x1 y1; NULL: none */
    size_t box_count;
    const struct lp_image *reference;  /* shows what to look for; NULL: none */
    const float (*reference_boxes)[4]; /* [reference_box_count,4], 0..1 of the reference */
    size_t reference_box_count;
    void *reserved[8];
};
LP_API void lp_question_defaults(struct lp_question *question); /* all empty */

enum lp_event_kind {
    LP_EVENT_THOUGHTS = 1, /* text: what the planner thinks */
    LP_EVENT_PLAN,         /* text: JSON [{"API_name", "API_params"}, ..] */
    LP_EVENT_SKILL,        /* text: the name of the skill that starts now */
    LP_EVENT_RESULT,       /* text: JSON {"API_name", "status", "message" or "result"} */
    LP_EVENT_ANSWER, /* text: the next piece of the answer, whole characters; all pieces are the answer */
    LP_EVENT_TURN    /* text: a whole message of the dialogue between planner and skills, for debugging */
};

struct lp_event {
    enum lp_event_kind kind;
    const char *text; /* borrowed during the callback */
};

/* Called on the asking thread. It may call lp_assistant_cancel and nothing else of the same assistant. */
typedef void lp_event_callback(void *context, const struct lp_event *event);

/* Asks, runs the skills that the planner wants, and answers. callback: NULL for none. Returns JSON, owned by
 * caller (lp_text_free):
 *   {"thoughts": "..", "actions": [{"API_name": "..", "API_params": {..}}, ..], "skills": ["ocr", ..],
 *    "results": [{"API_name", "skill", "status": "done" | "not ready" | "failed", "message", "result"}, ..],
 *    "value": "the answer", "objects": [{"handle": "text_1", "kind": "text", "text": ".."}, ..]}
 * A skill that fails or is not ready is no error: the answer says so. NULL: LP_EINPUT (the question makes no
 * sense or does not fit), LP_ECANCELED, LP_EMEMORY; the conversation is then as before. */
LP_API char *lp_assistant_ask(struct lp_assistant *assistant, const struct lp_question *question,
                              lp_event_callback *callback, void *context, struct lp_error *err);

/* Only the plan: nothing is run, nothing remembered. JSON with thoughts, actions, skills and value. Errors
 * and ownership as lp_assistant_ask. */
LP_API char *lp_assistant_plan(struct lp_assistant *assistant, const struct lp_question *question,
                               struct lp_error *err);

/* Makes the question that is being answered, or else the next one, end soon with LP_ECANCELED. From any
 * thread. */
LP_API void lp_assistant_cancel(struct lp_assistant *assistant);

/* What the conversation holds: a JSON array as "objects" above. Owned by caller (lp_text_free); NULL:
 * LP_EMEMORY. */
LP_API char *lp_assistant_objects(const struct lp_assistant *assistant, struct lp_error *err);

/* The picture of a handle: a picture, a mask (white inside) or a map of classes (grey value = class). Owned
 * by caller (lp_image_close); NULL: LP_EMISSING (no such object, or none with pixels), LP_EMEMORY. */
LP_API struct lp_image *lp_assistant_image(const struct lp_assistant *assistant, const char *handle,
                                           struct lp_error *err);

/* ---- Skills alone ---- */

/* All skills: JSON [{"name", "api_name", "about", "ready", "lacks", "params": JSON Schema}, ..]. Owned by
 * caller (lp_text_free); NULL: LP_EMEMORY. Any thread. */
LP_API char *lp_skills_list(struct lp_error *err);

/* Runs one skill by name or alias. image: borrowed, may be NULL where the skill needs none. params: a JSON
 * object, NULL:
 * {}. Returns JSON, boxes x0 y0 x1 y1 in pixels of the picture; owned by caller (lp_text_free). NULL:
 * LP_EUSAGE (no such skill), LP_EINPUT (parameters, picture), LP_EMISSING (not ready), LP_EMEMORY. Any
 * thread. */
LP_API char *lp_skills_run(const char *name, const struct lp_image *image, const char *params,
                           struct lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
