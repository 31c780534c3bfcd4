"""Video and cameras: sources, tracks with steady answers, and what is written about them.

`track` and `quality` need numpy and Pillow alone; what opens cameras and videos needs OpenCV, which the
extra `stream` brings.
"""
