/* SPDX-License-Identifier: MIT */
/* Every layout of a LLaVA's files says the same: the three generations of transformers' names, the original's, shards, and the
 * original's with its picture encoder in a folder of its own, as released. */
#include "model/saying.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "weights/folder.h"
#include "weights/safetensors.h"
#include "weights/tower.h"

#include <stdlib.h>
#include <sys/stat.h>

/* What a name's beginning becomes. */
struct rename {
    const char *from, *to;
};

static const struct rename second_generation[] = {{"language_model.model.", "model.language_model."},
                                                  {"language_model.lm_head.", "lm_head."},
                                                  {"vision_tower.", "model.vision_tower."},
                                                  {"multi_modal_projector.", "model.multi_modal_projector."},
                                                  {0}};
static const struct rename original[] = {{"language_model.model.", "model."},
                                         {"language_model.lm_head.", "lm_head."},
                                         {"vision_tower.vision_model.", "model.vision_tower.vision_tower.vision_model."},
                                         {"multi_modal_projector.linear_1.", "model.mm_projector.0."},
                                         {"multi_modal_projector.linear_2.", "model.mm_projector.2."},
                                         {0}};
static const struct rename tower_alone[] = {{"model.vision_tower.vision_tower.", ""}, {0}};

/* Writes those tensors of `from` that are (not) the picture encoder's, renamed, as folder/file. */
static void write_tensors(const struct lp_weights *from, const struct rename *names, int part, const char *folder, const char *file) {
    size_t n = 0, count = lp_weights_count(from);
    struct lp_arena arena = {0};
    struct lp_weight *t = lp_arena_array(&arena, count, sizeof *t);
    char path[400];
    struct lp_error err = {0};
    for (size_t i = 0; i < count; i++) {
        t[n] = *lp_weights_at(from, i);
        bool tower = strstr(t[n].name, "vision_tower");
        if (part && tower != (part == 2))
            continue;
        for (const struct rename *r = names; r && r->from; r++)
            if (!strncmp(t[n].name, r->from, strlen(r->from))) {
                t[n].name = lp_arena_printf(&arena, "%s%s", r->to, t[n].name + strlen(r->from));
                break;
            }
        n++;
    }
    snprintf(path, sizeof path, "%s/%s", folder, file);
    require(lp_safetensors_write(path, t, n, NULL, &err), &err);
    lp_arena_done(&arena);
}
enum { ALL, LANGUAGE, PICTURE };

static json_t *load(const char *golden) {
    char path[300];
    struct lp_error err = {0};
    snprintf(path, sizeof path, GOLDEN "%s/config.json", golden);
    json_t *config = lp_json_load(path, &err);
    require(config != NULL, &err);
    return config;
}

/* Takes the configuration. */
static void put_config(const char *folder, json_t *config) {
    char *text = json_dumps(config, 0);
    folder_put(folder, "config.json", text, strlen(text));
    lp_free(text);
    json_decref(config);
}

static void put_tokenizer(const char *folder, const char *golden) {
    char path[300];
    size_t n;
    struct lp_error err = {0};
    snprintf(path, sizeof path, GOLDEN "%s/tokenizer.model", golden);
    char *bytes = lp_file_read(path, 1 << 20, &n, &err);
    require(bytes != NULL, &err);
    folder_put(folder, "tokenizer.model", bytes, n);
    lp_free(bytes);
}

/* transformers' configuration in the original's keys. */
static json_t *original_config(json_t *config) {
    json_t *flat = json_copy(json_object_get(config, "text_config"));
    json_object_set(flat, "vision_config", json_object_get(config, "vision_config"));
    json_object_set_new(flat, "model_type", json_string("llava"));
    json_object_set_new(flat, "mm_projector_type", json_string("mlp2x_gelu"));
    json_decref(config);
    return flat;
}

static void other_names_say_the_same(void **state) {
    (void)state;
    static const struct rename *const namings[] = {NULL, second_generation, original};
    struct said want, got;
    struct lp_weights *w = golden_open("llava_mlp", "model.safetensors");
    say(GOLDEN "llava_mlp", NULL, &want);
    for (int i = 0; i < 3; i++) {
        char folder[64];
        folder_make(folder);
        write_tensors(w, namings[i], ALL, folder, "model.safetensors");
        json_t *config = load("llava_mlp");
        put_config(folder, namings[i] == original ? original_config(config) : config);
        put_tokenizer(folder, "llava_mlp");
        say(folder, NULL, &got);
        assert_said(&got, &want, i == 0 ? "the first names" : i == 1 ? "the second" : "the original's");
        folder_remove(folder);
    }
    lp_weights_close(w);
}

