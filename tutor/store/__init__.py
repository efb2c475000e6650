"""Saved lessons: a database of texts, their ids, and who may save.

What readers save is kept for good under an id made of its text, in SQLite or PostgreSQL.

Scenarios and SQLAlchemy; `saved_lessons` does without the latter, so that pages and commands may
know of it.

In the order in which it is best read:

    database              SQLite or PostgreSQL: transactions, one writer at a time
    migrations            the tables, and how an older store becomes one of today
    visits                when lessons were opened, written every few seconds
    texts                 texts by their ids, for good
    saving                who may save, and how often
    saved_lessons         saved texts as scenarios, kept ready
"""
