/* SPDX-License-Identifier: MIT */
/* What a server and a process of its own that runs a skill tell each other, on a socket between them: JSON, and objects as they
 * are to the last bit. Who receives trusts nothing of it. */
#ifndef LP_SKILL_CHANNEL_H
#define LP_SKILL_CHANNEL_H

#include "base/json.h"
#include "base/stream.h"
#include "skill/object.h"

/* Sends a JSON value and n objects. LP_EIO: the other side is gone; what go_on says; LP_EMEMORY. */
bool lp_channel_send(const struct lp_stream *s, const json_t *value, const struct lp_object *const *object, int n,
                     struct lp_error *err);

/* Receives what was sent: the value, owned by caller, and objects, which are added with the numbers that they have there. On
 * failure some may have been added. `most`: bytes of all of it. LP_EIO: the other side is gone; LP_EINPUT: it makes no sense or
 * is too much; what go_on says; LP_EMEMORY. */
json_t *lp_channel_receive(const struct lp_stream *s, struct lp_objects *objects, size_t most, struct lp_error *err);

#endif
