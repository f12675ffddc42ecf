/* SPDX-License-Identifier: MIT */
/* cli/cmd_eval_scenes.c - llava-plus eval scenes, eval answers: questions about pictures whose content is known, and about
 * what a detector finds in them. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/cmd_eval.h"
#include "cli/options.h"
#include "cli/planner.h"
#include "cli/progress.h"
#include "data/results.h"
#include "eval/answer_score.h"
#include "eval/played.h"
#include "eval/scene_score.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct eval_scenes {
    struct lp_planner_flags flags;
    const char *scenes, *skills, *json, *misses;
    int64_t count, seed;
    double least[LP_QUESTION_KINDS], most_wrong, least_right;
    struct lp_planner planner;
    struct lp_played *played; /* NULL: the skills themselves */
    struct lp_scene_score score;
    struct lp_answer_score answers;
    struct lp_str missed; /* JSONL */
};

/* expected NULL: it is not told. */
static bool note_miss(struct eval_scenes *e, const struct lp_truth_picture *p, const char *question, const char *expected,
                      const char *answer, struct lp_error *err) {
    json_t *miss = json_pack("{s:s, s:s, s:s*, s:s}", "image", p->file, "question", question, "expected", expected, "answer", answer);
    char *text = miss ? lp_json_text(miss) : NULL;
    if (text)
        lp_str_printf(&e->missed, "%s\n", text);
    bool done = text && !e->missed.failed;
    lp_free(text);
    json_decref(miss);
    return done || lp_error_memory(err);
}

static bool mark(struct eval_scenes *e, const struct lp_truth *t, const struct lp_truth_picture *p, const struct lp_quiz *q,
                 const char *answer, struct lp_error *err) {
    struct lp_naming naming;
    if (q->kind != LP_ASK_CAPTION) {
        bool right = lp_quiz_right(q, answer);
        lp_scene_score_add(&e->score, q, right);
        return right || note_miss(e, p, q->text, q->answer, answer, err);
    }
    if (!lp_caption_check(t, p, answer, &naming))
        return lp_error_memory(err);
    lp_scene_score_caption(&e->score, &naming);
    return (naming.found == naming.there && !naming.wrong) || note_miss(e, p, q->text, q->answer, answer, err);
}

/* A new conversation about a picture; rng: of the questions about it. */
static bool begin(struct eval_scenes *e, const struct lp_truth_picture *p, struct lp_rng *rng, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_agent *a = &e->planner.agent;
    lp_rng_seed(rng, (uint64_t)e->seed * 1000003 + (uint64_t)p->id);
    lp_conversation_reset(&a->talk);
    if (e->played)
        lp_played_picture(e->played, p, (uint64_t)e->seed + (uint64_t)p->id);
    struct lp_image *image = lp_file_join(path, sizeof path, e->scenes, p->file, err) ? lp_image_open(path, err) : NULL;
    return image && lp_conversation_add_picture(&a->talk, image, err);
}

/* All questions about one picture, each in a conversation of its own. */
static bool ask(struct eval_scenes *e, const struct lp_truth *t, const struct lp_truth_picture *p, struct lp_error *err) {
    struct lp_rng rng;
    struct lp_quiz question[LP_QUESTIONS];
    struct lp_agent *a = &e->planner.agent;
    bool done = begin(e, p, &rng, err);
    int n = done ? lp_quiz_make(t, p, a->tools == LP_TOOLS_NONE, &rng, question) : 0;
    for (int i = 0; done && i < n; i++) {
        struct lp_request request = {.text = question[i].text};
        struct lp_reply reply;
        done = lp_agent_ask(a, &request, NULL, &reply, err) && mark(e, t, p, &question[i], reply.value, err);
        lp_reply_done(&reply);
        if (done)
            lp_conversation_rewind(&a->talk, 0);
    }
    return done;
}

/* Whether the one skill that a reply called is the detector, which looked. */
static bool looked(const struct lp_reply *reply) {
    const json_t *result = json_array_get(reply->results, 0);
    const char *skill = json_string_value(json_object_get(result, "skill")), *status = json_string_value(json_object_get(result, "status"));
    return json_array_size(reply->results) == 1 && skill && status && !strcmp(skill, "detect") && !strcmp(status, "done");
}

/* The boxes of a conversation that are no weak guesses; returns how many. */
static int sure_boxes(const struct lp_objects *objects, float (*box)[4], int most) {
    int n = 0;
    for (int i = 0; i < objects->n; i++) {
        const struct lp_object *o = objects->item[i];
        if (o->kind == LP_OBJECT_BOX && o->score >= LP_DOUBTFUL / 100.0F && n < most)
            memcpy(box[n++], o->box, sizeof *box);
    }
    return n;
}

