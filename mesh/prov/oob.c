/* SPDX-License-Identifier: Apache-2.0 */
#include "oob.h"

#include <assert.h>
#include <string.h>

enum {
	CAPS_PUBLIC_KEY_OOB = 1 << 0,
	OOB_SIZE_MAX = PROV_OOB_SIZE, /* larger ones are reserved */
	OUTPUT_ACTIONS = 0x1F,	      /* the bits that have a meaning */
	INPUT_ACTIONS = 0x0F,
	OUTPUT_ACTION_LAST = 4, /* alphanumeric; numeric is before it, then counts */
	INPUT_ACTION_LAST = 3,
	SYMBOLS = 36,
	DRAWS_MAX = 128,
};

static bool offers(const struct prov_capabilities *caps, enum prov_algorithm algorithm)
{
	return caps->algorithms >> algorithm & 1;
}

static bool offers_interaction(uint8_t size, uint16_t actions)
{
	return size > 0 && size <= OOB_SIZE_MAX && actions;
}

/* A device that insists on OOB must be able to do it, and without CMAC: 5.4.1.2. */
static bool consistent(const struct prov_capabilities *caps)
{
	if (!(caps->oob_type & PROV_OOB_ONLY))
		return true;
	return !offers(caps, PROV_ALG_CMAC) &&
	       ((caps->oob_type & PROV_OOB_STATIC) ||
		offers_interaction(caps->output_size, caps->output_actions & OUTPUT_ACTIONS) ||
		offers_interaction(caps->input_size, caps->input_actions & INPUT_ACTIONS));
}

/* The stronger algorithm whenever it is offered, and never one below the policy. */
static bool choose_algorithm(const struct prov_policy *policy, const struct prov_capabilities *caps,
			     enum prov_algorithm *out)
{
	if (offers(caps, PROV_ALG_HMAC)) {
		*out = PROV_ALG_HMAC;
		return true;
	}
	*out = PROV_ALG_CMAC;
	return offers(caps, PROV_ALG_CMAC) && policy->min_algorithm == PROV_ALG_CMAC &&
	       !policy->saw_stronger;
}

/* The best of what is offered, text before digits before counting. Few people count further than
 * nine; of the others the longest is the best. */
static bool choose_action(enum prov_auth_method method, uint8_t size, uint16_t actions,
			  struct prov_pdu_start *out)
{
	uint8_t action = method == PROV_AUTH_OUTPUT ? OUTPUT_ACTION_LAST : INPUT_ACTION_LAST;

	if (!offers_interaction(size, actions & ((1u << (action + 1)) - 1)))
		return false;
	while (!(actions >> action & 1))
		action--;
	out->method = method;
	out->action = action;
	out->size = oob_type_of(method, action) == OOB_COUNT ? 1 : size;
	return true;
}

static bool choose_prompt(enum prov_prompt first, const struct prov_capabilities *caps,
			  struct prov_pdu_start *out)
{
	for (int turn = 0; turn < 2; turn++) {
		bool output = (first == PROV_PROMPT_OUTPUT) == (turn == 0);

		if (output ? choose_action(PROV_AUTH_OUTPUT, caps->output_size,
					   caps->output_actions, out)
			   : choose_action(PROV_AUTH_INPUT, caps->input_size, caps->input_actions,
					   out))
			return true;
	}
	return false;
}

/* Public key source and method are independent of each other, 5.4.2.3 and 5.4.2.4. */
static bool choose_method(const struct prov_policy *policy, const struct prov_capabilities *caps,
			  bool have_key, struct prov_pdu_start *out)
{
	out->oob_public_key = have_key && (caps->public_key_type & CAPS_PUBLIC_KEY_OOB);
	if (policy->require_oob_public_key && !out->oob_public_key)
		return false;
	if (policy->static_oob_len > 0 && (caps->oob_type & PROV_OOB_STATIC)) {
		out->method = PROV_AUTH_STATIC;
		return true;
	}
	if (policy->prompt != PROV_PROMPT_NEVER)
		return choose_prompt(policy->prompt, caps, out);
	out->method = PROV_AUTH_NONE;
	return !policy->require_static_oob && !(caps->oob_type & PROV_OOB_ONLY) &&
	       (out->oob_public_key || policy->allow_none);
}

