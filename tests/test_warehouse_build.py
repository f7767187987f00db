"""The warehouse file is built whole from tidy Parquet, and readers only ever meet published files."""

from __future__ import annotations

import pytest

from extractors.dataroot import DataRoot
from extractors.errors import UserError
from warehouse.build import build
from warehouse.places import newest
from warehouse.publish import publish
from warehouse.query import open_newest


def test_nothing_published_is_said_in_a_sentence(tmp_path):
    with pytest.raises(UserError, match="nothing has been published"):
        newest(DataRoot(str(tmp_path)))


def test_no_tidy_files_give_empty_tables(tmp_path):
    root = DataRoot(str(tmp_path))
    published = publish(root, build(root))
    assert newest(root) == published.path
    with open_newest(root) as connection:
        assert connection.execute("SELECT count(*) FROM observation_versions").fetchall() == [(0,)]
        assert connection.execute("SELECT count(*) FROM agency_year").fetchall() == [(0,)]
