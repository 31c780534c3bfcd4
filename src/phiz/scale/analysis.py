"""`phiz analyze --engine ray`: chunks of pictures through a pool of workers, each with its own Analyzer."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import ray
import ray.data
from numpy.typing import NDArray
from ray.exceptions import RayError, RayTaskError
from tqdm import tqdm

from .. import jobs
from .._version import __version__
from ..analyzer import Analyzer
from ..crop import CROP_VERSION
from ..detect import load_card
from ..errors import ImageError, PhizError
from ..image import MAX_PIXELS, display_name
from ..models.model_store import find_model
from ..models.session import gender_model
from ..readers import read_ahead
from ..types import Result
from .parts import Chunk, Count, Folder, plan
from .pictures import Picture, is_uri, read

#: Pictures in a chunk: a few seconds of one worker's time, which is what a crash can cost.
CHUNK = 256
#: Most blocks of Ray Data; a larger run has several chunks in a block.
BLOCKS = 1000


@dataclass(frozen=True)
class Settings:
    """What an Analyzer is made with; see `phiz.Analyzer`."""

    model: str
    min_face: int | None = None
    threads: int = 1
    cropped: bool = False
    max_pixels: int = MAX_PIXELS
    coverage: float = 0.9
    min_gender_score: float = 0.5
    strict: bool = False

    def identity(self) -> dict[str, Any]:
        """Return what the answers depend on: the phiz, weights, calibration, how faces are found and cut."""
        settings = asdict(self)
        del settings["threads"]
        card, _ = find_model(self.model)
        other = gender_model(card)
        cards = {"model": card, "gender": find_model(other)[0] if other else card}
        weights = {name: [one.sha256, one.certainty and asdict(one.certainty)] for name, one in cards.items()}
        faces = {"detector": asdict(load_card()), "crop": CROP_VERSION}
        return settings | weights | faces | {"phiz": __version__}

    def analyzer(self) -> Analyzer:
        """Load the networks. Raises ModelError."""
        return Analyzer(**asdict(self))


def analyze(
    pictures: Sequence[Picture],
    output: str,
    settings: Settings,
    *,
    workers: int | None = None,
    address: str | None = None,
    chunk: int = CHUNK,
) -> Count:
    """Analyse the pictures that `phiz.scale.pictures.expand` found into Parquet and count them.

    output: a folder or URI, which gets one part per `chunk` pictures; or a local name that ends in
    .parquet, a file into which the parts are joined at the end. Parts that an earlier run of the same
    pictures and settings has finished are kept, and not made again.
    workers, address: see `phiz.jobs.session`.
    Raises PhizError for wrong input, OutputError where the output cannot be written.
    """
    if settings.model.endswith((".onnx", ".json")):  # a worker may have another working folder
        settings = replace(settings, model=os.path.abspath(settings.model))
    settings.analyzer()  # what is wrong with the model is said before anything starts
    joined = output.endswith(".parquet") and not is_uri(output) and not os.path.isdir(output)
    place = os.path.abspath(f"{output}.parts" if joined else output) if not is_uri(output) else output
    folder = Folder(place)
    folder.make()
    folder.tidy()
    chunks = list(plan(pictures, chunk, settings.identity()))
    done = _finished(folder, chunks)
    with tqdm(total=len(pictures), unit=" pictures", disable=None) as bar:
        bar.update(sum(count.pictures for count in done.values()))
        if rest := [chunk for chunk in chunks if chunk.part not in done]:
            with closing(_on_ray(rest, place, settings, workers, address)) as finished:
                for part, count in finished:
                    done[part] = count
                    bar.update(count.pictures)
    folder.tidy()
    if joined:
        folder.join((chunk.part for chunk in chunks), output)
    return Count(sum(count.pictures for count in done.values()), sum(c.unreadable for c in done.values()))


def _finished(folder: Folder, chunks: Sequence[Chunk]) -> dict[str, Count]:
    done = folder.parts()
    if foreign := sorted(done.keys() - {chunk.part for chunk in chunks}):
        raise PhizError(
            f"{folder.name} holds {len(foreign)} part(s) of other pictures or settings, such as "
            f"{foreign[0]}; give another --output, or remove them"
        )
    return done


def _on_ray(
    chunks: Sequence[Chunk], place: str, settings: Settings, workers: int | None, address: str | None
) -> Generator[tuple[str, Count], None, None]:
    """Yield the name and count of each part once it is written, in no particular order."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what fails is raised below
    with jobs.session(workers, address) as size:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        # Pickled: a name that is not UTF-8 has no place in an Arrow string.
        rows = [{"part": part, "pictures": pickle.dumps(list(pictures))} for part, pictures in chunks]
        answers = ray.data.from_items(rows, override_num_blocks=min(len(rows), BLOCKS)).map_batches(
            Worker,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(size, len(rows))),
            fn_constructor_args=(settings, place),
            num_cpus=1,
        )
        try:
            for answer in answers.iter_rows():
                outcome = pickle.loads(answer["outcome"])
                if isinstance(outcome, PhizError):
                    raise outcome
                yield answer["part"], outcome
        except RayTaskError:
            raise  # a mistake in phiz; its traceback is wanted
        except RayError as error:
            raise PhizError(
                f"Ray stopped ({type(error).__name__}); the same command goes on with the missing parts"
            ) from error


class Worker:
    """One process of the pool: takes chunks, leaves their parts in the folder.

    Ray starts a worker that died again, and gives it the chunk that it had, without end; here a chunk
    is refused once it has cost more than engine.RETRIES workers their lives.
    """

    def __init__(self, settings: Settings, place: str) -> None:
        self._settings = settings
        self._folder = Folder(place)
        self._analyzer: Analyzer | None = None

    def __call__(self, batch: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Analyse the chunks of a batch; an outcome is a pickled Count, or the PhizError that came."""
        chunks = zip(batch["part"], map(pickle.loads, batch["pictures"]), strict=True)
        outcomes = [pickle.dumps(self._outcome(Chunk(*chunk))) for chunk in chunks]
        return {"part": batch["part"], "outcome": np.array(outcomes, dtype=object)}

    def _outcome(self, chunk: Chunk) -> Count | PhizError:
        try:
            # It may be there: a block of several chunks is given again as a whole.
            return self._folder.count(chunk.part) or self._analyse(chunk)
        except PhizError as error:
            return error

    def _analyse(self, chunk: Chunk) -> Count:
        if self._folder.attempts(chunk.part) > jobs.RETRIES:
            first, last = (display_name(chunk.pictures[end].name) for end in (0, -1))
            raise PhizError(
                f"{jobs.RETRIES + 1} worker processes died at the pictures from {first} to {last}; "
                "too little memory is the usual cause: use fewer workers"
            )
        own = self._folder.begin(chunk.part)
        self._analyzer = self._analyzer or self._settings.analyzer()
        return self._folder.finish(chunk.part, own, self._results(self._analyzer, chunk.pictures))

    def _results(self, analyzer: Analyzer, pictures: Sequence[Picture]) -> Iterator[Result]:
        read_one = partial(_read, max_pixels=self._settings.max_pixels)
        with closing(read_ahead(read_one, pictures)) as images:
            for name, image in images:
                if isinstance(image, ImageError):
                    yield Result(path=name, width=None, height=None, faces=(), error=str(image))
                else:
                    yield analyzer.analyze(image, name)


def _read(picture: Picture, max_pixels: int) -> tuple[str, NDArray[np.uint8] | ImageError]:
    name = display_name(picture.name)
    try:
        return name, read(picture, max_pixels)
    except ImageError as error:
        return name, error
