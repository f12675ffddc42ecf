/* SPDX-License-Identifier: MIT */
/* chat and plan with a planner on a server, from the outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/reply_stub.h"

#define SIGN LP_SOURCE_DIR "/examples/sign.jpg"

struct outcome {
    char out[8192], err[8192];
    int status;
};

static void read_all(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
}

/* Runs the program with the arguments, "URL" in them the stub's address. */
static struct outcome run(const char *url, const char *arguments) {
    struct outcome o;
    char folder[] = "/tmp/lp_remote_XXXXXX", out[64], err[64];
    struct lp_str line = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(err, sizeof err, "%s/err", folder);
    const char *at = strstr(arguments, "URL");
    lp_str_printf(&line, "%s %.*s%s%s >%s 2>%s </dev/null", LP_PROGRAM,
                  (int)(at ? at - arguments : (long)strlen(arguments)), arguments, at ? url : "",
                  at ? at + 3 : "", out, err);
    o.status = system(line.s);
    o.status = WIFEXITED(o.status) ? WEXITSTATUS(o.status) : -1;
    read_all(out, o.out, sizeof o.out);
    read_all(err, o.err, sizeof o.err);
    unlink(out);
    unlink(err);
    rmdir(folder);
    lp_str_done(&line);
    return o;
}

static void a_chat_that_reads(void **state) {
    (void)state;
    static const char *const script[] = {"llamacpp_ocr.sse", "llamacpp_answer.sse", NULL};
    struct reply_stub stub;
    reply_stub_start(&stub, script);
    struct outcome o =
        run(stub.http.url, "chat --planner URL --planner-model m --image " SIGN " 'What does it say?'");
    assert_string_equal(o.err, "");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "The sign says OPEN DAILY\n9AM-6PM \xc3\xa9t\xc3\xa9.\n"));
    assert_int_equal(stub.asked, 2);
    reply_stub_close(&stub);
}

/* There is no dog on the sign: detect says so, and the answer stays as the planner wrote it. */
static void a_chat_that_detects(void **state) {
    (void)state;
    static const char *const script[] = {"ollama_detect.sse", "ollama_answer.sse", NULL};
    struct reply_stub stub;
    reply_stub_start(&stub, script);
    struct outcome o =
        run(stub.http.url, "chat --json --planner URL --planner-model m --image " SIGN " 'Find the dog'");
    json_t *all = json_loads(o.out, 0, NULL);
    assert_int_equal(o.status, 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(all, "skills"), 1)), "detect");
    assert_string_equal(json_string_value(json_object_get(all, "value")), "There is one dog.");
    json_decref(all);
    reply_stub_close(&stub);
}

static void a_plan(void **state) {
    (void)state;
    static const char *const script[] = {"text_ocr.sse", NULL};
    struct reply_stub stub;
    reply_stub_start(&stub, script);
    struct outcome o =
        run(stub.http.url,
            "plan --planner-tools text --planner URL --planner-model m --image " SIGN " 'Read it'");
    assert_int_equal(o.status, 0);
    assert_string_equal(
        o.out,
        "{\"thoughts\":\"I read it.\",\"actions\":[{\"API_name\":\"ocr\",\"API_params\":{}}],\"skills\":"
        "[\"ocr\"],\"value\":\"I will use ocr.\"}\n");
    reply_stub_close(&stub);
}

/* One sentence, nothing on standard output, the right exit status. */
static void mistakes_are_one_sentence(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *says;
        int status;
    } cases[] = {
        {"chat --planner URL x", "--planner-model NAME", 2},
        {"chat --planner-model m x", "needs --planner", 2},
        {"chat --planner URL --planner-model m --planner-tools magic x", "'auto', 'native' or 'text'", 2},
        {"chat --planner URL --planner-model m --planner-timeout 0 x", "--planner-timeout", 2},
        {"chat --planner URL --planner-model m --model /nowhere x", "either --model or --planner", 2},
        {"chat --planner file:///etc --planner-model m x", "it must be https", 2},
        {"plan --planner URL --planner-model m x", "status 401: Incorrect API key provided", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const char *const script[] = {"openai_key.json", NULL};
        struct reply_stub stub;
        reply_stub_start(&stub, script);
        struct outcome o = run(stub.http.url, cases[i].arguments);
        if (o.status != cases[i].status || !strstr(o.err, cases[i].says))
            fail_msg("%s: %d '%s'", cases[i].arguments, o.status, o.err);
        assert_string_equal(o.out, "");
        assert_ptr_equal(strchr(o.err, '\n'), o.err + strlen(o.err) - 1);
        reply_stub_close(&stub);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_that_reads),
        cmocka_unit_test(a_chat_that_detects),
        cmocka_unit_test(a_plan),
        cmocka_unit_test(mistakes_are_one_sentence),
    };
    setenv("no_proxy", "*", 1); /* the server is on this machine */
    unsetenv("OPENAI_API_KEY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
