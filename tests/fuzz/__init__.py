"""
Coverage-guided fuzzing of everything that reads what a stranger wrote; run by hand, see `__main__`.

`targets`: what is fed, and what must hold.  `grammar`: expressions and data made from bytes, so that evaluation is reached at all.
`seeds`: where a run begins.  What was found stands as tests in `tests/cel/test_found_by_fuzzing.py`.
"""
