// SPDX-License-Identifier: GPL-2.0
/*
 * text.c - text files as arrays of lines, and how the judge gives up
 *
 * Nothing is ever freed: the judge reads some files, prints a table and ends.
 */
#define _GNU_SOURCE
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* die() - one sentence; exit 2, which is "could not judge" */
void die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("judge: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/*
 * grown() - make room for one more element
 * @array: the array, or NULL
 * @n: how many elements it has
 * @size: of one element
 *
 * Return: the array, perhaps elsewhere; element @n is zeroed.
 */
void *grown(void *array, size_t n, size_t size)
{
	/* Room doubles when it is full, which is when n is a power of two. */
	if (!(n & (n - 1)) || !n)
		array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		die("out of memory");
	memset((char *)array + n * size, 0, size);
	return array;
}

/* format() - printf() into a new string */
char *format(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		die("out of memory");
	va_end(args);
	return s;
}

/*
 * read_text() - read a file as lines
 *
 * The files come from a machine that may have crashed while it wrote them, and
 * end up on a terminal: bytes that are not text become '?'.
 *
 * Return: false, with errno set, when the file cannot be read.
 */
bool read_text(struct text *text, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t room = 0;
	char *line = NULL;
	ssize_t len;
	bool good;

	*text = (struct text){ 0 };
	if (!file)
		return false;
	while ((len = getline(&line, &room, file)) >= 0) {
		char *copy;

		while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		for (ssize_t i = 0; i < len; i++)
			if (iscntrl((unsigned char)line[i]))
				line[i] = line[i] == '\t' ? ' ' : '?';
		copy = strndup(line, len);
		if (!copy)
			die("out of memory");
		text->lines = grown(text->lines, text->n, sizeof(char *));
		text->lines[text->n++] = copy;
	}
	good = !ferror(file);
	free(line);
	fclose(file);
	return good;
}

/* after() - what follows @prefix in @line, NULL when it starts otherwise */
const char *after(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) ? NULL : line + len;
}

/* trim() - take the blanks off both ends, in place */
char *trim(char *s)
{
	size_t len;

	s += strspn(s, " ");
	len = strlen(s);
	while (len && s[len - 1] == ' ')
		s[--len] = '\0';
	return s;
}

/*
 * cut_reason() - take the " # reason" off the end of a line of our own lists
 *
 * Return: the reason, or NULL when there is none, which those lists forbid.
 */
char *cut_reason(char *line)
{
	char *mark = NULL;

	for (char *s = line; (s = strstr(s, " # ")); s++)
		mark = s;
	if (!mark)
		return NULL;
	*mark = '\0';
	trim(line);
	mark = trim(mark + 3);
	return *mark ? mark : NULL;
}
