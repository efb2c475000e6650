"""The backpropagation tutor."""
