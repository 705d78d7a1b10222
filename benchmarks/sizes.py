"""The sizes of the full run (some minutes), the quick run, and the tests' run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run.

    Attributes:
        turn: seconds of one subject's turn in a loop of cached calls.
        many: the number of tenants in the credential whose cached call is measured again.
        threads: the number of threads with one cold credential.
        coroutines: the number of coroutines with one cold credential.
        kind_threads: the number of threads with one cold credential of each kind without a secret.
        crowd: the number of tenants that are requested at once.
        workers: the number of threads that request them.
        pairs: the number of times that coroutines request them, with one side and then with the other.
        rounds: the number of times that threads request them with credconf; the best one counts.
        delay: the latency of the service for these requests, in seconds.
        growth: the numbers of tenants at which the CPU of one more token is measured, on both sides.
        far: further numbers, for credconf only.
        reported: those of them that are rows of the table.
        sample: the number of tokens for the mean of that CPU; a quarter of the tenants if that is more.
        cached: the numbers of tenants at which azure-identity's cached asynchronous call is measured.
        remembered: the numbers of tenants whose memory is measured, for azure-identity and for credconf.
        imports: the number of runs of each import.
        starts: the number of runs of each program from start to first token.
        start_delay: the latency of the service for these runs, in seconds.
    """

    turn: float = 0.005
    many: int = 1000
    threads: int = 200
    coroutines: int = 1000
    kind_threads: int = 50
    crowd: int = 1000
    workers: int = 32
    pairs: int = 30
    rounds: int = 3
    delay: float = 0.05
    growth: tuple[int, ...] = (100, 250, 500, 1000, 2000, 3500, 5000)
    far: tuple[int, ...] = (10_000, 20_000, 50_000, 100_000)
    reported: tuple[int, ...] = (1000, 5000, 100_000)
    sample: int = 100
    cached: tuple[int, ...] = (1, 100, 250, 500, 1000, 2000)
    remembered: tuple[int, int] = (1500, 10_000)
    imports: int = 25
    starts: int = 15
    start_delay: float = 0.03


FULL = Sizes()
QUICK = Sizes(
    turn=0.002,
    many=300,
    threads=50,
    coroutines=100,
    crowd=150,
    pairs=3,
    rounds=1,
    growth=(100, 250, 500, 1000),
    far=(5000,),
    reported=(250, 1000, 5000),
    sample=50,
    cached=(1, 100, 250),
    remembered=(400, 2000),
    imports=7,
    starts=7,
)
TINY = Sizes(
    turn=0.0005,
    many=3,
    threads=5,
    coroutines=5,
    kind_threads=5,
    crowd=4,
    workers=2,
    pairs=1,
    rounds=1,
    delay=0.0,
    growth=(2, 4),
    far=(6,),
    reported=(2, 4, 6),
    sample=2,
    cached=(1, 3),
    remembered=(20, 20),
    imports=1,
    starts=1,
    start_delay=0.0,
)
