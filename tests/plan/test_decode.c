/* SPDX-License-Identifier: MIT */
/* Constrained decoding: random models still write legal plans; what the model holds is not fed again. */
#include "plan/decode.h"

#include "plan/action.h"
#include "plan/fake_lmm.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
enum { PLANS = 200 };
#else
enum { PLANS = 2000 };
#endif

static void encode(const struct fake *f, const char *text, struct lp_prompt *prompt) {
    *prompt = (struct lp_prompt){0};
    assert_true(lp_tokenizer_encode_prompt(f->tokenizer, text, strlen(text), &prompt->ids, NULL));
}

/* Some conversation: anything may be there or not. */
static struct lp_facts some_facts(struct lp_rng *rng) {
    static const char *const points[] = {"[0.45, 0.9]", "[0.1, 0.2]", "[1.0, 0.0]"};
    static const char *const boxes[] = {"[0.1, 0.2, 0.3, 0.4]", "[0.0, 0.0, 1.0, 1.0]"};
    struct lp_facts f = {.space = true, .stop = "###", .reference = lp_rng_below(rng, 3) == 0};
    f.have[LP_OBJECT_IMAGE] = (int)lp_rng_below(rng, 4);
    f.have[LP_OBJECT_MASK] = lp_rng_below(rng, 2) ? (int)lp_rng_below(rng, 120) : 0;
    f.have[LP_OBJECT_BOX] = lp_rng_below(rng, 2) ? (int)lp_rng_below(rng, 30) : 0;
    f.have[LP_OBJECT_MAP] = (int)lp_rng_below(rng, 2);
    f.points = lp_rng_below(rng, 2) ? (int)lp_rng_below(rng, 4) : 0;
    f.boxes = lp_rng_below(rng, 3) ? 0 : (int)lp_rng_below(rng, 3);
    for (int i = 0; i < f.points; i++)
        f.point[i] = points[i];
    for (int i = 0; i < f.boxes; i++)
        f.box[i] = boxes[i];
    return f;
}

/* Everything that the grammar promises of one call. */
static void check_call(const json_t *call, const struct lp_facts *f, const int promised[LP_OBJECT_KINDS]) {
    const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(call, "API_name")));
    assert_non_null(skill);
    assert_string_equal(skill->api_name, json_string_value(json_object_get(call, "API_name")));
    assert_true(f->reference || !(skill->needs & LP_NEEDS_REFERENCE));
    assert_true(f->have[LP_OBJECT_IMAGE] + promised[LP_OBJECT_IMAGE] || !(skill->needs & LP_NEEDS_PICTURE));
    struct lp_error err = {0};
    json_t *params = json_object_get(call, "API_params");
    json_t *normal = lp_skill_check(skill, params, &err);
    if (!normal)
        fail_msg("%s: %s", skill->name, err.text);
    assert_int_equal(json_object_size(normal), json_object_size(params)); /* nothing had to be dropped */
    const struct lp_param *p;
    for (int i = 0; (p = lp_skill_param(skill, i)); i++) {
        enum lp_object_kind kind;
        int number;
        const char *handle = json_string_value(json_object_get(normal, p->name));
        assert_true(!p->required || json_object_get(normal, p->name));
        if (p->kind != LP_PARAM_HANDLE || !handle)
            continue;
        assert_true(lp_handle_parse(handle, &kind, &number));
        assert_int_equal(kind, p->handle);
        assert_true(number <= f->have[kind] + promised[kind]);
    }
    json_decref(normal);
}

static int check_plan(const struct lp_turn *turn, const struct lp_facts *f) {
    struct lp_plan plan;
    assert_true(lp_plan_parse(lp_str_text(&turn->text), turn->text.n, &plan, NULL));
    assert_true(plan.marked);
    assert_false(plan.bad_actions);
    assert_true(*plan.thoughts != 0);
    int promised[LP_OBJECT_KINDS] = {0}, n = (int)json_array_size(plan.actions);
    assert_true(n <= LP_SYNTAX_CALLS);
    for (int i = 0; i < n; i++) {
        const json_t *call = json_array_get(plan.actions, (size_t)i);
        check_call(call, f, promised);
        const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(call, "API_name")));
        for (int kind = 0; kind < LP_OBJECT_KINDS; kind++)
            promised[kind] += (skill->leaves >> kind) & 1;
    }
    lp_plan_done(&plan);
    return n;
}

