/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   provisioner                          device               person
 *      | Start (method, action, size) -----> |
 *      | Public Keys <---------------------> |
 *      |                                     | shows -------> |  Output OOB: tells the provisioner
 *      |                                     | <------ enters |  Input OOB: what that one shows
 *      | <------------------- Input Complete |
 *      | Confirmation ---------------------> |
 *
 * Values as in Mesh 5.4.2.4: counts from 1, digits from 0 with their leading zeros, text in capital
 * letters and digits.
 */
#include "dev_prov.h"

#include <string.h>

enum { OUTPUT_TEXT = 4, INPUT_TEXT = 3, SYMBOLS = 36, FAIR = 252 /* 7 * 36 */ };

void dev_prov_oob_capabilities(const struct device_make *make, struct wr *w)
{
	wr_u8(w, (make->static_oob_len > 0 ? PROV_OOB_STATIC : 0) |
			 (make->oob_only ? PROV_OOB_ONLY : 0));
	wr_u8(w, make->output_size);
	wr_be16(w, make->output_size ? make->output_actions : 0);
	wr_u8(w, make->input_size);
	wr_be16(w, make->input_size ? make->input_actions : 0);
}

bool dev_prov_oob_offered(const struct device_make *make, uint8_t method, uint8_t action,
			  uint8_t size)
{
	uint8_t most = method == PROV_AUTH_OUTPUT ? make->output_size : make->input_size;
	uint8_t actions = method == PROV_AUTH_OUTPUT ? make->output_actions : make->input_actions;

	switch (method) {
	case PROV_AUTH_NONE:
		return !make->oob_only && action == 0 && size == 0;
	case PROV_AUTH_STATIC:
		return make->static_oob_len > 0 && action == 0 && size == 0;
	case PROV_AUTH_OUTPUT:
	case PROV_AUTH_INPUT:
		return size >= 1 && size <= most && action < 8 && (actions >> action & 1);
	default:
		return false;
	}
}

static void prompt_of(const struct dev_prov *p, struct device_prompt *out)
{
	uint8_t text = p->method == PROV_AUTH_OUTPUT ? OUTPUT_TEXT : INPUT_TEXT;

	memset(out, 0, sizeof(*out));
	out->input = p->method == PROV_AUTH_INPUT;
	out->size = p->size;
	out->type = p->action == text	    ? DEVICE_TEXT
		    : p->action == text - 1 ? DEVICE_DIGITS
					    : DEVICE_COUNT;
}

/* An octet below n times a whole number is fair; others are drawn again. */
static char draw_symbol(struct dev_prov *p, bool text)
{
	static const char symbols[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	uint8_t octet, fair = text ? FAIR : 250;

	do
		p->ops->random(p->ctx, &octet, 1);
	while (octet >= fair);
	return symbols[octet % (text ? SYMBOLS : 10)];
}

/* A count is never 0; its leading zeros are not shown by anything that blinks. */
static void draw(struct dev_prov *p, struct device_prompt *prompt)
{
	size_t zeros;

	do {
		for (size_t i = 0; i < prompt->size; i++)
			prompt->value[i] = draw_symbol(p, prompt->type == DEVICE_TEXT);
		zeros = strspn(prompt->value, "0");
	} while (prompt->type == DEVICE_COUNT && zeros == prompt->size);
	if (prompt->type == DEVICE_COUNT)
		memmove(prompt->value, prompt->value + zeros, strlen(prompt->value) + 1 - zeros);
}

/* Text is left-aligned; a number is big-endian at the right end. False: not of that type. */
static bool take_value(struct dev_prov *p, const struct device_prompt *prompt, const char *text)
{
	size_t n = strlen(text);
	uint32_t number = 0;

	if (n == 0 || n > prompt->size)
		return false;
	memset(&p->auth, 0, sizeof(p->auth));
	for (size_t i = 0; i < n; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (!digit && (prompt->type != DEVICE_TEXT || text[i] < 'A' || text[i] > 'Z'))
			return false;
		if (prompt->type == DEVICE_TEXT)
			p->auth.octet[i] = (uint8_t)text[i];
		else
			number = number * 10 + (uint32_t)(text[i] - '0');
	}
	for (size_t i = 0; i < 4 && prompt->type != DEVICE_TEXT; i++)
		p->auth.octet[p->auth_len - 1 - i] = (uint8_t)(number >> 8 * i);
	return true;
}

void dev_prov_oob_begin(struct dev_prov *p)
{
	struct device_prompt prompt;

	if (p->method != PROV_AUTH_OUTPUT && p->method != PROV_AUTH_INPUT)
		return;
	prompt_of(p, &prompt);
	if (!prompt.input) {
		draw(p, &prompt);
		take_value(p, &prompt, prompt.value);
	}
	p->showing = true;
	if (p->shown)
		p->shown(p->shown_ctx, &prompt);
	secret_wipe(&prompt, sizeof(prompt));
}

void dev_prov_oob_end(struct dev_prov *p)
{
	if (p->showing && p->shown)
		p->shown(p->shown_ctx, NULL);
	p->showing = false;
}

bool dev_prov_entered(struct dev_prov *p, const char *text)
{
	static const uint8_t complete = PROV_INPUT_COMPLETE;
	struct device_prompt prompt;

	prompt_of(p, &prompt);
	if (p->state != DEV_PROV_INPUT || !take_value(p, &prompt, text))
		return false;
	dev_prov_derive_confirmation(p);
	p->state = DEV_PROV_KEYED;
	dev_prov_oob_end(p);
	p->ops->send(p->ctx, bytes_of(&complete, 1));
	return true;
}
