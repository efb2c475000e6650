"""The commands of `python -m tutor`.

Lists, checks, prints and exports lessons without a browser, and prunes the store.

Lessons and exports; the store only where a command needs it, for it takes long to load.

In the order in which it is best read:

    transcript            a walk as text
    export                `python -m tutor export`
    shelf                 `python -m tutor list` and `validate`
    prune                 `python -m tutor prune`
    main                  `python -m tutor list | validate | trace | steps | export | prune`
"""
