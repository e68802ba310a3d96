"""`sort` and `sortBy`: the order of Go's sort.Slice, which is not stable beyond twelve elements."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.errors import BAD_ARGUMENT
from krm_fn.cel.library.slice_order import slice_order
from tests.cel.running import error_of, run

RECORDED = [
    pytest.param([i * 7 % 5 for i in range(20)], [10, 5, 15, 0, 13, 3, 18, 8, 6, 16, 1, 11, 9, 14, 4, 19, 12, 2, 17, 7], id="20 keys of 5"),
    pytest.param([-(i // 3) for i in range(40)], [39, 38, 37, 36, 33, 35, 34, 32, 31, 30, 29, 28, 27, 26, 25, 24, 21, 23, 22, 20, 19, 18, 17, 16, 15, 12, 14, 13, 10, 11, 9, 8, 7, 6, 5, 4, 3, 0, 2, 1], id="40 keys that descend in threes"),
    pytest.param([(i * 37 + i // 7) % 11 for i in range(500)], 532382541, id="500 keys of 11"),
    pytest.param([(i * i * i + 3 * i) % 17 for i in range(3000)], 3646191144, id="3000 keys of 17"),
    pytest.param([min(i, 600 - i) for i in range(600)], 634471129, id="600 keys that rise and fall"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "expected"), RECORDED)
def test_the_order_is_the_one_that_go_gave(keys, expected):
    order = slice_order(keys)
    assert (order if isinstance(expected, list) else crc32(repr(order).encode())) == expected


@given(st.lists(st.integers(0, 9), max_size=200))
def test_the_order_is_a_permutation_that_sorts(keys):
    order = slice_order(keys)
    assert sorted(order) == list(range(len(keys)))
    assert [keys[i] for i in order] == sorted(keys)


@given(st.lists(st.integers(0, 3), max_size=12))
def test_up_to_twelve_elements_keep_their_places_among_equals(keys):
    assert slice_order(keys) == sorted(range(len(keys)), key=keys.__getitem__)


@given(st.lists(st.one_of(st.floats(allow_nan=True)), max_size=40))
def test_not_a_number_does_not_stop_the_sort(keys):
    assert sorted(map(repr, run("x.sort()", x=keys))) == sorted(map(repr, keys))


def test_sort_by_shows_the_order_of_equals():
    elements = [{"n": i, "k": i * 7 % 5} for i in range(20)]
    assert [e["n"] for e in run("x.sortBy(e, e.k)", x=elements)] == slice_order([i * 7 % 5 for i in range(20)])


@pytest.mark.parametrize("elements", [[1, 2.0], ["a", 1], [None], [[1]], [{"a": 1}], [1, None]], ids=repr)
def test_elements_must_be_of_one_type_that_has_an_order(elements):
    assert error_of("x.sort()", x=elements).kind == BAD_ARGUMENT
