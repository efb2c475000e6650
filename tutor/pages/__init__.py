"""One documented object for each template.

What a reader chose (`view`) and the lesson under it (`context`) become frozen data that a
template only has to write out.

Everything above; Flask does not enter, nor does a request.

In the order in which it is best read:

    view                  what a reader chose, read from the address and written to it
    context               a lesson under a view, made once for all its pages
    cells                 cells and rows, and what the tables of a step share
    outline               where we are and where one can go
    tables                rows of small matrices, tables with a row for each unit; which of them a
                          step shows
    glossary              every technical term, with its symbol and what it means
    step_body             what a step says, in pages and wherever else it is shown
    what_if               what a reader changed, told and taken back, and the form for it
    panels                outline and settings beside the steps
    alignment             rows of matrices under the columns of the diagram
    gradient_flow         how large the gradient is in each layer, as a chart
    data_facts            where the data come from, and what is made of them
    paper_page            a lesson as on paper beside full precision
    matrices              the matrices of Jacobians, in either layout, and equations of them
    jacobians_page        the matrix calculus of a layer
    number_links          numbers of a page beside the steps that lead to their own pages
    both_routes           through the Jacobian, and output minus target
    layer_graph_page      the computation graph of a network, collapsed by layer
    paths_page            how the loss depends on a number, path by path
    step_page             the page of a step
    style_guide           the tutor's own design: figures of the style sheets, each part once
    training_query        what a reader asks of a training
    training_pictures     what the network does at a moment
    training_runs         its runs, how far they are and how they went
    training_surface      the loss over two weights, with the paths of the runs
    training_tables       how large the numbers of its layers are at a moment
    training_charts       its curves with links to iterations, and their numbers
    training_page         a training: its curves, with a way into every iteration
    overview              the first page of a lesson
    graph_view            how a reader looks at a formula
    graph_context         a formula under a view
    graph_flow            how large its derivatives are from the result back, and what is wrong
    graph_step            the page of one step of a formula
    graph_panels          what stands beside the steps of a formula
    graph_jacobians_page  the Jacobians of a node of a formula
    graph_overview        the first page of a formula
    accumulation          forward and reverse accumulation side by side
    formula_view          a formula that a reader typed, from lines or from an address
    formula_page          the page on which it is typed and walked at once
    error_page            what a reader sees in place of a page
    quantity_query        which number is asked about, from which step, on which way
    nudge_view            the loss as a function of one number, with its tangent
    quantity_page         a number by itself: its formula, its operands, who uses it
    network_answers       what a network answers about its numbers
    graph_answers         what a formula answers about its numbers
    faces                 what the pages of each sort of lesson are made with
    comparison            all printed numbers of a lesson beside ours
    front                 above the lessons: where to start, and one neuron that learns
    gallery               all courses and lessons; the files with problems
    activation_query      what a reader asks of the activation page
    activation_prose      what it says about each function
    activation_formulas   its formulas, and its part about softmax
    activations           the activation page
    share                 links, QR code and frame of a lesson, to pass it on
    check_page            all gradients beside central differences, and the error against h
"""
