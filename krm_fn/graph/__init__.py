"""
The dependency graph as a picture.

Enters: an expansion, or a Program alone.  Leaves: text in one of four formats.  Not known here: files, how an order is carried out
(`emit`).

It is a room of its own and no part of `emit`: nothing applies what it draws, and what a node waits for is said in the words of
`findings`, which knows `emit`.

    model          cards, edges, and what was cut
    of_instance    Expansion -> model
    of_rgd         Program -> model
    text, mermaid, dot
    words          what all formats say in the same way
    layout, slots  model -> places; numbers alone
    svg, style     places -> SVG
"""
