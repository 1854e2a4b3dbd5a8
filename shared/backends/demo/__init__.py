"""A stand-in for Claude: embedded, offline, and deterministic from what it is asked.

It lets anybody try Threadline without an account, and shows on request what a real answer can look like: long, slow, marked up,
hostile, or failing. What it can do is written in `shared.backends.demo.replies.HELP`, and said when asked for help.
"""

from shared.backends.demo.backend import DemoBackend

__all__ = ["DemoBackend"]
