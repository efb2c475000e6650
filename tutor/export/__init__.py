"""Files to take away: a lesson without the server.

Documents, worksheets, LaTeX, NumPy and PyTorch scripts of an iteration or of the whole training,
notebooks, JSON and CSV. A kind of export is one module and its line in the `registry`.

Lessons and pages; files are made piece by piece, never held as a whole.

In the order in which it is best read:

    file_name             what files that people take away are called
    rendering             the templates outside of Flask, styles and script in the file
    training_section      how a training went, in a file: its curves, pictures and numbers
    worked                a whole lesson as one file; several versions of a worksheet and their
                          keys as one
    latex_document        a whole lesson as a LaTeX file
    data                  a whole iteration as JSON, the numbers as JSON and CSV
    formulas_as_code      the trees of the program as a script writes them
    arrays                the arrays that a script makes, and how large their terms are where they
                          cancel
    source_text           texts and numbers as Python source; every array compared, at the end of
                          a script
    numpy_script          a lesson as a NumPy script
    torch_script          a lesson as a PyTorch script
    notebook              the NumPy script in cells, with the story between them
    numpy_random          NumPy's random numbers without NumPy, for scripts
    scripted_run          what a script of a whole training repeats
    run_curves            the curves that such a script draws
    run_picture           the fitted curve or the decision boundary at its end
    run_script            a whole training run as a NumPy or PyTorch script
    run_notebook          the NumPy script of the run in cells
    graph_scripts         a formula as a NumPy or PyTorch script, or as a notebook
    graph_files           a formula as data and as documents
    registry              every kind of file, its name and its maker
    export_page           what a lesson can become, with a preview
"""
