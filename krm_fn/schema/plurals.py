"""
English plurals as kro makes them for the names of CRDs: the Go package flect, for words in lower case.

Enters: a kind in lower case.  Leaves: its plural.  Called by `schema.crd`.  Not known here: anything else.

How flect decides. A word of the dictionary has its plural; a plural of the dictionary stays. Else the first suffix
that fits decides: the dictionary's words again, as ends of compounds, the last one first, then the list of suffixes
in its order. At each step a word that already ends as the plural would stays as it is. Else an `s` is added, unless
the word ends in one.

Source: gobuffalo/flect v1.0.3 (MIT), plural_rules.go, pluralize.go, acronyms.go; its faults are kept (`dula` becomes
        `bulae`).
"""

from __future__ import annotations

# singular>plural|alternative; `=` in front: not as the end of a compound; `!` behind: the plural is no word of its own
_DICTIONARY = """
    aircraft>aircraft beef>beef|beefs bison>bison blues>blues! chassis>chassis deer>deer fish>fish|fishes moose>moose
    police>police salmon>salmon|salmons series>series sheep>sheep shrimp>shrimp|shrimps species>species
    swine>swine|swines trout>trout|trouts tuna>tuna|tunas you>you child>children =ox>oxen foot>feet goose>geese
    man>men human>humans =louse>lice mouse>mice tooth>teeth woman>women =die>dice person>people adieu>adieux|adieus
    fabliau>fabliaux bureau>bureaus|bureaux criterion>criteria ganglion>ganglia|ganglions lexicon>lexica|lexicons
    mitochondrion>mitochondria|mitochondrions noumenon>noumena phenomenon>phenomena taxon>taxa media>media
    medium>media|mediums! stadium>stadiums|stadia aquarium>aquaria|aquariums auditorium>auditoria|auditoriums
    symposium>symposia|symposiums curriculum>curriculums|curricula quota>quotas alumnus>alumni|alumnuses
    bacillus>bacilli cactus>cacti|cactuses coccus>cocci focus>foci|focuses locus>loci|locuses
    nucleus>nuclei|nucleuses octopus>octupuses|octopi radius>radii|radiuses syllabus>syllabi corpus>corpora|corpuses
    genus>genera alumna>alumnae vertebra>vertebrae differentia>differentiae minutia>minutiae vita>vitae larva>larvae
    postcava>postcavae praecava>praecavae uva>uvae apex>apices|apexes codex>codices|codexes index>indices|indexes
    latex>latices|latexes vertex>vertices|vertexes vortex>vortices|vortexes appendix>appendices|appendixes
    radix>radices|radixes helix>helices|helixes =axis>axes crisis>crises ellipsis>ellipses! genesis>geneses
    oasis>oases thesis>theses testis>testes base>bases basis>bases! =alias>aliases vedalia>vedalias =use>uses
    abuse>abuses cause>causes clause>clauses cruse>cruses excuse>excuses fuse>fuses house>houses misuse>misuses
    muse>muses pause>pauses ache>aches topaz>topazes buffalo>buffaloes|buffalos potato>potatoes tomato>tomatoes
    equipment>equipment information>information jeans>jeans money>money news>news rice>rice dwarf>dwarfs|dwarves
    hoof>hoofs|hooves thief>thieves chive>chives hive>hives move>moves movie>movies cookie>cookies
    pretorium>pretoriums agenda>agendas formula>formulas|formulae shoe>shoes =toe>toes graffiti>graffiti
"""

_SUFFIXES = """
    tive>tives eaf>eaves oaf>oaves afe>aves arf>arves rfe>rves rf>rves lf>lves fe>ves ay>ays ey>eys oy>oys quy>quies
    uy>uys y>ies eau>eaux bula>bulae dula>bulae lula>bulae nula>bulae vula>bulae hedron>hedra ium>ia seum>seums
    eum>ea oum>oa stracum>straca dum>da elum>ela ilum>ila olum>ola ulum>ula llum>lla ylum>yla imum>ima ernum>erna
    gnum>gna brum>bra crum>cra terum>tera serum>sera trum>tra antum>anta atum>ata entum>enta etum>eta itum>ita
    otum>ota utum>uta ctum>cta ovum>ova trix>trices iasis>iases mesis>meses kinesis>kineses resis>reses gnosis>gnoses
    opsis>opses ysis>yses ouse>ouses lause>lauses us>uses ch>ches io>ios sh>shes ss>sses ez>ezzes iz>izzes tz>tzes
    zz>zzes ano>anos lo>los to>tos oo>oos o>oes x>xes
"""

# acronyms for which flect, seeing them in upper case, finds no suffix
_ACRONYMS = """
    aes bss cmos des dns eia ess fcs https ids ips mpls pots ssh tia
"""


def plural(word: str) -> str:
    """
    Give the plural of a word in lower case, as flect.Pluralize does.

    Source: gobuffalo/flect v1.0.3 pluralize.go.
    """
    if word in _ACRONYMS.split():
        # sic: flect appends to the word the plural of its upper case: `dnsDNSes`
        return f"{word}{word.upper()}es" if word.endswith("s") else f"{word}s"
    plurals, known, suffixes = _tables()
    if word in plurals:
        return plurals[word]
    if word in known:
        return word
    for suffix, replacement in suffixes:
        if word.endswith(replacement):
            return word
        if word.endswith(suffix):
            return word[: len(word) - len(suffix)] + replacement
    return word if word.endswith("s") else word + "s"


def _tables() -> tuple[dict[str, str], set[str], list[tuple[str, str]]]:
    """Read the texts above: singular to plural, all known plurals, suffix rules in order."""
    plurals: dict[str, str] = {}
    known: set[str] = set()
    suffixes: list[tuple[str, str]] = []
    for entry in _DICTIONARY.split():
        singular, _, rest = entry.rstrip("!").lstrip("=").partition(">")
        many, _, alternative = rest.partition("|")
        plurals[singular] = many
        if not entry.endswith("!"):
            known.update((many, alternative) if alternative else (many,))
        if not entry.startswith("="):
            suffixes.insert(0, (singular, many))
    for entry in _SUFFIXES.split():
        singular, _, many = entry.partition(">")
        suffixes.append((singular, many))
    return plurals, known, suffixes
