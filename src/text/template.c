/* SPDX-License-Identifier: MIT */
/* text/template.c - conversation templates. The texts are wire constants of LLaVA-Plus
 * (llava/conversation.py): its models were trained and served with them, to the byte. */
#include "text/template.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define IMAGE "<image>"
#define SYSTEM_HUMAN                                                                                         \
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, " \
    "detailed, and polite answers to the human's questions."
#define SYSTEM_USER                                                                                          \
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "  \
    "detailed, and polite answers to the user's questions."
#define SYSTEM_MMTAG                                                                                         \
    "A chat between a curious user and an artificial intelligence assistant. The assistant is able to "      \
    "understand the visual content that the user provides, and assist the user with a variety of tasks "     \
    "using "                                                                                                 \
    "natural language.The visual content will be provided with the following format: <Image>visual "         \
    "content</Image>."
#define SYSTEM_LLAMA_2                                                                                       \
    "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, while "     \
    "being "                                                                                                 \
    "safe.  Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or "   \
    "illegal content. Please ensure that your responses are socially unbiased and positive in nature.\n\n"   \
    "If a question does not make any sense, or is not factually coherent, explain why instead of answering " \
    "something not correct. If you don't know the answer to a question, please don't share false "           \
    "information."
#define SYSTEM_LLAVA_LLAMA_2                                                                                 \
    "You are a helpful language and vision assistant. You are able to understand the visual content that "   \
    "the "                                                                                                   \
    "user provides, and assist the user with a variety of tasks using natural language."
#define SYSTEM_MPT                                                                                           \
    "<|im_start|>system\nA conversation between a user and an LLM-based AI assistant. The assistant gives "  \
    "helpful and honest answers."
#define PRESET_QUESTION "What are the key differences between renewable and non-renewable energy sources?"
#define PRESET_ANSWER                                                                                        \
    "Renewable energy sources are those that can be replenished naturally in a relatively short amount of "  \
    "time, "                                                                                                 \
    "such as solar, wind, hydro, geothermal, and biomass. Non-renewable energy sources, on the other hand, " \
    "are "                                                                                                   \
    "finite and will eventually be depleted, such as coal, oil, and natural gas. Here are some key "         \
    "differences "                                                                                           \
    "between renewable and non-renewable energy sources:\n"                                                  \
    "1. Availability: Renewable energy sources are virtually inexhaustible, while non-renewable energy "     \
    "sources "                                                                                               \
    "are finite and will eventually run out.\n"                                                              \
    "2. Environmental impact: Renewable energy sources have a much lower environmental impact than "         \
    "non-renewable sources, which can lead to air and water pollution, greenhouse gas emissions, and other " \
    "negative effects.\n"                                                                                    \
    "3. Cost: Renewable energy sources can be more expensive to initially set up, but they typically have "  \
    "lower "                                                                                                 \
    "operational costs than non-renewable sources.\n"                                                        \
    "4. Reliability: Renewable energy sources are often more reliable and can be used in more remote "       \
    "locations "                                                                                             \
    "than non-renewable sources.\n"                                                                          \
    "5. Flexibility: Renewable energy sources are often more flexible and can be adapted to different "      \
    "situations and needs, while non-renewable sources are more rigid and inflexible.\n"                     \
    "6. Sustainability: Renewable energy sources are more sustainable over the long term, while "            \
    "non-renewable "                                                                                         \
    "sources are not, and their depletion can lead to economic and social instability.\n"

struct lp_template {
    const char *key, *system;
    const char *role[2]; /* human, assistant */
    enum lp_template_style style;
    const char *sep[2]; /* after the human's, after the assistant's message; LP_TEMPLATE_SINGLE and LP_TEMPLATE_MPT: [0] after both */
    bool preset;        /* begins with one question and answer */
    bool mmtag;
};

#define V0                                                                                                   \
    {"Human", "Assistant"}, LP_TEMPLATE_SINGLE, {                                                                        \
        "###", ""                                                                                            \
    }
#define V1                                                                                                   \
    {"USER", "ASSISTANT"}, LP_TEMPLATE_TWO, {                                                                            \
        " ", "</s>"                                                                                          \
    }
