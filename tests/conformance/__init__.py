"""
The conformance runner: any folder in the formats of the corpora, put to the product, case by case.

    python -m tests.conformance DIR [--report FILE.json]

    find         what a folder or a file is, by its content; the adapter for it
    case         the record of one case
    kro_live     recorded runs of kro (with live_inputs)
    kro_cel      answers of kro's CEL (with cel_engine, typed)
    cel_spec     CEL's own cases and cel-go's answers
    kro_tests    single rules of kro's unit tests (with rules_text, rules_cel, rules_rgd)
    exclusions   the one list of what does not apply (yet), by rule and reason
    compare      equality, as the corpora define it
    runner       running, counting, showing

No case is known by name.
"""
