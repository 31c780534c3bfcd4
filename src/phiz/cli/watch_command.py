"""phiz watch: the faces of a video, a camera or a stream, followed and steadied."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import PhizError
from .options import Coverage, MinFace, MinGenderScore, Model, Provider, Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..audience import Counter
    from ..stream.buffer import Stop
    from ..stream.frame import Source
    from ..stream.stream_output import Output
    from ..stream.track import Track
    from ..stream.watch import Summary


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A camera's number (0 is the first), a video file, an RTSP or HTTP URL, a folder of frames, "
            "or - for JPEG pictures (MJPEG) on standard input.",
        ),
    ],
    output: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write an annotated video: .mp4 .m4v .mov .mkv .avi.")
    ] = None,
    jsonl: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write one JSON object a frame; - for standard output.")
    ] = None,
    audience: Annotated[
        str | None,
        typer.Option(metavar="DB", help="Count people into this database, which `phiz audience` reports."),
    ] = None,
    signals: Annotated[
        list[str] | None,
        typer.Option(
            "--signal",
            metavar="URL",
            envvar="PHIZ_SIGNAL",
            help="Say how many people are there, every second at most, to mqtt[s]://, http[s]:// (POST), "
            "ws[s]:// or - (lines on standard output). May be repeated.",
        ),
    ] = None,
    signal_token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File with the token for http[s]:// and ws[s]:// of --signal; else $PHIZ_SIGNAL_TOKEN.",
        ),
    ] = None,
    window: Annotated[
        bool | None,
        typer.Option("--window/--no-window", help="Show a window; default: where there can be one."),
    ] = None,
    every: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Run the detector on every Nth frame, the tracker between."),
    ] = 1,
    max_frames: Annotated[int | None, typer.Option(min=1, metavar="N", help="End after N frames.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Drop frames of standard input too, rather than fall behind.")
    ] = False,
    fps: Annotated[
        float | None,
        typer.Option(min=0.01, max=1000, help="Frames a second of a folder or standard input; default 25."),
    ] = None,
    began: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            help="For --audience and --signal: when a recording began, in local time (2026-11-22T09:30); "
            "default: now.",
        ),
    ] = None,
    model: Model = "multitask-64",
    coverage: Coverage = 0.9,
    min_gender_score: MinGenderScore = 0.5,
    strict: Strict = False,
    min_face: MinFace = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads inside one network call.")] = 1,
    provider: Provider = "cpu",
) -> None:
    """Follow the faces of a stream, with an age and a gender each that settle instead of flickering.

    A recording that is neither shown nor written anywhere ends in a table of the people who were seen.
    Ends with the source, with Ctrl-C or with SIGTERM; what was written until then is complete.
    Exit status: 0 the source ended, or a live one was stopped; 1 the source or an output failed; 2 wrong
    usage; 130 or 143 a recording was stopped by Ctrl-C or SIGTERM.
    """
    from ..analyzer import Analyzer
    from ..detect import load_card
    from ..models.certainty import Caution
    from ..stream.buffer import Stop
    from ..stream.recording import AnnotatedVideo
    from ..stream.source_kind import open_source
    from ..stream.stream_output import Lines, Window, no_window
    from ..stream.watch import watch as run
    from .output import Sink
    from .watching import Counting, People, Progress, Signals

    _check_outputs(source, output, jsonl, signals or [])
    smallest = load_card().watch_share if min_face is None else min_face
    caution = Caution(coverage, min_gender_score, strict)
    # Looks name their gender however unsure: only the track, which has all of them, may hold it back.
    analyzer = Analyzer(
        model, min_face=smallest, threads=threads, provider=provider, coverage=coverage, strict=strict
    )
    stop = Stop()
    frames = open_source(source, say=_say, rate=fps, live=live)
    begun = began.astimezone() if began else datetime.now(timezone.utc)
    hidden = "--no-window" if window is False else no_window()
    show = bool(window) or hidden is None
    people = None if show or output or jsonl or audience or signals else People()
    if people and frames.live:
        raise PhizError(
            f"nothing would be shown or written ({hidden}): give --jsonl, --output, --audience or --signal"
        )
    counting = _counter(audience, begun, frames.live) if audience is not None else nullcontext()
    with (
        counting as counter,
        _sending(signals or [], signal_token_file, frames.live) as send,
        _interrupts(stop) as caught,
    ):
        outputs: list[Output] = []
        if output is not None:  # before --jsonl, whose file is emptied at once
            outputs.append(AnnotatedVideo(output, frames.rate, sound=frames.sound, say=_say))
            if frames.live and "://" in source:
                _say("the sound of a live stream is not recorded")
        if jsonl is not None:
            outputs.append(Lines(jsonl, begun if frames.live else None))
        if counter is not None:
            outputs.append(Counting(counter))
        if send:
            outputs.append(Signals(send, begun))
        if people is not None:
            outputs.append(people)
        if show:
            outputs.append(Window(stop))
        if not frames.live and not (jsonl == "-" and os.isatty(1)):
            outputs.append(Progress(frames.length))

        def leave(left: Sequence[Track]) -> None:
            if counter is not None:
                counter.leave(left)
            if people is not None:
                people.leave(left)

        start = time.monotonic()
        summary = run(
            frames,
            lambda image: analyzer.analyze(image).faces,
            outputs,
            every=every,
            max_frames=max_frames,
            caution=caution,
            stop=stop,
            say=_say,
            at_end=leave,
        )
        seconds = time.monotonic() - start
    if people is not None:
        with Sink(None) as sink:
            sink.write(people.table())
    _say(described(summary, frames, seconds))
    if caught and not frames.live:
        raise typer.Exit(128 + caught[0])


def described(summary: Summary, source: Source, seconds: float) -> str:
    """Return a run's summary as one sentence."""
    from .watching import some

    rate = f", {summary.frames / seconds:.1f} a second" if seconds > 0 else ""
    frames = some(summary.frames, "frame", "frames")
    parts = [f"{source.name}: {frames}{rate}, {summary.looks} of them analysed"]
    parts.append(some(summary.people, "person", "people"))
    if source.live:
        parts.append(f"{some(summary.dropped, 'frame', 'frames')} dropped")
    if summary.damaged:
        parts.append(f"{summary.damaged} damaged or missing")
    if summary.missing:
        parts.append(f"ends {summary.missing:.1f} s before the length in its header")
    if summary.lost:
        parts.append(f"vanished {some(summary.lost, 'time', 'times')}")
    return "; ".join(parts)


