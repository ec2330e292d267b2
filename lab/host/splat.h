/* SPDX-License-Identifier: GPL-2.0 */
/* splat.h - console lines that tell of a kernel in trouble */
#ifndef LAB_SPLAT_H
#define LAB_SPLAT_H

#include "text.h"

#include <regex.h>

struct splat_rule {
	bool deny;
	regex_t regex;
};

struct splat_rules {
	struct splat_rule *rules;
	size_t n;
};

void add_rule(struct splat_rules *rules, bool deny, const char *regex,
	      const char *where);
void read_rules(struct splat_rules *rules, const char *path);
const char *without_stamp(const char *line);
bool is_splat(const struct splat_rules *rules, const char *line);

#endif
