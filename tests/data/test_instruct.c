/* SPDX-License-Identifier: MIT */
/* Dialogues as the planner meets them: the skill table itself is the judge of every plan. */
#include "data/instruct.h"

#include "base/memory.h"
#include "data/names.h"
#include "data/records.h"
#include "skill/skill.h"
#include "text/python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lp_grammar *grammar;
static struct lp_truth *truth;

static int open_grammar(void **state) {
    (void)state;
    struct lp_error err = {0};
    grammar = lp_grammar_open(lp_grammar_folder(), lp_dialogue_slots, &err);
    truth = grammar ? lp_truth_open(LP_TESTS_DIR "/data/scenes", &err) : NULL;
    if (!truth)
        print_error("%s\n", err.text);
    return truth ? 0 : -1;
}

static int close_grammar(void **state) {
    (void)state;
    lp_grammar_close(grammar);
    lp_truth_close(truth);
    return 0;
}

static struct lp_instruct *open_with(uint64_t seed, const char *skill, enum lp_instruct_tools tools) {
    struct lp_error err = {0};
    struct lp_instruct_settings settings;
    lp_instruct_defaults(&settings);
    settings.truth = truth;
    settings.seed = seed;
    settings.skill = skill;
    settings.tools = tools;
    struct lp_instruct *maker = lp_instruct_open(grammar, &settings, &err);
    if (!maker)
        fail_msg("%s", err.text);
    return maker;
}

static struct lp_instruct *open_maker(uint64_t seed, const char *skill) {
    return open_with(seed, skill, LP_INSTRUCT_FLY);
}

static json_t *next(struct lp_instruct *maker, enum lp_task *task) {
    struct lp_error err = {0};
    json_t *record = lp_instruct_next(maker, task, &err);
    if (!record)
        fail_msg("%s", err.text);
    return record;
}

/* Handles that exist at a place in the dialogue: one bit of `has` for each kind and number. */
struct handles {
    bool has[LP_OBJECT_KINDS][400];
};

static bool known(const struct handles *h, const char *handle) {
    enum lp_object_kind kind;
    int number;
    return lp_handle_parse(handle, &kind, &number) && number < 400 && h->has[kind][number];
}

/* Adds "text_1, box_2..box_4" of every result in the turn. */
static void learn_results(struct handles *h, const char *text) {
    while ((text = strstr(text, "'handles': '"))) {
        text += strlen("'handles': '");
        for (const char *end = strchr(text, '\''); text < end; text += strspn(text, ", .")) {
            char first[32], last[32];
            enum lp_object_kind kind;
            int from, to;
            size_t n = strcspn(text, ",.'");
            snprintf(first, sizeof first, "%.*s", (int)n, text);
            strcpy(last, first);
            if (!strncmp(text + n, "..", 2)) {
                text += n + 2;
                n = strcspn(text, ",'");
                snprintf(last, sizeof last, "%.*s", (int)n, text);
            }
            text += n;
            assert_true(lp_handle_parse(first, &kind, &from) && lp_handle_parse(last, &kind, &to));
            assert_false(h->has[kind][from]);
            for (int i = from; i <= to; i++)
                h->has[kind][i] = true;
        }
    }
}

static void check_answer(const struct handles *h, const char *text) {
    for (; (text = strchr(text, '{')); text++) {
        char name[32], box[32];
        int number;
        size_t n = strcspn(text + 1, "}");
        snprintf(name, sizeof name, "%.*s", (int)(n < 31 ? n : 31), text + 1);
        bool place = sscanf(name, "place_%d", &number) == 1;
        if (place)
            snprintf(box, sizeof box, "box_%d", number);
        if (!known(h, place ? box : name))
            fail_msg("'%s' names no handle", text);
    }
}

/* The call is in normal form, and its handles exist or will be made by the same plan. */
static void check_call(const json_t *action, const struct handles *h, size_t i) {
    struct lp_error err = {0};
    const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(action, "API_name")));
    const json_t *params = json_object_get(action, "API_params");
    assert_non_null(skill);
    assert_string_equal(skill->api_name, json_string_value(json_object_get(action, "API_name")));
    json_t *normal = lp_skill_check(skill, params, &err);
    if (!normal)
        fail_msg("%s", err.text);
    assert_true(json_equal(normal, params));
    json_decref(normal);
    static const char *const keys[] = {"image", "mask", "layout"};
    for (int k = 0; k < 3; k++) {
        const char *handle = json_string_value(json_object_get(params, keys[k]));
        assert_true(!handle || i > 0 || known(h, handle));
    }
}

