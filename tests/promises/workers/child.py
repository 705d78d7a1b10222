"""The child: `python -m tests.promises.workers.child LIBRARY PORT FIELDS PROGRAM [ARGUMENT...]`.

LIBRARY patches the standard library before anything else is imported, as Celery does.
"""

import sys


def patch(library: str) -> None:
    """Patch the standard library."""
    if library == "gevent":
        import gevent.monkey

        gevent.monkey.patch_all()
    elif library == "eventlet":
        import eventlet

        eventlet.monkey_patch()


if __name__ == "__main__":
    patch(sys.argv[1])

    from tests.promises.workers.world import run

    run(*sys.argv[1:])
