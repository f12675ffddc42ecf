/* SPDX-License-Identifier: MIT */
/* The pickle machine: what torch.save writes, and everything else, which is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "weights/pickle.h"

#include <stdlib.h>
#include <string.h>

/* Pieces of pickles. */
#define P2 "\x80\x02"
#define STORAGE_ID(type, count)                                                                              \
    "(X\7\0\0\0storagectorch\n" type "\nX\1\0\0\0"                                                           \
    "7X\3\0\0\0cpu" count "t"
#define STORAGE STORAGE_ID("FloatStorage", "K\6") "Q"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
#define ODICT "ccollections\nOrderedDict\n"
#define HOOKS "\x89" ODICT ")R"
#define TENSOR(offset, size, stride) REBUILD "(" STORAGE offset size stride HOOKS "tR"
#define SIZE23 "K\2K\3\x86"
#define STRIDE23 "K\3K\1\x86"
#define GOOD_TENSOR TENSOR("K\0", SIZE23, STRIDE23)
#define TEN(x) x x x x x x x x x x

/* The whole of a small state dictionary, as torch.save pickles one. */
#define GOOD P2 ODICT ")Rq\0(X\1\0\0\0wq\1" GOOD_TENSOR "X\1\0\0\0vh\1u}X\1\0\0\0mNsb."

#define CASE(bytes, says)                                                                                    \
    { bytes, sizeof bytes - 1, says }

