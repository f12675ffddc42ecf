/* SPDX-License-Identifier: MIT */
/* Which tokens are trained: exactly the assistants' texts and their end marks, and the very ids that the decoder
 * feeds when the model writes the same text. */
#include "train/dialogues.h"

#include "base/memory.h"
#include "plan/decode.h"

enum { PATCHES = 4 };

/* As much of a model as samples need. */
static int setup(void **state) {
    static struct lp_llava m;
    struct lp_error err = {0};
    m = (struct lp_llava){.name = "any"};
    m.config.clip.image_px = 16;
    m.config.clip.patch_px = 8;
    m.config.llama.context = 2048;
    m.tokenizer = lp_tokenizer_open(TOKENIZER, &err);
    require(m.tokenizer != NULL, &err);
    *state = &m;
    return 0;
}

static int teardown(void **state) {
    struct lp_llava *m = *state;
    lp_tokenizer_close(m->tokenizer);
    return 0;
}

static void set_open(struct lp_train_set *set, struct lp_llava *m, const char *key) {
    m->config.template = lp_template_find(key);
    assert_non_null(m->config.template);
    lp_train_set_init(set, m);
}

#define OCR                                                                                                  \
    "\"thoughts\xf0\x9f\xa4\x94\" I read it.\n\"actions\xf0\x9f\x9a\x80\" [{\"API_name\": \"ocr\", "         \
    "\"API_params\": {}}]\n\"value\xf0\x9f\x91\x89\" I will use ocr to help to answer the question. Please wait for a " \
    "moment.\n"
#define RESULT                                                                                               \
    "ocr model outputs: {'boxes': [[0.1, 0.2, 0.5, 0.3]], 'texts': ['STOP'], 'scores': [0.97], 'handles': "  \
    "'text_1, box_1'}\n\nPlease summarize the model outputs and answer my first question: What does it say?"
#define ANSWER                                                                                               \
    "\"thoughts\xf0\x9f\xa4\x94\" Thanks to the output of ocr. I can answer the question better.\n\"actions" \
    "\xf0\x9f\x9a\x80\" []\n\"value\xf0\x9f\x91\x89\" The sign says: {text_1}\n"
#define DETECT                                                                                               \
    "\"thoughts\xf0\x9f\xa4\x94\" \xe4\xb8\xad\xe6\x96\x87, caf\xc3\xa9 \xf0\x9f\x98\x80.\n\"actions\xf0\x9f\x9a\x80\" " \
    "[{\"API_name\": \"grounding_dino\", \"API_params\": {\"caption\": \"dog . caf\\u00e9 table\"}}]\n\"value"  \
    "\xf0\x9f\x91\x89\" I will use grounding_dino.\n"
#define INPAINT                                                                                              \
    "\"thoughts\xf0\x9f\xa4\x94\" First the mask.\n\"actions\xf0\x9f\x9a\x80\" [{\"API_name\": \"sam\", "    \
    "\"API_params\": {\"points\": [[0.45, 0.9]]}}, {\"API_name\": \"inpainting\", \"API_params\": {\"prompt\": " \
    "\"a red ball\", \"mask\": \"mask_1\"}}]\n\"value\xf0\x9f\x91\x89\" I will use sam and inpainting.\n"

static const struct lp_message talk[] = {
    {"<image>\n<image>\nWhat does it say?", false}, {OCR, true},    {RESULT, false}, {ANSWER, true},
    {" Where is   the dog? ", false},                {DETECT, true}, {"x", false},    {"plain", true},
};
enum { TALK = sizeof talk / sizeof *talk };
static const char *const shown[] = {"a.png", "b.png"};

static void add_bytes(const struct lp_tokenizer *t, int32_t id, struct lp_str *out) {
    size_t n;
    const char *piece = lp_tokenizer_piece(t, id, &n);
    if (id == lp_tokenizer_eos(t))
        lp_str_puts(out, "</s>");
    else
        lp_str_add(out, piece, n);
}

