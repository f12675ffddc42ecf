/* SPDX-License-Identifier: MIT */
/* data/names.c - English nouns as names of things. Phrases are at most LONGEST bytes; longer ones are cut. */
#include "data/names.h"

#include "data/wording.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 160 };

/* Last words; the longer ones also as ends: "snowman", "bookshelf". */
static const char *const irregular[][2] = {
    {"human", "humans"},   {"man", "men"},         {"person", "people"},   {"child", "children"}, {"mouse", "mice"},
    {"mongoose", "mongooses"}, {"goose", "geese"}, {"tooth", "teeth"},     {"foot", "feet"},      {"leaf", "leaves"},
    {"loaf", "loaves"},    {"wolf", "wolves"},     {"calf", "calves"},     {"half", "halves"},    {"knife", "knives"},
    {"wife", "wives"},     {"scarf", "scarves"},   {"shelf", "shelves"},   {"elf", "elves"},      {"potato", "potatoes"},
    {"tomato", "tomatoes"}, {"hero", "heroes"},    {"ox", "oxen"},         {"quiz", "quizzes"},   {"bus", "buses"},
    {"lens", "lenses"},    {"gas", "gases"},       {"canvas", "canvases"}, {"movie", "movies"},   {"cookie", "cookies"},
    {"pie", "pies"},       {"tie", "ties"},        {"magpie", "magpies"},  {"brownie", "brownies"}, {"hoodie", "hoodies"},
    {"zombie", "zombies"}, {"selfie", "selfies"},  {"beanie", "beanies"},  {"smoothie", "smoothies"}, {"axe", "axes"},
    {"pickaxe", "pickaxes"}, {"house", "houses"},  {"blouse", "blouses"},  {"moose", "moose"},    {"cache", "caches"},
    {"headache", "headaches"}, {"mousse", "mousses"}, {"cactus", "cacti"}, {"die", "dice"},       {"kiwi", "kiwis"},
    {"taxi", "taxis"},     {"martini", "martinis"}, {"chili", "chilis"},   {"bikini", "bikinis"}, {"ski", "skis"},
    {"zucchini", "zucchinis"}, {"goldfish", "goldfish"}, {"safari", "safaris"}, {"octopus", "octopuses"},
    {"walrus", "walruses"}, {"virus", "viruses"},  {"circus", "circuses"}, {"rhinoceros", "rhinoceroses"},
    {"albatross", "albatrosses"},
};
/* The same in both numbers. */
static const char *const steady[] = {"fish",   "sheep",    "deer",       "squid",  "bison",    "angelfish", "blowfish",
                                     "salmon", "aircraft", "spacecraft", "series", "broccoli", "sushi",     "ramen",
                                     "trout",  "starfish", "jellyfish",  "pufferfish", "corn", "spaghetti"};
/* Without an article. */
static const char *const masses[] = {"grass",     "butter",   "luggage", "sand",    "furniture", "clothing", "food",
                                     "water",     "snow",     "wheat",   "hay",     "pasta",     "smoke",    "rain",
                                     "text",      "writing",  "traffic", "confetti", "equipment", "jewelry", "jewellery",
                                     "weather",   "rice",     "bread",   "money",   "popcorn",   "bacon",    "garlic"};
static const char *const singular_ends[] = {"ss", "us", "is", "lens", "gas", "canvas", "atlas", "christmas", "rhinoceros", "albatross"};
static const char *const after_head[] = {"on",      "in",   "under", "behind", "next",    "near",     "with",  "of",
                                         "wearing", "holding", "that", "closest", "nearest", "farthest", "at",
                                         "beside",  "from", "by",    "above",  "below",   "to",       "for",   "over",
                                         "carrying", "and",  "made",  "without", "between", "around",  "who",   "which"};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool one_of(const char *word, size_t n, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == n && !strncasecmp(word, list[i], n))
            return true;
    return false;
}

static bool ends_with(const char *word, size_t n, const char *end) {
    size_t m = strlen(end);
    return n >= m && !strncasecmp(word + n - m, end, m);
}

/* Length of what precedes "on the left", "of wine", .. */
static size_t head_of(const char *phrase) {
    size_t n = strlen(phrase), at = 0;
    for (size_t i = strcspn(phrase, " "); i < n; i = at + strcspn(phrase + at, " ")) {
        at = i + 1;
        if (one_of(phrase + at, strcspn(phrase + at, " "), after_head, COUNT(after_head)))
            return i;
    }
    return n;
}

