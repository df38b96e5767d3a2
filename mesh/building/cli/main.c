/* SPDX-License-Identifier: Apache-2.0 */
/* meshmason-building: makes, shows and runs a simulated building. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "building_make.h"
#include "building_panel.h"
#include "building_run.h"
#include "building_show.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: meshmason-building make FILE [KEY=VALUE...]\n"
	"       meshmason-building show FILE [--state [DIR]] [--json]\n"
	"       meshmason-building press FILE UUID VALUE [--state DIR]\n"
	"       meshmason-building run FILE --air DIR [--state DIR] [--place NAME=X,Y,FLOOR]...\n"
	"                          [--speed N] [--capture FILE] [--name NAME] [--seed N]\n"
	"\n"
	"make  writes FILE (the devices with their keys), FILE.ca.pem and FILE.csv. Keys:\n"
	"      devices=60 floors=3 spacing_m=10 loss=0.05 seed=1 servers=0.5 cbp=1\n"
	"      uri=0 (share whose certificates are not on the device but in FILE.certs, to be\n"
	"      served at uri_base=https://HOST:PORT/)\n"
	"      static_oob=0 oob_pubkey=0 large_composition=0 (shares); untrusted expired misnamed\n"
	"      absent cmac_only composition_change (numbers of devices)\n"
	"      of the air: duplicates=0 reorders=0 (shares of what arrives twice, or late)\n"
	"      attackers=0 (radios that replay and invent)\n"
	"      faults, each a number of devices: dead silent key_reflected key_off_curve key_zero\n"
	"      confirmation_reflected confirmation_wrong random_reflected record_oversize\n"
	"      record_changes record_disorder record_overlap reboot_invite reboot_start "
	"reboot_key\n"
	"      reboot_confirmation reboot_random reboot_data reboot_complete slow_flash; of "
	"servers:\n"
	"      nppi_uncommitted nppi_unanswered vanishes server_reboot; or drawn: faulty=0 "
	"(share)\n"
	"      fault_times=1 (how often one restarts, 0 always) faults_in_refresh=0 (1: not when "
	"it\n"
	"      joins, but when it is provisioned anew)\n"
	"      oob_prompt (number of devices with a display or keys, for output and input OOB)\n"
	"show  tells what the devices are, or with --state what their flash says, and what a\n"
	"      person sees at them while the building runs\n"
	"press enters VALUE at the keys of a device that waits for it (input OOB)\n"
	"run   is the building in real time, on a folder of datagram sockets; the devices'\n"
	"      flash is in FILE.state unless --state says otherwise\n";

static int complain(const char *what)
{
	fprintf(stderr, "meshmason-building: %s\n", what);
	return EXIT_USAGE;
}

static int complain_about(const char *what, const char *value)
{
	fprintf(stderr, "meshmason-building: %s: %s\n", value, what);
	return EXIT_USAGE;
}

static bool beside(char path[PATH_MAX], const char *file, const char *end)
{
	return snprintf(path, PATH_MAX, "%s%s", file, end) < PATH_MAX;
}

static int run_make(int argc, char **argv)
{
	struct building_keys keys = building_keys_default();
	char error[BUILDING_ERROR], ca[PATH_MAX], list[PATH_MAX];
	struct building_made made;

	if (argc < 2)
		return complain("make: a FILE wanted");
	if (argv[1][0] == '-')
		return complain_about("make: unknown option", argv[1]);
	for (int i = 2; i < argc; i++) {
		if (!building_keys_set(&keys, argv[i], error))
			return complain(error);
	}
	if (!beside(ca, argv[1], ".ca.pem") || !beside(list, argv[1], ".csv"))
		return complain("make: the path is too long");
	if (!building_make(&keys, argv[1], ca, list, time(NULL), &made, error))
		return complain(error);
	printf("%s: %zu devices, %zu servers; %s, %s\n", argv[1], made.devices, made.servers, ca,
	       list);
	if (made.unreached)
		printf("%s: %zu devices are out of every server's reach\n", argv[1],
		       made.unreached);
	return 0;
}

/* FILE.state as `run` has it, or the folder that the server keeps beside its building. */
static void find_state(char path[PATH_MAX], const char *file)
{
	const char *slash = strrchr(file, '/');
	struct stat st;
	char other[PATH_MAX];

	if (!beside(path, file, ".state") || stat(path, &st) == 0)
		return;
	if (snprintf(other, sizeof(other), "%.*sstate", slash ? (int)(slash + 1 - file) : 0, file) <
		    PATH_MAX &&
	    stat(other, &st) == 0)
		memcpy(path, other, strlen(other) + 1);
}

