"""What an account of this machine may read: so that a service does not fail at its first start for want of rights."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its groups; `user` is None for one that systemd will make, which is in no group of ours."""

    user: int | None = None
    groups: frozenset[int] = frozenset()

    def lacks(self, path: Path) -> Path | None:
        """The first folder on the way, or the file, that it may not enter or read; None if it may. Raises OSError."""
        way = [*reversed(path.absolute().parents), path.absolute()]
        return next((place for place in way if not self.may(place)), None)

    def may(self, path: Path) -> bool:
        """Whether it may enter this folder or read this file, once it is there. Raises OSError."""
        state = path.stat()
        needed = 0o1 if stat.S_ISDIR(state.st_mode) else 0o4
        shift = 6 if state.st_uid == self.user else 3 if state.st_gid in self.groups else 0
        return self.user == 0 or bool(state.st_mode & needed << shift)


def account_named(name: str) -> Account:
    """The account of this name or number; one that systemd will make if it is empty. Raises KeyError if there is none."""
    if not name:
        return Account()
    known = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    return Account(known.pw_uid, frozenset(os.getgrouplist(known.pw_name, known.pw_gid)))
