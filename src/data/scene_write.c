/* SPDX-License-Identifier: MIT */
/* data/scene_write.c - scenes to files: pictures side by side on all cores, then their truth in order. */
#include "data/scene_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/scene_card.h"
#include "data/scene_page.h"
#include "data/scene_text.h"

#include <limits.h>
#include <string.h>

enum { AT_ONCE = 256 };

struct job {
    const struct lp_scenes_request *request;
    struct lp_stickers *stickers;
    struct lp_pages *pages; /* NULL: none are drawn */
    struct lp_scene_classes classes;
    struct lp_scene_page all;
};

static void list_categories(const struct lp_stickers *stickers, struct lp_str *out) {
    for (int i = 0; i < stickers->names; i++) {
        const struct lp_sticker_name *n = &stickers->name[i];
        lp_str_printf(out, "%s\n{\"id\": %d, \"name\": ", i ? "," : "", i + 1);
        lp_scene_quote(n->name, out);
        lp_str_puts(out, ", \"plural\": ");
        lp_scene_quote(n->plural, out);
        lp_str_puts(out, ", \"supercategory\": ");
        lp_scene_quote(n->supercategory, out);
        lp_str_puts(out, ", \"synonyms\": [");
        for (int k = 0; n->synonym[k]; k++) {
            lp_str_puts(out, k ? ", " : "");
            lp_scene_quote(n->synonym[k], out);
        }
        lp_str_puts(out, "]}");
    }
}

static void list_classes(const struct lp_scene_classes *c, struct lp_str *out) {
    lp_str_puts(out, "{\"classes\": [\n{\"id\": 0, \"name\": \"nothing\", \"stuff\": true}");
    for (int i = 1; i < c->count; i++) {
        lp_str_printf(out, ",\n{\"id\": %d, \"name\": ", i);
        lp_scene_quote(c->name[i], out);
        lp_str_printf(out, ", \"stuff\": %s}", i < c->things ? "true" : "false");
    }
    lp_str_puts(out, "\n]}\n");
}

static bool write_text(const struct job *job, const char *name, struct lp_str *text, struct lp_error *err) {
    char path[PATH_MAX];
    bool ok = !text->failed || lp_error_memory(err);
    ok = ok && lp_file_join(path, sizeof path, job->request->folder, name, err) && lp_file_write(path, text->s, text->n, err);
    lp_str_done(text);
    return ok;
}

static void put_list(const struct lp_scene_page *all, int list, struct lp_str *out) {
    lp_str_puts(out, "[");
    lp_str_add(out, all->list[list].n ? all->list[list].s + 1 : "", all->list[list].n ? all->list[list].n - 1 : 0);
    lp_str_puts(out, "\n]");
}

/* One of COCO's files: images, annotations and, where there are, categories. */
static bool write_coco(const struct job *job, const char *name, int list, struct lp_error *err) {
    struct lp_str out = {0};
    lp_str_puts(&out, "{\"info\": {\"description\": \"llava-plus sticker scenes\"},\n");
    if (list == LP_LIST_ANNOTATIONS) {
        lp_str_puts(&out, "\"categories\": [");
        list_categories(job->stickers, &out);
        lp_str_puts(&out, "\n],\n");
    }
    lp_str_puts(&out, "\"images\": ");
    put_list(&job->all, LP_LIST_IMAGES, &out);
    lp_str_puts(&out, ",\n\"annotations\": ");
    put_list(&job->all, list, &out);
    lp_str_puts(&out, "}\n");
    return write_text(job, name, &out, err);
}

/* instances.json comes last: where it is, all else is. */
static bool write_truth(const struct job *job, struct lp_error *err) {
    struct lp_str classes = {0}, edits = {0};
    list_classes(&job->classes, &classes);
    put_list(&job->all, LP_LIST_EDITS, &edits);
    lp_str_puts(&edits, "\n");
    bool ok = write_text(job, "semantic.json", &classes, err);
    ok = write_text(job, "edits.json", &edits, err) && ok;
    return ok && write_coco(job, "captions.json", LP_LIST_CAPTIONS, err) &&
           write_coco(job, "relations.json", LP_LIST_RELATIONS, err) && write_coco(job, "texts.json", LP_LIST_TEXTS, err) &&
           write_coco(job, "instances.json", LP_LIST_ANNOTATIONS, err);
}

static bool make_folders(const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    return lp_file_make_folder(folder, err) && lp_file_join(path, sizeof path, folder, "maps", err) &&
           lp_file_make_folder(path, err) && lp_file_join(path, sizeof path, folder, "edits", err) &&
           lp_file_make_folder(path, err);
}

/* Scenes from .. from + n - 1. */
static bool draw_some(struct job *job, int64_t from, int64_t n, struct lp_error *err) {
    struct lp_scene_page *page = lp_alloc_array((size_t)n, sizeof *page);
    struct lp_error *errors = lp_alloc_array((size_t)n, sizeof *errors);
    bool ok = (page && errors) || lp_error_memory(err);
    int64_t drawn = ok ? n : 0;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < drawn; i++)
        lp_scene_page_make(&page[i], job->request, job->stickers, &job->classes, job->pages, from + i, &errors[i]);
    for (int64_t i = 0; i < drawn; i++) {
        if (ok && errors[i].code) {
            *err = errors[i];
            ok = false;
        }
        for (int k = 0; ok && k < LP_LISTS; k++)
            lp_str_add(&job->all.list[k], lp_str_text(&page[i].list[k]), page[i].list[k].n);
        lp_scene_page_done(&page[i]);
    }
    lp_free(page);
    lp_free(errors);
    return ok;
}

bool lp_scenes_write(const struct lp_scenes_request *q, struct lp_error *err) {
    struct job job = {.request = q};
    bool ok = lp_scene_fonts_ready(err) && (job.stickers = lp_stickers_open(q->stickers, err)) &&
              (!q->pages || (job.pages = lp_pages_open(q->stickers, err))) &&
              lp_scene_classes_init(&job.classes, job.stickers, err) && make_folders(q->folder, err);
    for (int64_t from = 0; ok && from < q->count; from += AT_ONCE) {
        int64_t n = q->count - from < AT_ONCE ? q->count - from : AT_ONCE;
        ok = draw_some(&job, from, n, err);
        if (ok && q->progress)
            q->progress(q->context, from + n, q->count);
    }
    for (int k = 0; ok && k < LP_LISTS; k++)
        ok = !job.all.list[k].failed || lp_error_memory(err);
    ok = ok && write_truth(&job, err);
    lp_scene_page_done(&job.all);
    lp_scene_classes_done(&job.classes);
    lp_pages_close(job.pages);
    lp_stickers_close(job.stickers);
    return ok;
}