/* The k-th stretch of trained tokens, as text; "" behind the last. */
static void trained_text(const struct lp_llava *m, const struct lp_train_sample *s, int k, struct lp_str *out) {
    int at = -1;
    lp_str_cut(out, 0);
    for (int32_t i = 0; i < s->n; i++) {
        bool trained = s->target[i] != LP_IGNORE;
        if (trained)
            assert_int_equal(s->target[i], s->id[i + 1]);
        at += trained && (i == 0 || s->target[i - 1] == LP_IGNORE);
        if (trained && at == k)
            add_bytes(m->tokenizer, s->target[i], out);
    }
}

/* Before and after an assistant's text, in each template. */
static const struct {
    const char *key, *before, *after;
} templates[] = {
    {"llava_v0", " ", "###"},   {"v0", " ", "###"},           {"llava_v1", " ", "</s>"}, {"vicuna_v1", " ", "</s>"},
    {"mpt", "", "<|im_end|>"}, {"llama_2", " ", " </s>"}, {"v1_mmtag", " ", "</s>"},
};

static void only_assistants_are_trained(void **state) {
    struct lp_llava *m = *state;
    struct lp_str got = {0}, want = {0};
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct lp_train_set set;
        struct lp_error err = {0};
        set_open(&set, m, templates[i].key);
        require(lp_train_set_add(&set, talk, TALK, shown, 2, &err), &err);
        assert_int_equal(set.count, 1);
        const struct lp_train_sample *s = &set.sample[0];
        assert_int_equal(s->pictures, 2);
        assert_string_equal(s->picture[1]->path, "b.png");
        assert_int_equal(s->rows, s->n + 2 * (PATCHES - 1));
        for (int k = 0; k <= TALK / 2; k++) {
            lp_str_cut(&want, 0);
            if (k < TALK / 2)
                lp_str_printf(&want, "%s%s%s", templates[i].before, talk[2 * k + 1].text, templates[i].after);
            trained_text(m, s, k, &got);
            if (strcmp(lp_str_text(&got), lp_str_text(&want)))
                fail_msg("%s, turn %d: trained is '%s', not '%s'", templates[i].key, k, lp_str_text(&got),
                         lp_str_text(&want));
        }
        lp_train_set_done(&set);
    }
    lp_str_done(&got);
    lp_str_done(&want);
}

/* With all hidden that may be: what an assistant says keeps its ids, so does what comes after the first answer. */
static void words_that_no_answer_repeats_are_hidden(void **state) {
    struct lp_llava *m = *state;
    struct lp_train_set open, hiding;
    struct lp_error err = {0};
    int32_t unknown = lp_tokenizer_unk(m->tokenizer), hidden = 0, kept = 0;
    set_open(&open, m, "llava_v1");
    set_open(&hiding, m, "llava_v1");
    hiding.hide = 1;
    lp_rng_seed(&hiding.rng, 1);
    require(lp_train_set_add(&open, talk, TALK, shown, 2, &err) && lp_train_set_add(&hiding, talk, TALK, shown, 2, &err), &err);
    const struct lp_train_sample *a = open.sample, *b = hiding.sample;
    int32_t n = a->n, first = 0;
    assert_int_equal(n, b->n);
    assert_memory_equal(a->target, b->target, (size_t)n * sizeof *a->target);
    while (a->target[first] == LP_IGNORE)
        first++;
    for (int32_t i = 0; i < n; i++) {
        bool said = i >= first || a->id[i] == LP_IMAGE_TOKEN || lp_tokenizer_is_control(m->tokenizer, a->id[i]);
        for (int32_t j = first; j < n; j++)
            said |= a->target[j] == a->id[i];
        assert_int_equal(b->id[i], said ? a->id[i] : unknown);
        hidden += !said;
        kept += said && i < first;
    }
    assert_true(hidden > 10 && kept > 10);
    lp_train_set_done(&open);
    lp_train_set_done(&hiding);
}

/* A model that knows a sample by heart: after any beginning of it, the next id. */
struct pupil {
    struct lp_lmm lmm;
    const struct lp_train_sample *s;
    struct lp_ids held;
    float *logits;
    long strayed; /* where it was made to write another id; -1: nowhere */
};

static int64_t pupil_rows(void *self) {
    const struct pupil *p = self;
    int64_t rows = 0;
    for (size_t i = 0; i < p->held.n; i++)
        rows += p->held.id[i] == LP_IMAGE_TOKEN ? PATCHES : 1;
    return rows;
}

