/* SPDX-License-Identifier: MIT */
/* How long a thread may run before others that want its processor do. */
#ifndef LP_SERVE_SLICE_H
#define LP_SERVE_SLICE_H

/* For the calling thread and those that it starts from now on; 0: as the system has it. A thread with short slices that wakes
 * is given a processor before those with longer ones, and gets no more of it in all. Linux knows this from 6.12 on; elsewhere
 * nothing changes. */
void lp_slice_set(long microseconds);

#endif
