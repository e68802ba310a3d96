"""
The order in which Go's `sort.Slice` leaves elements, equal ones included.

Enters: keys.  Leaves: a permutation of their indices.  Not known here: values, lists of CEL.

Called only where the order of equal keys can be seen: for 13 keys and more with repeats among them, or NaN.  The algorithm is
pattern-defeating quicksort: up to 12 keys insertion sort; else a pivot from the middle of three (of nine from 50 on),
reversal where the samples descend, a few steps of insertion sort where they ascend, partition, the smaller side first;
fixed pseudo-random swaps after an unbalanced partition, heap sort after too many of them.  It is not stable, so the
only way to its result is through its steps.

Source: Go 1.26 sort.Slice (sort/zsortfunc.go), after https://arxiv.org/abs/2106.05123.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INSERTION = 12
_NINTHER = 50
_ALL_SWAPPED = 12
_SHIFTS = 5
_WORD = (1 << 64) - 1


def slice_order(keys: list[Any]) -> list[int]:
    """Give the indices of the keys in the order that `sort.Slice` with `<` would leave them."""
    run = _Run(keys)
    run.sort(0, len(keys), len(keys).bit_length())
    return run.order


class _Run:
    """One sort in progress: positions a..b of `order`, half open."""

    __slots__ = ("keys", "order")

    def __init__(self, keys: list[Any]) -> None:
        self.keys = keys
        self.order = list(range(len(keys)))

    def less(self, i: int, j: int) -> bool:
        return bool(self.keys[self.order[i]] < self.keys[self.order[j]])

    def swap(self, i: int, j: int) -> None:
        order = self.order
        order[i], order[j] = order[j], order[i]

    def sort(self, a: int, b: int, limit: int) -> None:
        """Sort a..b; the recursion is into the smaller side, so it is no deeper than the logarithm of the length."""
        balanced = partitioned = True
        while b - a > _INSERTION:
            if limit == 0:
                self.heap_sort(a, b)
                return
            if not balanced:
                self.break_patterns(a, b)
                limit -= 1
            pivot, swaps = self.choose_pivot(a, b)
            if swaps == _ALL_SWAPPED:
                self.order[a:b] = self.order[a:b][::-1]
                pivot, swaps = (b - 1) - (pivot - a), 0
            if balanced and partitioned and swaps == 0 and self.insert_a_few(a, b):
                return
            if a > 0 and not self.less(a - 1, pivot):
                a = self.partition_equal(a, b, pivot)
                continue
            middle, partitioned = self.partition(a, b, pivot)
            left, right = middle - a, b - middle
            balanced = min(left, right) >= (b - a) // 8
            if left < right:
                self.sort(a, middle, limit)
                a = middle + 1
            else:
                self.sort(middle + 1, b, limit)
                b = middle
        self.insertion_sort(a, b)

    def insertion_sort(self, a: int, b: int) -> None:
        for i in range(a + 1, b):
            j = i
            while j > a and self.less(j, j - 1):
                self.swap(j, j - 1)
                j -= 1

    def heap_sort(self, a: int, b: int) -> None:
        size = b - a
        for root in range((size - 1) // 2, -1, -1):
            self.sift_down(root, size, a)
        for end in range(size - 1, -1, -1):
            self.swap(a, a + end)
            self.sift_down(0, end, a)

    def sift_down(self, root: int, end: int, a: int) -> None:
        while (child := 2 * root + 1) < end:
            if child + 1 < end and self.less(a + child, a + child + 1):
                child += 1
            if not self.less(a + root, a + child):
                return
            self.swap(a + root, a + child)
            root = child

    def break_patterns(self, a: int, b: int) -> None:
        """Swap three elements of the middle with pseudo-random ones: xorshift seeded by the length."""
        length = seed = b - a
        middle = a + (length // 4) * 2
        for i in range(middle - 1, middle + 2):
            seed ^= seed << 13 & _WORD
            seed ^= seed >> 7
            seed ^= seed << 17 & _WORD
            other = seed & ((1 << length.bit_length()) - 1)
            self.swap(i, a + (other - length if other >= length else other))

    def choose_pivot(self, a: int, b: int) -> tuple[int, int]:
        """Take the median of three samples, or of three medians of neighbours; say how many pairs were out of order."""
        quarter = (b - a) // 4
        i, j, k = a + quarter, a + quarter * 2, a + quarter * 3
        swaps = 0
        if b - a >= _NINTHER:
            i, more = self.median(i - 1, i, i + 1)
            swaps += more
            j, more = self.median(j - 1, j, j + 1)
            swaps += more
            k, more = self.median(k - 1, k, k + 1)
            swaps += more
        j, more = self.median(i, j, k)
        return j, swaps + more

    def median(self, a: int, b: int, c: int) -> tuple[int, int]:
        swaps = 0
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        if self.less(c, b):
            b, c, swaps = c, b, swaps + 1
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        return b, swaps

    def insert_a_few(self, a: int, b: int) -> bool:
        """Shift at most five elements that are out of order; tell whether all are in order then."""
        i = a + 1
        for _ in range(_SHIFTS):
            while i < b and not self.less(i, i - 1):
                i += 1
            if i == b:
                return True
            if b - a < _NINTHER:
                return False
            self.swap(i, i - 1)
            if i - a >= 2:
                j = i - 1
                while j >= 1 and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j -= 1
            if b - i >= 2:
                j = i + 1
                while j < b and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j += 1
        return False

    def partition(self, a: int, b: int, pivot: int) -> tuple[int, bool]:
        """Bring what is below the pivot before it; tell where it is now, and whether nothing had to move."""
        self.swap(a, pivot)
        i, j = self.close_in(a, a + 1, b - 1)
        if i > j:
            self.swap(j, a)
            return j, True
        while i <= j:
            self.swap(i, j)
            i, j = self.close_in(a, i + 1, j - 1)
        self.swap(j, a)
        return j, False

    def close_in(self, pivot: int, i: int, j: int) -> tuple[int, int]:
        while i <= j and self.less(i, pivot):
            i += 1
        while i <= j and not self.less(j, pivot):
            j -= 1
        return i, j

    def partition_equal(self, a: int, b: int, pivot: int) -> int:
        """Nothing in a..b is below the pivot: bring what equals it to the front; tell where the rest begins."""
        self.swap(a, pivot)
        i, j = a + 1, b - 1
        while True:
            while i <= j and not self.less(a, i):
                i += 1
            while i <= j and self.less(a, j):
                j -= 1
            if i > j:
                return i
            self.swap(i, j)
            i += 1
            j -= 1
