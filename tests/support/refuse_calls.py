#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command as in a container whose seccomp profile refuses some system calls.

    tests/support/refuse_calls.py crash COMMAND...    no Landlock and no seccomp: level crash
    tests/support/refuse_calls.py docker COMMAND...   what Docker refuses by default
    tests/support/refuse_calls.py pidfd_open,memfd_create COMMAND...

A refused call returns EPERM, and clone3 ENOSYS, as under Docker.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# Numbers on x86-64 and on arm64; one number where both are the same.
NUMBERS = {
    "ptrace": (101, 117), "capset": (126, 91), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "sethostname": (170, 161), "setdomainname": (171, 162), "init_module": (175, 105),
    "delete_module": (176, 106), "kexec_load": (246, 104), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "move_pages": (279, 239),
    "unshare": (272, 97), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "setns": (308, 268),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "finit_module": (313, 273), "seccomp": (317, 277), "memfd_create": (319, 279),
    "bpf": (321, 280), "userfaultfd": (323, 282), "acct": (163, 89), "quotactl": (179, 60),
    "clock_settime": (227, 112), "settimeofday": (164, 170), "chroot": (161, 51),
    "vhangup": (153, 58), "syslog": (103, 116), "pidfd_send_signal": 424, "io_uring_setup": 425,
    "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_open": 434,
    "clone3": 435, "close_range": 436, "pidfd_getfd": 438, "mount_setattr": 442,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
}
LANDLOCK = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]
PROFILES = {
    "crash": [*LANDLOCK, "seccomp"],
    # For a container without added capabilities; moby/profiles/seccomp.
    "docker": ["mount", "umount2", "pivot_root", "swapon", "swapoff", "reboot", "sethostname",
               "setdomainname", "init_module", "finit_module", "delete_module", "kexec_load",
               "add_key", "request_key", "keyctl", "move_pages", "unshare", "setns",
               "perf_event_open", "fanotify_init", "open_by_handle_at", "bpf", "userfaultfd",
               "acct", "quotactl", "clock_settime", "settimeofday", "vhangup", "syslog", "kcmp",
               "io_uring_setup", "io_uring_enter", "io_uring_register", "open_tree", "move_mount",
               "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "clone3"],
}

ALLOW, ERROR = 0x7fff0000, 0x00050000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2


def number(name):
    both = NUMBERS[name]
    return both if isinstance(both, int) else both[platform.machine() == "aarch64"]


def program(names):
    def instruction(code, if_true, if_false, value):
        return struct.pack("=HBBI", code, if_true, if_false, value)

    parts = [instruction(LOAD, 0, 0, 0)]
    for name in names:
        error = errno.ENOSYS if name == "clone3" else errno.EPERM
        parts += [instruction(EQUAL, 0, 1, number(name)), instruction(RETURN, 0, 0, ERROR | error)]
    return parts + [instruction(RETURN, 0, 0, ALLOW)]


def refuse(names):
    """Refuse these calls to this process, for good."""
    parts = program(names)
    code = ctypes.create_string_buffer(b"".join(parts))
    header = struct.pack("@HP", len(parts), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, header, 0, 0)):
        if libc.prctl(*arguments) != 0:
            sys.exit(f"refuse_calls: prctl: {os.strerror(ctypes.get_errno())}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    names = PROFILES.get(sys.argv[1]) or sys.argv[1].split(",")
    unknown = [name for name in names if name not in NUMBERS]
    if unknown:
        sys.exit(f"refuse_calls: unknown calls: {', '.join(unknown)}")
    refuse(names)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
