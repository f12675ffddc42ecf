/* SPDX-License-Identifier: MIT */
/* Instructions in other words: against an endpoint on this machine that behaves well, badly, and not at all; a kill in
 * the middle loses nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/http.h"
#include "base/memory.h"
#include "data/journal.h"
#include "data/rewrite.h"

#include "stub.h"

/* Four instructions in three dialogues; the last one is a form that nobody rewrites. */
static const char dialogues[] =
    "[{\"unique_id\": \"a\", \"image\": \"1.jpg\", \"conversations\": ["
    "{\"from\": \"human\", \"value\": \"<image>\\nFind the dogs and the red puppies.\\n\\nInput point: [0.45, 0.89]\"},"
    "{\"from\": \"gpt\", \"thoughts\": \"T\", \"actions\": [{\"API_name\": \"grounding_dino\", \"API_params\": "
    "{\"caption\": \"dog . red puppy\"}}], \"value\": \"Wait.\"},"
    "{\"from\": \"human\", \"value\": \"grounding_dino model outputs: {'boxes': []}\\n\\nPlease summarize the model outputs "
    "and answer my first question: Find the dogs and the red puppies.\\n\\nInput point: [0.45, 0.89]\"},"
    "{\"from\": \"gpt\", \"thoughts\": \"T\", \"actions\": [], \"value\": \"None.\"},"
    "{\"from\": \"human\", \"value\": \"Thanks, that is all!\"},"
    "{\"from\": \"gpt\", \"thoughts\": \"T\", \"actions\": [], \"value\": \"Bye.\"}]},"
    "{\"unique_id\": \"b\", \"image\": [\"1.jpg\", \"2.jpg\"], \"conversations\": ["
    "{\"from\": \"human\", \"value\": \"<image>\\n<image>\\nWrite \\\"HI 5\\\" on it\"},"
    "{\"from\": \"gpt\", \"actions\": [{\"API_name\": \"instruct-pix2pix\", \"API_params\": {\"prompt\": \"write HI 5 on it\", "
    "\"image\": \"img_1\"}}], \"value\": \"Wait.\"}]},"
    "{\"unique_id\": \"c\", \"image\": \"1.jpg\", \"conversations\": ["
    "{\"from\": \"human\", \"value\": \"<image>\\nMake it gloomy\"},"
    "{\"from\": \"gpt\", \"actions\": [{\"API_name\": \"instruct-pix2pix\", \"API_params\": {\"prompt\": \"dark clouds\"}}], "
    "\"value\": \"Wait.\"},"
    "{\"from\": \"human\", \"value\": \"Provide a one-sentence caption for the provided image.\"},"
    "{\"from\": \"gpt\", \"value\": \"A dog.\"},"
    "{\"from\": \"human\", \"value\": \"And thanks again, friend\"},"
    "{\"from\": \"gpt\", \"value\": \"Bye.\"}]}]";

struct fixture {
    char folder[64], like[96], out[96], journal[112];
    struct stub stub;
    struct lp_rewrite_settings settings;
    struct lp_rewrite_report report;
    struct lp_error err;
    double waited[32];
    int waits;
};

static bool note_wait(void *context, double seconds) {
    struct fixture *f = context;
    f->waited[f->waits++] = seconds;
    return true;
}

static void set_up(struct fixture *f, const char *script) {
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/lp_rewrite_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->like, sizeof f->like, "%s/like.json", f->folder);
    snprintf(f->out, sizeof f->out, "%s/out.json", f->folder);
    snprintf(f->journal, sizeof f->journal, "%s.journal", f->out);
    assert_true(lp_file_write(f->like, dialogues, strlen(dialogues), NULL));
    stub_open(&f->stub, script);
    lp_rewrite_defaults(&f->settings);
    f->settings.like = f->like;
    f->settings.out = f->out;
    f->settings.wordings = 2;
    f->settings.ask.at.url = f->stub.url;
    f->settings.ask.model = "talker";
    f->settings.ask.at.attempts = 3;
    f->settings.ask.at.wait = note_wait;
    f->settings.ask.at.context = f;
}

static bool rewrite(struct fixture *f) {
    f->err = (struct lp_error){0};
    return lp_rewrite(&f->settings, &f->report, &f->err);
}

static void tear_down(struct fixture *f) {
    stub_close(&f->stub);
    unlink(f->like);
    unlink(f->out);
    unlink(f->journal);
    assert_int_equal(rmdir(f->folder), 0); /* nothing else was left there */
}

static const char *value(const json_t *record, size_t turn) {
    return json_string_value(json_object_get(json_array_get(json_object_get(record, "conversations"), turn), "value"));
}

