"""The backpropagation tutor. A map of the house, in the order in which it is best read.

A scenario file becomes a network, the network a trace of numbers, each number a tree, the trees a
lesson, and the lesson pages and text. Imports point the same way, between the packages and inside
each: what stands further up knows nothing of what stands below it. Each package has a map of its
own at its door: what it is for, what may enter, and in which order to read its modules; tests hold
the maps to the imports. The app itself is `app.py` beside this folder.

Packages, in the order in which they are best read:

    engine/               The numbers: quantities, trees, rules, and one iteration of training
                          over arrays
    notation/             Trees as formulas: how a lecture writes, in MathML, LaTeX, plain text
                          and speech
    scenario/             Scenario files: from text to a checked scenario and back
    catalogue/            Courses, folders and the shelf: which lessons there are
    store/                Saved lessons: a database of texts, their ids, and who may save
    lesson/               A scenario that one can walk through: steps, grains, words, changes,
                          versions
    draw/                 Pictures as SVG: the network with its numbers, and curves
    pages/                One documented object for each template
    export/               Files to take away: a lesson without the server
    builder/              Lessons that readers make: the form, the text page, uploads
    web/                  The server: routes, what they share, and safety
    cli/                  The commands of `python -m tutor`

Ground floor: what every package may use

    errors                one small tree of exceptions, whose texts are safe to show
    number                a number as text, a text as number
    limits                how large a scenario may be, and how much a request
    budget                how much of the processor's time one request may take
    suggestion            the known word behind an unknown one: did you mean relu?
    memo                  what can be made again, kept while there is room

Doors

    serve                 `python -m tutor.serve`: the server, as `make run` starts it
    __main__              `python -m tutor`: the command line
"""
