"""Opening a store: what is wrong with the URL, the file or its content is told without secrets."""

from __future__ import annotations

import pytest

from hub.errors import ConfigInvalid, StoreSchema, StoreUnavailable
from hub.store.engine import Store


@pytest.mark.parametrize("url", ["", "nonsense", "foo://user:secret@host/db", "://", "oracle+x://"])
def test_a_url_that_names_no_store_is_a_wrong_setting(url):
    """The error names the setting; a password in the URL is never shown."""
    with pytest.raises(ConfigInvalid) as caught:
        Store.open(url)
    assert caught.value.facts["key"] == "store.url"
    assert "secret" not in str(caught.value)


def test_missing_damaged_and_foreign_files_are_told(tmp_path):
    """A file that is not there, is no database, is a folder, or has another schema."""
    with pytest.raises(StoreUnavailable):
        Store.open(f"sqlite:///{tmp_path}/none.sqlite")
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreUnavailable):
        Store.open(f"sqlite:///{broken}")
    with pytest.raises(StoreUnavailable):
        Store.open(f"sqlite:///{tmp_path}")
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    with pytest.raises(StoreSchema):
        Store.open(f"sqlite:///{empty}")
