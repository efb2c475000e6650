"""Courses, folders and the shelf: which lessons there are.

Folders of scenario files, watched for changes, arranged as courses with groups, good files and
broken ones.

Scenarios. Nothing here opens a lesson.

In the order in which it is best read:

    course                how a folder's lessons stand in the gallery: course.yaml
    folder                what a folder holds now, and what of it has changed
    shelf                 courses with their groups and lessons; all files of the folders, good
                          and broken
"""
