/* SPDX-License-Identifier: MIT */
/* text/sentencepiece.c - a SentencePiece `tokenizer.model`: a protocol buffer (sentencepiece_model.proto,
 * ModelProto) 1 pieces {1 name, 2 score, 3 type}, 2 trainer_spec, 3 normalizer_spec, 5 denormalizer_spec
 * Unknown fields are skipped, as protocol buffers ask. */
#include "text/vocabulary.h"

#include <string.h>

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct reader {
    const uint8_t *at, *end;
    bool bad; /* the bytes are not a protocol buffer */
};

struct field {
    uint32_t number;
    enum wire wire;
    uint64_t value;      /* VARINT, FIXED32, FIXED64 */
    struct reader bytes; /* BYTES */
};

struct specs {
    uint64_t model_type;
    struct reader unk_text, bos, eos, pad; /* names and the text of an unknown */
    bool has_charsmap;
};

static uint64_t read_varint(struct reader *r) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    r->bad = true;
    return 0;
}

static uint64_t read_fixed(struct reader *r, size_t n) {
    uint64_t value = 0;
    if ((size_t)(r->end - r->at) < n) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)r->at[i] << (8 * i);
    r->at += n;
    return value;
}

/* False at the end and where the bytes are bad. */
static bool next_field(struct reader *r, struct field *f) {
    if (r->bad || r->at == r->end)
        return false;
    uint64_t tag = read_varint(r), n;
    f->number = (uint32_t)(tag >> 3);
    f->wire = (enum wire)(tag & 7);
    switch (f->wire) {
    case VARINT:
        f->value = read_varint(r);
        break;
    case FIXED64:
        f->value = read_fixed(r, 8);
        break;
    case FIXED32:
        f->value = read_fixed(r, 4);
        break;
    case BYTES:
        n = read_varint(r);
        if (n > (uint64_t)(r->end - r->at)) {
            r->bad = true;
            break;
        }
        f->bytes = (struct reader){r->at, r->at + n, false};
        r->at += n;
        break;
    default:
        r->bad = true;
    }
    if (f->number == 0 || tag >> 32)
        r->bad = true;
    return !r->bad;
}

static bool parse_piece(struct lp_tokenizer *t, int id, struct reader r, struct lp_error *err) {
    struct field f;
    struct reader name = {0};
    float score = 0;
    uint64_t type = LP_PIECE_NORMAL;
    while (next_field(&r, &f)) {
        if (f.number == 1 && f.wire == BYTES)
            name = f.bytes;
        else if (f.number == 2 && f.wire == FIXED32)
            memcpy(&score, &(uint32_t){(uint32_t)f.value}, sizeof score);
        else if (f.number == 3 && f.wire == VARINT)
            type = f.value;
    }
    if (r.bad)
        return lp_error_set(err, LP_EINPUT, "piece %d is cut or damaged", id);
    if (type < LP_PIECE_NORMAL || type > LP_PIECE_BYTE)
        return lp_error_set(err, LP_EINPUT, "piece %d has the unknown type %llu", id,
                            (unsigned long long)type);
    return lp_vocabulary_set(t, id, (enum lp_piece_type)type, (const char *)name.at,
                             (size_t)(name.end - name.at), score, err);
}

static bool parse_trainer(struct lp_tokenizer *t, struct reader r, struct specs *specs) {
    struct field f;
    while (next_field(&r, &f)) {
        if (f.wire == VARINT && f.number == 3)
            specs->model_type = f.value;
        else if (f.wire == VARINT && f.number == 24)
            t->spaces_end_words = f.value != 0;
        else if (f.wire == VARINT && f.number == 35)
            t->byte_fallback = f.value != 0;
        else if (f.wire == BYTES && f.number == 44)
            specs->unk_text = f.bytes;
        else if (f.wire == BYTES && f.number == 46)
            specs->bos = f.bytes;
        else if (f.wire == BYTES && f.number == 47)
            specs->eos = f.bytes;
        else if (f.wire == BYTES && f.number == 48)
            specs->pad = f.bytes;
    }
    return !r.bad;
}