static int run_show(int argc, char **argv)
{
	static const struct option options[] = { { "state", no_argument, NULL, 's' },
						 { "json", no_argument, NULL, 'j' },
						 { 0 } };
	char error[BUILDING_ERROR], found[PATH_MAX];
	const char *state = NULL;
	bool json = false, want_state = false;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 's')
			want_state = true;
		else if (c == 'j')
			json = true;
		else
			return complain_about("show: unknown option", argv[optind - 1]);
	}
	if (optind == argc)
		return complain("show: a FILE wanted");
	if (argc - optind > (want_state ? 2 : 1))
		return complain_about("show: one FILE only", argv[argc - 1]);
	if (want_state) {
		struct stat st;

		find_state(found, argv[optind]);
		state = argc - optind == 2 ? argv[optind + 1] : found;
		/* No folder yet: nothing of the building ever ran, all devices are new. One
		 * that was named must be there. */
		if (argc - optind == 2 && stat(state, &st) < 0)
			return complain_about("show: no such folder", state);
	}
	if (!building_show(argv[optind], state, json, stdout, error))
		return complain(error);
	return 0;
}

static int run_press(int argc, char **argv)
{
	static const struct option options[] = { { "state", required_argument, NULL, 's' }, { 0 } };
	char found[PATH_MAX], why[128];
	const char *state = NULL;
	uint8_t uuid[UUID_LEN];

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 's')
			return complain_about("press: unknown option", argv[optind - 1]);
		state = optarg;
	}
	if (argc - optind != 3)
		return complain("press: FILE, UUID and VALUE wanted");
	if (!uuid_parse(argv[optind + 1], uuid))
		return complain_about("press: a uuid wanted", argv[optind + 1]);
	if (!state) {
		find_state(found, argv[optind]);
		state = found;
	}
	if (!building_panel_enter(state, uuid, argv[optind + 2], why)) {
		fprintf(stderr, "meshmason-building: %s: %s\n", argv[optind + 1], why);
		return EXIT_FAILURE;
	}
	return 0;
}

static bool take_place(struct building_run_config *config, const char *text)
{
	struct building_run_place *p = &config->places[config->n_places];
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || equals - text >= BUILDING_NAME_MAX ||
	    config->n_places == BUILDING_PLACES_MAX)
		return false;
	memcpy(p->name, text, (size_t)(equals - text));
	p->name[equals - text] = 0;
	config->n_places++;
	return building_place_parse(equals + 1, &p->x, &p->y, &p->floor);
}

static bool take_speed(struct building_run_config *config, const char *text)
{
	char *end;

	config->speed = strtod(text, &end);
	return end != text && !*end && config->speed >= 0.01 && config->speed <= 1000;
}

static bool take_seed(struct building_run_config *config, const char *text)
{
	char *end;

	config->seed = strtoull(text, &end, 10);
	return end != text && !*end && config->seed != 0 && text[0] != '-';
}

/* 0, or the exit status after a line that says what is wrong. */
static int take_options(struct building_run_config *config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "air", required_argument, NULL, 'a' },
		{ "state", required_argument, NULL, 's' },
		{ "place", required_argument, NULL, 'p' },
		{ "speed", required_argument, NULL, 'x' },
		{ "name", required_argument, NULL, 'n' },
		{ "capture", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 'r' },
		{ 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'a')
			config->air = optarg;
		else if (c == 's')
			config->state = optarg;
		else if (c == 'n')
			config->name = optarg;
		else if (c == 'c')
			config->capture = optarg;
		else if (c == 'p' && !take_place(config, optarg))
			return complain_about("--place: NAME=X,Y,FLOOR wanted", optarg);
		else if (c == 'x' && !take_speed(config, optarg))
			return complain_about("--speed: 0.01 to 1000 wanted", optarg);
		else if (c == 'r' && !take_seed(config, optarg))
			return complain_about("--seed: a number above 0 wanted", optarg);
		else if (c == '?')
			return complain_about("run: unknown option, or its value is missing",
					      argv[optind - 1]);
	}
	if (argc - optind != 1)
		return complain("run: one FILE wanted");
	config->file = argv[optind];
	if (!config->air)
		return complain("run: --air DIR wanted");
	if (strchr(config->name, '/') || !*config->name)
		return complain_about("--name: a plain name wanted", config->name);
	return 0;
}

static int run_run(int argc, char **argv)
{
	struct building_run_config config = { .speed = 1, .name = "building" };
	char error[BUILDING_ERROR], state[PATH_MAX];
	int status = take_options(&config, argc, argv);

	if (status != 0)
		return status;
	if (!beside(state, config.file, ".state"))
		return complain("run: the path is too long");
	if (!config.state)
		config.state = state;
	if (config.seed == 0 &&
	    getrandom(&config.seed, sizeof(config.seed), 0) != sizeof(config.seed))
		return complain("run: no randomness");
	if (!building_run(&config, error))
		return complain(error);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = { { "make", run_make },
			 { "show", run_show },
			 { "press", run_press },
			 { "run", run_run } };

	opterr = 0;
	if (argc < 2)
		return complain("make, show, press or run wanted (--help tells more)");
	if (strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("meshmason-building %s\n", MESHMASON_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return complain_about("unknown command (make, show, press or run wanted)", argv[1]);
}
