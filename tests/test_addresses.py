"""Addresses as messages show them: never with a password, however it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phiz.addresses import public_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://camera.local/stream", "rtsp://camera.local/stream"),
        ("rtsp://admin:pw@camera.local:554/a/b", "rtsp://camera.local:554/a/b"),
        ("rtsp://admin:p@w@camera.local/a", "rtsp://camera.local/a"),
        ("rtsp://admin:p/w@camera.local/a", "rtsp://camera.local/a"),
        ("rtsp://admin:12/w?#@camera.local/a", "rtsp://camera.local/a"),
        ("rtsp:/admin:pw@camera.local/a", "rtsp:/camera.local/a"),
        ("http://camera.local/video.cgi?user=admin&pwd=pw#t=1", "http://camera.local/video.cgi"),
        ("https://host/@somebody/film.mp4", "https://host/@somebody/film.mp4"),
        ("http://host:8080/film.mp4", "http://host:8080/film.mp4"),
        ("s3://bucket/a@b.jpg", "s3://bucket/a@b.jpg"),
        ("file:///a:b/c@d.png", "file:///a:b/c@d.png"),
        ("file:///C:/films/a@b.png", "file:///C:/films/a@b.png"),
        ("film.mp4", "film.mp4"),
        ("a:b@c.mp4", "a:b@c.mp4"),
        (r"C:\films\a@b.mp4", r"C:\films\a@b.mp4"),
        ("C:/films/a@b.mp4", "C:/films/a@b.mp4"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert public_address(address) == shown


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="@:/?#"), max_size=8),
    st.text(st.sampled_from("pw@/?#:&=%12é"), min_size=1, max_size=12),
    st.sampled_from(["rtsp", "http", "s3", "postgresql"]),
    st.sampled_from(["", "/stream", ":554/a/b"]),
)
def test_no_part_of_a_password_is_shown(user: str, password: str, scheme: str, rest: str) -> None:
    assert public_address(f"{scheme}://{user}:{password}@host{rest}") == f"{scheme}://host{rest}"
