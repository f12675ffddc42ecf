/* SPDX-License-Identifier: MIT */
/* plan/conversation.c - messages and objects in, prompts out; the planner's turns come back as messages.
 * Every picture is shown once, in the next request after it has come or was made. */
#include "plan/conversation.h"

#include "base/clock.h"
#include "base/memory.h"
#include "plan/remote.h"

#include <ctype.h>
#include <string.h>

enum {
    LONGEST = 1 << 16, /* bytes of an instruction */
    ROOM = 224,        /* positions that a turn should have */
    ITEMS = 12         /* of a list in a result turn */
};

bool lp_conversation_init(struct lp_conversation *c, struct lp_lmm *lmm, struct lp_error *err) {
    *c = (struct lp_conversation){.lmm = lmm};
    if (lmm->remote)
        return true;
    c->template = lmm->template ? lmm->template : lp_template_for_model(lmm->name);
    return lp_decoder_init(&c->decoder, lmm, err);
}

void lp_conversation_reset(struct lp_conversation *c) {
    lp_conversation_rewind(c, 0);
    if (c->lmm && c->lmm->remote)
        lp_remote_forget_pictures(c->lmm->remote);
    for (int i = 0; i < c->n_seen; i++)
        if (c->seen[i].owned)
            lp_llava_picture_close(c->seen[i].picture);
    c->n_seen = c->shown = 0;
    lp_objects_done(&c->objects);
    lp_arena_done(&c->arena);
    c->facts = (struct lp_facts){0};
}

void lp_conversation_done(struct lp_conversation *c) {
    lp_conversation_reset(c);
    lp_decoder_done(&c->decoder);
    lp_free(c->said);
    lp_free(c->seen);
    lp_free(c->question);
    *c = (struct lp_conversation){0};
}

struct lp_object *lp_conversation_add_picture(struct lp_conversation *c, struct lp_image *taken,
                                              struct lp_error *err) {
    c->facts.points = c->facts.boxes = 0; /* they were the last picture's */
    return lp_objects_add_image(&c->objects, taken, err);
}

void lp_conversation_rewind(struct lp_conversation *c, int n) {
    while (c->n > n) {
        const struct lp_said *s = &c->said[--c->n];
        if (s->pictures && s->first < c->shown)
            c->shown = s->first; /* the next request shows them */
        json_decref(s->told);
        lp_free(s->text);
    }
}

/* Adds a message; copies the text. */
static bool say(struct lp_conversation *c, struct lp_said said, const struct lp_str *text,
                struct lp_error *err) {
    if (c->n == c->capacity) {
        int capacity = c->capacity ? 2 * c->capacity : 16;
        struct lp_said *grown = lp_realloc(c->said, (size_t)capacity * sizeof *grown);
        if (!grown)
            return lp_error_memory(err);
        c->said = grown;
        c->capacity = capacity;
    }
    said.text = text->failed ? NULL : lp_alloc(text->n + 1);
    if (!said.text)
        return lp_error_memory(err);
    memcpy(said.text, lp_str_text(text), text->n);
    c->said[c->n++] = said;
    return true;
}

/* Adds the instruction: clean UTF-8, without "<image>" and without white space around it. */
static void add_instruction(struct lp_str *out, const char *text) {
    struct lp_str clean = {0};
    while (isspace((unsigned char)*text))
        text++;
    lp_text_clean(&clean, text, strlen(text));
    for (char *mark; clean.n && (mark = strstr(clean.s, LP_IMAGE_TEXT));) { /* also one that removing makes */
        size_t after = strlen(mark + strlen(LP_IMAGE_TEXT));
        memmove(mark, mark + strlen(LP_IMAGE_TEXT), after + 1);
        clean.n -= strlen(LP_IMAGE_TEXT);
    }
    while (clean.n && isspace((unsigned char)clean.s[clean.n - 1]))
        lp_str_cut(&clean, clean.n - 1);
    for (size_t i = 0; i < clean.n && isspace((unsigned char)clean.s[i]); i++)
        clean.s[i] = ' ';
    lp_str_puts(out, lp_str_text(&clean) + strspn(lp_str_text(&clean), " "));
    out->failed = out->failed || clean.failed;
    lp_str_done(&clean);
}