static size_t count_of(const char *text, const char *part) {
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static void check_record(const json_t *record) {
    const json_t *turns = json_object_get(record, "conversations"), *image = json_object_get(record, "image");
    size_t pictures = json_is_array(image) ? json_array_size(image) : json_is_string(image), shown = 0;
    struct handles *h = lp_alloc(sizeof *h);
    assert_non_null(h);
    for (size_t i = 0; i < json_array_size(turns); i++) {
        const json_t *turn = json_array_get(turns, i), *actions = json_object_get(turn, "actions"), *action;
        const char *text = json_string_value(json_object_get(turn, "value"));
        assert_non_null(text);
        assert_true(*text);
        assert_null(strpbrk(text, "\x01\x02\r\t~"));
        assert_string_equal(json_string_value(json_object_get(turn, "from")), i % 2 ? "gpt" : "human");
        if (i % 2 == 0) {
            size_t marks = count_of(text, "<image>\n");
            for (size_t k = 0; k < marks; k++)
                h->has[LP_OBJECT_IMAGE][++shown] = true;
            learn_results(h, text);
            continue;
        }
        size_t k;
        json_array_foreach(actions, k, action)
            check_call(action, h, k);
        assert_true(json_is_array(actions));
        assert_true(strlen(json_string_value(json_object_get(turn, "thoughts"))) > 8);
        check_answer(h, text);
    }
    assert_int_equal(shown, pictures);
    assert_int_equal(json_array_size(turns) % 2, 0);
    lp_free(h);
}

static void records_are_valid(void **state) {
    (void)state;
    struct lp_instruct *maker = open_maker(3, NULL);
    int made[LP_TASKS + 1] = {0}, two_rounds = 0, unready = 0, empty = 0;
    for (int i = 0; i < 3000; i++) {
        enum lp_task task;
        json_t *record = next(maker, &task);
        check_record(record);
        made[task]++;
        const json_t *turns = json_object_get(record, "conversations");
        const char *result = json_string_value(json_object_get(json_array_get(turns, 2), "value"));
        two_rounds += json_array_size(turns) > 4;
        unready += result && strstr(result, "is not ready on this machine");
        empty += result && strstr(result, "'boxes': []");
        json_decref(record);
    }
    for (int t = 0; t <= LP_TASKS; t++)
        assert_true(made[t] > 40);
    assert_true(two_rounds > 300 && unready > 150 && empty > 30);
    lp_instruct_close(maker);
}

/* "sam,inpainting," of the turn. */
static void calls_of(const json_t *turn, char *plan, size_t size) {
    const json_t *action;
    size_t i;
    plan[0] = 0;
    json_array_foreach(json_object_get(turn, "actions"), i, action)
        snprintf(plan + strlen(plan), size - strlen(plan), "%s,",
                 json_string_value(json_object_get(action, "API_name")));
}

/* The composed rows of the paper's table 2: in one plan, over several turns on what the first has left, and mixes. */
static void skills_are_composed(void **state) {
    (void)state;
    static const char *const plans[] = {"sam,inpainting,", "grounding_dino+sam,inpainting,", "openseed,controlnet,"};
    struct lp_instruct *maker = open_maker(12, NULL);
    int composed[3] = {0}, mask_later = 0, map_later = 0, box_later = 0, mixed = 0, nothing = 0, posts = 0;
    for (int i = 0; i < 12000; i++) {
        enum lp_task task;
        json_t *record = next(maker, &task);
        const json_t *turns = json_object_get(record, "conversations");
        int looks = 0;
        for (size_t k = 1; k < json_array_size(turns); k += 2) {
            const json_t *turn = json_array_get(turns, k), *action = json_array_get(json_object_get(turn, "actions"), 0);
            const json_t *params = json_object_get(action, "API_params");
            const char *asked = json_string_value(json_object_get(json_array_get(turns, k - 1), "value"));
            const char *answer = json_string_value(json_object_get(turn, "value"));
            char plan[128];
            calls_of(turn, plan, sizeof plan);
            for (int c = 0; c < 3; c++)
                composed[c] += !strcmp(plan, plans[c]);
            mask_later += k > 1 && !strcmp(plan, "inpainting,") && json_object_get(params, "mask");
            map_later += k > 1 && !strcmp(plan, "controlnet,") && json_object_get(params, "layout");
            box_later += json_is_string(json_array_get(json_object_get(params, "boxes"), 0));
            looks += !strcmp(plan, "grounding_dino,") || !strcmp(plan, "blip2,") || !strcmp(plan, "ram,") ||
                     !strcmp(plan, "grounding_dino+sam,");
            nothing += strstr(asked, "grounding_dino model outputs: {'boxes': []") && !strchr(answer, '{');
            posts += strstr(asked, "post") && strstr(answer, "{img_") && strlen(answer) > 30;
        }
        mixed += looks > 1;
        json_decref(record);
    }
    for (int c = 0; c < 3; c++)
        assert_true(composed[c] > 120);
    assert_true(mask_later > 120 && map_later > 20 && box_later > 20);
    assert_true(mixed > 240 && nothing > 120 && posts > 40);
    lp_instruct_close(maker);
}

static void plan_of(const json_t *record, char *plan, size_t size) {
    calls_of(json_array_get(json_object_get(record, "conversations"), 1), plan, size);
}

static void no_instruction_belongs_to_two_skills(void **state) {
    (void)state;
    struct lp_instruct *maker = open_maker(11, NULL);
    json_t *owner = json_object();
    for (int i = 0; i < 6000; i++) {
        enum lp_task task;
        char plan[128];
        json_t *record = next(maker, &task);
        const json_t *turn = json_array_get(json_object_get(record, "conversations"), 0);
        const char *text = json_string_value(json_object_get(turn, "value"));
        plan_of(record, plan, sizeof plan);
        const char *other = json_string_value(json_object_get(owner, text));
        if (other && strcmp(other, plan))
            fail_msg("'%s' is for %s and for %s", text, other, plan);
        json_object_set_new(owner, text, json_string(plan));
        json_decref(record);
    }
    json_decref(owner);
    lp_instruct_close(maker);
}

static void same_seed_same_bytes(void **state) {
    (void)state;
    struct lp_instruct *a = open_maker(5, NULL), *b = open_maker(5, NULL), *c = open_maker(6, NULL);
    int differ = 0;
    for (int i = 0; i < 300; i++) {
        enum lp_task task;
        json_t *x = next(a, &task), *y = next(b, &task), *z = next(c, &task);
        char *s = lp_python_json(x), *t = lp_python_json(y), *u = lp_python_json(z);
        assert_string_equal(s, t);
        differ += strcmp(s, u) != 0;
        lp_free(s);
        lp_free(t);
        lp_free(u);
        json_decref(x);
        json_decref(y);
        json_decref(z);
    }
    assert_int_equal(differ, 300);
    lp_instruct_close(a);
    lp_instruct_close(b);
    lp_instruct_close(c);
}

static void one_skill_alone(void **state) {
    (void)state;
    struct lp_instruct *maker = open_maker(2, "ocr");
    for (int i = 0; i < 100; i++) {
        enum lp_task task;
        char plan[128];
        json_t *record = next(maker, &task);
        plan_of(record, plan, sizeof plan);
        assert_string_equal(plan, "ocr,");
        json_decref(record);
    }
    lp_instruct_close(maker);
    struct lp_error err = {0};
    struct lp_instruct_settings settings;
    lp_instruct_defaults(&settings);
    settings.truth = truth;
    settings.skill = "juggle";
    assert_null(lp_instruct_open(grammar, &settings, &err));
    assert_int_equal(err.code, LP_EUSAGE);
}

/* "red cars" stands in "the red cars" and in "the red and blue cars". */
static bool stands_in(const char *text, const char *phrase) {
    if (strcasestr(text, phrase))
        return true;
    for (const char *space = strchr(phrase, ' '); space; space = strchr(space + 1, ' ')) {
        char first[256];
        snprintf(first, sizeof first, "%.*s and ", (int)(space - phrase), phrase);
        const char *at = strcasestr(text, first);
        if (at && strcasestr(at, space + 1))
            return true;
    }
    return false;
}

/* What is asked for must be copyable: every caption's phrases stand in the instruction, none of them twice. */
static void captions_stand_in_the_instruction(void **state) {
    (void)state;
    struct lp_instruct *maker = open_maker(4, "detect");
    for (int i = 0; i < 500; i++) {
        enum lp_task task;
        json_t *record = next(maker, &task);
        const json_t *turns = json_object_get(record, "conversations");
        const char *text = json_string_value(json_object_get(json_array_get(turns, 0), "value"));
        const json_t *action = json_array_get(json_object_get(json_array_get(turns, 1), "actions"), 0);
        const char *caption =
            json_string_value(json_object_get(json_object_get(action, "API_params"), "caption"));
        char phrase[256];
        for (const char *end; caption; caption = end ? end + 3 : NULL) {
            end = strstr(caption, " . ");
            snprintf(phrase, sizeof phrase, "%.*s", end ? (int)(end - caption) : 255, caption);
            if (!stands_in(text, phrase))
                fail_msg("'%s' is not in '%s'", phrase, text);
            for (const char *other = end; other; other = strstr(other + 3, " . ")) {
                size_t n = strlen(phrase);
                if (!strncmp(other + 3, phrase, n) && (!other[3 + n] || !strncmp(other + 3 + n, " . ", 3)))
                    fail_msg("'%s' is asked for twice in '%s'", phrase, text);
            }
        }
        json_decref(record);
    }
    lp_instruct_close(maker);
}

/* The n-th allocation fails, for every n of several dialogues: an error, never a damaged record. */
static void survives_lack_of_memory(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        for (long n = 1;; n += 1 + n / 40) { /* every one at first */
            struct lp_error err = {0};
            enum lp_task task;
            struct lp_instruct_settings settings;
            lp_instruct_defaults(&settings);
            settings.truth = truth;
            settings.seed = seed;
            lp_test_fail_alloc(n);
            struct lp_instruct *maker = lp_instruct_open(grammar, &settings, &err);
            json_t *record = maker ? lp_instruct_next(maker, &task, &err) : NULL;
            bool failed = lp_test_alloc_failed();
            lp_test_fail_alloc(0);
            lp_instruct_close(maker);
            json_decref(record);
            if (record && !failed)
                break;
            if (record)
                fail_msg("seed %d, allocation %ld: the lack went unseen", (int)seed, n);
            assert_int_equal(err.code, LP_EMEMORY);
            assert_true(n < 20000);
        }
    }
}

