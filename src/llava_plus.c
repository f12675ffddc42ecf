/* SPDX-License-Identifier: MIT */
/* llava_plus.c - the public functions: thin. */
#include "llava_plus.h"