/* A line of prompts: "Input point: [..]" for one, "The input points are: [[..], [..]]" for several. */
static void add_prompts(struct lp_str *out, const float *x, int width, int n, const char *one,
                        const char *several) {
    if (!n)
        return;
    lp_str_printf(out, "\n%s: %s", n == 1 ? one : several, n == 1 ? "" : "[");
    for (int i = 0; i < n; i++) {
        lp_str_puts(out, i ? ", " : "");
        lp_format_numbers(out, x + i * width, width);
    }
    lp_str_puts(out, n == 1 ? "" : "]");
}

static void add_question(struct lp_str *out, const struct lp_request *q) {
    add_instruction(out, q->text);
    if (q->points || q->boxes || q->reference)
        lp_str_putc(out, '\n');
    add_prompts(out, q->points ? q->point[0] : NULL, 2, q->points, "Input point", "The input points are");
    add_prompts(out, q->boxes ? q->box[0] : NULL, 4, q->boxes, "Input box", "The input boxes are");
    if (q->reference && !q->reference_boxes)
        lp_str_puts(out, "\nReference image given.");
    else if (q->reference)
        add_prompts(out, q->reference_box[0], 4, q->reference_boxes, "Reference box",
                    "The reference boxes are");
}

static bool check_unit(const float *x, int n, const char *what, struct lp_error *err) {
    for (int i = 0; i < n; i++)
        if (!(x[i] >= 0 && x[i] <= 1))
            return lp_error_set(err, LP_EINPUT,
                                "a %s has the coordinate %g, but coordinates are 0 to 1 of the picture", what,
                                (double)x[i]);
    return true;
}

static bool check_request(const struct lp_conversation *c, const struct lp_request *q, struct lp_error *err) {
    if (strlen(q->text) > LONGEST)
        return lp_error_set(err, LP_EINPUT, "the instruction is longer than %d bytes", LONGEST);
    if (!q->text[strspn(q->text, " \t\r\n\v\f")])
        return lp_error_set(err, LP_EINPUT, "the instruction is empty: say what to do");
    if (q->points > LP_SYNTAX_LITERALS || q->boxes > LP_SYNTAX_LITERALS ||
        q->reference_boxes > LP_SYNTAX_LITERALS)
        return lp_error_set(err, LP_EINPUT, "more than %d points or boxes were given", LP_SYNTAX_LITERALS);
    if ((q->points || q->boxes) && !lp_objects_newest(&c->objects, LP_OBJECT_IMAGE))
        return lp_error_set(err, LP_EINPUT, "points and boxes need a picture: give one");
    if (q->reference_boxes && !q->reference)
        return lp_error_set(err, LP_EINPUT, "reference boxes need a reference picture: give one");
    return check_unit(q->points ? q->point[0] : NULL, 2 * q->points, "point", err) &&
           check_unit(q->boxes ? q->box[0] : NULL, 4 * q->boxes, "box", err) &&
           check_unit(q->reference_boxes ? q->reference_box[0] : NULL, 4 * q->reference_boxes,
                      "reference box", err);
}

/* The spelling of a point or box for the grammar; lives as long as the conversation. */
static const char *literal(struct lp_conversation *c, const float *x, int n) {
    struct lp_str text = {0};
    lp_format_numbers(&text, x, n);
    const char *copy = text.failed ? NULL : lp_arena_strdup(&c->arena, lp_str_text(&text));
    lp_str_done(&text);
    return copy;
}

/* The request's points and boxes for the grammar. They stay until new ones or another picture come. */
static bool note_marks(struct lp_conversation *c, const struct lp_request *q, struct lp_error *err) {
    struct lp_facts *f = &c->facts;
    f->points = q->points ? 0 : f->points;
    f->boxes = q->boxes ? 0 : f->boxes;
    for (int i = 0; i < q->points; i++)
        if (!(f->point[f->points++] = literal(c, q->point[i], 2)))
            return lp_error_memory(err);
    for (int i = 0; i < q->boxes; i++)
        if (!(f->box[f->boxes++] = literal(c, q->box[i], 4)))
            return lp_error_memory(err);
    return true;
}

