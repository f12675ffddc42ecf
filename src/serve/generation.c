/* SPDX-License-Identifier: MIT */
/* serve/generation.c - worker_generate_stream of the original: a prompt with "<image>" marks and as many pictures in,
 * the prompt and what is written so far out, again and again. Defaults and limits are LLaVA's; the stop text is looked
 * for in the text, not in its tokens, of which it never ends. */
#include "serve/generation.h"

#include "base/base64.h"
#include "base/memory.h"
#include "serve/chat.h"
#include "serve/frame.h"
#include "text/template.h"
#include "text/utf8.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define TOO_LONG "Exceeds max token length. Please start a new conversation, thanks."
#define PLACEHOLDER "$$<image>$$" /* FastChat's mark for a picture */

static const json_t *given(const json_t *body, const char *key) {
    const json_t *value = json_object_get(body, key);
    return json_is_null(value) ? NULL : value;
}

static bool read_texts(const json_t *value, const char *name, const char **out, int most, int *n, struct lp_error *err) {
    bool list = json_is_array(value);
    size_t count = list ? json_array_size(value) : value != NULL;
    if (count > (size_t)most)
        return lp_error_set(err, LP_EINPUT, "'%s' has more than %d items", name, most);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(list ? json_array_get(value, i) : value);
        if (!text)
            return lp_error_set(err, LP_EINPUT, "'%s' must be a text or a list of texts", name);
        if (*text)
            out[(*n)++] = text;
    }
    return true;
}

static bool read_flag(const json_t *body, const char *key, bool fallback, bool *out, struct lp_error *err) {
    const json_t *value = given(body, key);
    *out = value ? json_is_true(value) : fallback;
    return !value || json_is_boolean(value) || lp_error_set(err, LP_EINPUT, "'%s' must be true or false", key);
}

/* Whole or not: clients send max_new_tokens as they computed it. */
static bool read_tokens(struct lp_generation *g, struct lp_error *err) {
    double most;
    if (!lp_json_number(g->body, "max_new_tokens", 256, &most, err))
        return false;
    g->most_tokens = most >= LP_GENERATION_TOKENS ? LP_GENERATION_TOKENS : most >= 1 ? (int64_t)most : 0;
    return true;
}

bool lp_generation_read(struct lp_generation *g, json_t *body, struct lp_error *err) {
    int64_t seed, any = 0;
    g->body = body;
    if (getrandom(&any, sizeof any, GRND_NONBLOCK) < 0)
        any = 0;
    if (!lp_json_string(body, "prompt", NULL, &g->prompt, err) || !lp_json_number(body, "temperature", 1, &g->temperature, err) ||
        !lp_json_number(body, "top_p", 1, &g->top_p, err) || !read_tokens(g, err) ||
        !lp_json_int(body, "seed", any & INT64_MAX, 0, INT64_MAX, &seed, err) || !read_flag(body, "echo", true, &g->echo, err) ||
        !read_texts(given(body, "stop"), "stop", g->stop, LP_GENERATION_STOPS, &g->stops, err) ||
        !read_texts(given(body, "images"), "images", g->picture, LP_GENERATION_PICTURES, &g->pictures, err))
        return false;
    g->seed = (uint64_t)seed;
    if (!g->prompt)
        return lp_error_set(err, LP_EINPUT, "'prompt' is missing");
    if (!(g->temperature >= 0 && g->temperature <= 100) || !(g->top_p >= 0 && g->top_p <= 1))
        return lp_error_set(err, LP_EINPUT, "'temperature' must be 0 to 100 and 'top_p' 0 to 1");
    return true;
}

void lp_generation_done(struct lp_generation *g) {
    json_decref(g->body);
    *g = (struct lp_generation){0};
}

/* Adds the prompt as it is tokenised: FastChat's marks become LLaVA's. */
static void add_prompt(struct lp_str *out, const char *prompt) {
    for (const char *mark; (mark = strstr(prompt, PLACEHOLDER)); prompt = mark + strlen(PLACEHOLDER)) {
        lp_str_add(out, prompt, (size_t)(mark - prompt));
        lp_str_puts(out, LP_IMAGE_TEXT "\n");
    }
    lp_str_puts(out, prompt);
}

int64_t lp_generation_count(const struct lp_planner_worker *w, const char *text) {
    struct lp_str prompt = {0};
    struct lp_ids ids = {0};
    add_prompt(&prompt, text);
    bool done = !prompt.failed && lp_tokenizer_encode_prompt(w->lmm->tokenizer, lp_str_text(&prompt), prompt.n, &ids, NULL);
    int64_t n = done ? (int64_t)ids.n : -1;
    lp_ids_done(&ids);
    lp_str_done(&prompt);
    return n;
}

/* A run of one. */
struct run {
    const struct lp_generation *g;
    struct lp_planner_worker *w;
    const struct lp_generation_listener *listener;
    struct lp_prompt prompt;
    struct lp_llava_picture *picture[LP_GENERATION_PICTURES]; /* owned */
    struct lp_str told; /* the text of the last frame, the prompt not in it */
};

static void tell(struct run *r, const char *text, int code, const char *finish, int tokens, bool last) {
    struct lp_str all = {0};
    int64_t prompt = lp_prompt_rows(&r->prompt);
    lp_str_puts(&all, r->g->echo && !code ? r->g->prompt : "");
    lp_str_puts(&all, text);
    json_t *frame = all.failed ? NULL
                               : json_pack("{s:s, s:i, s:{s:I, s:i, s:I}, s:s?}", "text", lp_str_text(&all), "error_code", code,
                                           "usage", "prompt_tokens", (json_int_t)prompt, "completion_tokens", tokens,
                                           "total_tokens", (json_int_t)prompt + tokens, "finish_reason", finish);
    r->listener->frame(r->listener->context, frame, last);
    json_decref(frame);
    lp_str_done(&all);
}

