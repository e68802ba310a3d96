"""Which Kubernetes a text means, and whose schemas stand for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.schema.builtin_kinds import MINORS
from krm_fn.schema.kube_version import FORM, NEWEST, known_versions, read_kube_version

OLDEST = MINORS[0]


@pytest.mark.parametrize(
    ("text", "asked", "minor", "is_known"),
    [
        pytest.param("1.35", "1.35", 35, True, id="as people say it"),
        pytest.param("v1.35.0", "1.35", 35, True, id="as kubectl prints it"),
        pytest.param("1.34.3-eks-123abc", "1.34", 34, True, id="Amazon's"),
        pytest.param("v1.33.4-gke.1350000", "1.33", 33, True, id="Google's"),
        pytest.param("v1.34.1+k3s1", "1.34", 34, True, id="k3s"),
        pytest.param("1.33+", "1.33", 33, True, id="a minor with a plus"),
        pytest.param("v1.35.0-rc.1", "1.35", 35, True, id="a release candidate"),
        pytest.param(" 1.35\n", "1.35", 35, True, id="blanks around it"),
        pytest.param("1.31.0", "1.31", OLDEST, False, id="older"),
        pytest.param("1.7", "1.7", OLDEST, False, id="much older"),
        pytest.param("1.99", "1.99", NEWEST, False, id="newer"),
        pytest.param("2.0", "2.0", NEWEST, False, id="another major"),
        pytest.param("0.35", "0.35", OLDEST, False, id="before the first"),
    ],
)
def test_a_version(text: str, asked: str, minor: int, is_known: bool) -> None:
    version = read_kube_version(text)
    assert version is not None
    assert (version.asked, version.minor, version.is_known) == (asked, minor, is_known)


@pytest.mark.parametrize(
    "text",
    ["", "1", "v1", "v", "1.", ".35", "latest", "1.x", "1,35", "-1.35", "1.-35", "1.35 beta", "1.35/x", "1.35x", "1.12345", "vv1.35", "\u0661.\u0663\u0665", "v1.35\0"],
)  # fmt: skip
def test_no_version(text: str) -> None:
    assert read_kube_version(text) is None


@given(st.integers(0, 9999))
def test_the_nearest_one_is_used(minor: int) -> None:
    version = read_kube_version(f"v1.{minor}.0")
    assert version is not None
    assert all(abs(version.minor - minor) <= abs(known - minor) for known in MINORS)
    assert version.is_known == (minor in MINORS)


@given(st.text(max_size=20))
def test_whatever_is_given_is_a_version_or_none(text: str) -> None:
    version = read_kube_version(text)
    assert version is None or version.minor in MINORS


def test_what_messages_say() -> None:
    assert known_versions() == "1.33, 1.34, 1.35"
    assert read_kube_version(FORM.rpartition(" ")[2]) is not None
