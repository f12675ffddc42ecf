/* SPDX-License-Identifier: MIT */
/* cli/cmd_data_show.c - `llava-plus data show`: records drawn with their truth, so that people can look. */
#include "cli/cmd_data.h"
#include "cli/command.h"
#include "cli/options.h"
#include "data/records.h"
#include "data/show.h"

#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST = 64 };

struct request {
    const char *scenes, *data, *images, *out;
    int64_t number, count;
    bool pages; /* not one sheet */
};

/* Fills picture[0..*n): each on a page of its own, or as cards for a sheet. */
static bool draw_scenes(const struct request *q, struct lp_image **picture, int *n, struct lp_error *err) {
    struct lp_show scenes;
    if (!lp_show_open(&scenes, q->scenes, err))
        return false;
    int64_t all = scenes.truth->pictures;
    bool ok = q->number < all || lp_error_set(err, LP_EUSAGE, "there is no picture %lld: %s has %lld, counted from 0",
                                              (long long)q->number, q->scenes, (long long)all);
    for (int64_t i = q->number; ok && *n < q->count && i < all; i++) {
        picture[*n] = q->pages ? lp_show_scene(&scenes, i, err) : lp_show_card(&scenes, i, err);
        ok = picture[*n] && ++*n;
    }
    lp_show_done(&scenes);
    return ok;
}

static bool draw_records(const struct request *q, struct lp_image **picture, int *n, struct lp_error *err) {
    struct lp_records *records = lp_records_open(q->data, err);
    json_t *record = NULL;
    bool ok = records;
    for (int64_t i = 0; ok && *n < q->count && (ok = lp_records_next(records, &record, err)) && record; i++) {
        if (i >= q->number)
            ok = (picture[*n] = lp_show_record(record, q->images, err)) && ++*n;
        json_decref(record);
    }
    lp_records_close(records);
    return ok && (*n || lp_error_set(err, LP_EUSAGE, "%s has no record %ld, counted from 0", q->data, (long)q->number));
}

static bool is_folder(const char *path) {
    struct stat st;
    return (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) || (*path && path[strlen(path) - 1] == '/');
}

/* DIR/000012.png, ... */
static bool save_pages(const struct request *q, struct lp_image *const *picture, int n, struct lp_error *err) {
    char path[PATH_MAX], name[32];
    bool ok = lp_file_make_folder(q->out, err);
    for (int i = 0; ok && i < n; i++) {
        snprintf(name, sizeof name, "%06lld.png", (long long)q->number + i);
        ok = lp_file_join(path, sizeof path, q->out, name, err) && lp_image_save(picture[i], path, err);
    }
    return ok;
}

static bool save_sheet(const struct request *q, struct lp_image *const *picture, int n, struct lp_error *err) {
    struct lp_image *sheet = lp_show_sheet(picture, n, q->scenes ? 4 : 2, err);
    bool ok = sheet && lp_image_save(sheet, q->out, err);
    lp_image_close(sheet);
    return ok;
}

static bool show(struct request *q, struct lp_error *err) {
    struct lp_image *picture[MOST] = {NULL};
    int n = 0;
    bool folder = is_folder(q->out);
    q->pages = folder || q->count == 1;
    bool ok = q->scenes ? draw_scenes(q, picture, &n, err) : draw_records(q, picture, &n, err);
    ok = ok && (folder ? save_pages(q, picture, n, err) : save_sheet(q, picture, n, err));
    for (int i = 0; i < n; i++)
        lp_image_close(picture[i]);
    return ok;
}

int lp_cmd_data_show(int argc, char **argv) {
    struct request q = {0};
    const struct lp_option options[] = {
        {"scenes", 0, "DIR", "draw pictures of such a folder with what is known of them", LP_OPTION_STRING, NULL,
         &q.scenes, 0, 0},
        {"data", 0, "FILE", "draw dialogues of such a file with their pictures", LP_OPTION_STRING, NULL, &q.data, 0, 0},
        {"images", 0, "DIR", "where the dialogues' pictures are", LP_OPTION_STRING, NULL, &q.images, 0, 0},
        {"number", 0, "N", "the first to draw, counted from 0", LP_OPTION_INT, "0", &q.number, 0, 1e9},
        {"count", 'n', "N", "how many: cards on one sheet, or a page each in a folder", LP_OPTION_INT, "1", &q.count, 1, MOST},
        {"out", 'o', "FILE", "where the picture goes (.png, .jpg, .webp); a folder: DIR/000000.png ..", LP_OPTION_STRING, NULL, &q.out, 0, 0},
        {0}};
    const struct lp_usage usage = {"data show", "--scenes DIR | --data FILE --out FILE.png [options]",
                                   "Draws records with their truth, so that people can look.", options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    if (!q.scenes == !q.data)
        lp_error_set(&err, LP_EUSAGE, "say with --scenes DIR or --data FILE what to draw");
    else if (!q.out)
        lp_error_set(&err, LP_EUSAGE, "say with --out FILE.png where the picture goes");
    else if (show(&q, &err))
        return 0;
    return lp_command_fail("data show", &err);
}
