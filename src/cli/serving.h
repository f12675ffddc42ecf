/* SPDX-License-Identifier: MIT */
/* What commands that serve share: signals, the address they print, keys from the environment. */
#ifndef LP_CLI_SERVING_H
#define LP_CLI_SERVING_H

#include "base/reach.h"
#include "cli/options.h"
#include "image/decoders.h"
#include "serve/http.h"

#include <signal.h>

/* Blocks SIGINT and SIGTERM before any thread starts, so that only lp_serving_wait gets them, and allows as many descriptors as
 * this process may have. */
sigset_t lp_serving_begin(void);

/* From now on pictures are decoded by other processes. Owned by caller; NULL on failure. */
struct lp_decoders *lp_serving_decoders(struct lp_error *err);

enum { LP_ADDRESS = 160 };

/* The server's URL with a path behind it. */
void lp_serving_address(struct lp_server *server, const struct lp_server_settings *s, const char *path, char *out, size_t size);

/* Prints the server's address with the path behind it, waits for one of the signals and stops it; the next signal makes that
 * hurry. */
void lp_serving_wait(const char *command, struct lp_server *server, const struct lp_server_settings *s, const char *path,
                     sigset_t signals);

/* An environment variable that is not empty, or NULL. */
const char *lp_serving_secret(const char *name);

/* The networks of --allow-network, and the key for who is called: that of LLAVA_PLUS_API_KEY. It may travel in clear text where
 * networks were named. */
bool lp_serving_key(const struct lp_option_list *network, struct lp_reach *reach, const char **key, bool *in_clear,
                    struct lp_error *err);

#endif
