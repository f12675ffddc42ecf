/* SPDX-License-Identifier: MIT */
/* serve/roster.c - a table of workers under one lock. */
#include "serve/roster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool lp_dispatch_parse(const char *name, enum lp_dispatch *dispatch, struct lp_error *err) {
    bool lottery = !strcmp(name, "lottery");
    *dispatch = lottery ? LP_LOTTERY : LP_SHORTEST_QUEUE;
    return lottery || !strcmp(name, "shortest_queue") ||
           lp_error_set(err, LP_EUSAGE, "the dispatch method is 'lottery' or 'shortest_queue', not '%s'", name);
}

void lp_roster_init(struct lp_roster *r, enum lp_dispatch dispatch, uint64_t seed) {
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    r->dispatch = dispatch;
    lp_rng_seed(&r->rng, seed);
}

void lp_roster_done(struct lp_roster *r) {
    for (int i = 0; i < r->n; i++)
        json_decref(r->entry[i].models);
    r->n = 0;
    pthread_mutex_destroy(&r->lock);
}

bool lp_roster_check(const json_t *status, struct lp_error *err) {
    const json_t *names = json_object_get(status, "model_names"), *speed = json_object_get(status, "speed"),
                 *queue = json_object_get(status, "queue_length");
    size_t n = json_array_size(names);
    bool good = json_is_array(names) && n <= LP_ROSTER_NAMES;
    for (size_t i = 0; good && i < n; i++)
        good = json_is_string(json_array_get(names, i)) &&
               json_string_length(json_array_get(names, i)) < LP_ROSTER_LONGEST;
    if (!good)
        return lp_error_set(err, LP_EINPUT, "'model_names' must be a list of at most %d names", LP_ROSTER_NAMES);
    if (!json_is_number(speed) || json_number_value(speed) < 0)
        return lp_error_set(err, LP_EINPUT, "'speed' must be a number from 0 on");
    return (json_is_integer(queue) && json_integer_value(queue) >= 0) ||
           lp_error_set(err, LP_EINPUT, "'queue_length' must be a whole number from 0 on");
}

/* Locked, as all below. */
static struct lp_roster_entry *find(struct lp_roster *r, const char *name) {
    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->entry[i].name, name))
            return &r->entry[i];
    return NULL;
}

static void take_status(struct lp_roster_entry *e, const json_t *status, double now_ms) {
    json_t *models = json_incref(json_object_get(status, "model_names"));
    json_decref(e->models);
    e->models = models;
    e->speed = json_number_value(json_object_get(status, "speed"));
    e->queue = json_integer_value(json_object_get(status, "queue_length"));
    e->heard_ms = now_ms;
}

static void drop(struct lp_roster *r, struct lp_roster_entry *e) {
    json_decref(e->models);
    memmove(e, e + 1, (size_t)(&r->entry[r->n] - (e + 1)) * sizeof *e);
    r->n--;
}

bool lp_roster_put(struct lp_roster *r, const char *name, const json_t *status, bool check_heart_beat, bool multimodal,
                   double now_ms, struct lp_error *err) {
    if (strlen(name) >= LP_ROSTER_LONGEST)
        return lp_error_set(err, LP_EINPUT, "a worker's address has more than %d bytes", LP_ROSTER_LONGEST - 1);
    pthread_mutex_lock(&r->lock);
    struct lp_roster_entry *e = find(r, name);
    bool room = e || r->n < LP_ROSTER_WORKERS;
    if (!e && room) {
        e = &r->entry[r->n++];
        *e = (struct lp_roster_entry){0};
        strcpy(e->name, name);
    }
    if (room) {
        take_status(e, status, now_ms);
        e->check_heart_beat = check_heart_beat;
        e->multimodal = multimodal;
    }
    pthread_mutex_unlock(&r->lock);
    return room || lp_error_set(err, LP_EINPUT, "there are %d workers already", LP_ROSTER_WORKERS);
}

bool lp_roster_update(struct lp_roster *r, const char *name, const json_t *status, double now_ms) {
    pthread_mutex_lock(&r->lock);
    struct lp_roster_entry *e = find(r, name);
    if (e)
        take_status(e, status, now_ms);
    pthread_mutex_unlock(&r->lock);
    return e != NULL;
}

bool lp_roster_beat(struct lp_roster *r, const char *name, int64_t queue, double now_ms) {
    pthread_mutex_lock(&r->lock);
    struct lp_roster_entry *e = find(r, name);
    if (e) {
        e->queue = queue;
        e->heard_ms = now_ms;
    }
    pthread_mutex_unlock(&r->lock);
    return e != NULL;
}

