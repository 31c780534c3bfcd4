"""Where a face will be: its centre at constant velocity, by a small Kalman filter."""

from __future__ import annotations

import numpy as np

from ..types import Box

#: In face heights: error of a found centre; change of speed that a person or a camera manages, per second
#: squared; speed that a new face may have, per second.
FOUND, PUSH, START = 0.03, 8.0, 3.0


class Motion:
    """The centre of a face, measured now and then, and its velocity.

    Both axes share one gain, since their errors are alike in units of the face; complex numbers hold both.
    The size is taken to stay what it last was.
    """

    def __init__(self, box: Box, time: float) -> None:
        self._centre, self._velocity = centre(box), 0j
        self._size = box[2], box[3]
        self._time = time
        self._variance = np.diag([FOUND**2, START**2])  # of centre and velocity, in face heights

    def expected(self, time: float) -> Box:
        """Return the box that is expected at `time`."""
        middle = self._centre + self._velocity * max(0.0, time - self._time)
        width, height = self._size
        return middle.real - width / 2, middle.imag - height / 2, width, height

    def see(self, box: Box, time: float) -> None:
        """Correct the motion by the box found at `time`."""
        step = max(0.0, time - self._time)
        forward = np.array([[1.0, step], [0.0, 1.0]])
        push = np.array([step**2 / 2, step]) * PUSH
        variance = forward @ self._variance @ forward.T + np.outer(push, push)
        gain = variance[:, 0] / (variance[0, 0] + FOUND**2)
        self._variance = variance - np.outer(gain, variance[0])
        middle = self._centre + self._velocity * step
        surprise = centre(box) - middle
        self._centre = middle + float(gain[0]) * surprise
        self._velocity += float(gain[1]) * surprise
        self._size, self._time = (box[2], box[3]), time

    def rescale(self, across: float, down: float) -> None:
        """Follow a change of the frame's size."""
        self._centre = complex(self._centre.real * across, self._centre.imag * down)
        self._velocity = complex(self._velocity.real * across, self._velocity.imag * down)
        self._size = self._size[0] * across, self._size[1] * down


def centre(box: Box) -> complex:
    """Return the middle of a box as x + yi."""
    return complex(box[0] + box[2] / 2, box[1] + box[3] / 2)
