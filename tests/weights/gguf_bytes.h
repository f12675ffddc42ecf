/* SPDX-License-Identifier: MIT */
/* Bytes of GGUF files, put together piece by piece. */
#ifndef LP_TESTS_WEIGHTS_GGUF_BYTES_H
#define LP_TESTS_WEIGHTS_GGUF_BYTES_H

#include <stdint.h>
#include <string.h>

struct bytes {
    uint8_t at[4096];
    size_t n;
};

static inline void put(struct bytes *b, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; i++)
        b->at[b->n++] = (uint8_t)(value >> (8 * i));
}

static inline void put_text(struct bytes *b, const char *text) {
    put(b, strlen(text), 8);
    memcpy(b->at + b->n, text, strlen(text));
    b->n += strlen(text);
}

static inline void put_head(struct bytes *b, uint32_t version, uint64_t tensors, uint64_t entries) {
    memcpy(b->at, "GGUF", 4);
    b->n = 4;
    put(b, version, 4);
    put(b, tensors, 8);
    put(b, entries, 8);
}

/* ndim dimensions, the innermost first, as the file has them. */
static inline void put_tensor(struct bytes *b, const char *name, uint32_t ndim, const uint64_t *dim,
                              uint32_t type, uint64_t offset) {
    put_text(b, name);
    put(b, ndim, 4);
    for (uint32_t i = 0; i < ndim; i++)
        put(b, dim[i], 8);
    put(b, type, 4);
    put(b, offset, 8);
}

/* Pads the header and adds n bytes 1, 2, .. of data. */
static inline void put_data(struct bytes *b, size_t alignment, size_t n) {
    while (b->n % alignment)
        put(b, 0, 1);
    for (size_t i = 0; i < n; i++)
        put(b, i + 1, 1);
}

#endif
