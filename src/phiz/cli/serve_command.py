"""phiz serve: the HTTP service and its page."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from .options import MinFace, Model, Provider

_MIB = 1 << 20


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = 8000,
    model: Model = "multitask-64",
    min_face: MinFace = None,
    workers: Annotated[int, typer.Option(min=1, help="Pictures worked on at the same time.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads inside one network call.")] = 1,
    provider: Provider = "cpu",
    batch_ms: Annotated[
        float, typer.Option(min=0, help="Longest wait for other clients' faces before a network call.")
    ] = 2.0,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the token that clients must show; else $PHIZ_TOKEN."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Answer requests for this host name too; may be repeated."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Let web pages of this origin use the service; may be repeated."),
    ] = None,
    audience: Annotated[
        str | None,
        typer.Option(metavar="DB", help="Show what `phiz watch --audience` counted into this file or URL."),
    ] = None,
    signage: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Drive a screen by these rules; its player is at /signage/."),
    ] = None,
    max_bytes: Annotated[int, typer.Option(min=1, help="Largest body of a request.")] = 32 * _MIB,
    max_pixels: Annotated[int, typer.Option(min=1, help="Largest picture, width x height.")] = 25_000_000,
    max_pictures: Annotated[int, typer.Option(min=1, help="Most pictures in a request.")] = 16,
    max_frame_bytes: Annotated[int, typer.Option(min=1, help="Largest frame of a stream.")] = 4 * _MIB,
    body_seconds: Annotated[float, typer.Option(help="Longest wait for the whole body of a request.")] = 30.0,
    answer_seconds: Annotated[float, typer.Option(help="Longest wait for an answer after that.")] = 30.0,
    queue: Annotated[int, typer.Option(min=1, help="Most pictures waiting or worked on.")] = 64,
    held_bytes: Annotated[int, typer.Option(min=1, help="Most bytes of bodies in memory.")] = 256 * _MIB,
    streams: Annotated[int, typer.Option(min=1, help="Most camera streams at a time.")] = 16,
    connections: Annotated[int, typer.Option(min=1, help="Most connections at a time.")] = 512,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log failures only, not every request.")] = False,
) -> None:
    """Answer over HTTP, with a page for the browser, until Ctrl-C or SIGTERM.

    Binds to this machine alone unless --host says otherwise. Nothing that is sent is kept or logged.
    docs/service.md lists every bound and what happens at it.
    """
    import logging

    from ..analyzer import Analyzer
    from ..serve.app import create_app
    from ..serve.server import NO_TOKEN, listen, loopback, make_server, set_up_logging
    from ..serve.settings import Limits, Settings
    from ..signage import load_rules
    from ..token_file import read_token

    limits = Limits(
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_pictures=max_pictures,
        max_frame_bytes=max_frame_bytes,
        body_seconds=body_seconds,
        answer_seconds=answer_seconds,
        queue=queue,
        held_bytes=held_bytes,
        streams=streams,
        connections=connections,
    )
    settings = Settings(
        limits=limits,
        workers=workers,
        batch_seconds=batch_ms / 1000,
        token=read_token(token_file, "PHIZ_TOKEN"),
        hosts=(host, *(allow_host or ())),
        allow_origins=tuple(allow_origin or ()),
        audience=audience,
        signage=None if signage is None else load_rules(signage),
    )
    name = f"[{host}]" if ":" in host else host
    with closing(listen(host, port)) as listening:
        analyzer = Analyzer(model, min_face=min_face, threads=threads, provider=provider)
        app = create_app(analyzer, settings)
        set_up_logging(logging.WARNING if quiet else logging.INFO)
        url = f"http://{name}:{listening.getsockname()[1]}"
        said = f"phiz serves at {url} (Ctrl-C ends it)"
        if settings.token is None and not loopback(listening):
            said += f"\nphiz: {NO_TOKEN}"
        print(said, file=sys.stderr, flush=True)
        make_server(app).run(sockets=[listening])
