// SPDX-License-Identifier: GPL-2.0
/*
 * splat.c - find the console lines that tell of a kernel in trouble
 *
 * lab/tables/splats describes the rules.  A rule that cannot be used ends the judge: a
 * scan that breaks must not look like a clean console.
 */
#include "splat.h"

#include <string.h>

/*
 * add_rule() - append one rule
 * @where: where it stands, for the message if the expression is wrong
 */
void add_rule(struct splat_rules *rules, bool deny, const char *regex,
	      const char *where)
{
	struct splat_rule rule = { .deny = deny };
	int error = regcomp(&rule.regex, regex, REG_EXTENDED | REG_NOSUB);
	char text[128];

	if (error) {
		regerror(error, &rule.regex, text, sizeof(text));
		die("%s: '%s' is no regular expression: %s", where, regex, text);
	}
	rules->rules = grown(rules->rules, rules->n, sizeof(rule));
	rules->rules[rules->n++] = rule;
}

/* read_rules() - read lab/tables/splats; dies unless it has at least one deny */
void read_rules(struct splat_rules *rules, const char *path)
{
	bool any = false;
	struct text text;

	if (!read_text(&text, path))
		die("cannot read the splat list %s", path);
	for (size_t i = 0; i < text.n; i++) {
		char *line = text.lines[i];
		const char *deny = after(line, "deny ");
		const char *allow = after(line, "allow ");

		if (!*line || *line == '#')
			continue;
		if (!(deny || allow) || !cut_reason(line))
			die("%s:%zu: not 'deny|allow <regex> # reason'", path,
			    i + 1);
		add_rule(rules, deny, deny ? deny : allow, path);
		any |= !!deny;
	}
	if (!any)
		die("%s denies nothing", path);
}

/*
 * without_stamp() - skip the "[    1.234567] " of CONFIG_PRINTK_TIME and the
 * "[   T12] " that CONFIG_PRINTK_CALLER adds
 */
const char *without_stamp(const char *line)
{
	while (*line == '[') {
		size_t len = strspn(line + 1, " 0123456789.TC");

		if (line[1 + len] != ']' || !strpbrk(line + 1, "0123456789"))
			break;
		line += len + 2;
	}
	return *line == ' ' ? line + 1 : line;
}

bool is_splat(const struct splat_rules *rules, const char *line)
{
	bool splat = false;

	line = without_stamp(line);
	for (size_t i = 0; i < rules->n; i++) {
		const struct splat_rule *rule = &rules->rules[i];

		if (regexec(&rule->regex, line, 0, NULL, 0))
			continue;
		if (!rule->deny)
			return false;
		splat = true;
	}
	return splat;
}
