"""Video and cameras: sources, tracks with steady answers, and what is written about them.

`track`, `scene` and `facing` need numpy and Pillow alone. PyAV reads and writes videos, OpenCV opens cameras
and shows windows; the extra `stream` brings both.
"""