#define L2                                                                                                   \
    {"USER", "ASSISTANT"}, LP_TEMPLATE_LLAMA_2, {                                                                        \
        "<s>", "</s>"                                                                                        \
    }
enum {
    KEY_V0,
    KEY_DEFAULT,
    KEY_V1,
    KEY_VICUNA_V1,
    KEY_LLAMA_2,
    KEY_PLAIN,
    KEY_V0_PLAIN,
    KEY_LLAVA_V0,
    KEY_V0_MMTAG,
    KEY_LLAVA_V1,
    KEY_V1_MMTAG,
    KEY_LLAVA_LLAMA_2,
    KEY_MPT
};
static const struct lp_template templates[] = {
    [KEY_V0] = {"v0", SYSTEM_HUMAN, V0, true, false},
    [KEY_DEFAULT] = {"default", SYSTEM_HUMAN, V0, true, false},
    [KEY_V1] = {"v1", SYSTEM_USER, V1, false, false},
    [KEY_VICUNA_V1] = {"vicuna_v1", SYSTEM_USER, V1, false, false},
    [KEY_LLAMA_2] = {"llama_2", SYSTEM_LLAMA_2, L2, false, false},
    [KEY_PLAIN] = {"plain", "", {"", ""}, LP_TEMPLATE_PLAIN, {"\n", ""}, false, false},
    [KEY_V0_PLAIN] = {"v0_plain", "", {"", ""}, LP_TEMPLATE_PLAIN, {"\n", ""}, false, false},
    [KEY_LLAVA_V0] = {"llava_v0", SYSTEM_HUMAN, V0, false, false},
    [KEY_V0_MMTAG] = {"v0_mmtag", SYSTEM_MMTAG, V0, false, true},
    [KEY_LLAVA_V1] = {"llava_v1", SYSTEM_HUMAN, V1, false, false},
    [KEY_V1_MMTAG] = {"v1_mmtag", SYSTEM_MMTAG, V1, false, true},
    [KEY_LLAVA_LLAMA_2] = {"llava_llama_2", SYSTEM_LLAVA_LLAMA_2, L2, false, false},
    [KEY_MPT] = {"mpt",
                 SYSTEM_MPT,
                 {"<|im_start|>user\n", "<|im_start|>assistant\n"},
                 LP_TEMPLATE_MPT,
                 {"<|im_end|>", ""},
                 false,
                 false},
};

struct lp_template_parts lp_template_parts(const struct lp_template *t) {
    return (struct lp_template_parts){
        .key = t->key, .system = t->system, .role = {t->role[0], t->role[1]}, .sep = {t->sep[0], t->sep[1]}, .style = t->style};
}

const struct lp_template *lp_template_find(const char *key) {
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        if (!strcmp(templates[i].key, key))
            return &templates[i];
    return NULL;
}

static bool has(const char *name, const char *part) {
    return strcasestr(name, part) != NULL;
}

/* The key for a model whose name has "llava" in it. */
static int llava_key(const char *name) {
    bool plain = has(name, "plain") && !has(name, "finetune");
    if (has(name, "llama-2"))
        return KEY_LLAVA_LLAMA_2;
    if (has(name, "v1"))
        return has(name, "mmtag") || plain ? KEY_V1_MMTAG : KEY_LLAVA_V1;
    if (has(name, "mpt"))
        return KEY_MPT;
    return has(name, "mmtag") || (plain && !has(name, "tools")) ? KEY_V0_MMTAG : KEY_LLAVA_V0;
}

const struct lp_template *lp_template_for_model(const char *name) {
    if (has(name, "llava"))
        return &templates[llava_key(name)];
    return &templates[has(name, "mpt") ? KEY_MPT : has(name, "llama-2") ? KEY_LLAMA_2 : KEY_VICUNA_V1];
}

const char *lp_template_key(const struct lp_template *t) {
    return t->key;
}

const char *lp_template_stop(const struct lp_template *t) {
    return t->sep[t->style == LP_TEMPLATE_SINGLE || t->style == LP_TEMPLATE_MPT || t->style == LP_TEMPLATE_PLAIN ? 0 : 1];
}

