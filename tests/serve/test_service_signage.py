"""The service's screen: off unless asked for; its files, its players, and what they report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from screens import RULES, people, write_screen
from service import PATIENCE, Process, live, make_app, talk, wait_until
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from phiz import Analyzer
from phiz.serve import signage as serving
from phiz.serve.screen import CONTENT_POLICY, PLAYER, PLAYER_POLICY
from phiz.signage import load_rules
from phiz.signage.exposure import Exposure

TOKEN = "a-token-of-the-tests"
PAGE = '[[content]]\nname = "menu"\nfile = "pages/menu.html"\nwhen.people.least = 9\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with RULES and a page, and files that no rule names beside them."""
    (tmp_path / "screen" / "pages").mkdir(parents=True)
    (tmp_path / "screen" / "pages" / "menu.html").write_text("<h1>Menu</h1>")
    (tmp_path / "screen" / "secret.png").write_bytes(b"secret")
    (tmp_path / "secret.png").write_bytes(b"secret")
    write_screen(tmp_path / "screen", RULES + PAGE)
    return tmp_path / "screen"


@pytest.fixture
def make(analyzer: Analyzer, folder: Path) -> Callable[..., TestClient]:
    def made(**settings: Any) -> TestClient:
        rules = replace(load_rules(folder / "signage.toml"), steady_seconds=0.0, fade_seconds=0.0)
        return TestClient(make_app(analyzer, settings={"signage": rules, **settings}))

    return made


@pytest.fixture
def client(make: Callable[..., TestClient]) -> Iterator[TestClient]:
    with make() as running:
        yield running


def signage(client: TestClient) -> serving.Signage:
    return client.app.state.service.signage


def paths(client: TestClient) -> dict[str, str]:
    return {one["name"]: f"/signage/{one['path']}" for one in client.get("/v1/signage").json()["contents"]}


def hear(player: Any, name: str) -> None:
    """Wait until a player is told to show a content."""
    while player.receive_json() != {"show": name}:
        pass


def closed(player: Any) -> int:
    """The code with which a player's connection ends."""
    try:
        while True:
            player.receive_json()
    except WebSocketDisconnect as end:
        return end.code


def test_there_is_no_screen_unless_asked_for(analyzer: Analyzer) -> None:
    client = TestClient(make_app(analyzer))
    for path in ("/signage", "/signage/", "/signage/player.js", "/v1/signage", "/signage/content/x.png"):
        assert client.get(path).status_code == 404
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/v1/signage/player"):
        pass


def test_the_playlist_has_what_a_player_needs(client: TestClient) -> None:
    playlist = client.get("/v1/signage").json()
    assert playlist.keys() == {"version", "fade_seconds", "contents"}
    welcome = playlist["contents"][0]
    assert re.fullmatch(r"content/[0-9a-f]{24}\.png", welcome.pop("path"))
    assert welcome == {"name": "welcome", "kind": "picture", "seconds": 20.0, "fallback": True}
    assert [one["kind"] for one in playlist["contents"]] == ["picture"] * 4 + ["page"]