static void pupil_cut(void *self, int64_t rows) {
    struct pupil *p = self;
    while (pupil_rows(p) > rows)
        p->held.n--;
}

static const float *pupil_feed(void *self, const int32_t *id, int64_t n,
                               const struct lp_llava_picture *const *pictures, int64_t count, struct lp_error *err) {
    struct pupil *p = self;
    (void)pictures;
    (void)count;
    for (int64_t i = 0; i < n; i++) {
        if (p->strayed < 0 && ((int32_t)p->held.n >= p->s->n || p->s->id[p->held.n] != id[i]))
            p->strayed = (long)p->held.n;
        if (!lp_ids_push(&p->held, id[i], err))
            return NULL;
    }
    memset(p->logits, 0, (size_t)p->lmm.vocabulary * sizeof *p->logits);
    bool knows = p->strayed < 0 && (int32_t)p->held.n < p->s->n;
    p->logits[knows ? p->s->id[p->held.n] : lp_tokenizer_eos(p->lmm.tokenizer)] = 20;
    return p->logits;
}

static const struct lp_lmm_kind pupil_kind = {.rows = pupil_rows, .cut = pupil_cut, .feed = pupil_feed};

/* Lets the decoder write message n of the dialogue as the pupil knows it. */
static void write_turn(struct lp_llava *m, struct pupil *p, const struct lp_message *message, size_t n,
                       const char *key, bool no_tools) {
    const struct lp_template *t = lp_template_find(key);
    static const char *const point[] = {"[0.45, 0.9]"};
    struct lp_llava_picture seen = {.rows = PATCHES};
    const struct lp_llava_picture *pictures[] = {&seen, &seen};
    struct lp_facts facts = {.have = {[LP_OBJECT_IMAGE] = 2}, .no_tools = no_tools, .space = lp_template_spaced(t),
                             .stop = lp_template_stop(t), .point = {point[0]}, .points = 1};
    struct lp_message open[TALK] = {{NULL, false}};
    struct lp_str text = {0};
    struct lp_prompt prompt = {.picture = pictures};
    struct lp_syntax syntax;
    struct lp_decoder d;
    struct lp_turn turn;
    struct lp_rng rng;
    struct lp_error err = {0};
    memcpy(open, message, n * sizeof *message);
    open[n] = (struct lp_message){NULL, true};
    lp_template_format(t, open, n + 1, &text);
    require(lp_tokenizer_encode_prompt(m->tokenizer, text.s, text.n, &prompt.ids, &err), &err);
    for (size_t i = 0; i < prompt.ids.n; i++)
        prompt.pictures += prompt.ids.id[i] == LP_IMAGE_TOKEN;
    lp_rng_seed(&rng, 1);
    struct lp_decoding how = {.sampling = {.temperature = 0, .top_p = 1, .most_tokens = 1000}, .rng = &rng};
    require(lp_decoder_init(&d, &p->lmm, &err) && lp_syntax_init(&syntax, &facts, &err), &err);
    p->held.n = 0;
    p->strayed = -1;
    require(lp_decode(&d, &prompt, &syntax, &how, &turn, &err), &err);
    if (p->strayed >= 0) {
        struct lp_str trained = {0}, written = {0};
        for (long i = p->strayed; i < p->strayed + 6; i++) {
            lp_str_putc(&trained, '|');
            lp_str_putc(&written, '|');
            if (i < p->s->n)
                add_bytes(m->tokenizer, p->s->id[i], &trained);
            if (i < (long)p->held.n)
                add_bytes(m->tokenizer, p->held.id[i], &written);
        }
        fail_msg("%s, message %zu, id %ld: trained %s, written %s", key, n, p->strayed, lp_str_text(&trained),
                 lp_str_text(&written));
    }
    size_t space = lp_template_spaced(t);
    assert_string_equal(lp_str_text(&turn.text) + space, message[n].text);
    lp_turn_done(&turn);
    lp_decoder_done(&d);
    lp_syntax_done(&syntax);
    lp_ids_done(&prompt.ids);
    lp_str_done(&text);
}

