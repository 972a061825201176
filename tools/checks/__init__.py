# SPDX-License-Identifier: MIT
"""The rules that tools/check enforces; each returns the list of its faults."""
