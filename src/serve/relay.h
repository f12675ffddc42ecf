/* SPDX-License-Identifier: MIT */
/* A worker's stream, passed on by the controller. */
#ifndef LP_SERVE_RELAY_H
#define LP_SERVE_RELAY_H

#include "serve/controller.h"
#include "serve/desk.h"

/* An order, held by the caller, that asks a worker for the model (both are copied) and streams its frames: whole ones and well-formed
 * ones only. Its answer always begins, and ends with a frame that tells why where the worker fails. NULL when out of memory. */
struct lp_order *lp_relay_new(struct lp_controller *c, const char *model, const char *body);

#endif