def test_a_content_is_sent_as_it_is_and_kept(client: TestClient, folder: Path) -> None:
    found = paths(client)
    answer = client.get(found["women"])
    assert answer.content == (folder / "women.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get(found["women"], headers={"range": "bytes=1-3"}).content == b"PNG"


def test_an_address_changes_with_the_file(make: Callable[..., TestClient], folder: Path) -> None:
    before = paths(make())
    assert paths(make()) == before
    (folder / "women.png").write_bytes((folder / "men.png").read_bytes())
    after = paths(make())
    assert [name for name in before if before[name] != after[name]] == ["women"]


def test_a_page_is_sent_shut_in_and_the_player_may_frame_nothing_else(client: TestClient) -> None:
    page = client.get(paths(client)["menu"])
    assert page.text == "<h1>Menu</h1>"
    assert page.headers["content-security-policy"] == CONTENT_POLICY
    assert "sandbox allow-scripts;" in CONTENT_POLICY
    assert "same-origin" not in CONTENT_POLICY
    player = client.get("/signage/")
    assert player.headers["content-security-policy"] == PLAYER_POLICY
    assert "frame-src 'self'" in PLAYER_POLICY
    assert not any(word in PLAYER_POLICY for word in ("http", "*", "unsafe", "data:"))
    assert client.get("/signage/index.html").status_code == 404
    for answer in (page, player):
        assert answer.headers["x-content-type-options"] == "nosniff"


PATHS = ("secret.png", "women.png", "signage.toml", "pages/menu.html", "../signage.toml", "..%2fsignage.toml")
PATHS += ("%2e%2e/%2e%2e/secret.png", "/etc/passwd", "%2fetc%2fpasswd", "..", ".", "", "women.png%00")
PATHS += ("..\\signage.toml", "../player/index.html", "../../app.py", "..%5c..%5csecret.png")


def test_only_files_that_the_rules_name_are_sent(make: Callable[..., TestClient]) -> None:
    """Over a real socket, because clients tidy such paths up before they send them."""
    with live(make().app) as port:
        for path in PATHS:
            for below in ("/signage/content/", "/signage/"):
                line = f"GET {below}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                answer = talk(port, line.encode())
                player = below + path == "/signage/"
                assert answer.startswith(b"HTTP/1.1 200 " if player else (b"HTTP/1.1 404 ", b"HTTP/1.1 307 "))
                assert b"secret" not in answer


def test_a_file_that_is_gone_is_not_found(client: TestClient, folder: Path) -> None:
    found = paths(client)
    (folder / "men.png").unlink()
    answer = client.get(found["men"])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_service_worker_keeps_every_file_of_the_player(client: TestClient) -> None:
    text = client.get("/signage/sw.js").text
    shell = re.search(r"SHELL = \[(.*?)\]", text, re.S)[1]
    kept = set(re.findall(r'"(.*?)"', shell))
    assert kept == {path.name for path in PLAYER.iterdir()} - {"index.html", "sw.js"} | {"./"}
    for name in kept:
        assert client.get(f"/signage/{name}").status_code == 200
    moved = client.get("/signage", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (307, "signage/")


def test_the_token_guards_playlist_and_players(make: Callable[..., TestClient]) -> None:
    client = make(token=TOKEN)
    answer = client.get("/v1/signage")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_required")
    assert client.get("/v1/signage", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/v1/signage/player", ["phiz.v1"]):
        pass
    with client.websocket_connect("/v1/signage/player", ["phiz.v1", f"phiz.token.{TOKEN}"]) as player:
        assert player.accepted_subprotocol == "phiz.v1"
        assert player.receive_json() == {"show": "welcome"}


def test_pages_of_other_origins_and_hosts_are_no_players(client: TestClient) -> None:
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/v1/signage/player", headers=headers),
        ):
            pass


def test_players_are_told_what_fits_those_who_are_there(client: TestClient) -> None:
    with (
        client.websocket_connect("/v1/signage/player") as one,
        client.websocket_connect("/v1/signage/player") as other,
        client.websocket_connect("/v1/signals") as watch,
    ):
        assert one.receive_json() == other.receive_json() == {"show": "welcome"}
        watch.send_text(json.dumps(people(female=2).to_dict()))
        hear(one, "women")
        hear(other, "women")


def test_a_player_is_told_again_and_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "TELL", 0.05)
    with client.websocket_connect("/v1/signage/player") as player:
        assert [player.receive_json() for _ in range(3)] == [{"show": "welcome"}] * 3


def test_what_was_shown_is_told_from_when_to_when(client: TestClient) -> None:
    heard: list[Exposure] = []
    signage(client).listen(heard.append)
    with client.websocket_connect("/v1/signage/player") as player:
        player.receive_json()
        player.send_json({"showing": "welcome"})
        time.sleep(0.3)
        player.send_json({"showing": "women"})
        wait_until(lambda: heard)
        time.sleep(0.3)
    wait_until(lambda: {"welcome", "women"} == {exposure.content for exposure in heard})
    spans = [(one.end - one.start).total_seconds() for one in heard]
    assert all(0.2 < seconds < 20 for seconds in spans) or len(heard) > 2  # cut where a minute ended
    assert heard[0].end <= heard[-1].start
    assert not any(one.random for one in heard)


def test_a_player_without_a_word_shows_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "REPORT_SECONDS", 0.3)
    heard: list[Exposure] = []
    signage(client).listen(heard.append)
    with client.websocket_connect("/v1/signage/player") as player:
        player.receive_json()
        player.send_json({"showing": "welcome"})
        wait_until(lambda: heard)
        assert (heard[0].end - heard[0].start).total_seconds() < 20
        heard.clear()
        player.send_json({"showing": None})
        time.sleep(0.5)
        assert heard == []


