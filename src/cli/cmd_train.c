/* SPDX-License-Identifier: MIT */
/* cli/cmd_train.c - llava-plus train: records of the released format to a trained folder. */
#include "cli/command.h"
#include "cli/naming.h"
#include "cli/options.h"

#include "base/file.h"
#include "base/json.h"
#include "data/records.h"
#include "plan/action.h"
#include "train/train.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MOST_FOLDERS = 16, MOST_PICTURES = 16, MOST_TURNS = 256 };

static volatile bool stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = true;
}

/* What a record says, as messages and pictures. */
struct record {
    struct lp_message message[MOST_TURNS];
    size_t messages;
    const char *picture[MOST_PICTURES];
    size_t pictures;
    struct lp_arena arena;
};

/* Assistants' turns become the training text of section 1.2: the fields that are there, in their order. */
static bool add_turn(struct record *rec, const json_t *turn, struct lp_error *err) {
    const char *from, *value, *thoughts;
    if (!lp_json_string(turn, "from", "", &from, err) || !lp_json_string(turn, "value", NULL, &value, err) ||
        !lp_json_string(turn, "thoughts", NULL, &thoughts, err))
        return false;
    if (rec->messages == MOST_TURNS)
        return lp_error_set(err, LP_EINPUT, "it has more than %d turns", MOST_TURNS);
    bool human = !strcasecmp(from, "human");
    if (human != (rec->messages % 2 == 0) || (human && !value))
        return lp_error_set(err, LP_EINPUT, "turn %zu is not the %s's", rec->messages + 1,
                            rec->messages % 2 ? "assistant" : "human");
    const char *text = value;
    if (!human) {
        struct lp_str out = {0};
        lp_plan_format(&out, thoughts, json_object_get(turn, "actions"), value);
        text = out.failed ? NULL : lp_arena_strdup(&rec->arena, lp_str_text(&out));
        lp_str_done(&out);
        if (!text)
            return lp_error_memory(err);
    }
    rec->message[rec->messages++] = (struct lp_message){text, !human};
    return true;
}

/* The first image folder that has the file. */
static bool add_picture(struct record *rec, const char *name, char *const *folder, int folders,
                        struct lp_error *err) {
    char path[PATH_MAX];
    if (rec->pictures == MOST_PICTURES)
        return lp_error_set(err, LP_EINPUT, "it has more than %d pictures", MOST_PICTURES);
    if (name[0] == '/' || strstr(name, ".."))
        return lp_error_set(err, LP_EINPUT, "the picture '%s' is outside the image folders", name);
    for (int i = 0; i < folders; i++) {
        if (!lp_file_join(path, sizeof path, folder[i], name, err))
            return false;
        if (!lp_file_exists(path))
            continue;
        rec->picture[rec->pictures] = lp_arena_strdup(&rec->arena, path);
        return rec->picture[rec->pictures++] || lp_error_memory(err);
    }
    return lp_error_set(err, LP_EINPUT, "the picture '%s' is in none of the image folders", name);
}

static bool read_record(struct record *rec, const json_t *json, char *const *folder, int folders,
                        struct lp_error *err) {
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, "conversations"), i, item)
        if (!add_turn(rec, item, err))
            return false;
    json_array_foreach(json_object_get(json, "images"), i, item)
        if (!add_picture(rec, json_string_value(item), folder, folders, err))
            return false;
    return true;
}

/* Calls `use` with each record of a data file. */
struct reading {
    struct lp_train_set *set; /* or, to write texts: */
    struct lp_str text;
    char *const *folder;
    int folders;
    int64_t turns; /* only so many of each dialogue; 0: all */
};

/* Pictures that the first n messages show. */
static size_t count_marks(const struct record *rec, size_t n) {
    size_t marks = 0;
    for (size_t i = 0; i < n; i++)
        for (const char *at = rec->message[i].text; (at = strstr(at, LP_IMAGE_TEXT)); at++)
            marks++;
    return marks;
}

static bool use_record(struct reading *to, const struct record *rec, struct lp_error *err) {
    size_t n = to->turns && rec->messages > (size_t)to->turns ? (size_t)to->turns : rec->messages;
    n -= n % 2; /* an answer must come last */
    size_t pictures = n == rec->messages ? rec->pictures : count_marks(rec, n);
    if (to->set)
        return lp_train_set_add(to->set, rec->message, n, rec->picture,
                                pictures < rec->pictures ? pictures : rec->pictures, err);
    for (size_t i = 0; i < n; i++)
        lp_str_printf(&to->text, "%s\n", rec->message[i].text);
    return !to->text.failed || lp_error_memory(err);
}

