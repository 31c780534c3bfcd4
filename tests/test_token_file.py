"""Tokens from files and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from phiz.errors import PhizError
from phiz.token_file import read_token


def test_a_token_comes_from_its_file_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_TOKEN", raising=False)
    assert read_token(None, "SOME_TOKEN") is None
    monkeypatch.setenv("SOME_TOKEN", " from-the-environment ")
    assert read_token(None, "SOME_TOKEN") == "from-the-environment"
    file = tmp_path / "token"
    file.write_text("from-the-file\n")
    assert read_token(file, "SOME_TOKEN") == "from-the-file"
    file.write_text("\n")
    with pytest.raises(PhizError, match="is empty"):
        read_token(file, "SOME_TOKEN")
    with pytest.raises(PhizError, match=r"cannot read the token file .*: No such file"):
        read_token(tmp_path / "absent", "SOME_TOKEN")