/* What visual chat says is so: yes where the thing is, its number in digits, a caption that names all. */
static void visual_chat_is_true(void **state) {
    (void)state;
    struct lp_instruct *maker = open_maker(8, "see");
    int yes = 0, no = 0, counts = 0, captions = 0, denied = 0;
    for (int i = 0; i < 400; i++) {
        enum lp_task task;
        json_t *record = next(maker, &task);
        check_record(record);
        const json_t *turns = json_object_get(record, "conversations");
        const struct lp_truth_picture *p = NULL;
        for (int64_t k = 0; k < truth->pictures; k++)
            if (!strcmp(truth->picture[k].file, json_string_value(json_object_get(record, "image"))))
                p = &truth->picture[k];
        assert_non_null(p);
        for (size_t k = 0; k + 1 < json_array_size(turns); k += 2) {
            const char *question = json_string_value(json_object_get(json_array_get(turns, k), "value"));
            const json_t *turn = json_array_get(turns, k + 1);
            const char *answer = json_string_value(json_object_get(turn, "value"));
            char name[64];
            question += k ? 0 : strlen("<image>\n");
            assert_int_equal(json_array_size(json_object_get(turn, "actions")), 0);
            const char *end = strstr(question, " are there in the picture?\n");
            if (!strncmp(question, "How many ", 9) && end) {
                int n = 0;
                snprintf(name, sizeof name, "%.*s", (int)(end - question - 9), question + 9);
                for (int o = 0; o < p->wholes; o++)
                    n += lp_phrase_fits(name, truth, &p->object[o]);
                assert_int_equal(atoi(answer), n);
                counts++;
            }
            yes += !strcmp(answer, "Yes");
            no += !strcmp(answer, "No");
            if (!strncmp(answer, "No. The things are ", 19)) { /* another place was asked about */
                snprintf(name, sizeof name, "%.*s", (int)strcspn(answer + 19, "."), answer + 19);
                assert_null(strcasestr(question, name));
                denied++;
            }
            if (strncmp(question, "Provide a one-sentence", 22))
                continue;
            captions++;
            for (int o = 0; o < p->wholes; o++)
                assert_non_null(strcasestr(answer, truth->category[p->object[o].category].name));
        }
        json_decref(record);
    }
    assert_true(yes > 100 && no > 100 && counts > 30 && captions > 50 && denied > 5);
    assert_true(yes < 2 * no && no < 2 * yes);
    lp_instruct_close(maker);
}

