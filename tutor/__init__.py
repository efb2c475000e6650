"""The backpropagation tutor. A map of the package, in the order in which it is best read.

A scenario file becomes a network, the network a trace of numbers, each number a tree, the trees a lesson, and the lesson
pages and text. Imports point the same way: what stands further up knows nothing of what stands below it. The app itself
is `app.py` beside this folder.

Ground: what everything stands on
    errors                one small tree of exceptions, whose texts are safe to show
    limits                how large a scenario may be
    number                a number as text, a text as number
    memo                  what can be made again, kept while there is room
    suggestion            the known word behind an unknown one: did you mean relu?

Engine: what a lesson computes, and how each number came about (the folder engine, which has this list too)
    kinds                 what sorts of numbers there are, and what is to be known of each
    quantity              the names of all numbers: z[2][1], dL/dw[3][1,2]@4
    tree                  the nodes of a tree, and the environments that give it numbers
    activations           each activation function: its formula and that of its derivative
    losses                the same for losses
    entry                 from the tree of an array to that of one entry
    code                  from trees to Python
    program               what a network computes, in topological order; the backward pass is made from the forward one
    skip                  skip connections that fit
    network               layers and loss, frozen
    order                 which number comes at which step, by arithmetic
    stop                  where a walk ends early
    trace                 one iteration: every number, computed once and kept
    training              one iteration after the other
    derivation            the tree of one number, or of one matrix for the whole batch
    paths                 a gradient as the sum over every path from the loss

Notation and writing: trees as formulas
    notation              how a lecture writes its quantities: presets and choices
    orientation           rows or columns, weight in front or behind
    writer                one traversal for all dialects
    words                 the dialect for screen readers
    markup                the one place where text becomes markup
    mathml                the dialect for pages
    plaintext             the dialect for the command line
    latex_text            any text as safe LaTeX
    latex_layout          how wide a formula is, and where its lines break
    latex                 the dialect for LaTeX

Scenario files: from YAML to a checked lesson
    problem               what is wrong, where, and what would be right
    yaml_scalar           what a word of the file stands for
    strict_yaml           text to plain data with line numbers
    plain_data            the same from elsewhere, such as a form
    arithmetic            small safe formulas over quantity names
    scenario_model        which keys there are, and what each may hold
    scenario_names        which quantities this network has
    scenario_checks       what the parts of a file must agree on
    scenario_problems     what does not fit, in words
    scenario_values       fractions as the numbers that they are
    scenario              load and parse: the scenario, or every problem at once
    scenario_text         a scenario as the text that it would be read from
    scenario_meaning      what each key means
    schema                the JSON Schema of the files
    course                how a folder's lessons stand in the gallery: course.yaml
    folder                what a folder holds now, and what of it has changed
    arrangement           courses, their groups and their lessons
    shelf                 all files of the folders, good and broken
    file_name             what files that people take away are called

Saved lessons: the store
    database              SQLite or PostgreSQL: transactions, one writer at a time
    store_schema          its tables, and how an older store becomes one of today
    store                 texts by their ids, for good
    saving                who may save, and how often
    saved_lessons         saved texts as scenarios, kept ready

Lessons: a scenario that one can walk through
    build                 the engine's network of a scenario
    change_names          which parts of a lesson a reader may change
    changed               a scenario with some parts changed
    changes               what if: changes from an address or a form, in one form
    slides                what the lecture prints, compared
    lesson                the walk in three grains; iterations
    length                how many steps it has, without keeping it open
    explain               what a step is called, what it does and why
    flow                  how the gradient grows or fades from layer to layer
    friendly              tenths and whole numbers from a stream that never changes
    redraw                a lesson's numbers drawn anew
    degenerate            which numbers a worksheet cannot use
    variants              versions of a lesson for worksheets

Pages: one documented object for each template
    security              the headers of every answer
    view                  what a reader chose, read from the address and written to it
    formula               the lines of a step's formula
    context               a lesson under a view, made once for all its pages
    library               lessons and steps, kept ready
    what_if               what a reader changed, told and taken back
    step                  what a step says, in pages and wherever else it is shown
    desk                  what the tables of a step share
    strips                rows of small matrices with their shapes
    ledgers               tables with a row for each unit, parameter or sample
    tables                which of them a step shows
    diagram_layout        where the parts of the diagram stand
    diagram_marks         numbers, symbols, rings and arrows in it
    diagram_scene         what a step means for the diagram
    diagram_backdrop      what it shows whatever the step
    diagram               the network as SVG
    diagram_steps         the diagrams of many steps in one
    outline               where we are and where one can go
    what_if_form          the form in which a reader changes numbers
    panels                outline and settings beside the steps
    page                  the page of a step, and of a whole chain
    overview              the first page of a lesson
    comparison            all printed numbers of a lesson beside ours
    gallery               all courses and lessons
    curves                a function and its derivative as a picture
    gallery_query         what a reader asks of the activation page
    gallery_prose         what it says about each function
    gallery_formula       its formulas
    gallery_softmax       its part about softmax
    gallery_activations   the activation page
    qr                    an address as a QR code
    share                 links, QR code and frame of a lesson, to pass it on
    error_page            what a reader sees in place of a page

Files to take away: a lesson without the server
    rendering             the templates outside of Flask, styles and script in the file
    worked                a whole lesson as one file
    class_set             several versions of a worksheet and their keys as one file
    code_formulas         the trees of the program as a script writes them
    code_sizes            how large the terms of an array are, which may cancel
    code_results          the arrays that a script makes
    code_text             texts and numbers as Python source
    code_checks           every array compared, at the end of a script
    code_numpy            a lesson as a NumPy script
    code_torch            a lesson as a PyTorch script
    notebook              the NumPy script in cells, with the story between them
    trace_json            a whole iteration as JSON
    data_export           the numbers as JSON and CSV
    latex_document        a whole lesson as a LaTeX file
    export                every kind of file, its name and its maker
    export_page           what a lesson can become, with a preview

A lesson as text: what people bring
    author                a file checked as its author wants to know it
    upload                what an uploaded file is
    text_page             the text, what is wrong with it and where

A lesson in a form: what people make
    draft_grid            tables of numbers as they are typed or pasted
    draft_fields          FIELDS: every field of the form, its place in the data, its words and bounds
    draft_model           a lesson that is being written, every text as it was typed; as a form, and back
    draft_data            what a draft says, as plain data, and where a problem of it belongs
    draft                 drafts of lessons, drafts checked
    draft_fill            numbers for a table: friendly ones, or those of a scheme
    draft_edit            what the buttons do
    builder_tables        the tables of the form
    builder_preview       diagram, first steps and problems beside it
    builder               the form

Doors: how one gets in
    site                  what the routes share: finding a lesson, pages and fragments
    routes_lessons        the gallery, lessons, steps, slides and exports
    routes_share          links, QR codes, frames on other sites
    routes_build          the form: fill it in, check it, save it
    routes_open           paste or upload a lesson, check it, save it
    routes_schema         the JSON Schema, for editors
    routes_whatif         a changed number becomes another address
    request_body          a body read before the work begins, so that slow uploads hold nobody up
    requestlog            one line in the log for each request
    serve                 the server: `make run`
    transcript            a walk as text
    cli_export            `python -m tutor export`
    cli_shelf             `python -m tutor list` and `validate`
    cli_prune             `python -m tutor prune`
    cli                   `python -m tutor list | validate | trace | steps | export | prune`
    __main__              the command line's door
"""