/* What of the request the grammar must know, and its points as objects. */
static bool note_facts(struct lp_conversation *c, const struct lp_request *q, struct lp_error *err) {
    c->facts.reference = q->reference != NULL;
    c->facts.stop = c->template ? lp_template_stop(c->template) : "";
    for (int i = 0; i < q->points; i++) {
        struct lp_object *point = lp_objects_add_point(&c->objects, q->point[i][0], q->point[i][1], err);
        if (!point)
            return false;
        point->on = lp_objects_count(&c->objects, LP_OBJECT_IMAGE);
    }
    return note_marks(c, q, err);
}

bool lp_conversation_ask(struct lp_conversation *c, const struct lp_request *q, struct lp_error *err) {
    int images = lp_objects_count(&c->objects, LP_OBJECT_IMAGE);
    struct lp_str text = {0};
    if (!check_request(c, q, err) || !note_facts(c, q, err))
        return false;
    for (int i = c->shown; i < images; i++)
        lp_str_puts(&text, LP_IMAGE_TEXT "\n");
    if (q->known && *q->known)
        lp_str_printf(&text, "%s\n", q->known);
    size_t pictures_end = text.n;
    add_question(&text, q);
    lp_free(c->question);
    c->question = text.failed ? NULL : lp_alloc(text.n - pictures_end + 1);
    if (c->question)
        memcpy(c->question, lp_str_text(&text) + pictures_end, text.n - pictures_end);
    struct lp_said said = {.request = true, .first = c->shown, .pictures = images - c->shown};
    bool done = c->question ? say(c, said, &text, err) : lp_error_memory(err);
    if (done)
        c->shown = images;
    lp_str_done(&text);
    return done;
}

bool lp_conversation_recall(struct lp_conversation *c, const json_t *actions, const char *value, struct lp_error *err) {
    struct lp_str clean = {0}, text = {0};
    json_t *none = json_array();
    add_instruction(&clean, value);
    lp_plan_format(&text, "", actions ? actions : none, lp_str_text(&clean));
    text.failed = text.failed || clean.failed || !none;
    bool done = say(c, (struct lp_said){.assistant = true}, &text, err);
    json_decref(none);
    lp_str_done(&clean);
    lp_str_done(&text);
    return done;
}

bool lp_conversation_restore(struct lp_conversation *c, const struct lp_said *said, const struct lp_request *marks,
                             struct lp_error *err) {
    struct lp_str text = {0};
    struct lp_said copy = *said;
    lp_str_puts(&text, said->text);
    copy.told = json_incref(said->told);
    bool done = say(c, copy, &text, err);
    lp_str_done(&text);
    if (!done) {
        json_decref(copy.told);
        return false;
    }
    if (said->pictures && said->first + said->pictures > c->shown)
        c->shown = said->first + said->pictures;
    return !marks || note_marks(c, marks, err);
}

/* The object of image number n (from 0). */
static const struct lp_image *image_at(const struct lp_conversation *c, int n) {
    for (int i = 0; i < c->objects.n; i++)
        if (c->objects.item[i]->kind == LP_OBJECT_IMAGE && c->objects.item[i]->number == n + 1)
            return c->objects.item[i]->picture;
    return NULL;
}

static bool same_image(const struct lp_image *a, const struct lp_image *b) {
    return a->width == b->width && a->height == b->height &&
           !memcmp(a->pixel, b->pixel, (size_t)a->width * (size_t)a->height * 3);
}

/* What the planner sees of image n; encoded when first needed, equal pictures once. */
static const struct lp_llava_picture *see(struct lp_conversation *c, int n, struct lp_error *err) {
    while (c->n_seen <= n) {
        const struct lp_image *image = image_at(c, c->n_seen);
        struct lp_seen *grown = lp_realloc(c->seen, (size_t)(c->n_seen + 1) * sizeof *grown);
        if (!grown) {
            lp_error_memory(err);
            return NULL;
        }
        c->seen = grown;
        struct lp_seen seen = {.owned = true};
        for (int i = 0; i < c->n_seen && !seen.picture; i++)
            if (same_image(image, image_at(c, i)))
                seen = (struct lp_seen){.picture = c->seen[i].picture, .owned = false};
        if (!seen.picture) {
            double began_ms = lp_clock_ms();
            seen.picture = c->lmm->kind->see(c->lmm->self, image, err);
            c->looks_ms += lp_clock_ms() - began_ms;
            c->looks++;
        }
        if (!seen.picture)
            return NULL;
        c->seen[c->n_seen++] = seen;
    }
    return c->seen[n].picture;
}

