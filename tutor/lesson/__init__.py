"""A scenario that one can walk through: steps, grains, words, changes, versions.

A lesson is a scenario with its trace, walked number by number, layer by layer or pass by pass;
each step has a title, an explanation and a formula. Readers change its numbers, slides are
compared with it, worksheets are drawn from it.

The engine, notation, scenarios. Nothing of pages, and nothing of the web.

In the order in which it is best read:

    dataset               all samples: written or made, split and scaled
    setup                 network, inputs, targets and learning rate of a scenario, for the engine
    changeable            which parts of a lesson a reader may change
    changes               what if: changes from an address or a form, and the scenario with them
    slides                what the lecture prints, compared
    walk                  the walk in three grains; iterations; how many steps there are
    by_hand               a lesson as on paper: how far it drifts, what it explains on slides
    running               a lesson's training while it runs, piece by piece; how it went
    titles                what units, layers and steps are called
    health_words          what is wrong with a gradient, in words
    given                 what a lesson starts from, in words
    update_reasons        why a step between a gradient and an update does what it does
    scaling_reasons       why a step that scales the inputs does what it does
    reasons               why a step does what it does, at length and in a line
    explain               the words of a step, and the terms where they first appear
    calculator            how many digits the numbers of a formula need to give its result
    formula               the lines of a step's formula
    graph_lesson          computation graphs as lessons: their walk in three grains
    graph_words           what a step of a graph says
    graph_health_words    what is wrong with the gradient of a formula, in words
    graph_formula         the formulas of a graph
    graph_changes         what if, for the values of a formula
    opening               any scenario as a lesson; how many steps it has
    validation            a file checked as its author wants to know it
    redraw                tenths and whole numbers from a stream that never changes; a lesson's
                          numbers drawn anew
    variants              versions of a lesson for worksheets, without numbers that a worksheet
                          cannot use
    graph_variants        the same for formulas
"""
