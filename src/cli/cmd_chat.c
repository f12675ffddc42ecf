/* SPDX-License-Identifier: MIT */
/* cli/cmd_chat.c - llava-plus chat: ask the planner, let it use its skills, print the answer as it comes. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/planner.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct chat {
    struct lp_planner_flags flags;
    bool debug, json;
    const char *out;
    struct lp_planner planner;
    struct lp_prompts prompts; /* of the next request */
    int drawn;                 /* annotated pictures saved */
    bool told;                 /* something of the answer has been printed */
    bool save_failed;
    struct lp_error save_error;
};

static atomic_bool interrupted;

static void interrupt(int signal_number) {
    if (atomic_exchange(&interrupted, true)) /* the second time means it */
        _exit(128 + signal_number);
}

/* Saves a picture as DIR/name. Errors are kept: a callback cannot fail. */
static void save(struct chat *c, const struct lp_image *image, const char *name) {
    char path[PATH_MAX];
    if (c->save_failed)
        return;
    c->save_failed = !image || !lp_file_join(path, sizeof path, c->out, name, &c->save_error) ||
                     !lp_image_save(image, path, &c->save_error);
    if (!c->save_failed)
        fprintf(stderr, "saved %s\n", path);
}

/* What a skill made, and what it found drawn into the picture it looked at. */
static void save_result(struct chat *c, const struct lp_call *call) {
    char name[64];
    bool found = false;
    for (int i = call->first; i < call->first + call->count; i++) {
        const struct lp_object *o = call->objects->item[i];
        snprintf(name, sizeof name, "%s.png", o->handle);
        if (o->kind == LP_OBJECT_IMAGE)
            save(c, o->picture, name);
        found = found || o->kind == LP_OBJECT_BOX || o->kind == LP_OBJECT_MASK || o->kind == LP_OBJECT_MAP;
    }
    if (!found || !call->picture)
        return;
    struct lp_image *drawn = lp_call_annotate(call, &c->save_error);
    snprintf(name, sizeof name, "annotated_%d.png", ++c->drawn);
    save(c, drawn, name);
    lp_image_close(drawn);
}

static void step(void *context, const struct lp_step *s) {
    struct chat *c = context;
    if (s->kind == LP_STEP_ANSWER && !c->json) {
        fputs(s->text, stdout);
        fflush(stdout);
        c->told = true;
    } else if (s->kind == LP_STEP_TURN && c->debug) {
        size_t n = strlen(s->text);
        if (c->told) /* not on the line of the answer */
            fputc('\n', stderr);
        fprintf(stderr, "%s%s--\n", s->text, n && s->text[n - 1] == '\n' ? "" : "\n");
        if (s->turn)
            fprintf(stderr, "[of its prompt %lld positions were known, %lld new; first token after %.0f ms]\n--\n",
                    (long long)s->turn->reused, (long long)s->turn->fed, s->first_ms);
    } else if (s->kind == LP_STEP_RESULT && s->call && c->out) {
        save_result(c, s->call);
    }
}

static bool print_json(const struct lp_reply *reply, const struct lp_objects *objects, struct lp_error *err) {
    json_t *all = lp_reply_json(reply, objects);
    char *text = all ? lp_json_text(all) : NULL;
    if (text)
        puts(text);
    bool done = text || lp_error_memory(err);
    lp_free(text);
    json_decref(all);
    return done;
}

/* One request and its answer. */
static bool ask(struct chat *c, const char *text, struct lp_error *err) {
    struct lp_reply reply;
    struct lp_hooks hooks = {.step = step, .context = c, .cancel = &interrupted};
    struct lp_request request = lp_prompts_request(&c->prompts, text);
    atomic_store(&interrupted, false);
    c->told = c->save_failed = false;
    bool done = lp_agent_ask(&c->planner.agent, &request, &hooks, &reply, err);
    if (c->told)
        putchar('\n');
    if (!done)
        return false;
    done = !c->json || print_json(&reply, &c->planner.agent.talk.objects, err);
    lp_reply_done(&reply);
    lp_prompts_done(&c->prompts);
    fflush(stdout);
    if (done && c->save_failed) {
        *err = c->save_error;
        return false;
    }
    return done;
}

static bool set_image(struct chat *c, const char *argument, struct lp_error *err) {
    struct lp_option_list one = {.item = {argument}, .n = 1};
    return lp_planner_add_pictures(&c->planner, &one, err);
}

static bool set_points(struct chat *c, const char *argument, struct lp_error *err) {
    struct lp_planner_flags flags = {.points = argument};
    return lp_planner_prompts(&flags, &c->prompts, err);
}

static bool set_boxes(struct chat *c, const char *argument, struct lp_error *err) {
    struct lp_planner_flags flags = {.boxes = argument};
    return lp_planner_prompts(&flags, &c->prompts, err);
}

static bool set_reference(struct chat *c, const char *argument, struct lp_error *err) {
    lp_image_close(c->prompts.reference);
    return (c->prompts.reference = lp_image_open(argument, err)) != NULL;
}

static bool show_objects(struct chat *c, const char *argument, struct lp_error *err) {
    (void)argument;
    const struct lp_objects *objects = &c->planner.agent.talk.objects;
    for (int i = 0; i < objects->n; i++) {
        json_t *object = lp_object_json(objects->item[i]);
        char *text = object ? lp_json_text(object) : NULL;
        if (text)
            puts(text);
        json_decref(object);
        if (!text)
            return lp_error_memory(err);
        lp_free(text);
    }
    return true;
}