/* The prompt of the messages from number `from` on and an open turn. */
static bool build(struct lp_conversation *c, int from, struct lp_prompt *prompt, struct lp_error *err) {
    *prompt = (struct lp_prompt){0};
    int n = c->n - from, pictures = 0;
    for (int i = from; i < c->n; i++)
        pictures += c->said[i].pictures;
    struct lp_message *message = lp_alloc_array((size_t)n + 1, sizeof *message);
    prompt->picture = lp_alloc_array((size_t)pictures + 1, sizeof *prompt->picture);
    struct lp_str text = {0};
    bool done = message && prompt->picture;
    for (int i = 0; done && i < n; i++) {
        const struct lp_said *s = &c->said[from + i];
        message[i] = (struct lp_message){s->text, s->assistant};
        for (int k = 0; done && k < s->pictures; k++)
            done = (prompt->picture[prompt->pictures++] = see(c, s->first + k, err)) != NULL;
    }
    if (!message || !prompt->picture)
        lp_error_memory(err);
    if (done) {
        message[n].assistant = true;
        lp_template_format(c->template, message, (size_t)n + 1, &text);
        done = text.failed ? lp_error_memory(err)
                           : lp_tokenizer_encode_prompt(c->lmm->tokenizer, lp_str_text(&text), text.n,
                                                        &prompt->ids, err);
    }
    lp_str_done(&text);
    lp_free(message);
    if (!done)
        lp_prompt_done(prompt);
    return done;
}

static int next_request(const struct lp_conversation *c, int from) {
    while (from < c->n && !c->said[from].request)
        from++;
    return from;
}

/* Drops the oldest exchange; a picture is shown again when it was the last that any message shows. False:
 * there is only the current one, or no memory for that. */
static bool drop_oldest(struct lp_conversation *c) {
    int k = next_request(c, 1), last = -1;
    if (k >= c->n)
        return false;
    for (int i = 0; i < c->n; i++)
        if (c->said[i].pictures)
            last = i;
    if (last >= 0 && last < k) {
        struct lp_said *s = &c->said[k];
        char *text = lp_alloc(strlen(s->text) + sizeof LP_IMAGE_TEXT "\n");
        if (!text)
            return false;
        strcpy(text, LP_IMAGE_TEXT "\n");
        strcat(text, s->text);
        lp_free(s->text);
        s->text = text;
        s->first = c->said[last].first + c->said[last].pictures - 1;
        s->pictures = 1;
    }
    for (int i = 0; i < k; i++) {
        json_decref(c->said[i].told);
        lp_free(c->said[i].text);
    }
    memmove(c->said, c->said + k, (size_t)(c->n - k) * sizeof *c->said);
    c->n -= k;
    return true;
}

/* The prompt of the whole conversation, or of as much of it as fits. */
static bool build_fitting(struct lp_conversation *c, struct lp_prompt *prompt, struct lp_error *err) {
    for (;;) {
        if (!build(c, 0, prompt, err))
            return false;
        int64_t rows = lp_prompt_rows(prompt);
        if (rows + ROOM <= c->lmm->context)
            return true;
        lp_prompt_done(prompt);
        if (!drop_oldest(c))
            return lp_error_set(err, LP_EINPUT,
                                "the request takes %lld of the planner's %lld positions, which leaves "
                                "no room for an answer: shorten it or give fewer pictures",
                                (long long)rows, (long long)c->lmm->context);
    }
}

