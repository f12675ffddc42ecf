/* SPDX-License-Identifier: MIT */
/* The server's state: what is kept, what a failing disk, a damaged file or no memory make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "serve/talk.h"
#include "serve/state.h"

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const struct lp_hash owner;

/* A folder of its own for every test. */
static int make_folder(void **state) {
    static char folder[40];
    strcpy(folder, "/tmp/llava-plus-test-XXXXXX");
    *state = mkdtemp(folder);
    return *state == NULL;
}

static int remove_folder(void **state) {
    char command[80];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    return system(command);
}

static const char *in(const char *folder, const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct lp_state *open_state(const char *folder) {
    struct lp_error err = {0};
    struct lp_state *s = lp_state_open(folder, 1 << 20, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

static void assert_closed(const char *folder, enum lp_code code, const char *says) {
    struct lp_error err = {0};
    assert_null(lp_state_open(folder, 1 << 20, &err));
    if (err.code != code || !strstr(err.text, says))
        fail_msg("%d '%s', not '%s'", err.code, err.text, says);
}

/* Adds a picture; its bytes are taken for one of that size: nothing is decoded here. */
static json_t *add_sized(struct lp_state *s, const char *id, const void *bytes, size_t n, int width, int height,
                         struct lp_fault *fault) {
    const struct lp_state_picture picture = {bytes, n, lp_sha256_of(bytes, n), width, height};
    return lp_state_add_picture(s, &owner, id, &picture, fault);
}

/* A session with a picture and a turn that made one, which has ended if `ends`. */
static void fill(struct lp_state *s, char id[LP_SESSION_ID], int color, bool ends) {
    struct lp_fault fault = {0};
    struct lp_objects objects = {0};
    struct lp_str png = talk_picture(6, 5, color);
    json_t *request = json_pack("{s:s}", "text", "Make it"), *reply = json_pack("{s:s}", "answer", "Made.");
    int turn;
    assert_true(lp_state_create(s, &owner, id, &fault));
    json_decref(add_sized(s, id, png.s, png.n, 6, 5, &fault));
    assert_true(lp_state_begin(s, &owner, id, request, &turn, &fault));
    assert_non_null(lp_objects_add_image(&objects, lp_image_new(6, 5, NULL), NULL));
    assert_non_null(lp_objects_add_image(&objects, lp_image_new(7, 5, NULL), NULL));
    const struct lp_said said[] = {{.text = "<image>\nMake it", .request = true, .pictures = 1},
                                   {.text = "Made.", .assistant = true}};
    struct lp_state_turn t = {id, turn, "running", reply, &objects, 1, 1, 1, NULL, 0, NULL};
    assert_true(lp_state_keep(s, &t, &fault));
    t = (struct lp_state_turn){id, turn, "done", reply, &objects, 2, 0, 0, said, 2, NULL};
    assert_true(!ends || lp_state_keep(s, &t, &fault));
    lp_objects_done(&objects);
    json_decref(request);
    json_decref(reply);
    lp_str_done(&png);
}

static const char *status_of(struct lp_state *s, const char *id, size_t turn) {
    static char text[20];
    struct lp_fault fault = {0};
    json_t *all = lp_state_session(s, &owner, id, &fault);
    assert_non_null(all);
    snprintf(text, sizeof text, "%s", text_of(json_array_get(json_object_get(all, "turns"), turn), "status"));
    json_decref(all);
    return text;
}

static bool loads(struct lp_state *s, const char *id, struct lp_fault *fault) {
    static const char *const script[] = {"", NULL};
    struct fake fake;
    struct lp_conversation c;
    assert_true(fake_open(&fake, script, 0, 1000) && lp_conversation_init(&c, &fake.lmm, NULL));
    bool done = lp_state_load(s, id, &c, fault);
    if (done)
        assert_true(c.objects.n == 2 && c.n == 2 && c.shown == 1);
    lp_conversation_done(&c);
    lp_lmm_close(&fake.lmm);
    return done;
}

static void what_is_kept_is_there_again(void **state) {
    char id[2][LP_SESSION_ID];
    struct lp_fault fault = {0};
    struct lp_state *s = open_state(*state);
    fill(s, id[0], 1, true);
    fill(s, id[1], 2, false);
    struct lp_state_counts before = lp_state_counts(s);
    assert_string_equal(status_of(s, id[1], 0), "running");
    assert_closed(*state, LP_EIO, "in use by another server");
    lp_state_close(s);
    s = open_state(*state);
    struct lp_state_counts after = lp_state_counts(s);
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(after.sessions == 2 && after.objects == 4 && after.bytes > 0);
    assert_string_equal(status_of(s, id[0], 0), "done");
    assert_string_equal(status_of(s, id[1], 0), "interrupted");
    assert_true(loads(s, id[0], &fault));
    assert_true(lp_state_delete(s, &owner, id[0], &fault) && lp_state_delete(s, &owner, id[1], &fault));
    after = lp_state_counts(s);
    assert_true(!after.sessions && !after.objects && !after.bytes);
    lp_state_close(s);
}

/* The status that it is refused with, 0: none. */
static int add(struct lp_state *s, const char *id, const char *bytes, int width, int height) {
    struct lp_fault fault = {0};
    json_t *made = add_sized(s, id, bytes, strlen(bytes), width, height, &fault);
    assert_int_equal(made != NULL, !fault.status);
    json_decref(made);
    return fault.status;
}

static void a_session_takes_so_many_pictures(void **state) {
    char id[LP_SESSION_ID], other[LP_SESSION_ID];
    struct lp_fault fault = {0};
    struct lp_state *s = open_state(*state);
    assert_true(lp_state_create(s, &owner, id, &fault) && lp_state_create(s, &owner, other, &fault));
    assert_int_equal(add(s, id, "one", 9000, 9000), 0);
    assert_int_equal(add(s, id, "two", 9000, 9000), 409);
    assert_int_equal(add(s, other, "two", 9000, 9000), 0);
    for (int i = 1; i < LP_SESSION_PICTURES; i++)
        assert_int_equal(add(s, id, "one", 9, 9), 0);
    assert_int_equal(add(s, id, "one", 9, 9), 409);
    lp_state_close(s);
}

static void an_owner_has_so_many_sessions(void **state) {
    const struct lp_hash another = {{1}};
    char id[LP_SESSION_ID];
    struct lp_fault fault = {0};
    struct lp_state *s = open_state(NULL); /* a temporary one is quick */
    (void)state;
    for (int i = 0; i < LP_SESSIONS_EACH; i++)
        assert_true(lp_state_create(s, &owner, id, &fault));
    assert_false(lp_state_create(s, &owner, id, &fault));
    assert_int_equal(fault.status, 409);
    fault = (struct lp_fault){0};
    assert_true(lp_state_create(s, &another, id, &fault));
    lp_state_close(s);
}

static int files_in(const char *folder) {
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

/* Equal pictures are one file; a file goes with the last that names it, and what a kill left goes at the next start. */
static void files_are_counted(void **state) {
    char id[3][LP_SESSION_ID], blobs[80];
    struct lp_fault fault = {0};
    struct lp_state *s = open_state(*state);
    snprintf(blobs, sizeof blobs, "%s/blobs", (char *)*state);
    for (int i = 0; i < 3; i++)
        fill(s, id[i], i / 2, true);
    assert_int_equal(files_in(blobs), 3); /* two colours, and what all three turns made */
    assert_true(lp_state_delete(s, &owner, id[0], &fault));
    assert_int_equal(files_in(blobs), 3);
    assert_true(lp_state_delete(s, &owner, id[1], &fault));
    assert_int_equal(files_in(blobs), 2);
    lp_state_close(s);
    static const char *const left[] = {"blobs/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                       "blobs/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.Xy12Z9",
                                       "blobs/README"};
    for (int i = 0; i < 3; i++)
        assert_true(lp_file_write(in(*state, left[i]), "x", 1, NULL));
    s = open_state(*state);
    assert_int_equal(files_in(blobs), 3); /* README is not ours */
    assert_true(loads(s, id[2], &fault));
    lp_state_close(s);
}

static void damaged_files_are_told(void **state) {
    char id[LP_SESSION_ID], path[400] = "";
    struct lp_fault fault = {0};
    struct lp_state *s = open_state(*state);
    fill(s, id, 1, true);
    DIR *dir = opendir(in(*state, "blobs"));
    for (const struct dirent *e; (e = readdir(dir));)
        if (*e->d_name != '.')
            snprintf(path, sizeof path, "%s/blobs/%s", (char *)*state, e->d_name);
    closedir(dir);
    assert_true(lp_file_write(path, "other", 5, NULL));
    assert_false(loads(s, id, &fault));
    assert_int_equal(fault.status, 500);
    assert_string_equal(fault.err.text, "the server's state is damaged: a picture's file has changed");
    assert_int_equal(unlink(path), 0);
    fault = (struct lp_fault){0};
    assert_false(loads(s, id, &fault));
    assert_string_equal(fault.err.text, "the server's state is damaged: a picture's file is missing");
    fault = (struct lp_fault){0};
    assert_true(lp_state_delete(s, &owner, id, &fault)); /* which still can be done */
    lp_state_close(s);
}

static void damaged_databases_are_not_opened(void **state) {
    char id[LP_SESSION_ID];
    size_t n;
    struct lp_state *s = open_state(*state);
    for (int i = 0; i < 20; i++)
        fill(s, id, i, true);
    lp_state_close(s);
    const char *path = in(*state, "state.db");
    char *whole = lp_file_read(path, 1 << 24, &n, NULL), *bytes = lp_file_read(path, 1 << 24, &n, NULL);
    assert_true(whole && bytes && n > 20000);
    assert_true(lp_file_write(in(*state, "state.db"), whole, n / 2, NULL));
    assert_closed(*state, LP_EINPUT, "the server's state is damaged: ");
    memset(bytes + 4096, 0x5a, n - 4096);
    assert_true(lp_file_write(in(*state, "state.db"), bytes, n, NULL));
    assert_closed(*state, LP_EINPUT, "the server's state is damaged: ");
    memset(bytes, 0x5a, n);
    assert_true(lp_file_write(in(*state, "state.db"), bytes, n, NULL));
    assert_closed(*state, LP_EINPUT, "the server's state is damaged: file is not a database");
    memcpy(bytes, whole, n);
    bytes[63] = 3; /* the last byte of user_version */
    assert_true(lp_file_write(in(*state, "state.db"), bytes, n, NULL));
    assert_closed(*state, LP_EINPUT, "has the version 3, this program knows those up to 2");
    bytes[68] ^= 1; /* application_id */
    assert_true(lp_file_write(in(*state, "state.db"), bytes, n, NULL));
    assert_closed(*state, LP_EINPUT, "another program's database");
    assert_true(lp_file_write(in(*state, "state.db"), whole, n, NULL));
    s = open_state(*state);
    assert_string_equal(status_of(s, id, 0), "done");
    lp_state_close(s);
    assert_closed(in(*state, "state.db"), LP_EIO, "is not a folder");
    assert_closed("", LP_EUSAGE, "no name");
    assert_closed("/proc/nowhere", LP_EIO, "cannot make the folder");
    lp_free(whole);
    lp_free(bytes);
}

/* A state of the version before knew not on which picture an object lies: it becomes one that does. */
static void an_older_state_is_taken_over(void **state) {
    static const float box[4] = {0, 0, 1, 1};
    char id[LP_SESSION_ID];
    struct lp_fault fault = {0};
    struct lp_state *s = open_state(*state);
    fill(s, id, 1, true); /* img_1, and img_2 that the turn made */
    struct lp_objects objects = {0};
    json_t *request = json_pack("{s:s}", "text", "Find it"), *reply = json_object();
    int turn;
    assert_true(lp_state_begin(s, &owner, id, request, &turn, &fault));
    for (int i = 0; i < 2; i++)
        assert_non_null(lp_objects_add_image(&objects, lp_image_new(6, 5, NULL), NULL));
    assert_non_null(lp_objects_add_box(&objects, box, "it", 1, NULL));
    const struct lp_state_turn t = {id, turn, "done", reply, &objects, 2, 2, 1, NULL, 0, NULL};
    assert_true(lp_state_keep(s, &t, &fault));
    lp_objects_done(&objects);
    json_decref(request);
    json_decref(reply);
    lp_state_close(s);

    sqlite3 *db;
    assert_int_equal(sqlite3_open(in(*state, "state.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE objects DROP COLUMN picture; PRAGMA user_version = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    for (int i = 0; i < 2; i++) { /* once is enough */
        struct lp_state_found found = {0};
        s = open_state(*state);
        assert_true(lp_state_find(s, &owner, id, "box_1", false, &found, &fault));
        assert_int_equal(found.object.on, 2);
        lp_state_found_done(&found);
        assert_true(lp_state_find(s, &owner, id, "img_2", false, &found, &fault));
        assert_int_equal(found.object.on, 0);
        lp_state_found_done(&found);
        assert_string_equal(status_of(s, id, 1), "done");
        lp_state_close(s);
    }
}

/* Files of this process may not grow beyond so many bytes: what a full disk is like. */
static void limit_files(rlim_t bytes) {
    struct rlimit r;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void a_full_disk_is_told(void **state) {
    char id[LP_SESSION_ID], other[LP_SESSION_ID];
    struct lp_fault fault = {0};
    struct lp_str png = talk_picture(6, 5, 1);
    struct lp_state *s = open_state(*state);
    fill(s, id, 1, true);
    limit_files(16);
    assert_false(lp_state_create(s, &owner, other, &fault));
    assert_int_equal(fault.status, 507);
    assert_non_null(strstr(fault.err.text, "the server's state cannot be written: "));
    assert_null(add_sized(s, id, png.s, png.n - 1, 6, 5, &fault)); /* not there yet by its hash */
    assert_int_equal(fault.status, 507);
    assert_string_equal(fault.err.text, "the server's state cannot be written: File too large");
    limit_files(RLIM_INFINITY);
    fault = (struct lp_fault){0};
    assert_true(loads(s, id, &fault));
    fill(s, other, 2, true);
    lp_state_close(s);
    assert_true(lp_file_make_folder(in(*state, "new"), NULL));
    limit_files(16);
    assert_closed(in(*state, "new"), LP_EIO, "the server's state cannot be written: ");
    limit_files(RLIM_INFINITY);
    s = open_state(in(*state, "new")); /* what was begun there is no hindrance */
    lp_state_close(s);
    lp_str_done(&png);
}

/* The n-th allocation fails: an error that says so, and all is as it was. */
static void no_memory_is_told(void **state) {
    char id[LP_SESSION_ID];
    struct lp_state *s = open_state(*state);
    struct lp_str png = talk_picture(6, 5, 9);
    bool done = false;
    fill(s, id, 1, true);
    struct lp_state_counts before = lp_state_counts(s);
    for (int what = 0; what < 4; what++) {
        done = false;
        for (long n = 1; !done; n++) {
            struct lp_fault fault = {0};
            struct lp_state_found found = {0};
            json_t *made = NULL;
            lp_test_fail_alloc(n);
            if (what == 0)
                made = lp_state_session(s, &owner, id, &fault);
            else if (what == 1)
                made = lp_state_list(s, &owner, &fault);
            else if (what == 2)
                made = add_sized(s, id, png.s, png.n, 6, 5, &fault);
            bool found_it = what == 3 && lp_state_find(s, &owner, id, "img_2", true, &found, &fault);
            bool failed = lp_test_alloc_failed();
            lp_test_fail_alloc(0);
            done = !failed;
            if ((made || found_it) == (fault.status != 0) || (fault.status && fault.status != 503))
                fail_msg("%d: %d %s", what, fault.status, fault.err.text);
            json_decref(made);
            lp_state_found_done(&found);
        }
    }
    assert_true(lp_state_counts(s).sessions == before.sessions);
    lp_state_close(s);
    lp_str_done(&png);
}

/* A server whose disk is full while a turn runs says so, and goes on when there is room again. */
static void a_turn_that_cannot_be_kept(void **state) {
    static const char *const cuts[] = {TURN("I cut.", "[" CALL("ocr", "") "]", "I will."), TURN("So.", "[]", "It is {text_1}."),
                                       NULL};
    static const char question[] = "{\"text\":\"Cut\"}";
    struct service s;
    char path[80];
    service_begin(&s, cuts);
    s.settings.state = *state;
    s.agent.play = (struct lp_play){.run = talk_play};
    service_start(&s);
    int port = lp_server_port(s.server);
    talk_begin(port, "", path);
    assert_int_equal(talk_add(port, path, 20, 10, 3), 201);
    atomic_store(&service_held, true);
    int fd = client_connect(port);
    char messages[120];
    snprintf(messages, sizeof messages, "%s/messages", path);
    client_ask(fd, "POST", messages, JSON_TYPE, question);
    while (!atomic_load(&service_waits))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    limit_files(16);
    atomic_store(&service_held, false);
    struct answer a = client_read(fd);
    assert_non_null(strstr(lp_str_text(&a.body), "event: error\ndata: {\"error\":{\"message\":\"the server's state cannot be "
                                                 "written: "));
    assert_null(strstr(lp_str_text(&a.body), "event: done"));
    answer_done(&a);
    limit_files(RLIM_INFINITY);
    json_t *session = talk_session(port, path);
    assert_string_equal(text_of(json_array_get(json_object_get(session, "turns"), 0), "status"), "interrupted");
    json_decref(session);
    assert_int_equal(talk_add(port, path, 20, 10, 4), 201);
    a = talk_do(port, "POST", path, "/messages", JSON_TYPE, question);
    assert_non_null(strstr(lp_str_text(&a.body), "event: done"));
    answer_done(&a);
    session = talk_session(port, path);
    assert_string_equal(text_of(json_array_get(json_object_get(session, "turns"), 0), "status"), "interrupted");
    assert_string_equal(text_of(json_array_get(json_object_get(session, "turns"), 1), "status"), "done");
    json_decref(session);
    service_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_is_there_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_session_takes_so_many_pictures, make_folder, remove_folder),
        cmocka_unit_test(an_owner_has_so_many_sessions),
        cmocka_unit_test_setup_teardown(files_are_counted, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_files_are_told, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_databases_are_not_opened, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(an_older_state_is_taken_over, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(no_memory_is_told, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_turn_that_cannot_be_kept, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
