/* SPDX-License-Identifier: MIT */
/* skill/ocr_engine.c - Tesseract 5 through its C API, English, its LSTM network only. */
#include "skill/ocr_engine.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <leptonica/allheaders.h>
#include <tesseract/capi.h>

/* What keeps noise and textures from taking minutes: the densest page of print stays far below both. */
enum {
    SPECKS_MOST = 40000, /* connected black spots in a picture that is read at all ... */
    RUNS_MOST = 800000,  /* ... and rows of black pixels in it */
    LINES_MOST = 600,    /* lines after which a reading ends as it is */
};

struct lp_ocr_engine {
    TessBaseAPI *api;
    ETEXT_DESC *monitor;
};

/* What the monitor of a running recognition looks at, once for each line. */
struct watch {
    const atomic_bool *cancel;
    int lines;
};

void lp_ocr_reading_done(struct lp_ocr_reading *reading) {
    lp_free(reading->word);
    lp_arena_done(&reading->arena);
    *reading = (struct lp_ocr_reading){0};
}

static bool has_english(const char *folder, char path[PATH_MAX]) {
    return lp_file_join(path, PATH_MAX, folder, "eng.traineddata", NULL) && lp_file_exists(path);
}

/* The folder of eng.traineddata: TESSDATA_PREFIX where it is set, else where distributions put it; NULL:
 * none. */
static const char *find_data(void) {
    static const char *const folders[] = {"/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata",
                                          "/usr/local/share/tessdata",
                                          "/usr/share/tesseract-ocr/4.00/tessdata"};
    char path[PATH_MAX];
    const char *prefix = getenv("TESSDATA_PREFIX");
    if (prefix && *prefix)
        return has_english(prefix, path) ? prefix : NULL;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (has_english(folders[i], path))
            return folders[i];
    return NULL;
}

const char *lp_ocr_engine_missing(void) {
    return find_data() ? NULL
                       : "Tesseract's English data (the package tesseract-ocr-eng, or TESSDATA_PREFIX)";
}

void lp_ocr_engine_close(struct lp_ocr_engine *engine) {
    if (!engine)
        return;
    if (engine->monitor)
        TessMonitorDelete(engine->monitor);
    if (engine->api) {
        TessBaseAPIEnd(engine->api);
        TessBaseAPIDelete(engine->api);
    }
    lp_free(engine);
}

struct lp_ocr_engine *lp_ocr_engine_open(struct lp_error *err) {
    const char *folder = find_data();
    struct lp_ocr_engine *engine = lp_alloc(sizeof *engine);
    if (!engine) {
        lp_error_memory(err);
        return NULL;
    }
    setMsgSeverity(L_SEVERITY_NONE); /* Leptonica must not print either */
    engine->api = TessBaseAPICreate();
    engine->monitor = TessMonitorCreate();
    TessBaseAPISetVariable(engine->api, "debug_file", "/dev/null");
    if (!folder || TessBaseAPIInit2(engine->api, folder, "eng", OEM_LSTM_ONLY)) {
        lp_error_set(err, LP_EMISSING, "Tesseract cannot load its English data from %s; reinstall %s",
                     folder ? folder : "anywhere", "the package tesseract-ocr-eng");
        lp_ocr_engine_close(engine);
        return NULL;
    }
    return engine;
}

static struct lp_ocr_word *add_word(struct lp_ocr_reading *reading) {
    if (reading->n == reading->capacity) {
        int capacity = 2 * reading->capacity + 32;
        struct lp_ocr_word *word = lp_realloc(reading->word, (size_t)capacity * sizeof *word);
        if (!word)
            return NULL;
        reading->word = word;
        reading->capacity = capacity;
    }
    struct lp_ocr_word *word = &reading->word[reading->n++];
    *word = (struct lp_ocr_word){0};
    return word;
}

/* Typographic quotation marks become the keyboard's: which of them a picture shows is a guess, and people
 * compare and search with the plain ones. */
