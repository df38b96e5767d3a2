/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = { "error", "warning", "info", "debug" };

static enum log_level log_level = LOG_LEVEL_WARNING;

void log_set_level(enum log_level level)
{
	log_level = level;
}

bool log_level_parse(const char *text, enum log_level *out)
{
	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= log_level;
}

static void __attribute__((format(printf, 2, 0)))
print_line(enum log_level level, const char *format, va_list args)
{
	char line[1024];

	if (!log_enabled(level))
		return;
	vsnprintf(line, sizeof(line), format, args);
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?'; /* text from outside cannot forge a line */
	}
	fprintf(stderr, "%s: %s\n", names[level], line);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(LOG_LEVEL_WARNING, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}