static const struct {
    const char *bytes;
    size_t n;
    const char *says;
} malformed[] = {
    /* not the pickles that we read */
    CASE("", "no pickle of protocol"),
    CASE("\x80", "no pickle of protocol"),
    CASE("}.", "no pickle of protocol"),
    CASE("(dp0\n.", "no pickle of protocol"),
    CASE("\x80\1}.", "no pickle of protocol"),
    CASE("\x80\6}.", "no pickle of protocol"),
    CASE("\x80\xff}.", "no pickle of protocol"),
    /* code */
    CASE(P2 "cos\nsystem\nX\2\0\0\0ls\x85R.", "'os.system'"),
    CASE(P2 "cposix\nsystem\nX\2\0\0\0ls\x85R.", "'posix.system'"),
    CASE(P2 "c__builtin__\neval\nX\1\0\0\0"
            "1\x85R.",
         "'__builtin__.eval'"),
    CASE(P2 "cbuiltins\nexec\n.", "'builtins.exec'"),
    CASE(P2 "cbuiltins\ngetattr\n.", "'builtins.getattr'"),
    CASE(P2 "csubprocess\nPopen\n.", "'subprocess.Popen'"),
    CASE(P2 "ctorch\nload\n.", "'torch.load'"),
    CASE(P2 "ctorch.hub\nload\n.", "'torch.hub.load'"),
    CASE(P2 "ctorch._utils\n_rebuild_tensor\n.", "'torch._utils._rebuild_tensor'"),
    CASE(P2 "ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "_rebuild_tensor_v2.__globals__'"),
    CASE(P2 "ctorch.nn.modules.linear\nLinear\n.", "'torch.nn.modules.linear.Linear'"),
    CASE(P2 "ctorch\nComplexFloatStorage\n.", "'torch.ComplexFloatStorage'"),
    CASE(P2 "cargparse\nNamespace\n)\x81.", "'argparse.Namespace'"),
    CASE(P2 "ccollections\ndefaultdict\n.", "'collections.defaultdict'"),
    CASE(P2 "ccollections\nOrderedDic\n.", "'collections.OrderedDic'"),
    CASE(P2 "ccollections\nOrderedDict2\n.", "'collections.OrderedDict2'"),
    CASE(P2 "c\n\n.", "asks for '.'"),
    CASE("\x80\4\x8c\2os\x8c\6system\x93\x8c\2ls\x85R.", "'os.system'"),
    CASE("\x80\4\x8c\5torch\x8c\4load\x93.", "'torch.load'"),
    CASE(P2 "\x80\4\x8c\2os\x8c\6system\x93.", "the unknown opcode 0x80"),
    /* opcodes that no dictionary of tensors needs */
    CASE(P2 "(ios\nsystem\n.", "the opcode INST"),
    CASE(P2 "(" ODICT "o.", "the opcode OBJ"),
    CASE(P2 ODICT ")\x81.", "the opcode NEWOBJ"),
    CASE(P2 ODICT ")}\x92.", "the opcode NEWOBJ_EX"),
    CASE(P2 "\x82\1.", "the opcode EXT1"),
    CASE(P2 "\x83\1\0.", "the opcode EXT2"),
    CASE(P2 "\x84\1\0\0\0.", "the opcode EXT4"),
    CASE(P2 "P1\n.", "the opcode PERSID"),
    CASE(P2 "I1\n.", "the opcode INT"),
    CASE(P2 "F1\n.", "the opcode FLOAT"),
    CASE(P2 "S'a'\n.", "the opcode STRING"),
    CASE(P2 "}0.", "the opcode POP"),
    CASE(P2 "}2.", "the opcode DUP"),
    CASE(P2 "(1.", "the opcode POP_MARK"),
    CASE(P2 "\x8b\1\0\0\0\1.", "the opcode LONG4"),
    CASE(P2 "C\1a.", "the opcode SHORT_BINBYTES"),
    CASE("\x80\4\x8f.", "the opcode EMPTY_SET"),
    CASE("\x80\4(\x91.", "the opcode FROZENSET"),
    CASE("\x80\5\x97.", "the opcode NEXT_BUFFER"),
    CASE("\x80\5\x96\1\0\0\0\0\0\0\0a.", "the opcode BYTEARRAY8"),
    CASE(P2 "\xff.", "the unknown opcode 0xff"),
    CASE(P2 "\0.", "the unknown opcode 0x00"),
    /* calls of what is no tensor */
    CASE(P2 "})R.", "calls something that is no tensor"),
    CASE(P2 "K\1)R.", "calls something that is no tensor"),
    CASE(P2 "ctorch\nFloatStorage\n)R.", "calls something that is no tensor"),
    CASE(P2 ODICT "]R.", "no tuple"),
    CASE(P2 ODICT "K\1\x85R.", "OrderedDict of something that is no list"),
    CASE(P2 ODICT "]K\1a\x85R.", "OrderedDict of something that is no pair"),
    CASE(P2 "ctorch\nSize\n]\x85R.", "torch.Size of something"),
    CASE(P2 "ctorch._utils\n_rebuild_parameter\n}\x88}\x87R.", "parameter of something"),
    CASE(P2 "ctorch._utils\n_rebuild_parameter\n)R.", "parameter of something"),
    CASE(P2 REBUILD ")R.", "makes a tensor of something"),
    CASE(P2 REBUILD "(K\1K\0))\x89}tR.", "makes a tensor of something"),
    CASE(P2 "]}b.", "BUILD on something"),
    CASE(P2 "}Nb.", "BUILD on something"),
    CASE(P2 ODICT "}b.", "BUILD on something"),
    /* persistent ids */
    CASE(P2 "K\1Q.", "persistent id that is no storage"),
    CASE(P2 ")Q.", "persistent id that is no storage"),
    CASE(P2 "(X\6\0\0\0modulectorch\nFloatStorage\nX\1\0\0\0"
            "0X\3\0\0\0cpuK\1tQ.",
         "persistent id that is no storage"),
    CASE(P2 STORAGE_ID("Size", "K\6") "Q.", "persistent id that is no storage"),
    CASE(P2 STORAGE_ID("FloatStorage", "N") "Q.", "persistent id that is no storage"),
    CASE(P2 STORAGE_ID("FloatStorage", "J\xff\xff\xff\xff") "Q.", "size makes no sense"),
    CASE(P2 STORAGE_ID("FloatStorage", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f") "Q.",
         "size makes no sense"),
    CASE(P2 STORAGE_ID("FloatStorage", "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0") "Q.",
         "persistent id that is no storage"),
    CASE(P2 STORAGE_ID("FloatStorage", "K\1)") "Q.", "part of another"),
    /* tensors that do not lie in their storage */
    CASE(P2 TENSOR("K\1", SIZE23, STRIDE23) ".", "beyond its storage"),
    CASE(P2 TENSOR("K\7", "K\0\x85", "K\1\x85") ".", "beyond its storage"),
    CASE(P2 TENSOR("J\xff\xff\xff\xff", SIZE23, STRIDE23) ".", "beyond its storage"),
    CASE(P2 TENSOR("K\0", SIZE23, "K\4K\1\x86") ".", "beyond its storage"),
    CASE(P2 TENSOR("K\0", SIZE23, "K\3\x85") ".", "no tuples of one length"),
    CASE(P2 TENSOR("K\0", "]", "]") ".", "no tuples of one length"),
    CASE(P2 TENSOR("N", SIZE23, STRIDE23) ".", "makes a tensor of something"),
    CASE(P2 TENSOR("K\0", SIZE23, "K\3J\xff\xff\xff\xff\x86") ".", "negative, too large"),
    CASE(P2 TENSOR("K\0", "K\2J\0\0\0\x80\x86", STRIDE23) ".", "negative, too large"),
    CASE(P2 TENSOR("K\0", "K\2N\x86", STRIDE23) ".", "negative, too large"),
    CASE(P2 TENSOR("K\0", "K\2G\0\0\0\0\0\0\0\0\x86", STRIDE23) ".", "negative, too large"),
    CASE(P2 TENSOR("K\0",
                   "J\xff\xff\xff\x7f"
                   "J\xff\xff\xff\x7f"
                   "J\xff\xff\xff\x7f\x87",
                   "K\0K\0K\0\x87") ".",
         "negative, too large"),
    CASE(P2 TENSOR("K\0", "\x8a\x08\0\0\0\0\0\0\0\x40\x85", "K\0\x85") ".", "too large for any file"),
    CASE(P2 TENSOR("K\0", "K\3\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85") ".",
         "negative, too large"),
    CASE(P2 TENSOR("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\2\x85", "K\1\x85") ".",
         "negative, too large"),
    CASE(P2 TENSOR("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t") ".",
         "more than 8 dimensions"),
    /* the memo, the stack, marks */
    CASE(P2 "h\0.", "recalls the value 0"),
    CASE(P2 "}q\0h\1.", "recalls the value 1"),
    CASE(P2 "}q\2h\1.", "recalls the value 1"),
    CASE(P2 "j\xff\xff\xff\xff.", "recalls the value 4294967295"),
    CASE(P2 "}r\xff\xff\xff\xff.", "remembers a value under the number 4294967295"),
    CASE(P2 "}r\0\0\x20\0.", "remembers a value under the number 2097152"),
    CASE(P2 "q\0.", "takes a value that is not there"),
    CASE("\x80\4\x94.", "takes a value that is not there"),
    CASE(P2 ".", "ends with 0 values"),
    CASE(P2 "}}.", "ends with 2 values"),
    CASE(P2 "}(.", "ends with 1 values"),
    CASE(P2 "\x85.", "takes a value that is not there"),
    CASE(P2 "}(\x85.", "takes a value that is not there"),
    CASE(P2 "}(N(\x86.", "takes a value that is not there"),
    CASE(P2 "t.", "takes a mark that is not there"),
    CASE(P2 "}u.", "takes a mark that is not there"),
    CASE(P2 "]e.", "takes a mark that is not there"),
    CASE(P2 "(u.", "takes a value that is not there"),
    CASE(P2 "}(Nu.", "no dictionary"),
    CASE(P2 "](NNu.", "no dictionary"),
    CASE(P2 "}Na.", "no list"),
    CASE(P2 "NNNs.", "no dictionary"),
    CASE(P2 "R.", "takes a value that is not there"),
    CASE(P2 "b.", "takes a value that is not there"),
    CASE(P2 "Q.", "takes a value that is not there"),
    CASE("\x80\4K\1K\1\x93.", "no text"),
    /* lengths that lie */
    CASE(P2 "X\xff\xff\xff\xff"
            "a.",
         "cut short"),
    CASE(P2 "X\2\0\0\0a", "cut short"),
    CASE(P2 "U\5a.", "cut short"),
    CASE(P2 "T\xff\xff\xff\x7f"
            "a.",
         "cut short"),
    CASE(P2 "\x8a\xff"
            "a.",
         "cut short"),
    CASE("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
         "a.",
         "cut short"),
    CASE("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xff}.", "a frame that is longer"),
    CASE("\x80\4\x95\3\0\0\0\0\0\0\0}.", "a frame that is longer"),
    CASE(P2 "ctorch", "cut short"),
    CASE(P2 "ctorch\nload", "cut short"),
    CASE(P2 "G\0\0\0", "cut short"),
    CASE(P2 "}", "cut short"),
    /* depth */
    CASE(P2 TEN(TEN("((((((((((")), "nested deeper than 256"),
};

/* A copy that ends where the pickle does, so that ASan sees a read behind it. */
static bool read_copy(struct lp_pickle *out, struct lp_arena *arena, const char *bytes, size_t n,
                      struct lp_error *err) {
    char *exact = malloc(n ? n : 1);
    memcpy(exact, bytes, n);
    bool ok = lp_pickle_read(out, arena, exact, n, "file", err);
    free(exact);
    return ok;
}

static void refuses_all_else(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct lp_arena arena = {0};
        struct lp_error err = {0};
        struct lp_pickle p;
        if (read_copy(&p, &arena, malformed[i].bytes, malformed[i].n, &err))
            fail_msg("case %zu, '%s', was read", i, malformed[i].says);
        if (err.code != LP_EINPUT || !strstr(err.text, malformed[i].says) ||
            strncmp(err.text, "file: ", 6) != 0)
            fail_msg("case %zu: wanted '%s', got %d '%s'", i, malformed[i].says, err.code, err.text);
        lp_arena_done(&arena);
    }
}

static void refuses_every_cut(void **state) {
    (void)state;
    static const char good[] = GOOD;
    for (size_t n = 0; n < sizeof good - 1; n++) {
        struct lp_arena arena = {0};
        struct lp_error err = {0};
        struct lp_pickle p;
        assert_false(read_copy(&p, &arena, good, n, &err));
        assert_int_equal(err.code, LP_EINPUT);
        lp_arena_done(&arena);
    }
}

static void reads_a_state_dictionary(void **state) {
    (void)state;
    static const char good[] = GOOD "behind";
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_pickle p;
    if (!lp_pickle_read(&p, &arena, good, sizeof good - 1, "file", &err))
        fail_msg("%s", err.text);
    assert_int_equal(p.used, sizeof good - 1 - strlen("behind"));
    assert_int_equal(p.root->kind, LP_PICKLE_DICT);
    assert_int_equal(p.root->items.n, 4);
    assert_true(lp_pickle_is(lp_pickle_get(p.root, "v"), "w")); /* from the memo */
    const struct lp_pickle_value *w = lp_pickle_get(p.root, "w");
    assert_int_equal(w->kind, LP_PICKLE_TENSOR);
    assert_int_equal(w->tensor->bytes, 24);
    assert_int_equal(w->tensor->ndim, 2);
    assert_int_equal(w->tensor->dim[1], 3);
    assert_int_equal(w->tensor->stride[0], 3);
    assert_int_equal(w->tensor->storage->elements, 6);
    assert_ptr_equal(w->tensor->storage, p.storages);
    assert_null(p.storages->next);
    assert_null(lp_pickle_get(p.root, "m"));
    lp_arena_done(&arena);
}

static void reads_plain_values(void **state) {
    (void)state;
    static const char bytes[] =
        "\x80\4\x95\x33\0\0\0\0\0\0\0("
        "J\xfe\xff\xff\xffK\xffM\xff\xff\x8a\0\x8a\1\xff\x8a\3\0\0\1\x8a\x08\xff\xff\xff"
        "\xff\xff\xff\xff\x7fG\x40\x04\0\0\0\0\0\0\x88\x89N\x8c\1a\x94h\0]}t.";
    static const int64_t integers[] = {-2, 255, 65535, 0, -1, 65536, INT64_MAX};
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_pickle p;
    if (!lp_pickle_read(&p, &arena, bytes, sizeof bytes - 1, "file", &err))
        fail_msg("%s", err.text);
    struct lp_pickle_value **item = p.root->items.item;
    assert_int_equal(p.root->kind, LP_PICKLE_TUPLE);
    assert_int_equal(p.root->items.n, 15);
    for (size_t i = 0; i < 7; i++)
        assert_true(item[i]->kind == LP_PICKLE_INT && item[i]->integer == integers[i]);
    assert_true(item[7]->kind == LP_PICKLE_FLOAT && item[7]->number == 2.5);
    assert_true(item[8]->kind == LP_PICKLE_BOOL && item[8]->integer == 1);
    assert_true(item[9]->kind == LP_PICKLE_BOOL && item[9]->integer == 0);
    assert_int_equal(item[10]->kind, LP_PICKLE_NONE);
    assert_true(lp_pickle_is(item[11], "a"));
    assert_ptr_equal(item[11], item[12]);
    assert_int_equal(item[13]->kind, LP_PICKLE_LIST);
    assert_int_equal(item[14]->kind, LP_PICKLE_DICT);
    lp_arena_done(&arena);
}

/* A dictionary in itself is no trouble; a list that grows forever ends at the limit, not at the memory's. */
static void bounds_what_it_makes(void **state) {
    (void)state;
    static const char cycle[] = P2 "}q\0X\1\0\0\0ah\0s.";
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_pickle p;
    assert_true(lp_pickle_read(&p, &arena, cycle, sizeof cycle - 1, "file", &err));
    assert_ptr_equal(lp_pickle_get(p.root, "a"), p.root);
    size_t n = (size_t)9 << 20;
    char *bytes = malloc(n);
    memset(bytes, '}', n);
    memcpy(bytes, P2, 2);
    assert_false(lp_pickle_read(&p, &arena, bytes, n, "file", &err));
    assert_non_null(strstr(err.text, "more than 8388608 values"));
    free(bytes);
    lp_arena_done(&arena);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char good[] = GOOD;
    bool read = false;
    for (long n = 1; n < 2000 && !read; n++) {
        struct lp_arena arena = {0};
        struct lp_error err = {0};
        struct lp_pickle p;
        lp_test_fail_alloc(n);
        read = lp_pickle_read(&p, &arena, good, sizeof good - 1, "file", &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(read ? !failed : err.code == LP_EMEMORY);
        lp_arena_done(&arena);
    }
    assert_true(read);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_all_else),         cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(reads_a_state_dictionary), cmocka_unit_test(reads_plain_values),
        cmocka_unit_test(bounds_what_it_makes),     cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