static void every_plan_of_a_random_model_is_legal(void **state) {
    (void)state;
    int plans = PLANS, calls = 0;
    struct fake f;
    assert_true(fake_open(&f, NULL, 5, 100000));
    struct lp_decoder d;
    assert_true(lp_decoder_init(&d, &f.lmm, NULL));
    struct lp_prompt prompt;
    encode(&f, "Human: do it###Assistant:", &prompt);
    struct lp_rng rng;
    lp_rng_seed(&rng, 11);
    for (int i = 0; i < plans; i++) {
        struct lp_facts facts = some_facts(&rng);
        struct lp_syntax syntax;
        struct lp_turn turn;
        struct lp_error err = {0};
        struct lp_decoding how = {.sampling = {.temperature = 1, .top_p = i % 2 ? 1 : 0.9}, .rng = &rng};
        how.sampling.most_tokens = i % 8 ? 400 : 110; /* few tokens must end in order, too */
        assert_true(lp_syntax_init(&syntax, &facts, NULL));
        if (!lp_decode(&d, &prompt, &syntax, &how, &turn, &err))
            fail_msg("plan %d: %s", i, err.text);
        calls += check_plan(&turn, &facts);
        lp_turn_done(&turn);
        lp_syntax_done(&syntax);
    }
    assert_true(calls > plans / 2);
    lp_prompt_done(&prompt);
    lp_decoder_done(&d);
    lp_lmm_close(&f.lmm);
}

#define SAID                                                                                                 \
    LP_MARK_THOUGHTS " I read it.\n" LP_MARK_ACTIONS                                                         \
                     " [{\"API_name\": \"ocr\", \"API_params\": {}}]\n" LP_MARK_VALUE " I will use ocr."

/* A scripted model that is asked to read a picture. */
struct reading {
    struct fake f;
    struct lp_decoder d;
    struct lp_prompt prompt;
    struct lp_facts facts;
    struct lp_syntax syntax;
    struct lp_rng rng;
    struct lp_decoding how;
};

static void reading_begin(struct reading *r, const char *tokenizer, const char *const *script) {
    *r = (struct reading){.facts = {.have = {[LP_OBJECT_IMAGE] = 1}, .space = true, .stop = "###"},
                          .how = {.sampling = {.temperature = 0, .top_p = 1, .most_tokens = 300}, .rng = &r->rng}};
    assert_true(fake_open_with(&r->f, tokenizer, script, 0, 1000));
    assert_true(lp_decoder_init(&r->d, &r->f.lmm, NULL));
    encode(&r->f, "###Human: read###Assistant:", &r->prompt);
    lp_rng_seed(&r->rng, 0);
    assert_true(lp_syntax_init(&r->syntax, &r->facts, NULL));
}

static void reading_end(struct reading *r) {
    lp_syntax_done(&r->syntax);
    lp_prompt_done(&r->prompt);
    lp_decoder_done(&r->d);
    lp_lmm_close(&r->f.lmm);
}

static void a_script_is_followed_and_little_is_sampled(void **state) {
    (void)state;
    static const char *const script[] = {SAID "\n###Human: more", NULL};
    struct reading r;
    reading_begin(&r, "tokenizer.model", script);
    struct lp_turn turn;
    struct lp_error err = {0};
    for (int round = 0; round < 2; round++) {
        int64_t before = r.f.fed;
        if (!lp_decode(&r.d, &r.prompt, &r.syntax, &r.how, &turn, &err))
            fail_msg("%s", err.text);
        assert_string_equal(lp_str_text(&turn.text), " " SAID "\n");
        assert_true(turn.sampled < turn.tokens * 2 / 3);
        assert_memory_equal(lp_str_text(&turn.text) + turn.value_at, " I will", 7);
        assert_memory_equal(lp_str_text(&turn.text) + turn.thoughts_at, " I read", 7);
        assert_false(turn.cut_short);
        if (round) /* the prompt was held but for its last token */
            assert_true(r.f.fed - before <= turn.tokens + 1);
        lp_turn_done(&turn);
    }
    r.facts.no_tools = true; /* the same script, but an answer turn */
    lp_syntax_done(&r.syntax);
    assert_true(lp_syntax_init(&r.syntax, &r.facts, NULL));
    r.how.sampling.most_tokens = 120;
    assert_true(lp_decode(&r.d, &r.prompt, &r.syntax, &r.how, &turn, &err));
    assert_non_null(strstr(lp_str_text(&turn.text), LP_MARK_ACTIONS " []\n"));
    lp_turn_done(&turn);
    reading_end(&r);
}