static bool read_file(const char *path, struct reading *to, struct lp_error *err) {
    struct lp_records *records = lp_records_open(path, err);
    bool ok = records != NULL;
    json_t *json = NULL;
    for (size_t i = 1; ok && (ok = lp_records_next(records, &json, err)) && json; i++) {
        struct record rec = {0};
        ok = read_record(&rec, json, to->folder, to->folders, err) && use_record(to, &rec, err);
        if (!ok)
            lp_error_prefix(err, "%s, record %zu", path, i);
        lp_arena_done(&rec.arena);
        json_decref(json);
    }
    lp_records_close(records);
    return ok;
}

/* Splits "a,b,c" in place. */
static int split(char *list, char **item, int most) {
    int n = 0;
    for (char *part = strtok(list, ","); part && n < most; part = strtok(NULL, ","))
        item[n++] = part;
    return n;
}

static bool read_all(char *list, struct reading *to, struct lp_error *err) {
    char *path[MOST_FOLDERS];
    int n = split(list, path, MOST_FOLDERS);
    for (int i = 0; i < n; i++)
        if (!read_file(path[i], to, err))
            return false;
    return true;
}

/* What goes to standard error while a training runs. */
struct display {
    const struct lp_train_set *set;
    bool terminal, begun;
};

static void show_progress(void *context, const struct lp_train_progress *p) {
    struct display *d = context;
    bool terminal = d->terminal;
    if (!d->begun)
        fprintf(stderr, "%ld dialogues (%ld too long, left out), %s kernels\n", (long)d->set->count,
                (long)d->set->skipped, d->set->model->kernels->name);
    d->begun = true;
    if (!terminal && p->step % 50 && p->step != p->steps)
        return;
    fprintf(stderr, "%sstep %ld/%ld  loss %.4f  rate %.2e  norm %.2f  %.0f tokens/s  %.0f min left%s",
            terminal ? "\r" : "", (long)p->step, (long)p->steps, p->loss, p->rate, p->gradient_norm,
            p->tokens_per_s, p->seconds_left / 60, terminal ? "   " : "\n");
    if (terminal && p->step == p->steps)
        fputc('\n', stderr);
}

/* "picture,language" to a set of parts. */
static bool read_parts(const char *list, unsigned *parts, struct lp_error *err) {
    static const char *const name[LP_PARTS] = {"picture", "projector", "language"};
    *parts = 0;
    for (size_t n; *list; list += n + (list[n] == ',')) {
        int part = 0;
        n = strcspn(list, ",");
        while (part < LP_PARTS && (strlen(name[part]) != n || strncmp(name[part], list, n)))
            part++;
        if (part == LP_PARTS)
            return lp_error_set(err, LP_EUSAGE, "--train knows picture, projector and language, not '%.*s'", (int)n, list);
        *parts |= 1u << part;
    }
    return *parts || lp_error_set(err, LP_EUSAGE, "--train needs at least one of picture, projector and language");
}

struct request {
    const char *train;
    unsigned parts;
    const char *data, *images, *naming, *model, *out, *write_text;
    int64_t seed, turns;
    bool float32;
    struct lp_train_settings s;
};

static bool train(const struct request *q, struct reading *to, char *data, struct lp_error *err) {
    char checkpoint[PATH_MAX], log[PATH_MAX];
    struct lp_train_settings s = q->s;
    s.seed = (uint64_t)q->seed;
    s.stop = &stop_asked;
    s.progress = show_progress;
    s.checkpoint = checkpoint;
    s.log = log;
    if (!lp_file_join(checkpoint, sizeof checkpoint, q->out, "checkpoint.safetensors", err) ||
        !lp_file_join(log, sizeof log, q->out, "log.jsonl", err))
        return false;
    struct lp_llava *model = lp_llava_open_to_learn(q->model, lp_kernels_cpu(), s.seed, err);
    if (!model)
        return false;
    lp_llava_learn(model, q->parts);
    struct lp_train_set set;
    struct display display = {.set = &set, .terminal = isatty(STDERR_FILENO)};
    s.context = &display;
    lp_train_set_init(&set, model);
    to->set = &set;
    bool ok = (!q->naming || lp_naming_read(&set, q->naming, err)) && read_all(data, to, err);
    if (ok && !set.count)
        ok = lp_error_set(err, LP_EINPUT, "there is no dialogue to learn from in %s (%ld are too long)", data,
                          (long)set.skipped);
    ok = ok && lp_file_make_folder(q->out, err) && lp_train(model, &set, &s, err) &&
         lp_llava_save(model, q->model, q->out, q->float32 ? LP_F32 : LP_BF16, err);
    lp_train_set_done(&set);
    lp_llava_close(model);
    return ok;
}

