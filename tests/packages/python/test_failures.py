"""Failures on demand, by `Server.fail`."""

import pytest

from codecommit_local import Server


def test_failures_are_simulated():
    with Server() as server:
        server.fail([{"operation": "CreateRepository", "error": "EncryptionKeyDisabledException"}])
        with pytest.raises(Exception, match="EncryptionKeyDisabled"):
            server.client().create_repository(repositoryName="MyDemoRepo")
        server.fail([])
        server.client().create_repository(repositoryName="MyDemoRepo")