static void new_words_stand_where_the_old_ones_stood(void **state) {
    (void)state;
    struct fixture f;
    set_up(&f, "");
    f.settings.ask.at.key = "sesame";
    stub_start(&f.stub);
    assert_true(rewrite(&f));
    assert_int_equal(f.report.records, 3);
    assert_int_equal(f.report.instructions, 5);
    assert_int_equal(f.report.asked, 4);
    assert_int_equal(f.report.kept, 1); /* "dark clouds" is not in "Make it gloomy" */
    assert_int_equal(f.report.wordings[LP_WORDING_GOOD], 8);
    assert_int_equal(f.report.written, 6);
    assert_int_equal(f.stub.asked, 4);
    assert_string_equal(f.stub.request[0], "Find the dogs and the red puppies.");
    assert_string_equal(f.stub.request[2], "Write \"HI 5\" on it");
    assert_string_equal(f.stub.key[0], "sesame");
    json_t *all = lp_json_load(f.out, &f.err), *second = json_array_get(all, 1), *third = json_array_get(all, 2);
    assert_int_equal(json_array_size(all), 6);
    assert_string_equal(json_string_value(json_object_get(second, "unique_id")), "a_w2");
    assert_string_equal(json_string_value(json_object_get(second, "image")), "1.jpg");
    assert_string_equal(value(second, 0),
                        "<image>\nhey youb, Find the dogs and the red puppies.\n\nInput point: [0.45, 0.89]");
    assert_string_equal(value(second, 2),
                        "grounding_dino model outputs: {'boxes': []}\n\nPlease summarize the model outputs and answer my first "
                        "question: hey youb, Find the dogs and the red puppies.\n\nInput point: [0.45, 0.89]");
    assert_string_equal(value(second, 4), "hey youb, Thanks, that is all!");
    assert_int_equal(json_array_size(json_object_get(third, "image")), 2);
    assert_string_equal(value(third, 0), "<image>\n<image>\nhey youa, Write \"HI 5\" on it");
    assert_string_equal(value(json_array_get(all, 4), 0), "<image>\nMake it gloomy");
    assert_string_equal(value(json_array_get(all, 4), 2), "Provide a one-sentence caption for the provided image.");
    assert_string_equal(value(json_array_get(all, 4), 4), "hey youa, And thanks again, friend");
    json_decref(all);
    assert_false(lp_file_exists(f.journal));
    tear_down(&f);
}

static void what_passes_is_waited_for(void **state) {
    (void)state;
    struct fixture f;
    set_up(&f, "4g55gc");
    f.settings.ask.at.pause_s = 0.5;
    stub_start(&f.stub);
    assert_true(rewrite(&f));
    assert_int_equal(f.report.wordings[LP_WORDING_GOOD], 8);
    assert_int_equal(f.stub.asked, 8);
    assert_int_equal(f.waits, 4);
    assert_float_equal(f.waited[0], 7, 0); /* as the server said */
    assert_float_equal(f.waited[1], 0.5, 0);
    assert_float_equal(f.waited[2], 1, 0);
    assert_float_equal(f.waited[3], 0.5, 0);
    tear_down(&f);
}

static void a_silent_server_is_asked_again(void **state) {
    (void)state;
    struct fixture f;
    set_up(&f, "sg");
    f.settings.ask.at.wait_ms = 1000;
    stub_start(&f.stub);
    assert_true(rewrite(&f));
    assert_int_equal(f.stub.asked, 5);
    assert_int_equal(f.waits, 1);
    tear_down(&f);
}