static bool write_text(const struct request *q, struct reading *to, char *data, struct lp_error *err) {
    bool ok = read_all(data, to, err) && lp_file_write(q->write_text, to->text.s, to->text.n, err);
    lp_str_done(&to->text);
    return ok;
}

static bool run(struct request *q, struct lp_error *err) {
    if ((!q->data && !q->naming) || (!q->write_text && (!q->model || !q->out)))
        return lp_error_set(err, LP_EUSAGE, "needs --data or --naming, --model and --out; see 'llava-plus train --help'");
    if (!read_parts(q->train, &q->parts, err))
        return false;
    struct lp_arena arena = {0};
    char *data = lp_arena_strdup(&arena, q->data ? q->data : ""), *folder[MOST_FOLDERS];
    char *images = lp_arena_strdup(&arena, q->images ? q->images : "");
    bool ok = data && images;
    if (ok) {
        struct reading to = {.folder = folder, .folders = split(images, folder, MOST_FOLDERS), .turns = q->turns};
        ok = q->write_text ? write_text(q, &to, data, err) : train(q, &to, data, err);
    } else {
        lp_error_memory(err);
    }
    lp_arena_done(&arena);
    return ok;
}

int lp_cmd_train(int argc, char **argv) {
    struct request q = {0};
    lp_train_defaults(&q.s);
    const struct lp_option options[] = {
        {"data", 0, "FILE[,FILE]", "dialogues: JSON arrays of records, the released format", LP_OPTION_STRING, NULL, &q.data, 0, 0},
        {"images", 0, "DIR[,DIR]", "where the records' pictures are; the first that has a file counts", LP_OPTION_STRING, NULL, &q.images, 0, 0},
        {"naming", 0, "DIR", "scenes whose picture rows learn to name what they show; see docs/scenes.md", LP_OPTION_STRING, NULL, &q.naming, 0, 0},
        {"model", 0, "DIR", "the model to start from; without weights a new one of its config.json", LP_OPTION_STRING, NULL, &q.model, 0, 0},
        {"out", 'o', "DIR", "where the trained model, its log and its checkpoint go", LP_OPTION_STRING, NULL, &q.out, 0, 0},
        {"train", 0, "PART[,PART]", "what learns: picture (its encoder), projector, language; the rest is frozen", LP_OPTION_STRING, "picture,projector,language", &q.train, 0, 0},
        {"turns", 0, "N", "only the first N turns of each dialogue; 0: all", LP_OPTION_INT, "0", &q.turns, 0, 1e6},
        {"epochs", 0, "N", "times through the data", LP_OPTION_FLOAT, "1", &q.s.epochs, 0.001, 1e6},
        {"steps", 0, "N", "steps in all, instead of epochs; 0: by epochs", LP_OPTION_INT, "0", &q.s.steps, 0, 1e9},
        {"batch", 0, "N", "dialogues a step", LP_OPTION_INT, "16", &q.s.batch, 1, 65536},
        {"rows", 0, "N", "most positions in memory at once; a step is cut into passes", LP_OPTION_INT, "8192", &q.s.rows_a_pass, 1, 1e7},
        {"rate", 0, "X", "peak learning rate", LP_OPTION_FLOAT, "1e-3", &q.s.rate, 1e-9, 10},
        {"warm-up", 0, "X", "share of the steps in which the rate rises", LP_OPTION_FLOAT, "0.03", &q.s.warm_up, 0, 1},
        {"decay", 0, "X", "weight decay", LP_OPTION_FLOAT, "0.01", &q.s.decay, 0, 1},
        {"clip", 0, "X", "most norm of the gradient; 0: any", LP_OPTION_FLOAT, "1", &q.s.clip, 0, 1e9},
        {"seed", 0, "N", "of new weights and of the order of dialogues", LP_OPTION_INT, "1", &q.seed, 0, 4294967295.0},
        {"save-every", 0, "N", "steps between checkpoints; training goes on from the one in --out", LP_OPTION_INT, "200", &q.s.save_every, 0, 1e9},
        {"float32", 0, NULL, "write float32 weights instead of bfloat16", LP_OPTION_FLAG, NULL, &q.float32, 0, 0},
        {"write-text", 0, "FILE", "only write the dialogues' texts, for making a tokenizer", LP_OPTION_STRING, NULL, &q.write_text, 0, 0},
        {0},
    };
    const struct lp_usage usage = {"train", "--data FILE --model DIR --out DIR [options]",
                                   "Teaches a LLaVA dialogues; the loss is on the assistant's sequences only.", options, 0, 0};
    int status;
    struct lp_error err = {0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return run(&q, &err) ? 0 : lp_command_fail("train", &err);
}
