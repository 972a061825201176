# SPDX-License-Identifier: MIT
"""What tools/test runs, and how it reads the results."""
