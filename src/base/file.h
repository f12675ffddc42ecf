/* SPDX-License-Identifier: MIT */
/* Files: mapped, read whole, written so that a kill never leaves half of one. */
#ifndef LP_BASE_FILE_H
#define LP_BASE_FILE_H

#include "base/error.h"

#include <stdio.h>

/* A read-only mapping of a whole file. */
struct lp_file {
    const uint8_t *data; /* borrowed until lp_file_close; NULL for an empty file */
    size_t size;         /* bytes */
    int64_t changed_ns;  /* when its content last changed, since 1970 */
};

/* Maps a regular file. A directory, a device or an unreadable file is LP_EIO with a clear sentence. */
bool lp_file_open(struct lp_file *f, const char *path, struct lp_error *err);
void lp_file_close(struct lp_file *f);
/* Says that bytes of a mapping will hardly be read again: the pages that hold them no longer count as the process's
 * memory. They, and what else lies in these pages, can still be read. */
void lp_file_let_go(const void *data, size_t size);

/* What of the file comes from the disk from now on comes in pages of 2 MiB where the system has them: they are read up
 * to two thirds faster. */
void lp_file_large_pages(const struct lp_file *f);
/* Says that bytes of a mapping will be read again and again: they are brought in at once. */
void lp_file_hasten(const void *data, size_t size);
/* Says that a file just written should come from the disk when it is read next. */
void lp_file_forget(const char *path);

/* Reads a whole file, or standard input when path is "-", of at most `limit` bytes (more is LP_EINPUT).
 * Returns bytes followed by a NUL that *size does not count; owned by caller (lp_free); NULL on failure. */
char *lp_file_read(const char *path, size_t limit, size_t *size, struct lp_error *err);

/* Writes aside, syncs and renames: readers see the old file or the whole new one. */
bool lp_file_write(const char *path, const void *data, size_t size, struct lp_error *err);

/* The same without waiting for the disk: for one of many files that can be made again. */
bool lp_file_write_unsynced(const char *path, const void *data, size_t size, struct lp_error *err);

/* lp_file_write for a file made of parts, written one after the other. */
struct lp_file_part {
    const void *data;
    size_t size; /* bytes */
};
bool lp_file_write_parts(const char *path, const struct lp_file_part *parts, size_t n, struct lp_error *err);

/* A file written bit by bit, into one beside it that takes its place when it is whole. What is there already and is no
 * regular file (a device, a pipe) is itself written and never replaced; lp_file_write does the same. */
struct lp_file_writing {
    FILE *to;
    const char *path; /* borrowed */
    char *aside;      /* NULL: in place */
};
bool lp_file_begin(struct lp_file_writing *w, const char *path, struct lp_error *err);
/* Always after lp_file_begin succeeded. good false: drops what was written and returns false, err stays. */
bool lp_file_end(struct lp_file_writing *w, bool good, struct lp_error *err);

bool lp_file_exists(const char *path);
bool lp_file_move(const char *from, const char *to, struct lp_error *err); /* on one disk; replaces; synced */
bool lp_file_make_folder(const char *path, struct lp_error *err); /* with its parents; there already is fine */

/* "folder/name" into out (PATH_MAX bytes); name alone when it is absolute or folder is empty. */
bool lp_file_join(char *out, size_t size, const char *folder, const char *name, struct lp_error *err);

#endif
