"""What tests of installed plugins share."""

from __future__ import annotations

import pytest

from support.new_user import NewUser, new_user


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> NewUser:
    """Somebody who has installed etlkit and nothing else."""
    return new_user(tmp_path_factory.mktemp("user"))
