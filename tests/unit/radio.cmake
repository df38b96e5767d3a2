# SPDX-License-Identifier: Apache-2.0
# The kernel's radios, without a kernel.
mm_test(test_hci_reports mm_bearer)
mm_test(test_hci_host mm_bearer)
mm_test(test_hci_extended mm_bearer)
mm_test(test_mgmt_host mm_bearer)
mm_test(test_bearer_hci mm_bearer)
mm_test(test_adapter mm_bearer)

# The program that the guest runs against a real kernel.
add_executable(radio_probe ${CMAKE_SOURCE_DIR}/tests/interop/guest/radio_probe.c)
target_link_libraries(radio_probe PRIVATE mm_bearer mm_flags)
