"""
Expansion -> layers: what may be applied at once, and what must wait for something before it.

Enters: `Expansion` trees.  Leaves: a layer, counted from 0, for every node of every instance.  Not known here: how a target
spells an order (`emit`).

    gates      which dependencies kro really waits for
    layers     the least layers that keep every gate
    schedule   the layer of each object, and the objects that gate it
    between    what instances wait for of each other
    cycles     what no order can keep
"""