/* What of a turn can be told: its first space is the tokenizer's; a character, and a stop text, may still be half there. */
static void tell_turn(struct run *r, const struct lp_turn *turn, const char *finish) {
    const char *text = lp_str_text(&turn->text);
    size_t from = turn->text.n && text[0] == ' ', n = turn->text.n, held = 0;
    for (int i = 0; !finish && i < r->g->stops; i++) {
        size_t pending = lp_stop_pending(text + from, n - from, r->g->stop[i]);
        held = pending > held ? pending : held;
    }
    n -= held;
    for (size_t k = 1; !finish && k <= 3 && k <= n - from; k++)
        if (lp_utf8_is_cut(text + n - k, k)) {
            n -= k;
            break;
        }
    struct lp_str clean = {0};
    lp_text_clean(&clean, text + from, n - from);
    bool news = clean.n != r->told.n || finish;
    if (news && !clean.failed)
        tell(r, lp_str_text(&clean), LP_FRAME_GOOD, finish, turn->tokens, finish != NULL);
    lp_str_done(&r->told);
    r->told = clean;
}

static void grew(void *context, const struct lp_turn *turn) {
    tell_turn(context, turn, NULL);
}

static struct lp_image *read_picture(const char *text, struct lp_error *err) {
    struct lp_str bytes = {0};
    struct lp_image *image = NULL;
    if (!strncasecmp(text, "data:", 5))
        return lp_chat_picture(text, NULL, err);
    if (lp_base64_parse(&bytes, text, strlen(text)))
        image = lp_image_decode(lp_str_text(&bytes), bytes.n, "a picture", err);
    else if (bytes.failed)
        lp_error_memory(err);
    else
        lp_error_set(err, LP_EINPUT, "a picture is not base64: addresses and files are not read");
    lp_str_done(&bytes);
    return image;
}

/* Shows the planner the pictures and makes the prompt of them and the text. */
static bool prepare(struct run *r, struct lp_error *err) {
    const struct lp_generation *g = r->g;
    struct lp_lmm *lmm = r->w->lmm;
    struct lp_str text = {0};
    int64_t pixels = 0, marks = 0;
    add_prompt(&text, g->prompt);
    for (const char *at = lp_str_text(&text); (at = strstr(at, LP_IMAGE_TEXT)); at += strlen(LP_IMAGE_TEXT))
        marks++;
    bool done = !text.failed ? marks == g->pictures ||
                                   lp_error_set(err, LP_EINPUT, "the prompt has %lld " LP_IMAGE_TEXT " marks for %d pictures",
                                                (long long)marks, g->pictures)
                             : lp_error_memory(err);
    r->prompt.picture = lp_alloc_array((size_t)g->pictures + 1, sizeof *r->prompt.picture);
    done = done && (r->prompt.picture || lp_error_memory(err));
    for (int i = 0; done && i < g->pictures; i++) {
        struct lp_image *image = read_picture(g->picture[i], err);
        pixels += image ? (int64_t)image->width * image->height : 0;
        done = image && (pixels <= LP_GENERATION_PIXELS ||
                         lp_error_set(err, LP_EINPUT, "the pictures have more than %d pixels together", LP_GENERATION_PIXELS));
        done = done && (r->picture[i] = lmm->kind->see(lmm->self, image, err));
        r->prompt.picture[i] = r->picture[i];
        r->prompt.pictures = i + 1;
        lp_image_close(image);
    }
    done = done && lp_tokenizer_encode_prompt(lmm->tokenizer, lp_str_text(&text), text.n, &r->prompt.ids, err);
    lp_str_done(&text);
    return done;
}

static void write_on(struct run *r, const atomic_bool *cancel, struct lp_error *err) {
    const struct lp_generation *g = r->g;
    struct lp_rng rng;
    struct lp_turn turn = {0};
    int64_t room = r->w->lmm->context - lp_prompt_rows(&r->prompt);
    struct lp_decoding how = {.sampling = {g->temperature, g->top_p, g->seed, (int)fmin((double)g->most_tokens, (double)room)},
                              .rng = &rng,
                              .cancel = cancel,
                              .grew = grew,
                              .context = r};
    lp_rng_seed(&rng, g->seed);
    if (how.sampling.most_tokens < 1)
        tell(r, TOO_LONG, LP_FRAME_GOOD, "length", 0, true);
    else if (lp_decode_text(&r->w->decoder, &r->prompt, g->stop, g->stops, &how, &turn, err))
        tell_turn(r, &turn, turn.cut_short ? "length" : "stop");
    lp_turn_done(&turn);
}

void lp_generation_run(const struct lp_generation *g, struct lp_planner_worker *w, const atomic_bool *cancel,
                       const struct lp_generation_listener *listener) {
    struct run r = {.g = g, .w = w, .listener = listener};
    struct lp_error err = {0};
    lp_lmm_heed(w->lmm, cancel);
    if (prepare(&r, &err))
        write_on(&r, cancel, &err);
    lp_lmm_heed(w->lmm, NULL);
    if (err.code && err.code != LP_ECANCELED) {
        struct lp_str why = {0};
        lp_str_printf(&why, LP_FRAME_TROUBLE "\n\n(%s)", err.text);
        tell(&r, lp_str_text(&why), LP_FRAME_WORKER_FAILED, "error", 0, true);
        lp_str_done(&why);
    }
    lp_str_done(&r.told);
    lp_prompt_done(&r.prompt);
    for (int i = 0; i < g->pictures; i++)
        lp_llava_picture_close(r.picture[i]);
}