static bool begin_anew(struct chat *c, const char *argument, struct lp_error *err) {
    (void)argument;
    (void)err;
    lp_conversation_reset(&c->planner.agent.talk);
    lp_prompts_done(&c->prompts);
    return true;
}

static bool help(struct chat *c, const char *argument, struct lp_error *err);

/* Lines of the interactive chat that are no requests. */
static const struct {
    const char *name, *argument, *about;
    bool (*run)(struct chat *c, const char *argument, struct lp_error *err);
} lines[] = {
    {"/image", "FILE", "show the planner a picture", set_image},
    {"/points", "JSON", "point at the picture for the next request: [[0.5, 0.4]]", set_points},
    {"/boxes", "JSON", "give boxes for the next request: [[0.1, 0.2, 0.5, 0.6]]", set_boxes},
    {"/reference", "FILE", "give a picture that shows what to look for", set_reference},
    {"/objects", NULL, "show what the conversation holds", show_objects},
    {"/reset", NULL, "begin anew", begin_anew},
    {"/help", NULL, "show this", help},
    {"/quit", NULL, "end", NULL},
};
enum { LINES = sizeof lines / sizeof *lines };

static bool help(struct chat *c, const char *argument, struct lp_error *err) {
    (void)c;
    (void)argument;
    (void)err;
    for (int i = 0; i < LINES; i++)
        fprintf(stderr, "  %-10s %-5s %s\n", lines[i].name, lines[i].argument ? lines[i].argument : "",
                lines[i].about);
    return true;
}

/* One line of the interactive chat. *more turns false at its end. */
static bool take_line(struct chat *c, char *line, bool *more, struct lp_error *err) {
    size_t n = strcspn(line, " ");
    if (line[0] != '/')
        return ask(c, line, err);
    for (int i = 0; i < LINES; i++) {
        if (strlen(lines[i].name) != n || strncmp(line, lines[i].name, n))
            continue;
        const char *argument = line + n + strspn(line + n, " ");
        if (lines[i].argument && !*argument)
            return lp_error_set(err, LP_EUSAGE, "%s needs %s", lines[i].name, lines[i].argument);
        *more = lines[i].run != NULL;
        return !lines[i].run || lines[i].run(c, argument, err);
    }
    return lp_error_set(err, LP_EUSAGE, "there is no '%.*s'; see /help", (int)n, line);
}

/* Reads requests until the end. An error is told and the chat goes on; the exit status remembers it. */
static int converse(struct chat *c) {
    char *line = NULL;
    size_t capacity = 0;
    bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO), more = true;
    int status = 0;
    if (terminal)
        fputs("Ask, or /help.\n", stderr);
    while (more) {
        struct lp_error err = {0};
        if (terminal)
            fputs("> ", stderr);
        ssize_t n = getline(&line, &capacity, stdin);
        if (n < 0)
            break;
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = 0;
        if (line[strspn(line, " \t")] && !take_line(c, line, &more, &err))
            status = lp_command_fail("chat", &err);
    }
    free(line);
    return terminal ? 0 : status;
}

/* Opens the planner and reads what the options name. */
static bool prepare(struct chat *c, struct lp_error *err) {
    if (c->out && !lp_file_make_folder(c->out, err))
        return false;
    return lp_planner_prompts(&c->flags, &c->prompts, err) && lp_planner_open(&c->planner, &c->flags, err) &&
           lp_planner_add_pictures(&c->planner, &c->flags.image, err);
}

static bool wants_stdin(const struct chat *c) {
    for (int i = 0; i < c->flags.image.n; i++)
        if (!strcmp(c->flags.image.item[i], "-"))
            return true;
    return false;
}

int lp_cmd_chat(int argc, char **argv) {
    struct chat c = {0};
    struct lp_error err = {0};
    struct lp_option options[LP_PLANNER_OPTIONS + 4];
    int status;
    lp_planner_options(&c.flags, options);
    options[LP_PLANNER_OPTIONS] = (struct lp_option){
        .name = "debug", .help = "print the whole dialogue with the skills to stderr", .target = &c.debug};
    options[LP_PLANNER_OPTIONS + 1] =
        (struct lp_option){.name = "json",
                           .help = "print thoughts, actions, results, answer and objects as JSON",
                           .target = &c.json};
    options[LP_PLANNER_OPTIONS + 2] = (struct lp_option){
        .name = "out",
        .letter = 'o',
        .argument = "DIR",
        .kind = LP_OPTION_STRING,
        .target = &c.out,
        .help = "save pictures that skills made, and what they found drawn into the picture"};
    options[LP_PLANNER_OPTIONS + 3] = (struct lp_option){.name = NULL};
    const struct lp_usage usage = {
        "chat",
        "[options] [SENTENCE]",
        "Answers a request about pictures, using skills where they help. Without a sentence "
        "it reads one request a line; /help shows what else.",
        options,
        0,
        1};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    c.flags.once = argc == 2;
    signal(SIGINT, interrupt);
    if (argc < 2 && wants_stdin(&c)) {
        lp_error_set(&err, LP_EUSAGE, "--image - takes standard input: give the sentence as an argument");
        return lp_command_fail("chat", &err);
    }
    bool done = prepare(&c, &err);
    status = done && argc < 2 ? converse(&c) : 0;
    if (done && argc == 2)
        done = ask(&c, argv[1], &err);
    lp_prompts_done(&c.prompts);
    lp_planner_close(&c.planner);
    return done ? status : lp_command_fail("chat", &err);
}
