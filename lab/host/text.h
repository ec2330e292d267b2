/* SPDX-License-Identifier: GPL-2.0 */
/* text.h - text files as arrays of lines, and how the judge gives up */
#ifndef LAB_TEXT_H
#define LAB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct text {
	char **lines;
	size_t n;
};

__attribute__((format(printf, 1, 2), noreturn))
void die(const char *fmt, ...);
void *grown(void *array, size_t n, size_t size);
__attribute__((format(printf, 1, 2)))
char *format(const char *fmt, ...);
bool read_text(struct text *text, const char *path);
const char *after(const char *line, const char *prefix);
char *trim(char *s);
char *cut_reason(char *line);

#endif
