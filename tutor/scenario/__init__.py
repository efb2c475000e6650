"""Scenario files: from text to a checked scenario and back.

YAML is read strictly, with the line of every value, into models; every problem is told at once,
in words that say what would be right. The way back, the JSON Schema and the meanings of keys are
here too.

pydantic and PyYAML, and of the engine only the names of quantities; its trees, and with them
NumPy, are loaded where a file has formulas. Nothing is computed here.

In the order in which it is best read:

    problem               what is wrong, where, and what would be right
    scalars               what a word of the file stands for
    strict_yaml           text to plain data with line numbers, from the events of a parser
    arithmetic            small safe formulas over quantity names
    formula_text          formulas of computation graphs as one types them
    update                how a network learns: optimizer, schedule, penalty and clipping
    knobs                 the numbers of these, by their names in forms and addresses
    model                 which keys there are, and what each may hold
    names                 which quantities this network has
    checks                what the parts of a file must agree on
    graph_file            the file of a graph lesson: its keys, and what they must agree on
    messages              what does not fit, in words
    reader                load and parse: the scenario, or every problem at once; from a file, a
                          text or a form
    dump                  a scenario as the text that it would be read from
    schema                what each key means, and the JSON Schema of the files
"""
