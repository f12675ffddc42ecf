/* SPDX-License-Identifier: MIT */
/* Conversation templates: which one, and the prompt's bytes. */
#include "text/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define H                                                                                                    \
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, " \
    "detailed, and polite answers to the human's questions."
#define U                                                                                                    \
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "  \
    "detailed, and polite answers to the user's questions."

static void the_name_chooses(void **state) {
    (void)state;
    static const struct {
        const char *name, *key;
    } cases[] = {
        {"llava-plus-nano", "llava_v0"},
        {"llava_plus_v0_7b", "llava_v0"},
        {"llava_plus_v1.3_7b", "llava_v1"},
        {"LLaVA-Plus-V1-13b", "llava_v1"},
        {"llava-llama-2-13b", "llava_llama_2"},
        {"llava-mpt-7b", "mpt"},
        {"llava-v1-mpt", "llava_v1"},
        {"llava-v1-mmtag", "v1_mmtag"},
        {"llava-v1-plain", "v1_mmtag"},
        {"llava-v1-plain-finetune", "llava_v1"},
        {"llava-mmtag", "v0_mmtag"},
        {"llava-plain", "v0_mmtag"},
        {"llava-plain-tools", "llava_v0"},
        {"llava-plain-finetune", "llava_v0"},
        {"vicuna-7b-v1.5", "vicuna_v1"},
        {"llama-2-7b-chat", "llama_2"},
        {"mpt-7b", "mpt"},
        {"", "vicuna_v1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(lp_template_key(lp_template_for_model(cases[i].name)), cases[i].key);
    assert_null(lp_template_find("mpt_text"));
}

static void prompts_are_exact(void **state) {
    (void)state;
    static const struct lp_message one[] = {{"<image>\nq", false}, {NULL, true}};
    static const struct lp_message two[] = {{"<image>\nq", false}, {"a", true}, {"r\n", false}, {NULL, true}};
    static const struct {
        const char *key, *first, *second, *stop;
    } cases[] = {
        {"llava_v0", H "###Human: <image>\nq###Assistant:",
         H "###Human: <image>\nq###Assistant: a###Human: r\n###Assistant:", "###"},
        {"llava_v1", H " USER: <image>\nq ASSISTANT:",
         H " USER: <image>\nq ASSISTANT: a</s>USER: r\n ASSISTANT:", "</s>"},
        {"v1", U " USER: <image>\nq ASSISTANT:", U " USER: <image>\nq ASSISTANT: a</s>USER: r\n ASSISTANT:",
         "</s>"},
        {"plain", "<image>\nq\n", "<image>\nq\nar\n\n", "\n"},
        {"llava_llama_2",
         "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to understand the "
         "visual "
         "content that the user provides, and assist the user with a variety of tasks using natural "
         "language.\n<</SYS>>\n\n<image>\nq [/INST]",
         "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to understand the "
         "visual "
         "content that the user provides, and assist the user with a variety of tasks using natural "
         "language.\n<</SYS>>\n\n<image>\nq [/INST] a </s><s>[INST] r\n [/INST]",
         "</s>"},
        {"mpt",
         "<|im_start|>system\nA conversation between a user and an LLM-based AI assistant. The assistant "
         "gives "
         "helpful and honest answers.<|im_end|><|im_start|>user\n<image>\nq<|im_end|><|im_start|>assistant\n",
         "<|im_start|>system\nA conversation between a user and an LLM-based AI assistant. The assistant "
         "gives "
         "helpful and honest answers.<|im_end|><|im_start|>user\n<image>\nq<|im_end|><|im_start|>assistant\n"
         "a<|im_end|><|im_start|>user\nr\n<|im_end|><|im_start|>assistant\n",
         "<|im_end|>"},
        {"v1_mmtag",
         "A chat between a curious user and an artificial intelligence assistant. The assistant is able to "
         "understand the visual content that the user provides, and assist the user with a variety of tasks "
         "using "
         "natural language.The visual content will be provided with the following format: <Image>visual "
         "content</Image>. USER: <Image><image></Image> ASSISTANT: Received.</s>USER: q ASSISTANT:",
         "A chat between a curious user and an artificial intelligence assistant. The assistant is able to "
         "understand the visual content that the user provides, and assist the user with a variety of tasks "
         "using "
         "natural language.The visual content will be provided with the following format: <Image>visual "
         "content</Image>. USER: <Image><image></Image> ASSISTANT: Received.</s>USER: q ASSISTANT: "
         "a</s>USER: r\n "
         "ASSISTANT:",
         "</s>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct lp_template *t = lp_template_find(cases[i].key);
        struct lp_str s = {0};
        lp_template_format(t, one, 2, &s);
        assert_string_equal(lp_str_text(&s), cases[i].first);
        lp_str_cut(&s, 0);
        lp_template_format(t, two, 4, &s);
        assert_string_equal(lp_str_text(&s), cases[i].second);
        assert_string_equal(lp_template_stop(t), cases[i].stop);
        lp_str_done(&s);
    }
}

static void v0_begins_with_a_preset(void **state) {
    (void)state;
    struct lp_message m[] = {{"q", false}, {NULL, true}};
    struct lp_str s = {0};
    lp_template_format(lp_template_find("v0"), m, 2, &s);
    const char *text = lp_str_text(&s), *end = "social instability.\n###Human: q###Assistant:";
    assert_memory_equal(text, H "###Human: What are the key", strlen(H) + 26);
    assert_string_equal(text + s.n - strlen(end), end);
    lp_str_done(&s);
}

static void stops_are_found_in_text(void **state) {
    (void)state;
    assert_int_equal(lp_stop_find("ab###cd", 7, "###"), 2);
    assert_int_equal(lp_stop_find("ab##", 4, "###"), 4);
    assert_int_equal(lp_stop_find("", 0, "###"), 0);
    assert_int_equal(lp_stop_find("abc", 3, ""), 3);
    assert_int_equal(lp_stop_pending("ab##", 4, "###"), 2);
    assert_int_equal(lp_stop_pending("ab</", 4, "</s>"), 2);
    assert_int_equal(lp_stop_pending("#", 1, "###"), 1);
    assert_int_equal(lp_stop_pending("abc", 3, "###"), 0);
    assert_int_equal(lp_stop_pending("abc", 3, ""), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_chooses),
        cmocka_unit_test(prompts_are_exact),
        cmocka_unit_test(v0_begins_with_a_preset),
        cmocka_unit_test(stops_are_found_in_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
