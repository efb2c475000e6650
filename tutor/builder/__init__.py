"""Lessons that readers make: the form, the text page, uploads.

A draft holds every text as it was typed, becomes plain data, and each problem of the data finds
its field again.

Scenarios to check drafts with, lessons and pictures for the preview. Nothing is saved here.

In the order in which it is best read:

    upload                what an uploaded file is
    text_page             the text, what is wrong with it and where
    fields                every field of the form in one table
    grid                  tables of numbers as they are typed or pasted
    draft                 a lesson that is being written, every text as it was typed
    draft_data            what a draft says, as plain data, and the problems beside their fields
    checked               drafts of lessons, drafts checked
    edit                  what the buttons do; numbers for a table
    form_tables           the tables of the form
    data_picture          what the samples of a generator look like
    preview               diagram, first steps and problems beside it
    form_page             the form
"""