bool lp_roster_is_fresh(struct lp_roster *r, const char *name, double silence_ms, double now_ms) {
    pthread_mutex_lock(&r->lock);
    const struct lp_roster_entry *e = find(r, name);
    bool fresh = e && e->check_heart_beat && now_ms - e->heard_ms <= silence_ms;
    pthread_mutex_unlock(&r->lock);
    return fresh;
}

void lp_roster_remove(struct lp_roster *r, const char *name) {
    pthread_mutex_lock(&r->lock);
    struct lp_roster_entry *e = find(r, name);
    if (e)
        drop(r, e);
    pthread_mutex_unlock(&r->lock);
}

int lp_roster_expire(struct lp_roster *r, double silence_ms, double now_ms) {
    int dropped = 0;
    pthread_mutex_lock(&r->lock);
    for (int i = r->n - 1; i >= 0; i--)
        if (r->entry[i].check_heart_beat && now_ms - r->entry[i].heard_ms > silence_ms) {
            drop(r, &r->entry[i]);
            dropped++;
        }
    pthread_mutex_unlock(&r->lock);
    return dropped;
}

static bool has(const json_t *names, const char *name) {
    for (size_t i = 0; i < json_array_size(names); i++)
        if (!strcmp(json_string_value(json_array_get(names, i)), name))
            return true;
    return false;
}

static double wait_at(const struct lp_roster_entry *e) {
    return (double)e->queue / fmax(e->speed, 1e-4);
}

static struct lp_roster_entry *shortest(struct lp_roster *r, const char *model) {
    struct lp_roster_entry *best = NULL;
    for (int i = 0; i < r->n; i++)
        if (has(r->entry[i].models, model) && (!best || wait_at(&r->entry[i]) < wait_at(best)))
            best = &r->entry[i];
    if (best)
        best->queue++; /* until its next heart beat tells */
    return best;
}

static struct lp_roster_entry *draw(struct lp_roster *r, const char *model) {
    struct lp_roster_entry *last = NULL;
    double sum = 0;
    for (int i = 0; i < r->n; i++)
        sum += has(r->entry[i].models, model) ? r->entry[i].speed : 0;
    if (sum < 1e-4)
        return NULL;
    double at = (double)lp_rng_float(&r->rng) * sum;
    for (int i = 0; i < r->n && at >= 0; i++)
        if (has(r->entry[i].models, model) && r->entry[i].speed > 0) {
            last = &r->entry[i];
            at -= last->speed;
        }
    return last;
}

void lp_roster_choose(struct lp_roster *r, const char *model, char address[LP_ROSTER_LONGEST]) {
    pthread_mutex_lock(&r->lock);
    const struct lp_roster_entry *e = r->dispatch == LP_LOTTERY ? draw(r, model) : shortest(r, model);
    snprintf(address, LP_ROSTER_LONGEST, "%s", e ? e->name : "");
    pthread_mutex_unlock(&r->lock);
}

/* Adds a worker's names that are not in the list yet; false when out of memory. */
static bool add_names(json_t *list, const json_t *names) {
    for (size_t i = 0; i < json_array_size(names); i++)
        if (!has(list, json_string_value(json_array_get(names, i))) &&
            json_array_append(list, json_array_get(names, i)))
            return false;
    return true;
}

json_t *lp_roster_models(struct lp_roster *r, int multimodal) {
    json_t *list = json_array();
    pthread_mutex_lock(&r->lock);
    bool done = list != NULL;
    for (int i = 0; done && i < r->n; i++)
        done = (multimodal != LP_ROSTER_ALL && multimodal != r->entry[i].multimodal) ||
               add_names(list, r->entry[i].models);
    pthread_mutex_unlock(&r->lock);
    if (done)
        return list;
    json_decref(list);
    return NULL;
}

json_t *lp_roster_status(struct lp_roster *r) {
    json_t *list = lp_roster_models(r, LP_ROSTER_ALL);
    double speed = 0;
    int64_t queue = 0;
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < r->n; i++) {
        speed += r->entry[i].speed;
        queue += r->entry[i].queue;
    }
    pthread_mutex_unlock(&r->lock);
    return json_pack("{s:o, s:o, s:I}", "model_names", list, "speed",
                     speed <= 1e9 && floor(speed) >= speed ? json_integer((json_int_t)speed) : json_real(speed), "queue_length",
                     (json_int_t)queue);
}

json_t *lp_roster_names(struct lp_roster *r) {
    json_t *list = json_array();
    pthread_mutex_lock(&r->lock);
    bool done = list != NULL;
    for (int i = 0; done && i < r->n; i++)
        done = !json_array_append_new(list, json_string(r->entry[i].name));
    pthread_mutex_unlock(&r->lock);
    if (done)
        return list;
    json_decref(list);
    return NULL;
}