static void plain_quotes(char *text) {
    char *to = text;
    for (const char *from = text; *from;) {
        bool quote = !strncmp(from, "\xe2\x80", 2) && from[2] >= '\x98' && from[2] <= '\x9f';
        if (quote) {
            *to++ = from[2] < '\x9c' ? '\'' : '"'; /* U+2018..201B, U+201C..201F */
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to = 0;
}

/* Adds the word the iterator stands on; what has no text is passed over. */
static bool take_word(TessResultIterator *at, int line, struct lp_ocr_reading *reading) {
    int x0, y0, x1, y1;
    char *text = TessResultIteratorGetUTF8Text(at, RIL_WORD);
    bool ok = true;
    if (text && text[strspn(text, " \n\r\t")] &&
        TessPageIteratorBoundingBox(TessResultIteratorGetPageIterator(at), RIL_WORD, &x0, &y0, &x1, &y1)) {
        struct lp_ocr_word *word = add_word(reading);
        char *copy = lp_arena_strdup(&reading->arena, text);
        ok = word && copy;
        if (ok) {
            plain_quotes(copy);
            *word = (struct lp_ocr_word){.box = {(float)x0, (float)y0, (float)x1, (float)y1},
                                         .confidence = TessResultIteratorConfidence(at, RIL_WORD) / 100,
                                         .line = line,
                                         .text = copy};
        }
    }
    TessDeleteText(text);
    return ok;
}

static bool take_words(TessBaseAPI *api, struct lp_ocr_reading *reading) {
    TessResultIterator *at = TessBaseAPIGetIterator(api);
    bool ok = true;
    int line = 0;
    while (at && ok) {
        if (TessPageIteratorIsAtBeginningOf(TessResultIteratorGetPageIterator(at), RIL_TEXTLINE))
            line++;
        ok = take_word(at, line, reading);
        if (!TessResultIteratorNext(at, RIL_WORD))
            break;
    }
    if (at)
        TessResultIteratorDelete(at);
    return ok;
}

static bool must_stop(void *watch, int words) {
    struct watch *w = watch;
    (void)words;
    return ++w->lines > LINES_MOST || (w->cancel && atomic_load(w->cancel));
}

/* Noise and fine stripes, in which finding lines alone would take half a minute. */
static bool is_noise(TessBaseAPI *api) {
    int specks = 0, edges = 0;
    PIX *ink = TessBaseAPIGetThresholdedImage(api),
        *edge = ink ? pixTranslate(NULL, ink, 1, 0, L_BRING_IN_WHITE) : NULL;
    if (edge && pixXor(edge, edge, ink)) {
        pixCountPixels(edge, &edges, NULL);
        pixCountConnComp(ink, 8, &specks);
    }
    pixDestroy(&edge);
    pixDestroy(&ink);
    return specks > SPECKS_MOST || edges / 2 > RUNS_MOST;
}

/* Tesseract asks OpenMP for several threads for each little step, which costs more than it brings: no
 * parallel region may be active below this thread meanwhile. */
static void recognize(struct lp_ocr_engine *engine, const atomic_bool *cancel) {
    int levels = omp_get_max_active_levels();
    struct watch watch = {cancel, 0};
    TessMonitorSetCancelFunc(engine->monitor, must_stop);
    TessMonitorSetCancelThis(engine->monitor, &watch);
    omp_set_max_active_levels(0);
    TessBaseAPIRecognize(engine->api, engine->monitor); /* when it is stopped, the lines so far remain */
    omp_set_max_active_levels(levels);
    TessMonitorSetCancelThis(engine->monitor, NULL);
}

bool lp_ocr_engine_read(struct lp_ocr_engine *engine, const uint8_t *grey, int width, int height,
                        enum lp_ocr_layout layout, const atomic_bool *cancel, struct lp_ocr_reading *reading,
                        struct lp_error *err) {
    static const TessPageSegMode modes[] = {PSM_AUTO, PSM_SINGLE_BLOCK, PSM_SINGLE_LINE, PSM_SPARSE_TEXT};
    TessBaseAPISetPageSegMode(engine->api, modes[layout]);
    TessBaseAPISetImage(engine->api, grey, width, height, 1, width);
    TessBaseAPISetSourceResolution(engine->api, 300); /* letters are scaled to what 300 dpi prints */
    bool ok = true;
    if (!is_noise(engine->api)) {
        recognize(engine, cancel);
        ok = take_words(engine->api, reading);
    }
    TessBaseAPIClear(engine->api);
    if (cancel && atomic_load(cancel))
        return lp_error_set(err, LP_ECANCELED, "reading was stopped");
    return ok || lp_error_memory(err);
}