static void shards_say_the_same(void **state) {
    (void)state;
    char folder[64];
    struct said want, got;
    struct lp_weights *w = golden_open("llava_linear", "model.safetensors");
    json_t *map = json_object();
    folder_make(folder);
    write_tensors(w, NULL, LANGUAGE, folder, "model-00001-of-00002.safetensors");
    write_tensors(w, NULL, PICTURE, folder, "model-00002-of-00002.safetensors");
    for (size_t i = 0; i < lp_weights_count(w); i++) {
        const char *name = lp_weights_at(w, i)->name;
        json_object_set_new(map, name, json_sprintf("model-0000%d-of-00002.safetensors", strstr(name, "vision_tower") ? 2 : 1));
    }
    json_t *index = json_pack("{s:o}", "weight_map", map);
    char *text = json_dumps(index, 0);
    folder_put(folder, "model.safetensors.index.json", text, strlen(text));
    lp_free(text);
    json_decref(index);
    put_config(folder, load("llava_linear"));
    put_tokenizer(folder, "llava_linear");
    say(GOLDEN "llava_linear", NULL, &want);
    say(folder, NULL, &got);
    assert_said(&got, &want, "shards");
    folder_remove(folder);
    lp_weights_close(w);
}

/* folder/model without its picture encoder, which its configuration only names; and that alone in `tower`. */
static void write_apart(const char *model, const char *tower) {
    struct lp_weights *w = golden_open("llava_linear", "model.safetensors");
    json_t *config = load("llava_linear"), *vision = json_incref(json_object_get(config, "vision_config"));
    assert_int_equal(mkdir(model, 0700) | mkdir(tower, 0700), 0);
    write_tensors(w, NULL, LANGUAGE, model, "model.safetensors");
    write_tensors(w, tower_alone, PICTURE, tower, "model.safetensors");
    json_object_del(config, "vision_config");
    json_object_set_new(config, "mm_vision_tower", json_string("random/clip-tiny"));
    put_config(model, config);
    put_config(tower, vision);
    put_tokenizer(model, "llava_linear");
    lp_weights_close(w);
}

static void the_picture_encoder_may_lie_apart(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct said want, got;
    char folder[64], model[100], beside[100], hub[200], within[200];
    folder_make(folder);
    snprintf(model, sizeof model, "%s/model", folder);
    snprintf(beside, sizeof beside, "%s/clip-tiny", folder);
    snprintf(within, sizeof within, "%s/clip-tiny", model);
    write_apart(model, beside);
    say(GOLDEN "llava_linear", NULL, &want);
    say(model, NULL, &got);
    assert_said(&got, &want, "beside the model");
    assert_int_equal(rename(beside, within), 0);
    say(model, NULL, &got);
    assert_said(&got, &want, "within the model's folder");

    snprintf(hub, sizeof hub, "%s/hub", folder);
    assert_int_equal(mkdir(hub, 0700), 0);
    setenv("HF_HUB_CACHE", hub, 1);
    strcat(hub, "/models--random--clip-tiny");
    assert_int_equal(mkdir(hub, 0700), 0);
    strcat(hub, "/snapshots");
    assert_int_equal(mkdir(hub, 0700), 0);
    strcat(hub, "/0123abcd");
    assert_int_equal(rename(within, hub), 0);
    say(model, NULL, &got);
    assert_said(&got, &want, "in the hub's cache");

    setenv("HF_HUB_CACHE", "/nowhere", 1);
    assert_null(lp_llava_open(model, lp_kernels_cpu(), &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_non_null(strstr(err.text, "the picture encoder 'random/clip-tiny' is not in the model's files; put its folder"));
    say(model, hub, &got);
    assert_said(&got, &want, "named with --mmproj");

    folder_remove(hub);
    for (int i = 0; i < 3; i++) {
        *strrchr(hub, '/') = 0;
        folder_remove(hub);
    }
    folder_remove(model);
    folder_remove(folder);
}

/* The configuration is data from outside: no name leads elsewhere. */
static void no_name_leads_out(void **state) {
    (void)state;
    static const char *const names[] = {"../secret", "..", ".", "", "/etc", "a/b/c", "a/..", "a/", ".hidden"};
    char folder[64], model[100], out[300];
    struct lp_error err;
    folder_make(folder);
    snprintf(model, sizeof model, "%s/secret", folder);
    assert_int_equal(mkdir(model, 0700), 0);
    folder_put(folder, "config.json", "{}", 2);
    folder_put(model, "config.json", "{}", 2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        err = (struct lp_error){0};
        if (lp_tower_find(out, sizeof out, model, names[i], &err))
            fail_msg("'%s' leads to %s", names[i], out);
        assert_int_equal(err.code, LP_EMISSING);
    }
    folder_remove(model);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_names_say_the_same), cmocka_unit_test(shards_say_the_same),
        cmocka_unit_test(the_picture_encoder_may_lie_apart), cmocka_unit_test(no_name_leads_out),
    };
    setenv("HF_HUB_CACHE", "/nowhere", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
