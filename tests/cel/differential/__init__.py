"""
The engine beside two others, on expressions that nobody wrote.

`expressions` makes them, with input; `engines` runs one in each engine, in one notation of values. kro is the yardstick, not the
others: where they part from it by design, or by their own errors, `engines` says so in a list of rules. See `docs/second-opinion.md`.
"""