/* Where pieces are phrases, forced stretches are not cut where a phrase goes on: the model says them in one. */
static void phrases_stay_whole(void **state) {
    (void)state;
    static const char *const script[] = {SAID, NULL};
    struct reading r;
    reading_begin(&r, "phrases.model", script);
    struct lp_turn turn;
    struct lp_error err = {0};
    if (!lp_decode(&r.d, &r.prompt, &r.syntax, &r.how, &turn, &err))
        fail_msg("%s", err.text);
    assert_string_equal(lp_str_text(&turn.text), " " SAID);
    static const char *const phrase[] = {LP_MARK_ACTIONS " [{\"API_name\": \"", "\", \"API_params\": {}}]",
                                         LP_MARK_VALUE " I will use "};
    for (int i = 0; i < 3; i++) {
        size_t n, found = 0;
        for (size_t k = 0; k < r.f.held.n; k++) {
            const char *piece = lp_tokenizer_piece(r.f.tokenizer, r.f.held.id[k], &n);
            found += n == strlen(phrase[i]) && !memcmp(piece, phrase[i], n);
        }
        if (found != 1)
            fail_msg("'%s' is a token %zu times", phrase[i], found);
    }
    lp_turn_done(&turn);
    reading_end(&r);
}

static void stop(void *context, const struct lp_turn *turn) {
    if (turn->tokens > 20)
        atomic_store((atomic_bool *)context, true);
}

static void cancelling_and_too_little_room(void **state) {
    (void)state;
    struct fake f;
    assert_true(fake_open(&f, NULL, 1, 200));
    struct lp_decoder d;
    assert_true(lp_decoder_init(&d, &f.lmm, NULL));
    struct lp_prompt prompt;
    encode(&f, "Human: x###Assistant:", &prompt);
    struct lp_facts facts = {.space = true, .stop = "###"};
    struct lp_syntax syntax;
    struct lp_turn turn;
    struct lp_error err = {0};
    struct lp_rng rng;
    lp_rng_seed(&rng, 0);
    atomic_bool cancel = false;
    struct lp_decoding how = {.sampling = {.temperature = 1, .top_p = 1, .most_tokens = 500},
                              .rng = &rng,
                              .cancel = &cancel,
                              .grew = stop,
                              .context = &cancel};
    assert_true(lp_syntax_init(&syntax, &facts, NULL));
    assert_false(lp_decode(&d, &prompt, &syntax, &how, &turn, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_turn_done(&turn);
    cancel = false;
    how.sampling.most_tokens = 50;
    assert_false(lp_decode(&d, &prompt, &syntax, &how, &turn, &err));
    assert_int_equal(err.code, LP_EINPUT);
    lp_turn_done(&turn);
    how.sampling.most_tokens = 500; /* the context has only 200 */
    how.grew = NULL;
    assert_true(lp_decode(&d, &prompt, &syntax, &how, &turn, &err));
    check_plan(&turn, &facts);
    lp_turn_done(&turn);
    lp_syntax_done(&syntax);
    lp_prompt_done(&prompt);
    lp_decoder_done(&d);
    lp_lmm_close(&f.lmm);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_of_a_random_model_is_legal),
        cmocka_unit_test(a_script_is_followed_and_little_is_sampled),
        cmocka_unit_test(phrases_stay_whole),
        cmocka_unit_test(cancelling_and_too_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
