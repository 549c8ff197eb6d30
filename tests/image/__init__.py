"""The image of `deploy/Dockerfile`, built and run for real: `python -m tests.image`.

In reading order:

- `building`: the base, pulled or made of the distribution, and the image, by buildah.
- `machine`: that base by itself, a machine with nothing but Python, and its first user.
- `container`: a container of it, as an engine would run it, without an engine.
- `__main__`: what must be true of all three.
"""