bool oob_choose(const struct prov_policy *policy, const struct prov_capabilities *caps,
		bool have_key, struct prov_pdu_start *out, enum prov_end *why)
{
	memset(out, 0, sizeof(*out));
	if (!consistent(caps)) {
		*why = PROV_END_PROTOCOL;
		return false;
	}
	if (!choose_algorithm(policy, caps, &out->algorithm)) {
		*why = PROV_END_ALGORITHM_TOO_WEAK;
		return false;
	}
	if (!choose_method(policy, caps, have_key, out)) {
		*why = PROV_END_OOB_UNAVAILABLE;
		return false;
	}
	return true;
}

void oob_auth_binary(struct bytes value, struct secret32 *out, size_t n)
{
	assert(n <= sizeof(out->octet));
	memset(out, 0, sizeof(*out));
	if (value.n > 0)
		memcpy(out->octet, value.p, value.n < n ? value.n : n);
}

void oob_auth_alphanumeric(const char *text, struct secret32 *out, size_t n)
{
	oob_auth_binary(bytes_of(text, strlen(text)), out, n);
}

void oob_auth_number(uint64_t value, struct secret32 *out, size_t n)
{
	struct wr w;

	assert(n >= sizeof(value) && n <= sizeof(out->octet));
	memset(out, 0, sizeof(*out));
	w = wr_to(out->octet + n - sizeof(value), sizeof(value));
	wr_be64(&w, value);
}

enum oob_type oob_type_of(enum prov_auth_method method, uint8_t action)
{
	uint8_t last = method == PROV_AUTH_OUTPUT ? OUTPUT_ACTION_LAST : INPUT_ACTION_LAST;

	return action == last ? OOB_ALPHANUMERIC : action == last - 1 ? OOB_NUMERIC : OOB_COUNT;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static uint64_t number_of(const char *text)
{
	uint64_t v = 0;

	while (*text)
		v = v * 10 + (uint64_t)(*text++ - '0');
	return v;
}

bool oob_text_fits(enum oob_type type, uint8_t size, const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > size || n > OOB_SIZE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = upper(text[i]);

		if (!is_digit(c) && (type != OOB_ALPHANUMERIC || c < 'A' || c > 'Z'))
			return false;
	}
	return type != OOB_COUNT || number_of(text) > 0;
}

bool oob_auth_text(const struct prov_pdu_start *start, const char *text, struct secret32 *out,
		   size_t n)
{
	enum oob_type type = oob_type_of(start->method, start->action);
	char letters[PROV_OOB_TEXT] = "";

	if (!oob_text_fits(type, start->size, text))
		return false;
	if (type != OOB_ALPHANUMERIC) {
		oob_auth_number(number_of(text), out, n);
		return true;
	}
	for (size_t i = 0; text[i]; i++)
		letters[i] = upper(text[i]);
	oob_auth_alphanumeric(letters, out, n);
	secret_wipe(letters, sizeof(letters));
	return true;
}

/* 0..n-1: what would favour the small ones is drawn again. */
static bool draw_below(uint32_t n, void (*random)(void *ctx, void *out, size_t n), void *ctx,
		       uint32_t *out)
{
	uint32_t fair = UINT32_MAX - UINT32_MAX % n;

	for (int i = 0; i < DRAWS_MAX; i++) {
		random(ctx, out, sizeof(*out));
		if (*out < fair) {
			*out %= n;
			return true;
		}
	}
	return false;
}

/* With its leading zeros. */
static void write_number(uint32_t v, uint8_t size, char *text)
{
	for (size_t i = size; i-- > 0; v /= 10)
		text[i] = (char)('0' + v % 10);
}

bool oob_draw(const struct prov_pdu_start *start, void (*random)(void *ctx, void *out, size_t n),
	      void *ctx, char text[PROV_OOB_TEXT])
{
	static const char symbols[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	enum oob_type type = oob_type_of(start->method, start->action);
	uint32_t powers = 1, v;

	assert(start->size >= 1 && start->size <= OOB_SIZE_MAX);
	memset(text, 0, PROV_OOB_TEXT);
	for (size_t i = 0; i < start->size; i++) {
		powers *= 10;
		if (type != OOB_ALPHANUMERIC)
			continue;
		if (!draw_below(SYMBOLS, random, ctx, &v))
			return false;
		text[i] = symbols[v];
	}
	if (type == OOB_ALPHANUMERIC)
		return true;
	if (!draw_below(type == OOB_COUNT ? powers - 1 : powers, random, ctx, &v))
		return false;
	write_number(type == OOB_COUNT ? v + 1 : v, start->size, text);
	return true;
}