static size_t last_word(const char *phrase, size_t n) {
    size_t at = n;
    while (at && phrase[at - 1] != ' ')
        at--;
    return at;
}

static bool already_plural(const char *word, size_t n) {
    if (n < 3 || tolower((unsigned char)word[n - 1]) != 's')
        return false;
    for (size_t i = 0; i < COUNT(singular_ends); i++)
        if (ends_with(word, n, singular_ends[i]))
            return false;
    return true;
}

static bool unnumbered(const char *word, size_t n) {
    return one_of(word, n, steady, COUNT(steady));
}

/* The word's other number from the table, or NULL; *keep: how many of its bytes stay before it. */
static const char *from_table(const char *word, size_t n, int from, size_t *keep) {
    for (size_t i = 0; i < COUNT(irregular); i++)
        if (strlen(irregular[i][0]) < 4 && strcmp(irregular[i][0], "man") ? one_of(word, n, &irregular[i][from], 1)
                                                                          : ends_with(word, n, irregular[i][from])) {
            *keep = n - strlen(irregular[i][from]);
            return irregular[i][!from];
        }
    return NULL;
}

static bool in_table(const char *word, size_t n, int form) {
    size_t keep;
    return from_table(word, n, form, &keep) != NULL;
}

static void pluralize(const char *word, size_t n, struct lp_str *out) {
    size_t keep;
    const char *other;
    if (unnumbered(word, n) || in_table(word, n, 1)) {
        lp_str_add(out, word, n);
    } else if ((other = from_table(word, n, 0, &keep))) {
        lp_str_add(out, word, keep);
        lp_str_puts(out, other);
    } else if (already_plural(word, n)) {
        lp_str_add(out, word, n);
    } else {
        char kept[LONGEST];
        size_t m = n < sizeof kept - 1 ? n : sizeof kept - 1;
        memcpy(kept, word, m);
        kept[m] = 0;
        lp_wording_number(kept, true, out);
    }
}

/* "scissors" has no singular. */
static bool only_plural(const char *word, size_t n) {
    static const char *const pairs[] = {"scissors", "glasses", "sunglasses", "jeans",   "trousers",  "pants",
                                        "shorts",   "goggles", "binoculars", "pajamas", "pyjamas",   "headphones",
                                        "earphones", "pliers", "tongs",      "tweezers", "fireworks", "clothes", "overalls",
                                        "grapes",    "fries",  "noodles",    "spectacles"};
    return one_of(word, n, pairs, COUNT(pairs));
}

static void singularize(const char *word, size_t n, struct lp_str *out) {
    size_t keep;
    const char *other;
    if (unnumbered(word, n) || only_plural(word, n) || in_table(word, n, 0)) {
        lp_str_add(out, word, n);
    } else if ((other = from_table(word, n, 1, &keep))) {
        lp_str_add(out, word, keep);
        lp_str_puts(out, other);
    } else if (!already_plural(word, n)) {
        lp_str_add(out, word, n);
    } else if (ends_with(word, n, "ies") && n > 4) {
        lp_str_add(out, word, n - 3);
        lp_str_putc(out, 'y');
    } else {
        bool hiss = ends_with(word, n, "ches") || ends_with(word, n, "shes") || ends_with(word, n, "xes") ||
                    ends_with(word, n, "sses") || ends_with(word, n, "zzes") || ends_with(word, n, "uses");
        lp_str_add(out, word, n - (hiss ? 2 : 1));
    }
}

static void in_number(const char *name, void (*form)(const char *, size_t, struct lp_str *), struct lp_str *out) {
    size_t head = head_of(name), at = last_word(name, head);
    lp_str_add(out, name, at);
    if (at && form == singularize && head - at == 7 && !strncasecmp(name + at, "glasses", 7))
        lp_str_add(out, name + at, 5); /* wine glasses, not spectacles */
    else
        form(name + at, head - at, out);
    lp_str_puts(out, name + head);
}

void lp_name_plural(const char *name, struct lp_str *out) {
    in_number(name, pluralize, out);
}

void lp_name_singular(const char *name, struct lp_str *out) {
    in_number(name, singularize, out);
}

void lp_name_number(int n, struct lp_str *out) {
    static const char *const words[] = {"no", "one", "two", "three", "four", "five", "six"};
    if (n >= 0 && n < (int)COUNT(words))
        lp_str_puts(out, words[n]);
    else
        lp_str_printf(out, "%d", n);
}