/* What the decoder feeds, forced stretches included, is what was trained, id by id. */
static void the_decoder_writes_what_was_trained(void **state) {
    struct lp_llava *m = *state;
    static const struct lp_message inpaint[] = {{"<image>\nPut a ball there.\n\nInput point: [0.45, 0.9]", false},
                                                {INPAINT, true}};
    static const char *const keys[] = {"llava_v0", "llava_v1", "vicuna_v1"};
    for (int i = 0; i < 3; i++) {
        struct lp_train_set set;
        struct lp_error err = {0};
        set_open(&set, m, keys[i]);
        require(lp_train_set_add(&set, talk, 6, shown, 2, &err) && lp_train_set_add(&set, inpaint, 2, shown, 1, &err),
                &err);
        struct pupil p = {.s = &set.sample[0]};
        p.lmm = (struct lp_lmm){.kind = &pupil_kind, .self = &p, .tokenizer = m->tokenizer, .name = "any",
                                .vocabulary = lp_tokenizer_size(m->tokenizer), .context = 2048};
        p.logits = lp_alloc_array((size_t)p.lmm.vocabulary, sizeof *p.logits);
        for (size_t n = 1; n < 6; n += 2)
            write_turn(m, &p, talk, n, keys[i], n == 3);
        p.s = &set.sample[1];
        write_turn(m, &p, inpaint, 1, keys[i], false);
        lp_free(p.logits);
        lp_ids_done(&p.held);
        lp_train_set_done(&set);
    }
}

static void what_does_not_fit_is_left_out_or_refused(void **state) {
    struct lp_llava *m = *state;
    struct lp_train_set set;
    struct lp_error err = {0};
    set_open(&set, m, "llava_v1");
    require(lp_train_set_add(&set, talk, TALK, shown, 2, &err), &err);
    int32_t rows = set.sample[0].rows;
    m->config.llama.context = rows; /* just fits */
    require(lp_train_set_add(&set, talk, TALK, shown, 2, &err), &err);
    m->config.llama.context = rows - 1;
    require(lp_train_set_add(&set, talk, TALK, shown, 2, &err), &err);
    m->config.llama.context = 2048;
    assert_int_equal(set.count, 2);
    assert_int_equal(set.skipped, 1);
    for (size_t pictures = 0; pictures < 4; pictures++) {
        static const char *const many[] = {"a", "b", "c"};
        err = (struct lp_error){0};
        if (pictures == 2)
            continue;
        assert_false(lp_train_set_add(&set, talk, TALK, many, pictures, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_non_null(strstr(err.text, "2 '<image>' marks"));
    }
    assert_int_equal(set.count, 2);
    lp_train_set_done(&set);
}

/* Without byte pieces an unknown character's token covers bytes that are not its own. */
static void a_tokenizer_that_cannot_spell_is_refused(void **state) {
    struct lp_llava m = *(struct lp_llava *)*state;
    struct lp_error err = {0};
    struct lp_train_set set;
    m.tokenizer = lp_tokenizer_open(LP_TESTS_DIR "/golden/llava_mlp/tokenizer.model", &err);
    require(m.tokenizer != NULL, &err);
    set_open(&set, &m, "plain");
    const struct lp_message bad[] = {{"a picture", false}, {"the \xe4\xb8\xad sign ~~~", true}};
    assert_false(lp_train_set_add(&set, bad, 2, NULL, 0, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "tokenizer"));
    lp_train_set_done(&set);
    lp_tokenizer_close(m.tokenizer);
}

static void survives_failing_allocations(void **state) {
    struct lp_llava *m = *state;
    bool done = false;
    for (long n = 1; !done; n++) {
        struct lp_train_set set;
        struct lp_error err = {0};
        set_open(&set, m, "llava_v1");
        lp_test_fail_alloc(n);
        done = lp_train_set_add(&set, talk, TALK, shown, 2, &err);
        lp_test_fail_alloc(0);
        if (!done)
            assert_int_equal(err.code, LP_EMEMORY);
        lp_train_set_done(&set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_assistants_are_trained),
        cmocka_unit_test(words_that_no_answer_repeats_are_hidden),
        cmocka_unit_test(the_decoder_writes_what_was_trained),
        cmocka_unit_test(what_does_not_fit_is_left_out_or_refused),
        cmocka_unit_test(a_tokenizer_that_cannot_spell_is_refused),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
