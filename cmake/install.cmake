# SPDX-License-Identifier: Apache-2.0
# What is installed beside the programs and the dashboard. A configuration in /etc is never
# touched: the annotated one is an example to be copied.
install(FILES deploy/meshmasond.service DESTINATION lib/systemd/system)
install(FILES deploy/meshmason.conf docs/install.md README.md CHANGELOG.md LICENSE
	TYPE DOC)
