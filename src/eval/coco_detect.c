/* SPDX-License-Identifier: MIT */
/* eval/coco_detect.c - see coco_detect.h. */
#include "eval/coco_detect.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "image/image.h"
#include "text/phrases.h"

#include <limits.h>
#include <stdlib.h>

enum { NAMES = 80, BEST = 300 };
static const double share = 0.8;

struct caption {
    struct lp_str text;
    int first, count; /* categories */
};

struct captions {
    struct caption *item;
    int count;
};

static void captions_done(struct captions *all) {
    for (int i = 0; i < all->count; i++)
        lp_str_done(&all->item[i].text);
    lp_free(all->item);
}

/* "cat . dog ." of categories first..first+count-1. */
static bool write(struct caption *c, const struct lp_coco *set, struct lp_error *err) {
    const char *name[NAMES];
    for (int i = 0; i < c->count; i++)
        name[i] = set->category[c->first + i].name;
    lp_str_cut(&c->text, 0);
    return lp_phrases_join(name, (size_t)c->count, &c->text, err);
}

/* As many of the categories from `first` on as one caption takes: of which the model reads each as one phrase. */
static bool fill(struct caption *c, const struct lp_coco *set, const struct lp_grounding_dino *model, int first,
                 struct lp_error *err) {
    c->first = first;
    while (c->count < NAMES && first + c->count < set->categories) {
        c->count++;
        int64_t phrases = write(c, set, err) ? lp_grounding_dino_phrases(model, lp_str_text(&c->text), c->text.n, err) : -1;
        if (phrases < 0)
            return false;
        if (phrases != c->count) {
            c->count--;
            break;
        }
    }
    return c->count ? write(c, set, err)
                    : lp_error_set(err, LP_EINPUT, "the category '%.100s' cannot be asked for: it is no single phrase",
                                   set->category[first].name);
}

static bool is_wanted(const struct caption *c, const bool *chosen) {
    for (int i = 0; i < c->count; i++)
        if (!chosen || chosen[c->first + i])
            return true;
    return false;
}

static bool make_captions(struct captions *all, const struct lp_coco *set, const struct lp_grounding_dino *model,
                          const bool *chosen, struct lp_error *err) {
    if (!(all->item = lp_alloc_array((size_t)set->categories, sizeof *all->item)))
        return lp_error_memory(err);
    for (int first = 0; first < set->categories;) {
        struct caption *c = &all->item[all->count];
        bool done = fill(c, set, model, first, err);
        first += c->count;
        if (done && is_wanted(c, chosen)) {
            all->count++;
        } else {
            lp_str_done(&c->text);
            *c = (struct caption){0};
        }
        if (!done)
            return false;
    }
    return true;
}

/* best [captions * BEST]: what the picture shows, phrases as places of categories. Returns how many, or -1. */
static int64_t look(struct lp_ranked *best, const struct captions *all, const struct lp_grounding_dino *model,
                    const struct lp_image *image, struct lp_error *err) {
    int64_t n = 0;
    for (int i = 0; i < all->count; i++) {
        const struct caption *c = &all->item[i];
        int64_t more = lp_grounding_dino_rank(model, image, lp_str_text(&c->text), c->text.n, share, best + n, BEST, err);
        if (more < 0)
            return -1;
        for (int64_t k = 0; k < more; k++)
            best[n++].phrase += c->first;
    }
    qsort(best, (size_t)n, sizeof *best, lp_ranked_order);
    return n < BEST ? n : BEST;
}

static bool add(struct lp_coco *set, int picture, const struct lp_ranked *one, struct lp_error *err) {
    struct lp_coco_thing thing = {
        .picture = picture,
        .category = (int)one->phrase,
        .score = one->score,
        .area = -1,
        .box = {one->box[0], one->box[1], one->box[2] - one->box[0], one->box[3] - one->box[1]},
    };
    return lp_coco_add_found(set, &thing, err);
}

static struct lp_image *open_picture(const struct lp_coco *set, int i, const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    const struct lp_coco_picture *p = &set->picture[i];
    if (!p->file)
        lp_error_set(err, LP_EINPUT, "the picture of the id %ld has no 'file_name'", (long)p->id);
    struct lp_image *image =
        p->file && lp_file_join(path, sizeof path, folder, p->file, err) ? lp_image_open(path, err) : NULL;
    if (!image || !p->width || (image->width == p->width && image->height == p->height))
        return image;
    lp_error_set(err, LP_EINPUT, "%s has %d x %d px, its truth %d x %d", p->file, image->width, image->height, p->width,
                 p->height);
    lp_image_close(image);
    return NULL;
}

bool lp_coco_detect(struct lp_coco *set, const struct lp_grounding_dino *model,
                    const struct lp_coco_detect_settings *settings, struct lp_error *err) {
    struct captions all = {0};
    bool done = make_captions(&all, set, model, settings->chosen, err);
    struct lp_ranked *best = done ? lp_alloc_array((size_t)all.count * BEST, sizeof *best) : NULL;
    if (done && !best)
        done = lp_error_memory(err);
    for (int i = 0; done && i < set->pictures; i++) {
        struct lp_image *image = open_picture(set, i, settings->folder, err);
        int64_t n = image ? look(best, &all, model, image, err) : -1;
        lp_image_close(image);
        done = n >= 0;
        for (int64_t k = 0; done && k < n; k++)
            done = add(set, i, &best[k], err);
        if (settings->tell)
            settings->tell(settings->context, i + 1, set->pictures);
    }
    lp_free(best);
    captions_done(&all);
    return done;
}