/* The result turn, with `most` items of each list, showing the pictures up to number `images`. */
static bool say_results(struct lp_conversation *c, const struct lp_outcome *outcome, int n, int most, int images,
                        struct lp_error *err) {
    struct lp_said said = {.first = c->shown, .pictures = images - c->shown};
    struct lp_str text = {0};
    if (c->lmm->remote && !(said.told = lp_remote_results(outcome, n)))
        return lp_error_memory(err);
    for (int i = c->shown; i < images; i++)
        lp_str_puts(&text, LP_IMAGE_TEXT "\n");
    lp_result_turn(&text, outcome, n, c->question, most, c->lmm->remote || c->lmm->knows_handles);
    bool done = say(c, said, &text, err);
    if (done)
        c->shown = images;
    else
        json_decref(said.told);
    lp_str_done(&text);
    return done;
}

bool lp_conversation_tell(struct lp_conversation *c, const struct lp_outcome *outcome, int n, bool show,
                          struct lp_error *err) {
    bool fits = false;
    int last = c->n - 1, images = lp_objects_count(&c->objects, LP_OBJECT_IMAGE);
    if (c->lmm->remote) /* gets all results, call by call, and sees at once what skills made */
        return say_results(c, outcome, n, LP_REMOTE_ITEMS, images, err);
    while (last > 0 && !c->said[last].request)
        last--;
    for (int most = ITEMS; !fits; most = most > 1 ? most / 3 : most - 1) {
        struct lp_prompt prompt;
        if (!say_results(c, outcome, n, most, show ? images : c->shown, err) || !build(c, last, &prompt, err))
            return false;
        fits = most == 0 || lp_prompt_rows(&prompt) + ROOM <= c->lmm->context;
        lp_prompt_done(&prompt);
        if (!fits)
            lp_conversation_rewind(c, c->n - 1);
    }
    return true;
}

/* Adds the turn as later prompts show it. Planners that know handles are ours and are trained on the line
 * feed that ends a turn; the published ones were served without it. */
static bool remember(struct lp_conversation *c, const struct lp_turn *turn, struct lp_error *err) {
    struct lp_str text = {0};
    const char *from = lp_str_text(&turn->text);
    size_t n = turn->text.n;
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    while (n && isspace((unsigned char)*from)) {
        from++;
        n--;
    }
    lp_text_clean(&text, from, n); /* a token may have ended within a character */
    if (c->lmm->knows_handles)
        lp_str_putc(&text, '\n');
    bool done = say(c, (struct lp_said){.assistant = true}, &text, err);
    lp_str_done(&text);
    return done;
}

/* As much of the conversation as the server takes. */
static bool write_remotely(struct lp_conversation *c, bool answer, const struct lp_decoding *how,
                           struct lp_turn *turn, struct lp_error *err) {
    bool done, too_long;
    do {
        lp_turn_done(turn);
        done = lp_remote_write(c->lmm->remote, c, answer, how, turn, &too_long, err);
    } while (!done && too_long && drop_oldest(c));
    return done && remember(c, turn, err);
}

static bool write_here(struct lp_conversation *c, bool answer, const struct lp_decoding *how, struct lp_turn *turn,
                       struct lp_error *err) {
    struct lp_prompt prompt;
    struct lp_syntax syntax;
    if (!build_fitting(c, &prompt, err))
        return false;
    for (int kind = 0; kind < LP_OBJECT_KINDS; kind++)
        c->facts.have[kind] = lp_objects_count(&c->objects, (enum lp_object_kind)kind);
    c->facts.no_tools = answer;
    c->facts.space = lp_template_spaced(c->template);
    bool done = lp_syntax_init(&syntax, &c->facts, err);
    if (done) {
        done = lp_decode(&c->decoder, &prompt, &syntax, how, turn, err) && remember(c, turn, err);
        lp_syntax_done(&syntax);
    }
    lp_prompt_done(&prompt);
    return done;
}

bool lp_conversation_write(struct lp_conversation *c, bool answer, const struct lp_decoding *how,
                           struct lp_turn *turn, struct lp_error *err) {
    *turn = (struct lp_turn){0};
    if (c->lmm->remote)
        return write_remotely(c, answer, how, turn, err);
    lp_lmm_heed(c->lmm, how->cancel);
    bool done = write_here(c, answer, how, turn, err);
    lp_lmm_heed(c->lmm, NULL);
    return done;
}