def _say(text: str) -> None:
    from tqdm import tqdm

    tqdm.write(f"phiz: {text}", file=sys.stderr)  # a progress line makes room for it


def _check_outputs(source: str, output: str | None, jsonl: str | None, signals: Sequence[str]) -> None:
    if [jsonl, *signals].count("-") > 1:
        raise PhizError("standard output has room for one of --jsonl - and --signal -; got it twice")
    files = [os.path.realpath(path) for path in (source, output, jsonl) if path not in (None, "-")]
    if len(set(files)) < len(files):
        raise PhizError("SOURCE, --output and --jsonl must be different files; one is named twice")


def _counter(url: str, begun: datetime, live: bool) -> AbstractContextManager[Any]:
    from ..audience import Counter, open_store
    from ..audience.counter import LAG

    @contextmanager
    def counting() -> Iterator[Counter]:
        with (
            open_store(url) as store,
            Counter(
                store, began=begun.timestamp(), on_problem=_say, shown=store.shown, lag=LAG if live else 0.0
            ) as counter,
        ):
            yield counter

    return counting()


@contextmanager
def _sending(
    urls: Sequence[str], token_file: Path | None, live: bool
) -> Iterator[list[Callable[[bytes], None]]]:
    """Open the targets of signals and yield what takes a signal for each, without holding up the stream.

    A recording waits for its lines on standard output, as for those of --jsonl, so that none is left out.
    """
    from ..audience.delivery import Delivery
    from ..audience.targets import open_target
    from ..token_file import read_token

    token = read_token(token_file, "PHIZ_SIGNAL_TOKEN")
    targets = [open_target(url, token) for url in urls]
    with ExitStack() as closing:
        send: list[Callable[[bytes], None]] = []
        for url, target in zip(urls, targets, strict=True):
            if url == "-" and not live:
                closing.callback(target.close)
                send.append(target.send)
            else:
                delivery = Delivery(target, _say)
                closing.callback(delivery.close)
                send.append(delivery.put)
        yield send


@contextmanager
def _interrupts(stop: Stop) -> Iterator[list[int]]:
    """Turn the first SIGINT or SIGTERM into a request to end, which is listed; the next one ends at once."""
    caught: list[int] = []

    def end(number: int, frame: Any) -> None:
        caught.append(number)
        if len(caught) > 1:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
