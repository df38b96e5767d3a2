# SPDX-License-Identifier: Apache-2.0
# The kernel's radios, without a kernel.
mm_test(test_hci_reports mm_bearer)
mm_test(test_hci_host mm_bearer)
mm_test(test_hci_extended mm_bearer)