static bool parse_normalizer(struct lp_tokenizer *t, struct reader r, struct specs *specs) {
    struct field f;
    while (next_field(&r, &f)) {
        if (f.wire == BYTES && f.number == 2)
            specs->has_charsmap = f.bytes.at < f.bytes.end;
        else if (f.wire == VARINT && f.number == 3)
            t->dummy_prefix = f.value != 0;
        else if (f.wire == VARINT && f.number == 4)
            t->remove_spaces = f.value != 0;
        else if (f.wire == VARINT && f.number == 5)
            t->escape_spaces = f.value != 0;
    }
    return !r.bad;
}

static bool parse_denormalizer(struct reader r, struct specs *specs) {
    struct field f;
    while (next_field(&r, &f))
        if (f.wire == BYTES && f.number == 2 && f.bytes.at < f.bytes.end)
            specs->has_charsmap = true;
    return !r.bad;
}

static bool parse_specs(struct lp_tokenizer *t, struct reader r, struct specs *specs, struct lp_error *err) {
    struct field f;
    int64_t n_pieces = 0;
    bool good = true;
    while (good && next_field(&r, &f)) {
        n_pieces += f.number == 1 && f.wire == BYTES;
        if (f.number == 2 && f.wire == BYTES)
            good = parse_trainer(t, f.bytes, specs);
        else if (f.number == 3 && f.wire == BYTES)
            good = parse_normalizer(t, f.bytes, specs);
        else if (f.number == 5 && f.wire == BYTES)
            good = parse_denormalizer(f.bytes, specs);
    }
    if (!good || r.bad)
        return lp_error_set(
            err, LP_EINPUT,
            "it is neither a SentencePiece model nor a tokenizer.json, or it is damaged; get it again");
    static const char *const kinds[] = {"unigram", "BPE", "word", "character"};
    if (specs->model_type != 2)
        return lp_error_set(err, LP_EINPUT, "it is a %s model, but only BPE models are known",
                            specs->model_type - 1 < 4 ? kinds[specs->model_type - 1] : "strange");
    if (specs->has_charsmap)
        return lp_error_set(err, LP_EINPUT,
                            "it normalises characters, but only identity normalisation is known");
    return lp_vocabulary_init(t, n_pieces, err);
}

/* SentencePiece takes these names only up to a NUL, and their pieces only when they are control pieces. */
static int find_control(const struct lp_tokenizer *t, struct reader name, const char *fallback) {
    const char *s = name.at < name.end ? (const char *)name.at : fallback;
    size_t n = name.at < name.end ? strnlen(s, (size_t)(name.end - name.at)) : strlen(fallback);
    int id = lp_vocabulary_find(t, s, n);
    return id >= 0 && t->piece[id].type == LP_PIECE_CONTROL ? id : -1;
}

bool lp_sentencepiece_parse(struct lp_tokenizer *t, const uint8_t *data, size_t size, struct lp_error *err) {
    struct reader r = {data, data + size, false};
    struct specs specs = {.model_type = 1};
    struct field f;
    int id = 0;
    t->dummy_prefix = t->remove_spaces = t->escape_spaces = true;
    if (!parse_specs(t, r, &specs, err))
        return false;
    while (next_field(&r, &f))
        if (f.number == 1 && f.wire == BYTES && !parse_piece(t, id++, f.bytes, err))
            return false;
    bool has_text = specs.unk_text.at != NULL;
    const char *unk_text = has_text ? (const char *)specs.unk_text.at : LP_UNKNOWN_TEXT;
    size_t n_unk_text = has_text ? (size_t)(specs.unk_text.end - specs.unk_text.at) : strlen(LP_UNKNOWN_TEXT);
    if (!lp_vocabulary_finish(t, unk_text, strnlen(unk_text, n_unk_text), err))
        return false;
    if (t->unk < 0)
        return lp_error_set(err, LP_EINPUT, "it has no piece for the unknown");
    t->bos = find_control(t, specs.bos, "<s>");
    t->eos = find_control(t, specs.eos, "</s>");
    t->pad = find_control(t, specs.pad, "<pad>");
    return true;
}
