"""The engine: what a lesson computes, and how each of its numbers came about. NumPy and the standard library only.

To be read in this order; imports point the same way:

    kinds         the table of kinds: phase, axes, role, what is a derivative of what
    quantity      the names of all numbers: z[2][1], dL/dw[3][1,2]@4
    tree          open expression trees, and the environments that give them numbers
    activations   each activation function: its formula, its derivative, its words
    losses        the same for losses
    entry         from the tree of an array to that of one entry
    code          from trees to Python: the engine's own program, and the scripts
    program       what a network computes, in topological order; compiled to one function
    skip          skip connections that fit
    network       layers and loss, frozen
    order         which number comes at which step, by arithmetic
    stop          where a walk ends early
    trace         one iteration: every number, computed once and kept
    training      one iteration after the other, and any of them again
    derivation    the tree of one number, or of one matrix for the whole batch
    paths         a gradient as the sum over every path from the loss
"""
