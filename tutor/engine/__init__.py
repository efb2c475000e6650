"""The numbers: quantities, trees, rules, and one iteration of training over arrays.

Given a network and a batch, the engine computes every number of an iteration, knows in which
order they come, and tells of each by a tree how it came about. What a formula says and what is
computed are the same thing.

NumPy and the standard library only. Nothing is read or written, and nothing here knows how a
number is shown. A new activation, loss or operation is one place here.

In the order in which it is best read:

    kinds                 the table of kinds: phase, axes, role, what is a derivative of what
    quantity              the names of all numbers: z[2][1], dL/dw[3][1,2]@4
    other_names           names of numbers as students write them, brought to ours
    tree                  open expression trees, and the environments that give them numbers
    magnitude             how far the last digits of a tree may be off
    entry                 from the tree of an array to that of one entry
    parameters            the numbers that some activation functions have
    activations           each activation function: its formula, its derivative, its words
    losses                the same for losses
    dialects              trees as expressions of Python: for the engine, for scripts, for PyTorch
    code                  programs of them: the engine's own, compiled, and the scripts
    scales                how inputs are scaled, as trees
    optimizers            schedules, penalties, clipping, optimizers: from gradient to update
    program               what a network computes, in topological order; compiled to one function
    skip                  skip connections that fit
    network               layers and loss, frozen
    order                 which number comes at which step, by arithmetic, and where a walk ends
                          early
    trace                 one iteration: every number, computed once and kept
    stable_loss           the loss of an output that is rounded to 0 or 1
    derivation            the tree of one number, or of one matrix for the whole batch
    paths                 all paths of the chain rule: counted, listed, added up
    leading               the numbers of a pass that lead to a number
    users                 who is computed with a number, and what leads to it
    jacobians             the Jacobians of a layer
    layer_graph           a network as a computation graph, its layers collapsed or open
    cancelling            from the full Jacobian to output minus target, step by step
    work                  how many multiplications a gradient takes, counted three ways
    paper                 the same iteration with every number rounded and carried on
    batches               which samples an iteration takes, and in which order
    generators            made data: a circle, clouds, half moons, curves
    scaling               inputs standardised, or brought to 0 to 1: the numbers, and their steps
    training              one iteration after the other, and any of them again
    lean                  many iterations in a row without traces, as fast as NumPy by hand
    reach                 which entries each entry of an output depends on, in few numbers
    operation             what an operation has to say of itself
    array_functions       functions of whole arrays, in NumPy and PyTorch
    array_operations      operations that look at a whole array: products, windows, rows
    operations            what a node of a computation graph can compute: each operation once
    graph                 a formula as nodes, forward and backward, with their trees
    graph_trace           every number of a graph; forward accumulation
    graph_work            how many multiplications its derivatives take, counted three ways
    graph_paper           the same with every number rounded and carried on
    graph_jacobians       the Jacobian of a node with respect to one of its inputs
    graph_users           which numbers of a graph are computed with one, and what leads to it
    nudge                 numbers moved a little: the gradient measured, not derived
    network_nudge         the loss of a network measured so
    graph_nudge           the result of a formula measured so
    health                units and layers that let too little or too much of the gradient through
    graph_health          nodes of a formula that do the same
    run                   what is recorded of many iterations: losses, gradient norms, accuracy
"""