/* With all tools, results stand before the question and looking skills are not called again. */
static void all_tools_are_given(void **state) {
    (void)state;
    struct lp_instruct *maker = open_with(9, "detect", LP_INSTRUCT_ALL);
    int answered = 0;
    for (int i = 0; i < 100; i++) {
        enum lp_task task;
        json_t *record = next(maker, &task);
        check_record(record);
        const json_t *turns = json_object_get(record, "conversations");
        const char *question = json_string_value(json_object_get(json_array_get(turns, 0), "value"));
        if (!json_is_array(json_object_get(record, "image"))) {
            assert_memory_equal(question, "<image>\nram model outputs: {", 28);
            assert_non_null(strstr(question, "}\nocr model outputs: {"));
            assert_non_null(strstr(question, "}\n\n"));
            answered += !json_array_size(json_object_get(json_array_get(turns, 1), "actions"));
        }
        json_decref(record);
    }
    assert_true(answered > 60);
    lp_instruct_close(maker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_valid),
        cmocka_unit_test(skills_are_composed),
        cmocka_unit_test(no_instruction_belongs_to_two_skills),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(one_skill_alone),
        cmocka_unit_test(captions_stand_in_the_instruction),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(visual_chat_is_true),
        cmocka_unit_test(all_tools_are_given),
    };
    return cmocka_run_group_tests(tests, open_grammar, close_grammar);
}