void lp_name_counted(const char *name, int n, struct lp_str *out) {
    struct lp_str one = {0}, text = {0};
    lp_name_singular(name, &one);
    const char *s = lp_str_text(&one);
    size_t head = head_of(s), at = last_word(s, head);
    bool bare = one_of(s + at, head - at, masses, COUNT(masses)) || only_plural(s + at, head - at);
    if (n == 1 && !bare)
        lp_str_puts(&text, "a ");
    else if (n != 1)
        lp_name_number(n, &text);
    if (n != 1)
        lp_str_putc(&text, ' ');
    if (n == 1)
        lp_str_puts(&text, s);
    else
        lp_name_plural(s, &text);
    lp_wording_tidy(&text);
    lp_str_puts(out, lp_str_text(&text));
    out->failed |= text.failed | one.failed;
    lp_str_done(&one);
    lp_str_done(&text);
}

/* A head noun phrase in lower case, in both numbers as it might be spoken. */
struct head {
    char text[LONGEST];
    size_t n;
};

static bool head_ends_with(const struct head *h, const char *term, size_t n) {
    return n && h->n >= n && !strncasecmp(h->text + h->n - n, term, n) && (h->n == n || h->text[h->n - n - 1] == ' ');
}

/* Whether the head ends in the term, as it is, in the plural or in the singular. */
static bool speaks_of(const struct head *h, const char *term, size_t *length) {
    struct lp_str other = {0};
    *length = strlen(term);
    const char *last = h->text + last_word(h->text, h->n);
    if (tolower((unsigned char)*last) != tolower((unsigned char)term[last_word(term, *length)]))
        return false; /* a number changes the end of the last word only */
    bool fits = head_ends_with(h, term, *length);
    if (!fits) { /* "grape" of "grapes" */
        in_number(last, pluralize, &other);
        fits = !strcasecmp(lp_str_text(&other), term);
        *length = fits ? strlen(last) : 0;
    }
    for (int form = 0; !fits && form < 2; form++) {
        lp_str_cut(&other, 0);
        in_number(term, form ? singularize : pluralize, &other);
        *length = other.n;
        fits = head_ends_with(h, lp_str_text(&other), other.n);
    }
    lp_str_done(&other);
    return fits;
}

/* Whether the words before the noun say nothing that is not so: a colour or a size of its own. */
static bool described(const struct head *h, size_t noun, const struct lp_truth_object *o) {
    static const char *const colors[][2] = {
        {"red", "red"},       {"orange", "orange"}, {"yellow", "yellow"}, {"green", "green"}, {"blue", "blue"},
        {"purple", "purple"}, {"violet", "purple"}, {"pink", "pink"},     {"brown", "brown"}, {"black", "black"},
        {"white", "white"},   {"gray", "gray"},     {"grey", "gray"},     {"golden", "yellow"}};
    static const char *const sizes[][2] = {{"big", "large"},   {"large", "large"},  {"huge", "large"},
                                           {"small", "small"}, {"little", "small"}, {"tiny", "small"}};
    for (size_t i = 0; i + noun < h->n; i++) {
        const char *word = h->text + i;
        size_t n = strcspn(word, " ");
        for (size_t k = 0; k < COUNT(colors); k++)
            if (strlen(colors[k][0]) == n && !strncmp(word, colors[k][0], n) &&
                !(o->color && !strcmp(o->color, colors[k][1])))
                return false;
        for (size_t k = 0; k < COUNT(sizes); k++)
            if (strlen(sizes[k][0]) == n && !strncmp(word, sizes[k][0], n) &&
                !(o->size && !strcmp(o->size, sizes[k][1])))
                return false;
        i += n;
    }
    return true;
}

bool lp_phrase_fits(const char *phrase, const struct lp_truth *truth, const struct lp_truth_object *object) {
    const struct lp_truth_category *c = &truth->category[object->category];
    struct head h = {.n = head_of(phrase)};
    h.n = h.n < LONGEST - 1 ? h.n : LONGEST - 1;
    for (size_t i = 0; i < h.n; i++)
        h.text[i] = (char)tolower((unsigned char)phrase[i]);
    h.text[h.n] = 0;
    size_t noun;
    bool named = speaks_of(&h, c->name, &noun) || speaks_of(&h, c->plural, &noun);
    for (const char *const *s = c->synonym; !named && s && *s; s++)
        named = speaks_of(&h, *s, &noun);
    if (!named && c->supercategory)
        named = speaks_of(&h, c->supercategory, &noun);
    if (!named)
        named = speaks_of(&h, "thing", &noun) || speaks_of(&h, "object", &noun);
    return named && described(&h, noun, object);
}