/* One request to a detector about a picture. */
static bool ask_detector(struct eval_scenes *e, const struct lp_truth *t, const struct lp_truth_picture *p, struct lp_error *err) {
    enum { BOXES = 256 };
    float box[BOXES][4];
    struct lp_rng rng;
    struct lp_str text = {0};
    struct lp_agent *a = &e->planner.agent;
    struct lp_reply reply = {0};
    bool done = begin(e, p, &rng, err);
    if (done)
        lp_answer_ask(t, p, &rng, &text);
    struct lp_request request = {.text = lp_str_text(&text)};
    done = done && (!text.failed || lp_error_memory(err)) && lp_agent_ask(a, &request, NULL, &reply, err);
    e->answers.asked += done;
    if (done && looked(&reply) && !lp_answer_score_add(&e->answers, reply.value, box, sure_boxes(&a->talk.objects, box, BOXES)))
        done = note_miss(e, p, request.text, NULL, reply.value, err);
    lp_reply_done(&reply);
    lp_str_done(&text);
    return done;
}

typedef bool asking(struct eval_scenes *e, const struct lp_truth *t, const struct lp_truth_picture *p, struct lp_error *err);

static bool play_skills(struct eval_scenes *e, const struct lp_truth *t, struct lp_error *err) {
    bool perfect = !strcmp(e->skills, "perfect");
    if (!strcmp(e->skills, "real"))
        return true;
    if (!perfect && strcmp(e->skills, "imperfect"))
        return lp_error_set(err, LP_EUSAGE, "skills are 'real', 'perfect' or 'imperfect', not '%s'", e->skills);
    if ((e->played = lp_played_open(t, !perfect, err)))
        e->planner.agent.play = lp_played_play(e->played);
    return e->played;
}

static bool measure(struct eval_scenes *e, asking *one, struct lp_error *err) {
    struct lp_truth *t = e->scenes ? lp_truth_open(e->scenes, err) : NULL;
    if (!e->scenes)
        lp_error_set(err, LP_EUSAGE, "say with --scenes DIR which pictures to ask about");
    bool done = t && lp_planner_open(&e->planner, &e->flags, err) && play_skills(e, t, err);
    int64_t n = t ? (e->count && e->count < t->pictures ? e->count : t->pictures) : 0;
    double told_ms = 0;
    for (int64_t i = 0; done && i < n; i++) {
        done = one(e, t, &t->picture[i], err);
        lp_progress_show(i + 1, n, "pictures", &told_ms);
    }
    lp_planner_close(&e->planner);
    lp_played_close(e->played);
    lp_truth_close(t);
    return done;
}

/* Prints the table; takes json, NULL where none is wanted. */
static bool report(const struct eval_scenes *e, struct lp_str *table, json_t *json, struct lp_error *err) {
    bool done = !e->json || lp_json_save(e->json, json, err);
    json_decref(json);
    done = done && (!e->misses || lp_file_write(e->misses, lp_str_text(&e->missed), e->missed.n, err));
    return done ? lp_eval_print(table, err) : (lp_str_done(table), false);
}

static bool good_enough(const struct eval_scenes *e, struct lp_error *err) {
    for (int k = 0; k < LP_QUESTION_KINDS; k++) {
        double rate = k == LP_ASK_CAPTION ? lp_scene_score_named(&e->score) : lp_scene_score_rate(&e->score, (enum lp_quiz_kind)k);
        if (rate < e->least[k])
            return lp_error_set(err, LP_EINPUT, "%s: %.4f is below %.4f", lp_quiz_names[k], rate, e->least[k]);
    }
    double wrong = lp_scene_score_wrong(&e->score);
    return wrong <= e->most_wrong ||
           lp_error_set(err, LP_EINPUT, "captions: %.4f of what they name is not there, more than %.4f", wrong, e->most_wrong);
}

enum { SHARED = 7 };

