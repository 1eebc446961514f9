"""The demonstration as one site, for the tests of the whole of it: built once in a run, by whoever needs it first."""

import os
from collections.abc import Iterator

import pytest

from config.tests.site import Site, built, served


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The built demonstration. The processes of one run share it; in a long run it is whole."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return built(shared / "site", whole=any(item.get_closest_marker("long") for item in request.session.items))


@pytest.fixture(scope="session")
def address(site: Site) -> Iterator[str]:
    """The address of a server over the built demonstration."""
    with served(site.folder) as address:
        yield address