bool lp_template_spaced(const struct lp_template *t) {
    return t->style == LP_TEMPLATE_SINGLE || t->style == LP_TEMPLATE_TWO || t->style == LP_TEMPLATE_LLAMA_2;
}

/* One message; i counts those before it. */
static void add(const struct lp_template *t, size_t i, bool assistant, const char *text, struct lp_str *out) {
    const char *role = t->role[assistant];
    switch (t->style) {
    case LP_TEMPLATE_SINGLE:
    case LP_TEMPLATE_TWO:
        if (!text || !*text)
            lp_str_printf(out, "%s:", role);
        else
            lp_str_printf(out, "%s: %s%s", role, text, t->style == LP_TEMPLATE_SINGLE ? t->sep[0] : t->sep[i % 2]);
        break;
    case LP_TEMPLATE_MPT:
        lp_str_puts(out, role);
        if (text && *text)
            lp_str_printf(out, "%s%s", text, t->sep[0]);
        break;
    case LP_TEMPLATE_PLAIN:
        if (text && *text)
            lp_str_printf(out, "%s%s", text, t->sep[i % 2]);
        break;
    case LP_TEMPLATE_LLAMA_2:
        if (!text || !*text)
            break;
        if (i % 2)
            lp_str_printf(out, " %s %s", text, t->sep[1]);
        else if (i)
            lp_str_printf(out, "%s[INST] %s [/INST]", t->sep[0], text);
        else /* the first separator, which is BOS, is left to the tokenizer */
            lp_str_printf(out, "[INST] <<SYS>>\n%s\n<</SYS>>\n\n%s [/INST]", t->system, text);
        break;
    }
}

/* The first message of an mmtag template: its pictures as a pair of messages of their own, then its text. */
static void add_tagged(const struct lp_template *t, const char *text, struct lp_str *out) {
    struct lp_str tags = {0}, rest = {0};
    for (const char *mark; (mark = strstr(text, IMAGE)); text = mark + strlen(IMAGE)) {
        lp_str_add(&rest, text, (size_t)(mark - text));
        lp_str_puts(&tags, "<Image>" IMAGE "</Image>");
    }
    lp_str_puts(&rest, text);
    const char *from = lp_str_text(&rest);
    while (isspace((unsigned char)*from))
        from++;
    while (rest.n && isspace((unsigned char)rest.s[rest.n - 1]))
        lp_str_cut(&rest, rest.n - 1);
    add(t, 0, false, lp_str_text(&tags), out);
    add(t, 1, true, "Received.", out);
    add(t, 2, false, from, out);
    out->failed = out->failed || tags.failed || rest.failed;
    lp_str_done(&tags);
    lp_str_done(&rest);
}

void lp_template_format(const struct lp_template *t, const struct lp_message *m, size_t n,
                        struct lp_str *out) {
    size_t before = 0; /* messages written so far; pairs do not change which separator follows */
    if (t->style != LP_TEMPLATE_PLAIN && t->style != LP_TEMPLATE_LLAMA_2)
        lp_str_printf(out, "%s%s", t->system, t->sep[0]);
    if (t->preset) {
        add(t, 0, false, PRESET_QUESTION, out);
        add(t, 1, true, PRESET_ANSWER, out);
    }
    if (n && t->mmtag && m[0].text && strstr(m[0].text, IMAGE)) {
        add_tagged(t, m[0].text, out);
        before = 1;
    }
    for (size_t i = before; i < n; i++)
        add(t, i, m[i].assistant, m[i].text, out);
}

size_t lp_stop_find(const char *text, size_t n, const char *stop) {
    const char *at = *stop && n ? memmem(text, n, stop, strlen(stop)) : NULL;
    return at ? (size_t)(at - text) : n;
}

size_t lp_stop_pending(const char *text, size_t n, const char *stop) {
    size_t most = strlen(stop);
    for (size_t k = most && most - 1 < n ? most - 1 : most ? n : 0; k > 0; k--)
        if (!memcmp(text + n - k, stop, k))
            return k;
    return 0;
}
