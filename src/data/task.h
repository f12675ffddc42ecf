/* SPDX-License-Identifier: MIT */
/* The skills' tasks, what they leave, and how a call may end, as the makers of dialogues number them. */
#ifndef LP_DATA_TASK_H
#define LP_DATA_TASK_H

enum lp_task {
    LP_TASK_DETECT,
    LP_TASK_SEGMENT_INSTANCES,
    LP_TASK_SEGMENT_SEMANTIC,
    LP_TASK_SEGMENT_AT,
    LP_TASK_SEGMENT_LEVELS,
    LP_TASK_SEGMENT_LIKE,
    LP_TASK_CAPTION,
    LP_TASK_TAG,
    LP_TASK_CAPTION_GROUND,
    LP_TASK_TAG_GROUND,
    LP_TASK_OCR,
    LP_TASK_RETRIEVE,
    LP_TASK_GENERATE,
    LP_TASK_EDIT,
    LP_TASK_INPAINT,
    LP_TASK_LAYOUT,
    LP_TASKS,
    LP_TASK_NONE = LP_TASKS
};

/* In the order in which a result lists its handles. */
enum lp_left { LP_LEFT_TEXT, LP_LEFT_COUNT, LP_LEFT_BOX, LP_LEFT_MASK, LP_LEFT_MAP, LP_LEFT_IMAGE, LP_LEFTS };

enum lp_task_outcome { LP_DONE, LP_EMPTY, LP_NOT_READY, LP_FAILED };

extern const char *const lp_task_names[LP_TASKS + 1]; /* "detect" ..; the last is "none" */
extern const char *const lp_task_api[LP_TASKS];       /* "grounding_dino" .. */
extern const char *const lp_left_names[LP_LEFTS];     /* "text" .. */

/* The task with this name or API_name; LP_TASK_NONE for "none", -1 for no task's. */
int lp_task_find(const char *name);

#endif
