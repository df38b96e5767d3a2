/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels: error, an operator must act; warning, we recovered; info, one line per job step; debug,
 * protocol. Lines carry fields like "job=12 addr=0010" in their text. There is no memory dump,
 * and no key is ever given to it. The level and the destination are the one mutable file-scope
 * state of the program.
 */
#ifndef MESHMASON_LOG_H
#define MESHMASON_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* "error", "warning", "info", "debug"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *out);
bool log_enabled(enum log_level level);

#define LOG_PRINTF __attribute__((format(printf, 1, 2)))
void log_error(const char *format, ...) LOG_PRINTF;
void log_warning(const char *format, ...) LOG_PRINTF;
void log_info(const char *format, ...) LOG_PRINTF;
void log_debug(const char *format, ...) LOG_PRINTF;

#endif
