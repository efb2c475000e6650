"""The commands of `python -m tutor`.

Lists, checks, prints and exports lessons without a browser, writes them as a static site, and
prunes the store.

Lessons and exports; the store only where a command needs it, for it takes long to load.

In the order in which it is best read:

    transcript            a walk as text
    graph_transcript      the same of a formula
    export                `python -m tutor export`
    shelf                 `python -m tutor list` and `validate`
    site_paths            where the tutor's pages stand in a folder
    site_page             a page of the tutor as a file
    site_folder           a folder that is made again in place
    site                  `python -m tutor site`
    prune                 `python -m tutor prune`
    main                  `python -m tutor list | validate | trace | steps | export | site |
                          prune`
"""
