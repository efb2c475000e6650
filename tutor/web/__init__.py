"""The server: routes, what they share, and safety.

A request is looked up, computed by the packages above and rendered; no arithmetic.

Flask and granian.

In the order in which it is best read:

    security              the headers of every answer
    forwarding            proxies in front, and the host that is asked
    static_files          styles, scripts and pictures, from memory
    lines                 the connections of readers, as the system knows them
    stalled               a deadline for who sends a request or takes an answer, by connection
    request_body          a body read before the work begins, so that slow uploads hold nobody up
    places                how many requests are worked on at once, and what each may cost
    streams               answers of unknown length: taken in time, and never ended half
    application           the application with its places, as every process has it
    long_work             files and training in processes of their own, at the lowest priority
    caching               what browsers and proxies may keep, and how they learn that it has changed
    library               lessons and steps, kept ready
    site                  what the routes share: finding a lesson, pages and fragments
    routes_lessons        the gallery, lessons, steps, slides and exports; links and frames;
                          changed numbers
    routes_quantities     any number of a lesson: how it came about, from what, who uses it
    routes_derivatives    how the loss depends on a number, path by path
    routes_formula        a formula that a reader typed: its page, its steps, its files
    routes_training       the training of a lesson: its curves, its progress, a moment of it
    routes_build          the form: fill it in, check it, save it
    routes_open           paste or upload a lesson, check it, save it; the JSON Schema
    request_log           one line in the log for each request
    server                the server: `make run`
"""
