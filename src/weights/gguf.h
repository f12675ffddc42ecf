/* SPDX-License-Identifier: MIT */
/* gguf.h - the GGUF format of llama.cpp, versions 2 and 3: "GGUF", counts, typed metadata, a list of tensors,
 * their data. Format: github.com/ggml-org/ggml, docs/gguf.md.
 * What is read points into the file's bytes, which must stay. */
#ifndef LP_WEIGHTS_GGUF_H
#define LP_WEIGHTS_GGUF_H

#include "base/arena.h"
#include "base/str.h"
#include "weights/weights.h"

/* The numbers are the format's. */
enum lp_gguf_type {
    LP_GGUF_U8,
    LP_GGUF_I8,
    LP_GGUF_U16,
    LP_GGUF_I16,
    LP_GGUF_U32,
    LP_GGUF_I32,
    LP_GGUF_F32,
    LP_GGUF_BOOL,
    LP_GGUF_STRING,
    LP_GGUF_ARRAY,
    LP_GGUF_U64,
    LP_GGUF_I64,
    LP_GGUF_F64,
    LP_GGUF_TYPES /* how many */
};

/* A metadata value where it lies in the file: little-endian, not aligned. */
struct lp_gguf_value {
    enum lp_gguf_type type;
    enum lp_gguf_type element; /* of an array; else the type */
    uint64_t count;            /* elements of an array, bytes of a string, else 1 */
    const uint8_t *at;         /* the elements, the text without a NUL behind it, or the value */
    const uint8_t *end;        /* behind the last of them */
};

struct lp_gguf_entry {
    const char *key;
    struct lp_gguf_value value;
};

/* A file's content. Arrays, keys and names live in the arena. */
struct lp_gguf {
    const char *file; /* its name in errors */
    int version;
    struct lp_gguf_entry *entries; /* sorted by key */
    size_t entry_count;
    struct lp_weight *tensors; /* in the file's order, by the file's own names */
    size_t count;
};

/* Reads a whole file that lies at data, an address that is a multiple of 8; `name` names it in errors.
 * Refuses (LP_EINPUT) whatever does not describe its own bytes exactly: see the tests. */
bool lp_gguf_parse(struct lp_gguf *out, struct lp_arena *arena, const void *data, size_t size,
                   const char *name, struct lp_error *err);
bool lp_gguf_is(const void *data, size_t size); /* whether the bytes begin as a GGUF file's do */

const struct lp_gguf_value *lp_gguf_find(const struct lp_gguf *g, const char *key); /* NULL where absent */
const struct lp_weight *lp_gguf_find_tensor(const struct lp_gguf *g, const char *name);

/* Values of a key; the default where it is absent. A value of another kind or outside lo..hi is LP_EINPUT
 * that names file and key. All integer types count as whole numbers, these and both float types as numbers.
 */
bool lp_gguf_int(const struct lp_gguf *g, const char *key, int64_t fallback, int64_t lo, int64_t hi,
                 int64_t *out, struct lp_error *err);
bool lp_gguf_number(const struct lp_gguf *g, const char *key, double fallback, double *out,
                    struct lp_error *err);
bool lp_gguf_bool(const struct lp_gguf *g, const char *key, bool fallback, bool *out, struct lp_error *err);
/* *out is a copy in the arena, or the fallback. A text with a NUL in it or of more than 64 KiB is refused. */
bool lp_gguf_string(const struct lp_gguf *g, const char *key, const char *fallback, struct lp_arena *arena,
                    const char **out, struct lp_error *err);
/* *out is NULL where the key is absent; an array of another element type is LP_EINPUT. */
bool lp_gguf_array(const struct lp_gguf *g, const char *key, enum lp_gguf_type element,
                   const struct lp_gguf_value **out, struct lp_error *err);

/* Takes the next element off an array's front: start with a copy of the array. False behind the last. */
bool lp_gguf_next(struct lp_gguf_value *array, struct lp_gguf_value *element);
/* False where the value is no such number. */
bool lp_gguf_value_int(const struct lp_gguf_value *v, int64_t *out);
bool lp_gguf_value_number(const struct lp_gguf_value *v, double *out);

/* Reads a value of a type at *at, which moves behind it. Returns NULL, or what is wrong with it. */
const char *lp_gguf_read_value(const uint8_t **at, const uint8_t *end, enum lp_gguf_type type,
                               struct lp_gguf_value *v);

/* Metadata to be written. Zero-initialised is valid and empty; out of memory shows in lp_gguf_write. */
struct lp_gguf_metadata {
    struct lp_str bytes;
    uint64_t count;
};
void lp_gguf_put_u32(struct lp_gguf_metadata *m, const char *key, uint32_t value);
void lp_gguf_put_f32(struct lp_gguf_metadata *m, const char *key, float value);
void lp_gguf_put_bool(struct lp_gguf_metadata *m, const char *key, bool value);
void lp_gguf_put_string(struct lp_gguf_metadata *m, const char *key, const char *text);
/* Numbers as they lie in memory, n of a fixed-size type. */
void lp_gguf_put_array(struct lp_gguf_metadata *m, const char *key, enum lp_gguf_type element,
                       const void *numbers, size_t n);
/* Begins an array of n strings; n lp_gguf_put_element must follow. */
void lp_gguf_put_strings(struct lp_gguf_metadata *m, const char *key, size_t n);
void lp_gguf_put_element(struct lp_gguf_metadata *m, const char *text, size_t bytes);
void lp_gguf_put_value(struct lp_gguf_metadata *m, const char *key, const struct lp_gguf_value *value);
/* Copies a file's metadata but for general.alignment, split.* and the keys of `except`, which NULL ends. */
void lp_gguf_put_all(struct lp_gguf_metadata *m, const struct lp_gguf *g, const char *const *except);
void lp_gguf_metadata_done(struct lp_gguf_metadata *m);

/* Gives the data of tensor i (its `bytes`), borrowed until the next call; NULL with err filled on failure. */
typedef const void *lp_gguf_source(void *context, size_t i, struct lp_error *err);

/* Writes a version 3 file that appears whole or not at all, as llama.cpp reads it: alignment 32, tensors in
 * the given order without gaps. With a source the tensors' data is not looked at: each is asked for when its
 * turn has come, so that not all need be in memory. LP_EUSAGE where tensors or metadata make no legal file.
 */
bool lp_gguf_write(const char *path, const struct lp_gguf_metadata *metadata, const struct lp_weight *tensors,
                   size_t n, lp_gguf_source *source, void *context, struct lp_error *err);

size_t lp_gguf_type_bytes(enum lp_gguf_type type); /* of a number; 0 for texts and arrays */
/* Number of a weight's type in the format, -1 for a type that we do not write; and back, false for unknown.
 */
int lp_gguf_weight_type(enum lp_weight_type type);
bool lp_gguf_find_weight_type(uint32_t number, enum lp_weight_type *type);

#endif