/* What both commands take, at the beginning and at the end of their help. */
static void shared_options(struct eval_scenes *e, struct lp_option o[SHARED]) {
    const struct lp_option shared[SHARED] = {
        {"scenes", 0, "DIR", "pictures with their truth, as `data scenes` writes them", LP_OPTION_STRING, NULL, &e->scenes, 0, 0},
        {"model", 'm', "PATH", "the planner: a model folder or a GGUF file (else $LLAVA_PLUS_MODEL, else the nano planner)",
         LP_OPTION_STRING, NULL, &e->flags.model, 0, 0},
        {"mmproj", 0, "PATH", "the picture encoder of a GGUF model or an original folder (else what is found beside it)", LP_OPTION_STRING, NULL,
         &e->flags.mmproj, 0, 0},
        {"count", 'n', "N", "only the first N pictures; 0: all", LP_OPTION_INT, "0", &e->count, 0, 1e9},
        {"seed", 0, "N", "of the questions", LP_OPTION_INT, "1", &e->seed, 0, 4294967295.0},
        {"json", 0, "OUT", "write the numbers to this file", LP_OPTION_STRING, NULL, &e->json, 0, 0},
        {"misses", 0, "FILE", "write what was answered wrongly, one JSON object a line", LP_OPTION_STRING, NULL, &e->misses, 0, 0},
    };
    memcpy(o, shared, sizeof shared);
}

int lp_cmd_eval_scenes(int argc, char **argv) {
    struct eval_scenes e = {.flags = {.top_p = 1, .most_tokens = 200}};
    struct lp_option shared[SHARED], cache[LP_CACHE_OPTIONS];
    shared_options(&e, shared);
    lp_cache_options(&e.flags, cache);
    const struct lp_option options[] = {
        shared[0], shared[1], shared[2],
        {"tools", 0, "WHICH", "none: answers from the picture alone; fly; all", LP_OPTION_STRING, "none", &e.flags.tools, 0, 0},
        {"skills", 0, "WHICH", "real; perfect or imperfect: played from the truth", LP_OPTION_STRING, "imperfect", &e.skills, 0, 0},
        shared[3], shared[4], shared[5], shared[6],
        {"least-presence", 0, "R", "fail below this rate", LP_OPTION_FLOAT, "0", &e.least[LP_ASK_PRESENCE], 0, 1},
        {"least-count", 0, "R", "fail below this rate", LP_OPTION_FLOAT, "0", &e.least[LP_ASK_COUNT], 0, 1},
        {"least-color", 0, "R", "fail below this rate", LP_OPTION_FLOAT, "0", &e.least[LP_ASK_COLOR], 0, 1},
        {"least-relation", 0, "R", "fail below this rate", LP_OPTION_FLOAT, "0", &e.least[LP_ASK_RELATION], 0, 1},
        {"least-named", 0, "R", "fail when captions name less of what is there", LP_OPTION_FLOAT, "0", &e.least[LP_ASK_CAPTION], 0, 1},
        {"most-wrong", 0, "R", "fail when more of what captions name is not there", LP_OPTION_FLOAT, "1", &e.most_wrong, 0, 1},
        cache[0], cache[1], cache[2],
        {0}};
    const struct lp_usage usage = {"eval scenes", "--scenes DIR [options]",
                                   "Asks what pictures show whose content is known: presence, count, colour, relation, caption.",
                                   options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    struct lp_str table = {0};
    bool done = measure(&e, ask, &err);
    if (done)
        lp_scene_score_table(&e.score, &table);
    done = done && report(&e, &table, e.json ? lp_scene_score_json(&e.score) : NULL, &err) && good_enough(&e, &err);
    lp_str_done(&e.missed);
    return done ? 0 : lp_command_fail("eval scenes", &err);
}

int lp_cmd_eval_answers(int argc, char **argv) {
    struct eval_scenes e = {.flags = {.top_p = 1, .most_tokens = 200, .tools = "fly"}};
    struct lp_option shared[SHARED];
    shared_options(&e, shared);
    const struct lp_option options[] = {
        shared[0], shared[1], shared[2],
        {"skills", 0, "WHICH", "real; perfect or imperfect: played from the truth", LP_OPTION_STRING, "real", &e.skills, 0, 0},
        shared[3], shared[4], shared[5], shared[6],
        {"least-right", 0, "R", "fail when fewer of the answers are right", LP_OPTION_FLOAT, "0", &e.least_right, 0, 1},
        {0}};
    const struct lp_usage usage = {"eval answers", "--scenes DIR [options]",
                                   "Asks to find, count or locate things and compares the answers with what the detector found.",
                                   options, 0, 0};
    struct lp_error err = {0};
    struct lp_str table = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    bool done = measure(&e, ask_detector, &err);
    if (done)
        lp_answer_score_table(&e.answers, &table);
    done = done && report(&e, &table, e.json ? lp_answer_score_json(&e.answers) : NULL, &err);
    if (done && e.answers.right < e.least_right * e.answers.looked)
        done = lp_error_set(&err, LP_EINPUT, "%d of %d answers are right, a smaller share than %.4f", e.answers.right, e.answers.looked,
                            e.least_right);
    lp_str_done(&e.missed);
    return done ? 0 : lp_command_fail("eval answers", &err);
}