/* What ends a run, and what its sentence says. Answers that were given stay in the journal. */
static void what_does_not_pass_ends_the_run(void **state) {
    (void)state;
    static const struct {
        const char *script, *says;
        enum lp_code code;
        int known;
    } cases[] = {
        {"gg555", "status 500", LP_EIO, 2},
        {"g444", "status 429: slow down", LP_EIO, 1},
        {"gccc", "no answer from", LP_EIO, 1},
        {"gk", "status 401: no such key", LP_EIO, 1},
        {"r", "status 302", LP_EIO, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        set_up(&f, cases[i].script);
        stub_start(&f.stub);
        assert_false(rewrite(&f));
        assert_int_equal(f.err.code, cases[i].code);
        if (!strstr(f.err.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", f.err.text, cases[i].says);
        assert_false(lp_file_exists(f.out));
        assert_true(rewrite(&f)); /* the script has ended */
        assert_int_equal(f.report.known, cases[i].known);
        assert_int_equal(f.report.asked, 4 - cases[i].known);
        assert_int_equal(f.report.written, 6);
        tear_down(&f);
    }
}

static void bad_answers_are_counted(void **state) {
    (void)state;
    static const char *const scripts[] = {"jj", "ee", "tt", "hh", "jt"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct fixture f;
        set_up(&f, scripts[i]);
        stub_start(&f.stub);
        assert_true(rewrite(&f));
        assert_int_equal(f.report.unreadable, 1);
        assert_int_equal(f.report.asked, 4);
        assert_int_equal(f.waits, 0);
        assert_int_equal(f.report.wordings[LP_WORDING_GOOD], 6);
        tear_down(&f);
    }
}

static void bad_wordings_are_refused(void **state) {
    (void)state;
    struct fixture f;
    set_up(&f, "l");
    stub_start(&f.stub);
    assert_true(rewrite(&f));
    assert_int_equal(f.report.wordings[LP_WORDING_LOST], 1);  /* "nothing at all" */
    assert_int_equal(f.report.wordings[LP_WORDING_SAME], 1);  /* the request itself */
    assert_int_equal(f.report.wordings[LP_WORDING_SHAPE], 4); /* 7, "", two lines, <image> */
    assert_int_equal(f.report.wordings[LP_WORDING_GOOD], 8);
    tear_down(&f);
}

/* The third question is not answered; there the run is killed. Nothing but that question is asked twice. */
static void a_kill_loses_nothing(void **state) {
    (void)state;
    struct fixture f;
    set_up(&f, "ggs");
    pid_t child = fork();
    if (child == 0) {
        rewrite(&f);
        _exit(0);
    }
    stub_start(&f.stub);
    sem_wait(&f.stub.silent);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(lp_file_exists(f.out));
    assert_true(rewrite(&f));
    assert_int_equal(f.report.known, 2);
    assert_int_equal(f.stub.asked, 5);
    assert_string_equal(f.stub.request[2], f.stub.request[3]);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < i; k++)
            assert_true((k == 2 && i == 3) || strcmp(f.stub.request[i], f.stub.request[k]));
    assert_int_equal(f.report.written, 6);
    tear_down(&f);
}

/* Every allocation fails once, when all answers are known: a clean end each time, and nothing is lost. */
static void memory_may_run_out(void **state) {
    (void)state;
    struct fixture f;
    set_up(&f, "");
    stub_start(&f.stub);
    assert_int_equal(mkdir(f.out, 0700), 0); /* where no file can be put */
    assert_false(rewrite(&f));
    assert_int_equal(f.err.code, LP_EIO);
    assert_int_equal(rmdir(f.out), 0);
    long n = 0;
    for (bool ok = false; !ok;) {
        lp_test_fail_alloc(++n);
        ok = rewrite(&f);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(ok != failed);
        if (!ok && (f.err.code != LP_EMEMORY || lp_file_exists(f.out)))
            fail_msg("allocation %ld: %s", n, f.err.text);
    }
    assert_true(n > 100);
    assert_int_equal(f.report.known, 4);
    assert_int_equal(f.report.written, 6);
    assert_int_equal(f.stub.asked, 4);
    tear_down(&f);
}

static void a_journal_keeps_whole_lines(void **state) {
    (void)state;
    struct lp_error err = {0};
    char path[] = "/tmp/lp_journal_XXXXXX";
    close(mkstemp(path));
    json_t *head = json_pack("{s:i}", "n", 2), *other = json_pack("{s:i}", "n", 3), *value = json_pack("[s]", "v");
    struct lp_journal *j = lp_journal_open(path, head, &err);
    assert_non_null(j);
    assert_null(lp_journal_open(path, head, &err)); /* one at a time */
    assert_int_equal(err.code, LP_EIO);
    assert_true(lp_journal_put(j, "first", value, &err));
    assert_true(lp_journal_put(j, "second\nline", value, &err));
    lp_journal_close(j);
    FILE *file = fopen(path, "a");
    fputs("{\"key\": \"torn", file);
    fclose(file);
    j = lp_journal_open(path, head, &err);
    assert_non_null(j);
    assert_int_equal(lp_journal_size(j), 2);
    assert_true(json_equal(lp_journal_find(j, "second\nline"), value));
    assert_true(lp_journal_put(j, "third", value, &err));
    lp_journal_close(j);
    j = lp_journal_open(path, head, &err);
    assert_int_equal(lp_journal_size(j), 3);
    lp_journal_close(j);
    assert_null(lp_journal_open(path, other, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    file = fopen(path, "a");
    fputs("what?\n", file);
    fclose(file);
    assert_null(lp_journal_open(path, head, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "line 5"));
    unlink(path);
    json_decref(head);
    json_decref(other);
    json_decref(value);
}

static void wordings_keep_what_calls_need(void **state) {
    (void)state;
    static const struct {
        const char *wording;
        enum lp_wording verdict;
    } cases[] = {
        {"show me 2 mice near the WINE GLASSES", LP_WORDING_GOOD},
        {"box 2 wine glasses, then each mouse", LP_WORDING_GOOD},
        {"show me mice near the wine glasses", LP_WORDING_LOST},
        {"show me 2 mice near the glasses", LP_WORDING_LOST},
        {"show me 2 titmice near the wine glass", LP_WORDING_LOST},
        {"please find 2 mice and the wine-glass", LP_WORDING_LOST},
        {"Find the 2 mice, and the wine glass!", LP_WORDING_SAME},
        {"2 mice, wine glass {box_1}", LP_WORDING_SHAPE},
        {"2 mice, wine glass\tplease", LP_WORDING_SHAPE},
        {"2 mice, wine glass \xff", LP_WORDING_SHAPE},
        {"", LP_WORDING_SHAPE},
    };
    static const char seed[] = "find the 2 mice and the wine glass";
    bool found;
    json_t *actions = json_pack("[{s:{s:s}}]", "API_params", "caption", "mouse . wine glass");
    json_t *keeps = lp_said_keeps(seed, actions, &found);
    assert_true(found);
    assert_int_equal(json_array_size(keeps), 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (lp_said_check(seed, keeps, cases[i].wording) != cases[i].verdict)
            fail_msg("'%s' is judged %d", cases[i].wording, lp_said_check(seed, keeps, cases[i].wording));
    json_decref(keeps);
    keeps = lp_said_keeps("find the oxen", actions, &found);
    assert_false(found);
    json_decref(keeps);
    json_decref(actions);
}

static void turns_are_split(void **state) {
    (void)state;
    static const struct {
        const char *turn, *text, *back;
    } cases[] = {
        {"<image>\nWhere?", "Where?", ""},
        {"<image>\n<image>\nTwo\nlines\n\nInput box: [0, 0, 1, 1]", "Two\nlines", "\n\nInput box: [0, 0, 1, 1]"},
        {"<image>\nram model outputs: {'tags': 'a'}\nblip2 model outputs: {'caption': 'b'}\n\nWhat now?", "What now?", ""},
        {"Is it?\nAnswer the question using a single word or phrase.", "Is it?",
         "\nAnswer the question using a single word or phrase."},
        {"Provide a one-sentence caption for the provided image.", "",
         "Provide a one-sentence caption for the provided image."},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_said said;
        lp_said_split(cases[i].turn, &said);
        assert_int_equal(said.bytes, strlen(cases[i].text));
        assert_memory_equal(said.text, cases[i].text, said.bytes);
        assert_string_equal(said.back, cases[i].back);
        assert_int_equal(said.front_bytes + said.bytes + strlen(said.back), strlen(cases[i].turn));
    }
}

static void keys_do_not_travel_in_clear_text(void **state) {
    (void)state;
    static const struct {
        const char *url, *key;
        bool fine;
    } cases[] = {
        {"https://models.example/v1", "k", true},    {"http://models.example/v1", NULL, true},
        {"http://localhost:8000/v1", "k", true},     {"http://[::1]:8000/v1", "k", true},
        {"http://models.example/v1", "k", false},    {"ftp://models.example/v1", NULL, false},
        {"file:///etc/passwd", NULL, false},         {"models.example/v1", NULL, false},
        {"https://me:pw@models.example", NULL, false}, {"", NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        struct lp_http_settings s;
        lp_http_defaults(&s);
        s.url = cases[i].url;
        s.key = cases[i].key;
        struct lp_http *http = lp_http_open(&s, &err);
        if (!http != !cases[i].fine)
            fail_msg("'%s': %s", cases[i].url, err.text);
        assert_true(http || err.code == LP_EUSAGE);
        lp_http_close(http);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_words_stand_where_the_old_ones_stood),
        cmocka_unit_test(what_passes_is_waited_for),
        cmocka_unit_test(a_silent_server_is_asked_again),
        cmocka_unit_test(what_does_not_pass_ends_the_run),
        cmocka_unit_test(bad_answers_are_counted),
        cmocka_unit_test(bad_wordings_are_refused),
        cmocka_unit_test(a_kill_loses_nothing),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(a_journal_keeps_whole_lines),
        cmocka_unit_test(wordings_keep_what_calls_need),
        cmocka_unit_test(turns_are_split),
        cmocka_unit_test(keys_do_not_travel_in_clear_text),
    };
    setenv("no_proxy", "*", 1); /* the endpoint is on this machine */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
