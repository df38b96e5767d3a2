/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "master_key.h"

TEST(the_first_start_makes_a_key_and_the_next_finds_it)
{
	char folder[] = "/tmp/meshmason-key-XXXXXX", path[64], why[256];
	struct secret32 first, again;
	struct stat st;

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/master-key", folder);
	check(master_key_load(folder, &first, why, sizeof(why)));
	check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	check(master_key_load(folder, &again, why, sizeof(why)));
	check_mem(&first, &again, sizeof(first));

	chmod(path, 0644);
	check(!master_key_load(folder, &again, why, sizeof(why)));
	assert_non_null(strstr(why, "chmod 600"));
	chmod(path, 0600);
	check(truncate(path, 31) == 0);
	check(!master_key_load(folder, &again, why, sizeof(why)));
	unlink(path);

	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	check(master_key_load(folder, &first, why, sizeof(why)));
	check(master_key_load("/nowhere", &again, why, sizeof(why)));
	check_mem(&first, &again, sizeof(first));
	/* systemd 254 and later: an access control list admits the service's user */
	chmod(path, 0440);
	check(master_key_load("/nowhere", &again, why, sizeof(why)));
	chmod(path, 0444);
	check(!master_key_load("/nowhere", &again, why, sizeof(why)));
	unsetenv("CREDENTIALS_DIRECTORY");
	chmod(path, 0440);
	check(!master_key_load(folder, &again, why, sizeof(why)));
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_start_makes_a_key_and_the_next_finds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
