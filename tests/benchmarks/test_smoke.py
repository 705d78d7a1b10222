"""The benchmarks' programs work, and count correctly. Their times are not tested."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("azure.identity")
pytest.importorskip("aiohttp")

from benchmarks import ROOT, counts, faults, phases, rows, start
from benchmarks.child import measure
from benchmarks.distance import Distance
from benchmarks.service import Service
from benchmarks.sizes import TINY
from benchmarks.table import Row, markdown


@pytest.fixture(scope="module")
def service():
    with Service() as service:
        yield service


@pytest.mark.parametrize("function", ["threads", "coroutines"])
def test_the_first_token_costs_one_request(service, function):
    assert counts.requests(service, function, "ours", number=1) == {"token": 1}


@pytest.mark.parametrize("function", ["threads", "coroutines"])
def test_the_first_token_of_an_unknown_authority_costs_two(service, function):
    counted = counts.requests(service, function, "ours", number=1, unknown=True)
    assert counted == {"instance-discovery": 1, "token": 1}


@pytest.mark.parametrize("function", ["threads", "coroutines"])
def test_a_cold_crowd_costs_one_request(service, function):
    assert counts.requests(service, function, "ours", number=50) == {"token": 1}


def test_azure_identity_is_counted_by_the_same_measure(service):
    assert counts.requests(service, "threads", "theirs", number=1) == {"openid-configuration": 1, "token": 1}
    assert counts.requests(service, "coroutines", "theirs", number=1) == {"token": 1}


def test_many_tenants_cost_one_request_each(service):
    crowd = [row.ours for row in rows.crowd(TINY, service)]
    assert all(seconds > 0 for seconds in crowd)
    counted = service.counts()  # of the last that ran: threads of credconf's, after one token to warm up
    assert counted == {"token": TINY.crowd + 1}


def test_pairs_give_the_median_of_their_ratios_and_its_quartiles():
    row = rows.paired("starts", [[2.0, 1.0], [1.0, 0.9], [4.0, 1.0]], 0.6)
    assert (row.theirs, row.ours, row.ratio, row.reached) == (2.0, 1.0, 0.5, True)
    assert row.spread == pytest.approx((0.25, 0.9))
    assert "0.5 (0.25 to 0.90)" in markdown([row])


def test_every_cached_call_is_measured():
    measured = list(rows.cached(TINY))
    assert all(row.floor and row.theirs and row.ours for row in measured)


def test_the_cost_of_the_nth_tenant_is_measured_at_each_number():
    measured, points = rows.growth(TINY)
    assert [point["tenants"] for point in points["ours"]] == [*TINY.growth, *TINY.far]
    assert [point["tenants"] for point in points["theirs"]] == [*TINY.growth]
    assert [row.theirs is None for row in measured] == [False, False, True]


def test_memory_is_measured():
    assert measure("tenants:memory", side="ours", tenants=10) >= 0


@pytest.mark.parametrize("far", [False, True])
def test_both_programs_get_their_first_token(service, tmp_path, far):
    service.reset()
    with Distance(service.port, 0.001) as distance:
        authority = distance.authority if far else service.authority
        taken = start.first_token(service, authority, tmp_path, 1)
    assert taken.keys() == {"ours", "theirs", "floor"}
    # Two runs each, the first one is not counted: one request of ours, two of azure-identity's.
    assert service.counts() == {"token": 4, "openid-configuration": 2}


def test_each_phase_of_a_start_is_measured(service, tmp_path):
    service.reset()
    measured = phases.phases(service, tmp_path, 1)
    assert all(seconds > 0 for seconds in measured.values())
    assert service.counts() == {"token": 2}


LIMITED = "429, Retry-After: 30"
UNKNOWN = "AADSTS700016, unknown application"


@pytest.fixture(scope="module")
def failing(service):
    sizes = faults.Sizes(calls=2, met=(LIMITED, UNKNOWN, faults.DOWN), threads=2, seconds=0.1, main=(faults.DOWN,))
    return sizes, *faults.rows(sizes, service)


def test_requests_of_calls_that_fail_are_counted(failing):
    sizes, first, second = failing
    assert [row.what for row in first] == [f"{name}, {face}" for name in sizes.met for face in ("sync", "async")]
    assert [row.what for row in second] == [faults.DOWN]
    assert all(row.detail[side]["calls"] == 2 for row in first for side in ("theirs", "ours"))
    assert all(row.detail[side]["calls"] >= 2 for row in second for side in ("theirs", "ours"))
    counted = {row.what: row.detail["theirs"]["requests"] for row in first}
    assert counted[f"{LIMITED}, sync"] == {"openid-configuration": 1, "token": 1, "instance-discovery": 1}
    assert counted[f"{LIMITED}, async"] == {"token": 2}
    assert "| 1 + 2 " in faults.tables(sizes, first, second)


def test_no_failure_without_an_answer_is_remembered(failing):
    _, first, _ = failing
    down = {row.what: (row.theirs, row.ours) for row in first if row.what.startswith(faults.DOWN)}
    assert down == {f"{faults.DOWN}, sync": (2, 2), f"{faults.DOWN}, async": (2, 2)}


def test_a_failing_service_receives_no_more_requests_than_the_design_allows(failing):
    _, first, _ = failing
    assert [row.what for row in first if row.reached is False] == []


def test_the_service_ends_with_its_user():
    with Service() as service:
        process = service._process
    assert process.returncode == 0


def test_the_table_shows_ratios_and_floors():
    row = Row("a call", "s", 4e-5, 1e-6, 8e-7, "1.5 floors", reached=True)
    assert "| a call | 40 µs (50 floors) | 1 µs (1.25 floors) | 0.025" in markdown([row])
    assert json.loads(json.dumps(row.as_json()))["ours_to_floor"] == pytest.approx(1.25)


def test_the_command_explains_itself():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert "--quick" in done.stdout


def test_processes_that_share_a_redis_are_counted_and_timed(service, tmp_path):
    from benchmarks import fleet
    from tests.redis_server import NO_SERVER, executable

    if executable() is None:
        pytest.skip(NO_SERVER)
    counted, *timed = fleet.in_redis(service, tmp_path, 3, 1)
    assert counted.ours == 1
    assert len(timed) == 3
    assert all(row.ours > 0 for row in timed)
