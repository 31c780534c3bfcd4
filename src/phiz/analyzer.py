"""From a picture to its faces, ages and genders: read, detect, crop, one network call, decode."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as Pillow

from .cutter import Cutter
from .detect import Detector
from .errors import ImageError
from .image import MAX_BYTES, MAX_PIXELS, Picture, Source, display_name, read
from .landmarks import load_landmarker
from .models import certainty
from .models.attribute_model import DEFAULT_ATTRIBUTES, choose, load_attributes
from .models.card import ModelCard
from .models.certainty import Caution, Certainty, check_coverage
from .models.model_store import DEFAULT_MODEL
from .models.session import Model, gender_model, load_model
from .readers import read_ahead
from .types import Detection, Estimate, Face, Result

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Located:
    """The faces of one picture of width x height pixels, found and cut out: (N, size, size, 3) uint8.

    A cropped picture on which the detector found nothing has None for its one detection.
    genders: what another network says of each face, where the model leaves gender to it, already calibrated.
    attributes: probabilities of each face by name, where they were asked for.
    quality: how good each look is, see `phiz.types.Face`.
    """

    width: int
    height: int
    detections: tuple[Detection | None, ...]
    crops: Image
    genders: tuple[Estimate, ...] | None = None
    attributes: tuple[Mapping[str, float], ...] | None = None
    quality: tuple[Mapping[str, float], ...] = ()


class Analyzer:
    """Loaded networks, ready for any number of pictures; may be shared between threads.

    model: name of a shipped model or path of a `.onnx` with its card (`phiz.models.model_store`). One that
        tells age alone, or whose card says so, is joined by another for gender (`gender_card`).
    min_face: smallest face to look for and return: pixels, a share of the picture's longer side below 1, or
        None for the default; see `phiz.detect.Detector`.
    threads: CPU threads of a network call. It may be used on in a forked process.
    max_pixels: largest picture read, width x height.
    cropped: take every picture as one already cropped face.
    provider: what runs the networks, and else the CPU with a warning; see `phiz.models.runtime.PROVIDERS`.
    attributes: which attributes of a face to tell beside age and gender: "default", "all" or names, see
        `phiz.models.attribute_model.choose`; None for none. attribute_model: the model that tells them.
    coverage, min_gender_score, strict: how cautious answers shall be, see `phiz.models.certainty.Caution`.
    Raises ModelError where a model is missing, damaged or unknown, the provider unknown, or the model has no
    intervals of that coverage; ValueError where a number is out of range.
    """

    def __init__(
        self,
        model: str | PathLike[str] = DEFAULT_MODEL,
        *,
        min_face: float | None = None,
        threads: int = 1,
        max_pixels: int = MAX_PIXELS,
        cropped: bool = False,
        provider: str = "cpu",
        attributes: str | Sequence[str] | None = None,
        attribute_model: str | PathLike[str] = DEFAULT_ATTRIBUTES,
        coverage: float = 0.9,
        min_gender_score: float = 0.5,
        strict: bool = False,
    ) -> None:
        self._caution = Caution(coverage, min_gender_score, strict)
        self._model = load_model(model, threads=threads, provider=provider)
        self._detector = Detector(min_face, threads, provider)
        card = self._model.card
        check_coverage(card.certainty, coverage, card.name)
        self._gender: Model | None = None
        if other := gender_model(card):
            self._gender = load_model(other, threads=threads, provider=provider)
        aligner = card.aligner
        self._landmarker = (
            None if aligner == "detector" else load_landmarker(aligner, threads=threads, provider=provider)
        )
        self._cropped = cropped
        self._max_pixels = max_pixels
        self._attributes = None
        self._chosen: tuple[str, ...] = ()
        if attributes is not None:
            self._attributes = load_attributes(attribute_model, threads=threads, provider=provider)
            self._chosen = choose(self._attributes.card, attributes)

    def analyze(self, source: Source, name: str | None = None) -> Result:
        """Return the faces of one picture; `name` stands for it in the result and in errors.

        Raises ImageError where the picture cannot be read.
        """
        label = _label(source, name)
        return self._result(self.read(source, label), label)

    def analyze_many(self, sources: Iterable[Source], *, fail_fast: bool = False) -> Iterator[Result]:
        """Yield one result per picture, in input order, while the next pictures are being read.

        A picture that cannot be read gives a result with `error` set and the others go on; with
        fail_fast it raises its ImageError instead. At most readers.AHEAD sources are taken before the
        result of the first of them is asked for. An array or a PIL image may be used again, and a file
        closed, once the next source is asked for. Raises TypeError where `sources` is itself a picture.
        """
        if isinstance(sources, (str, bytes, bytearray, memoryview, PathLike, Pillow)) or (
            isinstance(sources, np.ndarray) and sources.ndim < 4
        ):
            raise TypeError(
                f"sources: expected several pictures, such as a list, got one {type(sources).__name__}; "
                "use analyze, or put it in a list"
            )
        return self._many(sources, fail_fast)

    def _many(self, sources: Iterable[Source], fail_fast: bool) -> Iterator[Result]:
        with closing(self.analyze_named((None, source) for source in sources)) as results:
            for result, picture in results:
                if fail_fast and picture is None:
                    raise ImageError(result.error)
                yield result

    def analyze_named(
        self, named: Iterable[tuple[str | None, Source]]
    ) -> Generator[tuple[Result, Picture | None], None, None]:
        """Yield (result, picture as read) for (name, source) pairs; None for an unreadable picture."""
        with closing(read_ahead(self._read, map(self._take, named))) as pictures:
            for label, picture in pictures:
                try:
                    if isinstance(picture, ImageError):
                        raise picture
                    result = self._result(picture, label)
                except ImageError as error:  # also of a picture read smaller that cannot be read whole
                    yield Result(path=label, width=None, height=None, faces=(), error=str(error)), None
                else:
                    yield result, picture

    def _take(self, named: tuple[str | None, Source]) -> tuple[str | None, Source | Picture | ImageError]:
        """Return what is the caller's to change as it is now, since a reader thread sees it only later."""
        name, source = named
        if isinstance(source, (str, PathLike, bytes)):
            return name, source
        if isinstance(source, (bytearray, memoryview)):
            return name, bytes(source)
        label, picture = self._read(named)
        if isinstance(source, np.ndarray) and isinstance(picture, Picture):
            own = picture.pixels.copy() if np.may_share_memory(picture.pixels, source) else picture.pixels
            picture = Picture.of(own)
        return label, picture

    def _read(
        self, named: tuple[str | None, Source | Picture | ImageError]
    ) -> tuple[str | None, Picture | ImageError]:
        name, source = named
        if isinstance(source, (Picture, ImageError)):
            return name, source
        label = _label(source, name)
        try:
            return label, self.read(source, label)
        except ImageError as error:
            return label, error

    @property
    def card(self) -> ModelCard:
        """The card of the model in use."""
        return self._model.card

    @property
    def gender_card(self) -> ModelCard:
        """The card of the model whose gender answers; of most models their own."""
        return (self._gender or self._model).card

    @property
    def attribute_thresholds(self) -> dict[str, float]:
        """The attributes that are told, and from which probability each counts as present."""
        card = self._attributes.card if self._attributes else None
        return {name: card.attributes[name].threshold for name in self._chosen} if card else {}

    def read(
        self,
        source: Source,
        name: str | None = None,
        *,
        max_pixels: int | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Picture:
        """Read a picture for `locate`: a large JPEG only as finely as finding its faces needs.

        name: what errors call it. max_pixels: largest width x height; None for the Analyzer's own.
        Raises ImageError.
        """
        return read(
            source,
            self._detector.reduction,
            max_pixels=self._max_pixels if max_pixels is None else max_pixels,
            max_bytes=max_bytes,
            name=name,
        )

    def locate(
        self, picture: Picture | Image, detections: Sequence[Detection | None] | None = None
    ) -> Located:
        """Return the faces of a picture as read, or of an upright RGB array, cut out for `estimate`.

        `locate`, `estimate` and `combine` are what `analyze` does, for callers who gather the faces of
        several pictures into one network call, or who know where they are: detections, in pixels of the whole
        picture; without them they are looked for. Raises ImageError where a picture that was read smaller has
        to be read whole and cannot.
        """
        if not isinstance(picture, Picture):
            picture = Picture.of(picture)
        if detections is None:
            detections = self._detect(picture)
        cut = Cutter(picture, detections)
        genders, told = self._look(cut), self._tell(cut)
        crops = cut(self._model.size, self._model.template, self._landmarker)
        quality = cut.quality(self._model.size, self._model.template, self._landmarker)
        return Located(picture.width, picture.height, tuple(detections), crops, genders, told, quality)

    def estimate(self, crops: Image) -> list[Estimate]:
        """Return the network's answer for each of the crops, (N, size, size, 3) uint8, in one call."""
        return self._model.decode(self._model.run(crops))

    def combine(
        self,
        located: Located,
        estimates: Sequence[Estimate],
        label: str | None,
        caution: Caution | None = None,
    ) -> Result:
        """Return the result of a picture from its located faces and their estimates.

        caution: how cautious the answers shall be; None for what the Analyzer was made with. Raises
        ModelError where the model has no intervals of its coverage.
        """
        size, caution = (located.width, located.height), caution or self._caution
        check_coverage(self.card.certainty, caution.coverage, self.card.name)
        told = located.attributes or (None,) * len(estimates)
        genders = located.genders or (None,) * len(estimates)
        faces = zip(located.detections, estimates, genders, told, located.quality, strict=True)
        made = (_face(*face, size, self.card, caution) for face in faces)
        return Result(label, located.width, located.height, tuple(made))

    def _result(self, picture: Picture, label: str | None) -> Result:
        located = self.locate(picture)
        return self.combine(located, self.estimate(located.crops), label)

    def _detect(self, picture: Picture) -> list[Detection] | list[Detection | None]:
        """Find the faces; a cropped picture has exactly one, None where the detector misses it."""
        if self._cropped:
            return [self._detector.detect_chip(picture.pixels, picture.scale)]
        return self._detector.detect(picture.pixels, picture.scale)

    def _look(self, cut: Cutter) -> tuple[Estimate, ...] | None:
        """Return what the other network says of every face, in one call; None where there is none."""
        if (model := self._gender) is None:
            return None
        estimates = model.decode(model.run(cut(model.size, model.template)))
        quality, tables = cut.quality(model.size, model.template), model.card.certainty
        return tuple(_calibrated(*pair, tables) for pair in zip(estimates, quality, strict=True))

    def _tell(self, cut: Cutter) -> tuple[Mapping[str, float], ...] | None:
        """Return the chosen attributes of every face, in one network call; None where none was asked for."""
        model = self._attributes
        if model is None:
            return None
        answers = model.run(cut(model.size, model.template))
        rows = (dict(zip(model.names, row.tolist(), strict=True)) for row in answers)
        return tuple({name: row[name] for name in self._chosen} for row in rows)


def _calibrated(estimate: Estimate, quality: Mapping[str, float], tables: Certainty | None) -> Estimate:
    """Return an estimate whose gender_score is how often such an answer is right."""
    if tables is None:
        return estimate
    found = certainty.signals(estimate, quality, tables)
    return replace(estimate, gender_score=certainty.gender_score(tables, found))


def _face(
    detection: Detection | None,
    estimate: Estimate,
    other: Estimate | None,
    attributes: Mapping[str, float] | None,
    quality: Mapping[str, float],
    size: tuple[int, int],
    card: ModelCard,
    caution: Caution,
) -> Face:
    """Return one face's answer, as far as it may be given. other: whose gender is told, if another's."""
    tables, interval = card.certainty, None
    flags: tuple[str, ...] = ()
    told = other or estimate
    if tables is not None:
        found = certainty.signals(estimate, quality, tables)
        interval = certainty.age_interval(tables, found, caution.coverage)
        flags = certainty.flags(tables, found)
        if other is None:
            told = replace(estimate, gender_score=certainty.gender_score(tables, found))
    age, gender, score = estimate.age, told.gender, told.gender_score
    assert score is not None  # __init__ saw to it
    refused = caution.strict and bool(flags)
    return Face(
        box=detection.box if detection else (0.0, 0.0, float(size[0]), float(size[1])),
        score=detection.score if detection else None,
        keypoints=detection.keypoints if detection else (),
        age=None if refused else age,
        age_interval=None if refused else interval,
        gender=None if refused or score < caution.min_gender_score else gender,
        gender_score=None if refused else score,
        attributes=attributes,
        quality=quality,
        flags=flags,
    )


def _label(source: Source, name: str | None) -> str | None:
    """Name a picture for its result: the caller's name, else its path or that of its open file, else None."""
    if name is not None:
        return display_name(name)
    path = source if isinstance(source, (str, PathLike)) else getattr(source, "name", None)
    return display_name(path) if isinstance(path, (str, PathLike)) else None
