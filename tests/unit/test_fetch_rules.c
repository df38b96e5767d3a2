/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs and addresses a device may make us ask. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "bytes.h"
#include "check.h"
#include "fetch_rules.h"

static bool allowed(const struct fetch_rules *r, const char *text)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return fetch_address_allowed(r, (const struct sockaddr *)(const void *)&four);
	check_row(text, inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
	return fetch_address_allowed(r, (const struct sockaddr *)(const void *)&six);
}

TEST(only_public_addresses_are_asked_unless_private_ones_are_allowed)
{
	static const struct {
		const char *text;
		bool is_public, with_private;
	} rows[] = {
		{ "8.8.8.8", true, true },
		{ "93.184.216.34", true, true },
		{ "9.255.255.255", true, true },
		{ "10.0.0.1", false, true },
		{ "11.0.0.0", true, true },
		{ "100.63.255.255", true, true },
		{ "100.64.0.1", false, true },
		{ "100.127.255.255", false, true },
		{ "100.128.0.0", true, true },
		{ "127.0.0.1", false, true },
		{ "127.8.8.8", false, true },
		{ "169.254.169.254", false, true },
		{ "172.15.255.255", true, true },
		{ "172.16.0.1", false, true },
		{ "172.31.255.255", false, true },
		{ "172.32.0.0", true, true },
		{ "192.0.2.1", false, true },
		{ "192.168.1.1", false, true },
		{ "192.169.0.1", true, true },
		{ "198.18.0.1", false, true },
		{ "203.0.113.9", false, true },
		{ "0.0.0.0", false, false },
		{ "0.1.2.3", false, false },
		{ "224.0.0.1", false, false },
		{ "239.255.255.255", false, false },
		{ "240.0.0.1", false, true },
		{ "255.255.255.255", false, false },
		{ "2606:4700::1111", true, true },
		{ "::", false, false },
		{ "::1", false, true },
		{ "fe80::1", false, true },
		{ "fc00::1", false, true },
		{ "fdff::1", false, true },
		{ "ff02::1", false, false },
		{ "2001:db8::1", false, true },
		{ "2001::1", false, true },
		{ "2002:7f00:1::", false, true },
		{ "::ffff:127.0.0.1", false, true },
		{ "::ffff:10.1.2.3", false, true },
		{ "::ffff:8.8.8.8", true, true },
		{ "::ffff:224.0.0.1", false, false },
		{ "64:ff9b::7f00:1", false, true },
		{ "64:ff9b::808:808", true, true },
		{ "::127.0.0.1", false, true },
	};
	struct fetch_rules strict = { .allow = "" }, loose = { .allow = "", .private_too = true };
	struct sockaddr other = { .sa_family = AF_UNIX };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(rows[i].text, allowed(&strict, rows[i].text) == rows[i].is_public);
		check_row(rows[i].text, allowed(&loose, rows[i].text) == rows[i].with_private);
	}
	check(!fetch_address_allowed(&loose, &other));
}

TEST(a_url_has_a_host_that_is_allowed_and_nothing_else)
{
	static const struct {
		const char *url, *allow;
		bool private_too, good;
	} rows[] = {
		{ "https://maker.example/oob?uuid=x", "", false, true },
		{ "HTTPS://maker.example/", "", false, true },
		{ "https://maker.example:443/", "", false, true },
		{ "https://maker.example:8443/", "", false, false },
		{ "https://maker.example:8443/", "", true, true },
		{ "https://maker.example:8443/", "maker.example", false, false },
		{ "https://maker.example:8443/", "maker.example:8443", false, true },
		{ "https://maker.example:8444/", "maker.example:8443", false, false },
		{ "https://maker.example:8443/", "maker.example,maker.example:8443", false, true },
		{ "https://maker.example:8444/", "maker.example,maker.example:8443", false, false },
		{ "https://maker.example/", "other.example, maker.example", false, true },
		{ "https://MAKER.example./", "maker.example", false, true },
		{ "https://maker.example.evil/", "maker.example", false, false },
		{ "https://evil-maker.example/", "maker.example", false, false },
		{ "https://maker/", "maker.example", false, false },
		{ "http://maker.example/", "", true, false },
		{ "ftp://maker.example/", "", true, false },
		{ "file:///etc/passwd", "", true, false },
		{ "//maker.example/", "", true, false },
		{ "maker.example", "", true, false },
		{ "https://", "", true, false },
		{ "https://a@maker.example/", "", true, false },
		{ "https://a:b@maker.example/", "", true, false },
		{ "https://maker.example/#x", "", true, false },
		{ "https://maker.example/\n", "", true, false },
		{ "https://maker.example/ x", "", true, false },
		{ "https://m\xc3\xa4ker.example/", "", true, false },
		{ "https://maker.example:99999/", "", true, false },
		{ "https://[::1]/", "", false, true }, /* the address decides, when it is known */
		{ "", "", true, false },
	};
	char why[FETCH_WHY];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_rules r = { .allow = rows[i].allow,
					 .private_too = rows[i].private_too };

		check_row(rows[i].url, fetch_url_allowed(&r, rows[i].url, why) == rows[i].good);
		check_row(rows[i].url, (why[0] == '\0') == rows[i].good);
		check_row(rows[i].url, rows[i].good || why[strlen(why) - 1] == '.');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_public_addresses_are_asked_unless_private_ones_are_allowed),
		cmocka_unit_test(a_url_has_a_host_that_is_allowed_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
