/* SPDX-License-Identifier: GPL-2.0 */
/* run.h - run a table of tests, report the results in KTAP */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_LINE	1024

/* Where the report goes; the program opens it first. */
extern int report_fd;

/* say() - print one line (or a part of one) of the report */
__attribute__((format(printf, 1, 2)))
void say(const char *fmt, ...);

/* die() - end the program, which has one of its own, and say why: the text and errno */
__attribute__((format(printf, 1, 2), noreturn))
void die(const char *fmt, ...);

/* now() - seconds since the kernel started */
double now(void);

/*
 * fork_with_pipe() - fork a child that does not outlive this process, with a pipe from it
 * @end: where the end goes that is one's own: the child's to write to, the parent's to read
 *	 from; neither survives an exec
 *
 * Return: as fork(), but for an error, of which the program dies.
 */
pid_t fork_with_pipe(int *end);

/*
 * run_tests() - run all of a table, with the frame that makes the results one report
 * @table: its path; lab/tables/tests describes the format
 * @dir: where the programs are
 */
void run_tests(const char *table, const char *dir);

#endif
