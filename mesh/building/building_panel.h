/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The display and the keys of a device, for a person outside its process. While a device shows
 * something or waits for its keys, the state folder holds FOLDER/<uuid>.display; what is entered is
 * put into FOLDER/<uuid>.press, which the running building takes. Neither outlives the building: a
 * display shows nothing without power.
 */
#ifndef MESHMASON_BUILDING_PANEL_H
#define MESHMASON_BUILDING_PANEL_H

#include "device.h"
#include "timers.h"

struct building_panel {
	struct timers *timers;
	const char *folder; /* NULL: nobody outside */
	const uint8_t *uuid;
	struct device *device;
	bool open;
	struct device_prompt now;
	struct timer look; /* for what was entered */
};

/* folder and uuid stay the caller's. What an earlier life left in the folder goes away. */
void building_panel_attach(struct building_panel *p, struct timers *timers, const char *folder,
			   const uint8_t uuid[UUID_LEN], struct device *device);
/* Before the device is freed. */
void building_panel_detach(struct building_panel *p);

/* For the outside: what the device shows or waits for now, by the folder; false: nothing. */
bool building_panel_read(const char *folder, const uint8_t uuid[UUID_LEN],
			 struct device_prompt *out);
/* Enters text at a device that waits for its keys, and waits until the running building has taken
 * it. False: why is a sentence. */
bool building_panel_enter(const char *folder, const uint8_t uuid[UUID_LEN], const char *text,
			  char why[128]);

#endif
