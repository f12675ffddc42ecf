/* SPDX-License-Identifier: MIT */
/* cli/cmd_data_rewrite.c - `llava-plus data rewrite`: instructions in other words, through an endpoint that the user names. */
#include "cli/cmd_data.h"
#include "cli/command.h"
#include "cli/options.h"
#include "data/rewrite.h"

#include <stdio.h>
#include <unistd.h>

static void show_progress(void *context, const struct lp_rewrite_report *r) {
    (void)context;
    if (isatty(2))
        fprintf(stderr, "\r%lld instructions, %lld asked, %lld new wordings", (long long)r->instructions, (long long)r->asked,
                (long long)r->wordings[LP_WORDING_GOOD]);
}

static void tell(const struct lp_rewrite_report *r) {
    if (isatty(2))
        fputc('\n', stderr);
    fprintf(stderr, "%lld records, %lld instructions: %lld asked, %lld known from before, %lld left as they are\n",
            (long long)r->records, (long long)r->instructions, (long long)r->asked, (long long)r->known, (long long)r->kept);
    fprintf(stderr,
            "wordings: %lld good, %lld refused as they lost something, %lld as the same again, %lld as malformed; "
            "%lld answers unreadable\n",
            (long long)r->wordings[LP_WORDING_GOOD], (long long)r->wordings[LP_WORDING_LOST],
            (long long)r->wordings[LP_WORDING_SAME], (long long)r->wordings[LP_WORDING_SHAPE], (long long)r->unreadable);
    fprintf(stderr, "%lld new records\n", (long long)r->written);
}

int lp_cmd_data_rewrite(int argc, char **argv) {
    struct lp_rewrite_settings s;
    struct lp_rewrite_report report;
    int64_t wordings, attempts, seconds;
    lp_rewrite_defaults(&s);
    const struct lp_option options[] = {
        {"like", 0, "FILE", "dialogues whose instructions are put in other words", LP_OPTION_STRING, NULL, &s.like, 0, 0},
        {"out", 'o', "FILE", "where the new dialogues go; FILE.journal keeps the answers until all are there", LP_OPTION_STRING,
         NULL, &s.out, 0, 0},
        {"endpoint", 0, "URL", "an OpenAI-compatible server, such as http://localhost:8000/v1", LP_OPTION_STRING, NULL,
         &s.ask.at.url, 0, 0},
        {"endpoint-model", 0, "NAME", "the model that it shall use", LP_OPTION_STRING, NULL, &s.ask.model, 0, 0},
        {"wordings", 0, "N", "new wordings of each instruction", LP_OPTION_INT, "3", &wordings, 1, 50},
        {"count", 'n', "N", "only the first N dialogues; 0: all", LP_OPTION_INT, "0", &s.count, 0, 1e12},
        {"attempts", 0, "N", "how often a busy or silent server is asked", LP_OPTION_INT, "6", &attempts, 1, 100},
        {"timeout", 0, "SECONDS", "how long an answer may take", LP_OPTION_INT, "120", &seconds, 1, 3600},
        {0}};
    const struct lp_usage usage = {"data rewrite", "--like FILE --out FILE --endpoint URL --endpoint-model NAME [options]",
                                   "Puts the instructions of dialogues in other words by asking a language model, as the paper did. "
                                   "What calls need must survive in every wording.\n"
                                   "The server's key is read from the environment variable OPENAI_API_KEY. A run that was "
                                   "stopped goes on where it was.",
                                   options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    s.wordings = (int)wordings;
    s.ask.at.attempts = (int)attempts;
    s.ask.at.wait_ms = (long)seconds * 1000;
    s.ask.at.key = lp_endpoint_key();
    s.progress = show_progress;
    if (!s.like)
        lp_error_set(&err, LP_EUSAGE, "say with --like FILE whose instructions to rewrite");
    else if (!s.out)
        lp_error_set(&err, LP_EUSAGE, "say with --out FILE where the new dialogues go");
    else if (!s.ask.at.url || !s.ask.model)
        lp_error_set(&err, LP_EUSAGE, "say with --endpoint URL and --endpoint-model NAME whom to ask");
    else if (lp_rewrite(&s, &report, &err)) {
        tell(&report);
        return 0;
    }
    return lp_command_fail("data rewrite", &err);
}
