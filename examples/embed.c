/* SPDX-License-Identifier: MIT */
/* embed.c - the assistant inside another program: asks one question about one picture, prints the answer as
 * it comes.
 *
 *     cc -Iinclude examples/embed.c -Lbuild/release -lllavaplus -o embed
 *     LD_LIBRARY_PATH=build/release ./embed examples/sign.jpg "What does the sign say?" */
#include <llava_plus.h>

#include <stdio.h>

static void hear(void *context, const struct lp_event *event) {
    (void)context;
    if (event->kind == LP_EVENT_SKILL)
        fprintf(stderr, "(using %s)\n", event->text);
    if (event->kind == LP_EVENT_ANSWER)
        fputs(event->text, stdout);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: embed PICTURE QUESTION\n");
        return 2;
    }
    struct lp_error err = {LP_OK, ""};
    struct lp_settings settings;
    struct lp_question question;
    lp_settings_defaults(&settings);
    lp_question_defaults(&question);
    question.text = argv[2];

    char *reply = NULL;
    struct lp_image *image = lp_image_open(argv[1], &err);
    struct lp_assistant *assistant = image ? lp_assistant_open(&settings, &err) : NULL;
    if (assistant && lp_assistant_show(assistant, image, &err))
        reply = lp_assistant_ask(assistant, &question, hear, NULL, &err);
    if (reply)
        putchar('\n');
    else
        fprintf(stderr, "embed: %s\n", err.text);
    int status = reply ? 0 : 1;
    lp_text_free(reply);
    lp_assistant_close(assistant);
    lp_image_close(image);
    return status;
}
