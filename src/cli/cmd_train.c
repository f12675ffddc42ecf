/* SPDX-License-Identifier: MIT */
/* cli/cmd_train.c - llava-plus train: records of the released format to a trained folder. */
#include "cli/command.h"
#include "cli/lessons.h"
#include "cli/naming.h"
#include "cli/options.h"
#include "cli/ranks.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MOST_FOLDERS = 16 };

static volatile bool stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = true;
}

/* What goes to standard error while a training runs. */
struct display {
    const struct lp_train_set *set;
    bool terminal, begun;
    double eval_loss; /* the last; NAN: none yet */
};

/* "1 h 05 min", "12 min", "40 s". */
static const char *time_text(double seconds, char text[32]) {
    long s = (long)(seconds + 0.5), minutes = (s + 30) / 60;
    if (s < 90)
        snprintf(text, 32, "%ld s", s);
    else if (minutes < 90)
        snprintf(text, 32, "%ld min", minutes);
    else
        snprintf(text, 32, "%ld h %02ld min", minutes / 60, minutes % 60);
    return text;
}

static void show_progress(void *context, const struct lp_train_progress *p) {
    struct display *d = context;
    bool terminal = d->terminal, measured = isfinite(p->eval_loss);
    if (measured)
        d->eval_loss = p->eval_loss;
    if (!d->begun)
        fprintf(stderr, "%ld dialogues (%ld too long, left out), %ld pictures, %s kernels%s\n", (long)d->set->count,
                (long)d->set->skipped, (long)d->set->pictures, d->set->model->kernels->name,
                p->step > 1 ? ", goes on from a checkpoint" : "");
    d->begun = true;
    if (!terminal && p->step % 50 && p->step != p->steps && !measured)
        return;
    char eval[40] = "", left[32];
    if (isfinite(d->eval_loss))
        snprintf(eval, sizeof eval, "  held out %.4f", d->eval_loss);
    fprintf(stderr, "%sstep %ld/%ld  loss %.4f%s  rate %.2e  norm %.2f  %.0f tokens/s  %s left%s",
            terminal ? "\r" : "", (long)p->step, (long)p->steps, p->loss, eval, p->rate, p->gradient_norm,
            p->tokens_per_s, time_text(p->seconds_left, left), terminal ? "\033[K" : "\n");
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

/* One of two words; *second: whether it is the second. */
static bool read_choice(const char *option, const char *given, const char *one, const char *other, bool *second,
                        struct lp_error *err) {
    *second = !strcmp(given, other);
    return *second || !strcmp(given, one) ||
           lp_error_set(err, LP_EUSAGE, "--%s is %s or %s, not '%s'", option, one, other, given);
}

struct request {
    const char *data, *words, *eval, *images, *naming, *model, *out, *write_text, *train, *precision, *optimizer;
    unsigned parts;
    int64_t lora;
    double lora_alpha;
    bool lora_out;
    bool told; /* another process says what went wrong */
    int64_t seed, turns, picture_mib;
    double hide;
    bool float32;
    struct lp_train_settings s;
};

/* The files of a training's folder. */
struct places {
    char checkpoint[PATH_MAX], log[PATH_MAX], curve[PATH_MAX], model[PATH_MAX];
    int lock; /* the open folder; -1: none */
};

/* Two trainings in one folder would mix their checkpoints. */
static bool take_folder(struct places *p, const char *out, struct lp_error *err) {
    if (!lp_file_make_folder(out, err) || !lp_file_join(p->checkpoint, PATH_MAX, out, "checkpoint.safetensors", err) ||
        !lp_file_join(p->log, PATH_MAX, out, "log.jsonl", err) || !lp_file_join(p->curve, PATH_MAX, out, "loss.png", err) ||
        !lp_file_join(p->model, PATH_MAX, out, "model.safetensors", err))
        return false;
    p->lock = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->lock >= 0 && flock(p->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return lp_error_set(err, LP_EIO, "another training is at work in %s: wait for it, or choose another --out", out);
    lp_checkpoint_tidy(p->log);
    lp_checkpoint_tidy(p->curve);
    lp_checkpoint_tidy(p->model);
    return true;
}

/* Lists of files, which are cut in place. */
struct files {
    char *data, *words, *eval;
};

/* What is to be learnt: with its pictures, and of which only the words count, some hidden. */
static bool read_lessons(const struct request *q, const struct files *f, struct lp_lessons *to, struct lp_error *err) {
    bool ok = lp_lessons_read(f->data, to, err);
    to->blind = true;
    if (to->set)
        to->set->hide = q->hide;
    ok = ok && lp_lessons_read(f->words, to, err);
    to->blind = false;
    return ok;
}

static bool read_sets(const struct request *q, struct lp_lessons *to, const struct files *f, struct lp_train_set *set,
                      struct lp_train_set *held_out, struct lp_error *err) {
    to->set = set;
    if ((q->naming && !lp_naming_read(set, q->naming, err)) || !read_lessons(q, f, to, err))
        return false;
    if (!set->count)
        return lp_error_set(err, LP_EINPUT, "there is no dialogue to learn from in %s (%ld are too long)",
                            q->data ? q->data : q->words ? q->words : q->naming, (long)set->skipped);
    to->set = held_out;
    if (!lp_lessons_read(f->eval, to, err))
        return false;
    if (q->eval && !held_out->count)
        return lp_error_set(err, LP_EINPUT, "there is no dialogue to measure with in %s (%ld are too long)", q->eval,
                            (long)held_out->skipped);
    return lp_train_pictures_check(set, err) && lp_train_pictures_check(held_out, err);
}

/* From here on there is something to keep: a signal ends the training after its step. */
static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of writing, not a death */
}

static bool save(const struct request *q, const struct lp_llava *model, struct lp_error *err) {
    if (lp_llava_save(model, q->model, q->out, q->float32 ? LP_F32 : LP_BF16, err))
        return true;
    struct lp_error was = *err;
    return lp_error_set(err, was.code, "%s; the checkpoint holds the whole training: the same command writes the model", was.text);
}

static bool train(const struct request *q, struct lp_lessons *to, const struct files *f, struct lp_error *err) {
    struct lp_llava *model = lp_llava_open_to_learn(q->model, lp_kernels_cpu(), (uint64_t)q->seed, err);
    if (!model)
        return false;
    lp_llava_learn(model, q->parts);
    if (q->lora && !lp_lora_add(model, q->lora, q->lora_alpha > 0 ? q->lora_alpha : 2 * (double)q->lora,
                                (uint64_t)q->seed, err)) {
        lp_llava_close(model);
        return false;
    }
    struct places place = {.lock = -1};
    struct lp_train_set set, held_out;
    lp_train_set_init(&set, model);
    lp_train_set_init(&held_out, model);
    lp_rng_seed(&set.rng, (uint64_t)q->seed);
    struct display display = {.set = &set, .terminal = isatty(STDERR_FILENO), .eval_loss = NAN};
    struct lp_train_settings s = q->s;
    s.seed = (uint64_t)q->seed;
    s.stop = &stop_asked;
    s.progress = show_progress;
    s.context = &display;
    bool first = !s.ranks || s.ranks->rank == 0; /* it alone writes */
    if (first) {
        s.checkpoint = place.checkpoint;
        s.log = place.log;
        s.curve = place.curve;
    } else {
        s.progress = NULL;
    }
    s.eval = q->eval ? &held_out : NULL;
    s.picture_bytes = (size_t)q->picture_mib << 20;
    bool ok = read_sets(q, to, f, &set, &held_out, err) && (!first || take_folder(&place, q->out, err));
    if (ok)
        catch_signals();
    ok = ok && lp_train(model, &set, &s, err) && (!first || !q->lora_out || lp_lora_save(model, q->model, q->out, err));
    if (ok && q->lora)
        lp_lora_merge(model);
    ok = ok && (!first || save(q, model, err));
    if (place.lock >= 0)
        close(place.lock);
    lp_train_set_done(&held_out);
    lp_train_set_done(&set);
    lp_llava_close(model);
    return ok;
}

static bool write_text(const struct request *q, struct lp_lessons *to, const struct files *f, struct lp_error *err) {
    bool ok = read_lessons(q, f, to, err) && lp_file_write(q->write_text, to->text.s, to->text.n, err);
    lp_str_done(&to->text);
    return ok;
}

static bool run(struct request *q, struct lp_error *err) {
    if ((!q->data && !q->words && !q->naming) || (!q->write_text && (!q->model || !q->out)))
        return lp_error_set(err, LP_EUSAGE, "needs --data, --words or --naming, --model and --out; see 'llava-plus train --help'");
    if (!read_parts(q->train, &q->parts, err))
        return false;
    if (q->lora_out && !q->lora)
        return lp_error_set(err, LP_EUSAGE, "--lora-out needs --lora RANK");
    if (!read_choice("precision", q->precision, "f32", "bf16", &q->s.half, err) ||
        !read_choice("optimizer", q->optimizer, "adamw", "muon", &q->s.muon, err))
        return false;
    struct lp_arena arena = {0};
    struct files f = {lp_arena_strdup(&arena, q->data ? q->data : ""), lp_arena_strdup(&arena, q->words ? q->words : ""),
                      lp_arena_strdup(&arena, q->eval ? q->eval : "")};
    char *images = lp_arena_strdup(&arena, q->images ? q->images : ""), *folder[MOST_FOLDERS];
    struct lp_lessons to = {.folder = folder, .turns = q->turns};
    bool ok = (f.data && f.words && f.eval && images) || lp_error_memory(err);
    ok = ok && lp_lessons_split(images, folder, MOST_FOLDERS, &to.folders, err) &&
         (q->write_text ? write_text(q, &to, &f, err) : train(q, &to, &f, err));
    lp_arena_done(&arena);
    return ok;
}

/* Under mpirun all ranks end alike, and the first that failed says why. */
static bool run_ranks(struct request *q, struct lp_error *err) {
    struct lp_ranks ranks = {0};
    if (!lp_ranks_find(&ranks, &q->s.ranks, err))
        return false;
    bool ok = run(q, err);
    if (!q->s.ranks)
        return ok;
    int first = ranks.told ? 0 : ranks.first_failed(!ok);
    q->told = ranks.told || (first >= 0 && first != ranks.rank);
    ranks.close();
    return ok && !q->told;
}

int lp_cmd_train(int argc, char **argv) {
    struct request q = {0};
    lp_train_defaults(&q.s);
    const struct lp_option options[] = {
        {"data", 0, "FILE[,FILE]", "dialogues: JSON arrays of records, the released format", LP_OPTION_STRING, NULL, &q.data, 0, 0},
        {"words", 0, "FILE[,FILE]", "dialogues of which only the words are learnt, without the pictures: quicker", LP_OPTION_STRING, NULL, &q.words, 0, 0},
        {"images", 0, "DIR[,DIR]", "where the records' pictures are; the first that has a file counts", LP_OPTION_STRING, NULL, &q.images, 0, 0},
        {"naming", 0, "DIR", "scenes whose picture rows learn to name what they show; see docs/scenes.md", LP_OPTION_STRING, NULL, &q.naming, 0, 0},
        {"model", 0, "DIR", "the model to start from; without weights a new one of its config.json", LP_OPTION_STRING, NULL, &q.model, 0, 0},
        {"out", 'o', "DIR", "where the trained model, its log and its checkpoint go", LP_OPTION_STRING, NULL, &q.out, 0, 0},
        {"train", 0, "PART[,PART]", "what learns: picture (its encoder), projector, language; the rest is frozen", LP_OPTION_STRING, "picture,projector,language", &q.train, 0, 0},
        {"hide", 0, "X", "share of the tokens in prompts of --words that is hidden, but for what answers repeat: no single word decides", LP_OPTION_FLOAT, "0", &q.hide, 0, 0.9},
        {"turns", 0, "N", "only the first N turns of each dialogue; 0: all", LP_OPTION_INT, "0", &q.turns, 0, 1e6},
        {"epochs", 0, "N", "times through the data", LP_OPTION_FLOAT, "1", &q.s.epochs, 0.001, 1e6},
        {"steps", 0, "N", "steps in all, instead of epochs; 0: by epochs", LP_OPTION_INT, "0", &q.s.steps, 0, 1e9},
        {"batch", 0, "N", "dialogues a batch", LP_OPTION_INT, "16", &q.s.batch, 1, 65536},
        {"accumulate", 0, "N", "batches a step", LP_OPTION_INT, "1", &q.s.accumulate, 1, 4096},
        {"rows", 0, "N", "most positions in memory at once; a step is cut into passes", LP_OPTION_INT, "8192", &q.s.rows_a_pass, 1, 1e7},
        {"lora", 0, "RANK", "the language model learns by adapters of this rank, merged at the end; 0: none", LP_OPTION_INT, "0", &q.lora, 0, 4096},
        {"lora-alpha", 0, "A", "adapters count A / RANK times; 0: A is twice the rank", LP_OPTION_FLOAT, "0", &q.lora_alpha, 0, 1e6},
        {"lora-out", 0, NULL, "write the adapters, too: adapter_model.safetensors, adapter_config.json", LP_OPTION_FLAG, NULL, &q.lora_out, 0, 0},
        {"precision", 0, "f32|bf16", "of activations and matrix products; weights and moments stay float32", LP_OPTION_STRING, "f32", &q.precision, 0, 0},
        {"checkpointing", 0, NULL, "less memory, a third more time: blocks run again on the way back", LP_OPTION_FLAG, NULL, &q.s.checkpointing, 0, 0},
        {"optimizer", 0, "adamw|muon", "muon moves the matrices of blocks, adamw the rest; small models learn in fewer steps", LP_OPTION_STRING, "adamw", &q.optimizer, 0, 0},
        {"rate", 0, "X", "peak learning rate", LP_OPTION_FLOAT, "1e-3", &q.s.rate, 1e-9, 10},
        {"warm-up", 0, "X", "share of the steps in which the rate rises", LP_OPTION_FLOAT, "0.03", &q.s.warm_up, 0, 1},
        {"decay", 0, "X", "weight decay", LP_OPTION_FLOAT, "0.01", &q.s.decay, 0, 1},
        {"clip", 0, "X", "most norm of the gradient; 0: any", LP_OPTION_FLOAT, "1", &q.s.clip, 0, 1e9},
        {"seed", 0, "N", "of new weights and of the order of dialogues", LP_OPTION_INT, "1", &q.seed, 0, 4294967295.0},
        {"save-every", 0, "N", "steps between checkpoints; training goes on from the one in --out", LP_OPTION_INT, "200", &q.s.save_every, 0, 1e9},
        {"force", 0, NULL, "go on from a checkpoint that was made with other data or settings", LP_OPTION_FLAG, NULL, &q.s.force, 0, 0},
        {"eval", 0, "FILE[,FILE]", "held-out dialogues, whose loss is measured", LP_OPTION_STRING, NULL, &q.eval, 0, 0},
        {"eval-every", 0, "N", "steps between two measurements; 0: only at the end", LP_OPTION_INT, "200", &q.s.eval_every, 0, 1e9},
        {"picture-cache", 0, "MiB", "memory for pictures that later epochs need again", LP_OPTION_INT, "1024", &q.picture_mib, 0, 1 << 24},
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
    return run_ranks(&q, &err) ? 0 : q.told ? 1 : lp_command_fail("train", &err);
}