def test_what_a_player_cannot_show_is_left_out(client: TestClient) -> None:
    with (
        client.websocket_connect("/v1/signage/player") as player,
        client.websocket_connect("/v1/signals") as watch,
    ):
        watch.send_text(json.dumps(people(female=2).to_dict()))
        hear(player, "women")
        player.send_json({"failed": "women"})
        hear(player, "welcome")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        ('{"showing": "nothing"}', 1003),
        ('{"showing": "women", "failed": "women"}', 1003),
        ('{"failed": null}', 1003),
        ('{"other": "women"}', 1003),
        ('["showing"]', 1003),
        ("{}", 1003),
        ("no JSON", 1003),
        ("[" * 400, 1003),
        (json.dumps({"showing": "x" * 500}), 1009),
    ],
)
def test_what_is_no_report_ends_the_connection(client: TestClient, report: str, code: int) -> None:
    with client.websocket_connect("/v1/signage/player") as player:
        player.receive_json()
        player.send_text(report)
        assert closed(player) == code


def test_a_report_in_bytes_is_none(client: TestClient) -> None:
    with client.websocket_connect("/v1/signage/player") as player:
        player.receive_json()
        player.send_bytes(b'{"showing": "women"}')
        assert closed(player) == 1003


def test_one_player_too_many_is_told_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PLAYERS", 1)
    with client.websocket_connect("/v1/signage/player") as one:
        one.receive_json()
        with client.websocket_connect("/v1/signage/player") as other:
            with pytest.raises(WebSocketDisconnect) as end:
                other.receive_json()
            assert end.value.code == 1013
    wait_until(lambda: not signage(client)._players)
    with client.websocket_connect("/v1/signage/player") as player:
        assert player.receive_json() == {"show": "welcome"}


def test_a_real_service_with_a_player_ends_in_good_order(folder: Path) -> None:
    with Process("--signage", str(folder / "signage.toml")) as process:
        with connect(f"ws://localhost:{process.port}/v1/signage/player") as player:
            assert json.loads(player.recv(PATIENCE)) == {"show": "welcome"}
            player.send(json.dumps({"showing": "welcome"}))
            process.terminate()
            with pytest.raises(ConnectionClosed) as end:
                list(player)  # what it is told until it is closed
            assert end.value.rcvd.code == 1012
        assert process.wait() in (0, -15)  # done in good order, then by the signal itself
        assert b"Traceback" not in process.log


def test_rules_with_a_mistake_start_no_service(folder: Path) -> None:
    (folder / "signage.toml").write_text(RULES + "wieght = 2\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "phiz",
        "serve",
        "--port",
        "0",
        "--signage",
        str(folder / "signage.toml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "line 27: content.wieght: unknown key; did you mean weight?" in done.stderr


def test_at_the_end_players_are_told_so_and_the_last_exposure_is_handed_out(client: TestClient) -> None:
    heard: list[Exposure] = []
    signage(client).listen(heard.append)
    with client.websocket_connect("/v1/signage/player") as player:
        player.receive_json()
        player.send_json({"showing": "welcome"})
        wait_until(lambda: any(one.showing for one in signage(client)._players))
        time.sleep(0.05)
        client.portal.call(client.app.state.service.end)
        wait_until(lambda: heard)
        assert heard[-1].content == "welcome"
        assert closed(player) == 1012
