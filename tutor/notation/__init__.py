"""Trees as formulas: how a lecture writes, in MathML, LaTeX, plain text and speech.

One traversal writes a tree in every dialect, following the conventions of a lecture: names, index
order, rows or columns, decimals.

Trees and quantities of the engine. A new convention is a preset in `conventions`, a new dialect
one module.

In the order in which it is best read:

    conventions           how a lecture writes its quantities: presets, choices, rows or columns
    node_names            how the nodes of a computation graph are written
    writer                one traversal for all dialects
    markup                the one place where text becomes markup
    speech                the dialect for screen readers
    mathml                the dialect for pages
    plain                 the dialect for the command line
    latex_text            any text as safe LaTeX
    latex                 the dialect for LaTeX, and where its lines break
"""
